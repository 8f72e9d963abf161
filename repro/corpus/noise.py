"""Smooth three-dimensional noise, read from one periodic table."""

import numba
import numpy as np

SIZE = 64
"""Cells of the table along each axis; the noise repeats after as many units."""


def noise_table(seed: int = 0) -> np.ndarray:
    """Random values (64, 64, 64) float32 of zero mean and unit variance."""
    return np.random.default_rng(seed).normal(size=(SIZE, SIZE, SIZE)).astype(np.float32)


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def value_noise(table, x, y, z):
    """The table at a point, cubic-smoothed between cells: features about one unit wide."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    u, v, w = x - fx, y - fy, z - fz
    i, j, k = int(fx) & 63, int(fy) & 63, int(fz) & 63
    i1, j1, k1 = (i + 1) & 63, (j + 1) & 63, (k + 1) & 63
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    a = table[i, j, k] * (1 - w) + table[i, j, k1] * w
    b = table[i, j1, k] * (1 - w) + table[i, j1, k1] * w
    c = table[i1, j, k] * (1 - w) + table[i1, j, k1] * w
    d = table[i1, j1, k] * (1 - w) + table[i1, j1, k1] * w
    return (a * (1 - v) + b * v) * (1 - u) + (c * (1 - v) + d * v) * u


@numba.njit(cache=True, nogil=True)
def value_noise_at(table, points):
    """Noise (n,) float64 at points (n, 3), in cells of the table."""
    out = np.empty(len(points))
    for n in range(len(points)):
        out[n] = value_noise(table, points[n, 0], points[n, 1], points[n, 2])
    return out
