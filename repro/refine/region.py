"""Where in a frame the refinement works: a box that follows the face, an edge that is held."""

import cv2
import numpy as np

_GRID_PX = 16
"""The box moves in steps of this many pixels, so that it rests while the head does."""
_FADE_PX = 8
"""Width of the fade at the box's edges."""


def face_box(mask: np.ndarray, size: tuple[int, int]) -> tuple[int, int]:
    """Top row and left column of the box of ``size`` (height, width) about a face mask (H, W).

    The box lies inside the image; without a face it stands in the middle.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows):
        centre = (rows[0] + rows[-1] + 1) / 2, (columns[0] + columns[-1] + 1) / 2
    else:
        centre = mask.shape[0] / 2, mask.shape[1] / 2
    top, left = (
        int(np.clip(round((c - side / 2) / _GRID_PX) * _GRID_PX, 0, whole - side))
        for c, side, whole in zip(centre, size, mask.shape, strict=True)
    )
    return top, left


def edge_fade(corner: tuple[int, int], size: tuple[int, int], image: tuple[int, int]) -> np.ndarray:
    """(h, w) float32: 1 inside a box, falling linearly to 0 at its edges.

    Edges that are also the image's do not fade. So no seam shows where a face is larger than
    the box.
    """
    lines = []
    for start, side, whole in zip(corner, size, image, strict=True):
        at = np.arange(side, dtype=np.float32)
        before = at if start > 0 else np.full_like(at, np.inf)
        after = at[::-1] if start + side < whole else np.full_like(at, np.inf)
        lines.append(np.minimum(np.minimum(before, after) / _FADE_PX, 1))
    return np.minimum.outer(*lines)


def editable_region(mask: np.ndarray, *, margin_px: int, feather_px: float) -> np.ndarray:
    """(H, W) float32: 1 up to ``margin_px`` from a face mask (H, W), falling softly to exactly 0.

    ``feather_px`` is the standard deviation of the edge.
    """
    size = 2 * margin_px + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    wide = cv2.dilate((mask > 0).astype(np.float32), disc)
    return cv2.GaussianBlur(wide, (0, 0), feather_px)
