"""What is painted on a face: lips, beard, flush, and the creases that come with age.

Places are told from the middle of the eyes on the mean face, metres: as (right, back, up) of
vertices, as (right, down) on the map of creases.
"""

import numpy as np

from repro.corpus.hair import step
from repro.corpus.shade_surface import CREASES_LEFT_M, CREASES_M, CREASES_TOP_M

_COLUMNS, _ROWS = 401, 489
_LIPS_BELOW_EYES_M, _LIPS_HALF_M = 0.0730, 0.0255
_UPPER_M, _LOWER_M, _BOW_M = 0.0088, 0.0102, 0.0011
"""Height of the red of either lip, and how far the upper one dips in its middle."""

_BESIDE_NOSE_AND_MOUTH = np.array([
    (0.0150, 0.0430), (0.0200, 0.0490), (0.0255, 0.0570), (0.0300, 0.0660), (0.0320, 0.0720),
])  # fmt: skip
_BELOW_EYE = np.array([(0.0170, 0.0100), (0.0220, 0.0140), (0.0290, 0.0162), (0.0360, 0.0150)])
_DOWN_FROM_MOUTH = np.array([(0.0285, 0.0780), (0.0305, 0.0850), (0.0295, 0.0930)])
_BETWEEN_BROWS = np.array([(0.0065, -0.0090), (0.0070, -0.0170), (0.0060, -0.0250)])
"""Paths of creases of the right half, right and down."""


def vermilion(place: np.ndarray) -> np.ndarray:
    """How much (V,) in [0, 1] of a place is the red of the lips; nothing is said of its depth.

    The lips of the face model are full; their red is drawn inside of their outline.
    """
    side, down = np.abs(place[:, 0]), -place[:, 2] - _LIPS_BELOW_EYES_M
    arch = np.clip(1 - (side / _LIPS_HALF_M) ** 2, 0, 1)
    upper = _UPPER_M * arch**0.8 - _BOW_M * np.exp(-((side / 0.0026) ** 2))
    lower = _LOWER_M * arch**0.75
    inside = step(_LIPS_HALF_M + 0.002, _LIPS_HALF_M - 0.001, side)
    return inside * step(-0.0010, 0.0010, upper + down) * step(-0.0014, 0.0012, lower - down)


def beard(place: np.ndarray) -> np.ndarray:
    """Where (V,) in [0, 1] a beard grows."""
    side, back, up = np.abs(place[:, 0]), place[:, 1], place[:, 2]

    def blob(x, y, sx, sy):
        return np.exp(-(((side - x) / sx) ** 2) - ((up - y) / sy) ** 2) * (back < 0.05)

    jaw = step(0.032, 0.05, side) * step(-0.045, -0.07, up) * (back < 0.075)
    chin, lip = blob(0, -0.100, 0.045, 0.022), blob(0.012, -0.062, 0.022, 0.006)
    return np.clip(chin + lip + 0.7 * jaw, 0, 1)


def flush(place: np.ndarray, ears: np.ndarray) -> np.ndarray:
    """How much (V,) skin is red and freckles grow, about 1 at most: cheeks, nose, ``ears`` (V,)."""
    side, back, up = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    cheeks = np.exp(-(((side - 0.037) / 0.018) ** 2) - ((up + 0.042) / 0.016) ** 2)
    nose = np.exp(-((side / 0.012) ** 2) - ((up + 0.045) / 0.011) ** 2)
    return (cheeks + nose) * (back < 0.04) + 0.6 * ears


def creases(age_years: float, seed: int) -> np.ndarray:
    """The lines of a face of some age, seen from the front.

    Returns
    -------
    (489, 401, 3) float32: depth, about 1 for a deep crease, and its slopes to the right and down
    (per cell); in cells of ``CREASES_M`` from ``CREASES_TOP_M`` and ``CREASES_LEFT_M``
    """
    rng = np.random.default_rng([seed, 13])
    age = float(np.clip((age_years - 22) / 50, 0, 1))
    depth = np.zeros((_ROWS, _COLUMNS))
    _forehead(depth, age**1.3, rng)
    for side in (-1, 1):
        for strength, width, points in _lines(age, rng):
            vary = rng.normal(0, 0.0006, points.shape)
            path = (points + vary) * np.array([side, 1])
            _stroke(depth, path, width, strength * rng.uniform(0.6, 1.1))
    slopes = np.gradient(depth)
    return np.stack([depth, slopes[1], slopes[0]], -1).astype(np.float32)


def _forehead(depth: np.ndarray, strength: float, rng: np.random.Generator) -> None:
    """Deepen a map by wavy lines across the forehead."""
    x = np.linspace(-0.040, 0.040, 9)
    for y in np.arange(-0.0350, -0.0580, -0.0065 - 0.001 * rng.random()):
        wave = 0.0012 * np.sin(x * rng.uniform(60, 110) + rng.uniform(0, 6)) - 2.5 * x**2
        gap = rng.uniform(-0.016, 0.016)  # few lines run all the way
        for left, right in ((0, 5), (4, 9)) if rng.random() < 0.5 else ((0, 9),):
            path = np.stack([x + gap * 0.3, y + wave], 1)[left:right]
            _stroke(depth, path, 0.0011, 0.75 * strength * rng.uniform(0.5, 1.1))


def _lines(age: float, rng: np.random.Generator):
    """Strength, width and path (n, 2) right and down of each line of the right half."""
    yield 0.10 + 0.85 * age, 0.0019, _BESIDE_NOSE_AND_MOUTH
    yield 0.08 + 0.70 * age, 0.0014, _BELOW_EYE
    yield 0.65 * age**1.5, 0.0016, _DOWN_FROM_MOUTH
    yield 0.60 * age**1.3, 0.0011, _BETWEEN_BROWS
    for turn in np.linspace(-0.55, 0.65, 4) + rng.normal(0, 0.06):  # crow's feet
        away = np.array([np.cos(turn), np.sin(turn)])
        start = np.array([0.0470, 0.0030]) + 0.004 * away
        bend = np.array([0, 0.0012])
        reach = rng.uniform(0.008, 0.014)
        path = np.array([start, start + 0.5 * reach * away + bend, start + reach * away + 2 * bend])
        yield 0.75 * age**1.2, 0.0009, path


def _stroke(depth: np.ndarray, path: np.ndarray, width_m: float, strength: float) -> None:
    """Deepen a map along a path (n, 2) right and down, metres; it fades to both ends."""
    start = np.array([CREASES_LEFT_M, CREASES_TOP_M])
    low, high = path.min(0) - 3 * width_m, path.max(0) + 3 * width_m
    (a, b), (c, d) = ((np.array([low, high]) - start) / CREASES_M).astype(int)
    y, x = np.mgrid[b:d, a:c] * CREASES_M
    x, y = x + start[0], y + start[1]
    groove = np.zeros_like(x)
    last = len(path) - 1
    for k in range(last):
        p, run = path[k], path[k + 1] - path[k]
        t = np.clip(((x - p[0]) * run[0] + (y - p[1]) * run[1]) / (run @ run), 0, 1)
        off = np.hypot(x - p[0] - t * run[0], y - p[1] - t * run[1])
        fade = np.sin(np.pi * np.clip(0.08 + 0.84 * (k + t) / last, 0, 1)) ** 0.7
        groove = np.maximum(groove, fade * np.exp(-((off / width_m) ** 2)))
    depth[b:d, a:c] += strength * groove
