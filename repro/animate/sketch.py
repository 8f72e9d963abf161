"""Landmarks as a grey picture: the face's lines (Chen et al. 2020, section 4.2)."""

from typing import NamedTuple

import cv2
import numpy as np


class _Line(NamedTuple):
    points: slice
    closed: bool
    grey: int


_LINES = (
    _Line(slice(0, 17), False, 110),  # jaw
    _Line(slice(17, 22), False, 140),  # brows
    _Line(slice(22, 27), False, 140),
    _Line(slice(27, 31), False, 170),  # bridge of the nose
    _Line(slice(31, 36), False, 170),  # its base
    _Line(slice(36, 42), True, 200),  # eyes
    _Line(slice(42, 48), True, 200),
    _Line(slice(48, 60), True, 230),  # outer lips
    _Line(slice(60, 68), True, 255),  # inner lips
)
"""Of the iBUG 68; each part has its own grey, so that crossing lines can be told apart."""

OUTER_LIPS = slice(48, 60)
_INNER_UPPER, _INNER_LOWER = [61, 62, 63], [67, 66, 65]
_EYES = 36, 45
"""Their outer corners."""

_FINENESS = 4
"""Bits after the binary point of the lines' coordinates."""
_FARTHEST = 16
"""Landmarks farther out than so many sides of the picture are pulled in to there."""
_LINE_OF = 128
"""One pixel of line for so many of the picture's side."""


def draw_sketch(landmarks: np.ndarray, size_px: int) -> np.ndarray:
    """Draw jaw, brows, nose, eyes and lips as anti-aliased lines.

    Parameters
    ----------
    landmarks : (68, 2) pixels x, y, the iBUG points; they may lie outside the picture
    size_px : side of the picture

    Returns
    -------
    (S, S) uint8, black where no line is

    Raises
    ------
    ValueError
        The landmarks have another shape or are not finite.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2):
        raise ValueError(f"expected 68 landmarks (68, 2), got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("landmarks must be finite numbers")
    picture = np.zeros((size_px, size_px), np.uint8)
    reach = _FARTHEST * size_px
    # OpenCV counts pixel centres as whole numbers.
    fine = np.rint((points.clip(-reach, reach) - 0.5) * 2**_FINENESS).astype(np.int32)
    width = max(1, round(size_px / _LINE_OF))
    for points_of, closed, grey in _LINES:
        line = fine[points_of][:, None]
        cv2.polylines(picture, [line], closed, grey, width, cv2.LINE_AA, _FINENESS)
    return picture


def mouth_opening(landmarks: np.ndarray) -> np.ndarray:
    """Opening (...) of the lips over the distance of the eyes' outer corners; as ``lip_gap_68``."""
    eyes = landmarks[..., _EYES[0], :] - landmarks[..., _EYES[1], :]
    return lip_gap_68(landmarks) / np.linalg.norm(eyes, axis=-1)


def lip_gap_68(landmarks: np.ndarray) -> np.ndarray:
    """Mean opening (...) of the inner lips: three pairs of landmarks (..., 68, 2 or 3)."""
    apart = landmarks[..., _INNER_UPPER, :] - landmarks[..., _INNER_LOWER, :]
    return np.linalg.norm(apart, axis=-1).mean(-1)


def mouth_area(landmarks: np.ndarray, size_px: int) -> np.ndarray:
    """The lips and a little around them, (S, S) float32, 1 inside; landmarks as above."""
    lips = np.asarray(landmarks, np.float64)[OUTER_LIPS]
    reach = _FARTHEST * size_px
    grown = lips + 0.25 * (lips - lips.mean(0))
    area = np.zeros((size_px, size_px), np.uint8)
    cv2.fillPoly(area, [np.rint(grown.clip(-reach, reach) - 0.5).astype(np.int32)], (1,))
    return area.astype(np.float32)
