"""A picture of a place in the making: shapes, light, noise and the lens, in linear light."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

WALLS = (
    (0.46, 0.44, 0.40), (0.38, 0.33, 0.26), (0.27, 0.31, 0.33), (0.25, 0.29, 0.23),
    (0.33, 0.22, 0.17), (0.11, 0.14, 0.18), (0.50, 0.47, 0.46), (0.19, 0.19, 0.20),
)  # fmt: skip
"""Paint: white, cream, blue grey, sage, clay, navy, chalk, slate. All colours are linear RGB."""
WOODS = ((0.16, 0.085, 0.045), (0.28, 0.18, 0.10), (0.055, 0.035, 0.028), (0.48, 0.46, 0.43))
LEAVES = ((0.045, 0.085, 0.022), (0.075, 0.115, 0.030), (0.035, 0.070, 0.035), (0.14, 0.10, 0.03))
STONES = ((0.30, 0.26, 0.22), (0.24, 0.13, 0.10), (0.22, 0.23, 0.25), (0.38, 0.34, 0.28))


@dataclass
class Scene:
    """A square picture that is drawn into.

    x, y    (n, n) middles of the pixels; both run over the frame from 0 to 1
    rng     places and colours everything
    things  (k, 3) colours of books, pictures and curtains, linear
    image   (n, n, 3), linear
    """

    x: np.ndarray
    y: np.ndarray
    rng: np.random.Generator
    things: np.ndarray
    image: np.ndarray

    @property
    def size(self) -> int:
        """Pixels along a side."""
        return len(self.image)

    def thing(self) -> np.ndarray:
        """The colour (3,) of some thing, never quite the same twice."""
        colour = self.things[self.rng.integers(len(self.things))]
        return np.clip(colour * np.exp(self.rng.normal(0, 0.25)), 0.01, 0.6)

    def pick(self, colours: Sequence[tuple[float, float, float]]) -> np.ndarray:
        """About one (3,) of some colours."""
        colour = np.array(colours[int(self.rng.integers(len(colours)))])
        return colour * np.exp(self.rng.normal(0, 0.05, 3))

    def box(self, left: float, top: float, right: float, bottom: float, colour) -> None:
        """Fill a rectangle."""
        a, b, c, d = np.round(np.clip([left, top, right, bottom], 0, 1) * self.size).astype(int)
        self.image[b:d, a:c] = colour

    def cover(self, alpha: np.ndarray, colour) -> None:
        """Lay a colour, (3,) or (n, n, 3), over the picture as far as alpha (n, n) goes to 1."""
        self.image += alpha[..., None] * (np.asarray(colour) - self.image)

    def point(self, x: float, y: float, disc: float, warm: float, *, blur: float) -> None:
        """Add a light so small that the lens alone gives it a size.

        disc: how bright its disc will be once defocused by ``blur``; warm: how much blue it has
        """
        off = np.hypot(self.x - x, self.y - y) / 0.0065
        spread = np.clip(1.5 - off, 0, 1)
        amount = disc * np.pi * (blur * self.size) ** 2 / max(spread.sum(), 1.0)
        self.image += (amount * spread)[..., None] * np.array([1.0, 0.5 + 0.5 * warm, warm])

    def defocus(self, radius: float) -> None:
        """Spread every point over a disc; ``radius`` as a share of the picture's side."""
        reach = radius * self.size
        half = int(np.ceil(reach))
        v, u = np.mgrid[-half : half + 1, -half : half + 1]
        disc = np.clip(reach + 0.5 - np.hypot(u, v), 0, 1)
        self.image = cv2.filter2D(
            self.image, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101
        )

    def noise(self, across: int, down: int) -> np.ndarray:
        """Smooth noise (n, n) of so many cells, drawn with unit variance; alike at every size."""
        cells = self.rng.normal(size=(down + 3, across + 3)).astype(np.float32)
        u, v = (self.x * across + 1).astype(np.float32), (self.y * down + 1).astype(np.float32)
        return cv2.remap(cells, u, v, cv2.INTER_CUBIC).astype(float)
