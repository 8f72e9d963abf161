"""The painted mouth brought into the target frame without a seam (Song et al. 2020, 3.3.1)."""

import cv2
import numpy as np

from repro.edit import masked
from repro.edit.completion import Completed
from repro.edit.video_settings import EditVideoSettings
from repro.face.landmarks import inter_pupil_distance

_LEAST_PX = 12
"""Poisson's equation needs a region of a few pixels; smaller ones are mixed by the mask alone."""


def soft_mask(
    original: np.ndarray,
    new: np.ndarray,
    rectangle: tuple[int, int, int, int],
    image: tuple[int, int],
    settings: EditVideoSettings,
) -> np.ndarray:
    """How much of the painted frame counts: (H, W) float32, 1 in the middle, 0 outside.

    The hull of both mouth regions, grown or eroded, its boundary smoothed by a Gaussian; exactly
    0 outside the rectangle that was painted.

    Parameters
    ----------
    original, new : (478, 2) pixels
    rectangle : as ``masked.mouth_rectangle`` gives it
    """
    pupils = float(inter_pupil_distance(original))
    hull = masked.region_hull(original, new, image).astype(np.uint8)
    reach = round(abs(settings.blend_grow) * pupils)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    resized = (cv2.dilate if settings.blend_grow > 0 else cv2.erode)(hull, disc)
    feather = settings.blend_feather * pupils
    # What is smoothed ends inside the rectangle, so that no edge of it shows.
    inset = int(np.ceil(2 * feather))
    left, top, right, bottom = rectangle
    inner = masked.rectangle_mask((left + inset, top + inset, right - inset, bottom - inset), image)
    smooth = cv2.GaussianBlur((resized * inner).astype(np.float32), (0, 0), feather)
    shown = masked.rectangle_mask(rectangle, image) & (smooth > 1 / 255)
    return np.where(shown, np.minimum(smooth, 1), 0)


def blend(frame: np.ndarray, painted: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """The frame with the painted mouth: Poisson blending (Perez et al. 2003) under a soft mask.

    Inside the mask the painted picture's gradients count, and the frame's colours at its edge; so
    a shift of colour between the two disappears. Outside, the frame's bytes stay.

    Parameters
    ----------
    frame, painted : (H, W, 3) uint8
    soft : (H, W) float32 in [0, 1]

    Returns
    -------
    (H, W, 3) uint8
    """
    inside = soft > 0
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return frame.copy()
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    # seamlessClone counts no pixel at the border of its picture: one more on each side is shown.
    grown = np.s_[max(top - 2, 0) : bottom + 2, max(left - 2, 0) : right + 2]
    target, source, weight = frame[grown], painted[grown], soft[grown][..., None]
    cloned = source
    if min(bottom - top, right - left) >= _LEAST_PX:
        cloned = _cloned(target, source, (weight[..., 0] > 0).astype(np.uint8) * 255)
    mixed = weight * cloned + (1 - weight) * target
    out = frame.copy()
    out[grown] = np.where(weight > 0, np.rint(mixed), target).astype(np.uint8)
    return out


def _cloned(target: np.ndarray, source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``cv2.seamlessClone`` at the place where the source stands."""
    x, y, width, height = cv2.boundingRect(mask)
    middle = (x + width // 2, y + height // 2)
    return cv2.seamlessClone(source, target, mask, middle, cv2.NORMAL_CLONE)


def blended(
    frame: np.ndarray,
    completed: Completed,
    original: np.ndarray,
    new: np.ndarray,
    settings: EditVideoSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """A completed frame blended over the target frame, and the soft mask that was used."""
    soft = soft_mask(original, new, completed.rectangle, frame.shape[:2], settings)
    return blend(frame, completed.frame, soft), soft
