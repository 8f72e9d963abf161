"""What stands behind a synthetic person: a wall's gradient and out-of-focus shapes."""

import cv2
import numpy as np


def room_image(colours: np.ndarray, *, size_px: int, seed: int) -> np.ndarray:
    """A blurred room.

    Parameters
    ----------
    colours : (6, 3) linear RGB; the first two tint the wall
    size_px : side of the square image
    seed : places the shapes

    Returns
    -------
    (size_px, size_px, 3) float32, linear RGB
    """
    rng = np.random.default_rng([seed, 11])
    y, x = (np.mgrid[0:size_px, 0:size_px] + 0.5) / size_px
    slope = rng.normal(0, 0.35)
    along = np.clip(y + slope * (x - 0.5), 0, 1)[..., None]
    image = (1 - along) * colours[0] + along * (0.35 * colours[0] + 0.45 * colours[1])
    for colour in colours[2:]:
        image = _shape(image, colour, x, y, rng)
    image = cv2.GaussianBlur(image, (0, 0), size_px * rng.uniform(0.018, 0.035))
    for _ in range(rng.integers(0, 5)):
        image = _glow(image, x, y, rng)
    return np.clip(image, 0.004, 1.0).astype(np.float32)


def _shape(image, colour, x, y, rng) -> np.ndarray:
    """A shelf, frame, curtain or plant, as a soft-cornered rectangle off the middle."""
    centre_x = 0.5 + rng.choice([-1, 1]) * rng.uniform(0.22, 0.5)
    centre_y = rng.uniform(0.05, 0.95)
    half_x, half_y = rng.uniform(0.04, 0.16), rng.uniform(0.05, 0.4)
    far = np.maximum(np.abs(x - centre_x) / half_x, np.abs(y - centre_y) / half_y)
    inside = (far < 1)[..., None] * rng.uniform(0.5, 0.95)
    return image * (1 - inside) + colour * inside


def _glow(image, x, y, rng) -> np.ndarray:
    """A small lamp, out of focus."""
    radius = rng.uniform(0.015, 0.04)
    far = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 0.6)) / radius
    disc = np.clip((1.15 - far) / 0.3, 0, 1)[..., None]
    return image + disc * rng.uniform(0.05, 0.3) * np.array([1.0, 0.85, 0.6])
