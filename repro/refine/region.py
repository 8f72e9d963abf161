"""Where in a frame the refinement works: a square that follows the face, an edge that is held."""

import cv2
import numpy as np

_GRID_PX = 16
"""The square moves in steps of this many pixels, so that it rests while the head does."""


def face_square(mask: np.ndarray, side_px: int) -> tuple[int, int]:
    """Top row and left column of the square of ``side_px`` about a face mask (H, W).

    The square lies inside the image; without a face it stands in the middle.
    """
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows):
        centre = (rows[0] + rows[-1] + 1) / 2, (columns[0] + columns[-1] + 1) / 2
    else:
        centre = height / 2, width / 2
    corner = (round((c - side_px / 2) / _GRID_PX) * _GRID_PX for c in centre)
    top, left = (
        int(np.clip(c, 0, size - side_px)) for c, size in zip(corner, (height, width), strict=True)
    )
    return top, left


def editable_region(mask: np.ndarray, *, margin_px: int, feather_px: float) -> np.ndarray:
    """(H, W) float32: 1 up to ``margin_px`` from a face mask (H, W), falling softly to exactly 0.

    ``feather_px`` is the standard deviation of the edge.
    """
    size = 2 * margin_px + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    wide = cv2.dilate((mask > 0).astype(np.float32), disc)
    return cv2.GaussianBlur(wide, (0, 0), feather_px)
