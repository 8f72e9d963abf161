"""What a face looks like, in small: to tell people apart, and hidden or blurred faces from clear.

A face is laid onto a small picture by its outer eye corners and chin. Its colours, whatever their
place, tell people apart: the Hellinger distance of a frame's histogram to the clip's was at most
0.26 (six synthetic clips) and 0.55 (six real ones, 95 % of frames under 0.46), and between people
at least 0.46 (synthetic, in one room) and 0.70. Its pattern, whatever the light, changes only as
far as the face moves or is covered.
"""

from typing import NamedTuple

import cv2
import numpy as np

_SIDE = 32
_CORNERS = np.array([33, 263, 152])
_PLACES = np.array([[11, 13], [21, 13], [16, 26]], np.float32)
"""Where the outer eye corners and the chin come to lie in the small picture."""
_FACE = slice(9, 27), slice(8, 24)
_SHARP_PX = 96
_HEAD = slice(4, 28), slice(7, 25)
"""Face and hair, with little of what is behind."""
_BINS = 8, 24, 24
_RANGES = 0, 256, 96, 192, 96, 192  # the part of L*a*b* where skin and hair are

SAME, OTHER = 0.4, 0.5
"""Distance of colours up to which two faces are one person's, from which they are two people's."""


class Look(NamedTuple):
    """A face in one frame.

    colours    (4608,) float32 of unit norm: the square root of the histogram of L*a*b*
    pattern    (18, 16) uint8, the grey face
    sharpness  mean square of the picture's second derivative over its variance
    """

    colours: np.ndarray
    pattern: np.ndarray
    sharpness: float


def look_of(picture: np.ndarray, points: np.ndarray, *, inside: np.ndarray) -> Look:
    """The look of a face in a square picture (n, n, 3) uint8 that it half fills.

    Parameters
    ----------
    points : (478, 2) pixels of the picture
    inside : corners (2, 2), upper left and lower right, of what the picture shows; black beyond
    """
    scale = _SHARP_PX / len(picture)
    small = cv2.resize(picture, (_SHARP_PX, _SHARP_PX), interpolation=cv2.INTER_AREA)
    corners = (points[_CORNERS] * scale).astype(np.float32)
    laying = cv2.getAffineTransform(corners, _PLACES)
    size = _SIDE, _SIDE
    laid = cv2.warpAffine(cv2.GaussianBlur(small, (0, 0), 0.8), laying, size)
    left, top, right, bottom = np.clip(np.rint(inside * scale), 0, _SHARP_PX).astype(int).ravel()
    shown = np.zeros((_SHARP_PX, _SHARP_PX), np.uint8)
    shown[top:bottom, left:right] = 1
    there = cv2.warpAffine(shown, laying, size, flags=cv2.INTER_NEAREST)[_HEAD]
    lab = cv2.cvtColor(laid[_HEAD], cv2.COLOR_RGB2LAB)
    histogram = cv2.calcHist([lab], [0, 1, 2], there, list(_BINS), list(_RANGES)).ravel()
    colours = np.sqrt(histogram / max(float(histogram.sum()), 1.0)).astype(np.float32)
    grey = cv2.cvtColor(laid, cv2.COLOR_RGB2GRAY)
    return Look(colours, grey[_FACE].copy(), _sharpness(small, points * scale))


def _sharpness(picture: np.ndarray, points: np.ndarray) -> float:
    low = np.clip(points.min(0), 0, _SHARP_PX - 4).astype(int)
    high = np.clip(np.ceil(points.max(0)), low + 4, _SHARP_PX).astype(int)
    face = picture[low[1] : high[1], low[0] : high[0]]
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.square(cv2.Laplacian(grey, cv2.CV_32F)).mean() / (grey.var() + 4))


def colour_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Hellinger distance in [0, 1] of two ``colours``."""
    return float(np.sqrt(max(0.0, 1 - float(a @ b))))


def pattern_likeness(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlation (...,) in [-1, 1] of patterns (..., 18, 16), the same in any light."""
    x, y = (p.reshape(*p.shape[:-2], -1).astype(np.float32) for p in (a, b))
    x, y = (p - p.mean(-1, keepdims=True) for p in (x, y))
    return (x * y).sum(-1) / np.sqrt((x**2).sum(-1) * (y**2).sum(-1) + 1.0)
