"""The mouth region of a target frame, hidden under noise (Song et al. 2020, section 3.3.1).

The region holds lips, jaw and nasolabial folds. An edited frame shows a new mouth where another
one was, and both must be covered: every function here takes the landmarks of both.
"""

import cv2
import numpy as np

from repro.face.landmarks import LIPS, STEADY, inter_pupil_distance

JAW = np.array([58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 288])
"""The jawline, from the person's right to the left; the landmarker's points that the face model
has too."""

FOLDS = np.array([2, 98, 327, 205, 425, 206, 426, 216, 436])
"""Base of the nose, and cheeks beside the nasolabial folds."""

MOUTH_REGION = np.concatenate([LIPS, JAW[1:-1], FOLDS])
"""Points that the noise covers."""

BLENDED_REGION = np.concatenate([LIPS, JAW[3:-2], FOLDS[[0, 1, 2, 5, 6, 7, 8]]])
"""Points whose hull replaces the frame's own pixels: not the cheeks, nor the jaw's corners, whose
outline against the background is best left as it is."""

GUIDES = np.concatenate([LIPS, JAW])
"""Points that the heat maps show: mouth and jawline."""


def mouth_rectangle(
    original: np.ndarray, new: np.ndarray, *, margin: float, image: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (pixels, right and bottom beyond the last) of what is hidden.

    The paper's "square mask": the upright rectangle about the mouth region's points of both.

    Parameters
    ----------
    original, new : (478, 2) pixels
    margin : how far it reaches over the points, as a share of the distance between the pupils
    image : height and width, which it does not leave
    """
    points = np.concatenate([original[MOUTH_REGION], new[MOUTH_REGION]])
    reach = margin * float(inter_pupil_distance(original))
    sizes = np.array(image[::-1])
    low = np.clip(np.floor(points.min(0) - reach), 0, sizes - 1).astype(int)
    high = np.clip(np.ceil(points.max(0) + reach), low + 1, sizes).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def rectangle_mask(rectangle: tuple[int, int, int, int], image: tuple[int, int]) -> np.ndarray:
    """(H, W) bool, true inside; nowhere in a rectangle without extent."""
    left, top, right, bottom = np.maximum(rectangle, 0)
    mask = np.zeros(image, bool)
    mask[top:bottom, left:right] = True
    return mask


def hidden(frame: np.ndarray, mask: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The frame with noise where the mask is.

    frame (H, W, 3) uint8, mask (H, W) bool, noise (H, W, 3) uint8
    """
    return np.where(mask[..., None], noise, frame)


def draw_noise(image: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8, every value as likely as the others."""
    return rng.integers(0, 256, (*image, 3), dtype=np.uint8)


def region_hull(original: np.ndarray, new: np.ndarray, image: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: the polygon about the outermost points of both blended regions, filled."""
    points = np.concatenate([original[BLENDED_REGION], new[BLENDED_REGION]])
    return filled_hull(points, image)


def filled_hull(points: np.ndarray, image: tuple[int, int]) -> np.ndarray:
    """(H, W) bool, true within the convex hull of points (P, 2) in pixels."""
    # OpenCV counts pixel centres as whole numbers, in sixteenths here.
    fixed = np.rint((points - 0.5) * 16).astype(np.int32)
    filled = np.zeros(image, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(fixed), 1, shift=4)
    return filled > 0


def moved_onto(landmarks: np.ndarray, target: np.ndarray) -> np.ndarray:
    """A face's landmarks brought onto the same person's head in another frame.

    By the similarity (rotation, size, place) that fits the points that do not move with
    expression best (Umeyama 1991), so that the expression is kept.

    Parameters
    ----------
    landmarks, target : (478, 2) pixels

    Returns
    -------
    (478, 2)
    """
    here, there = landmarks[STEADY], target[STEADY]
    middle, goal = here.mean(0), there.mean(0)
    # As complex numbers, rotation and size are one factor.
    a = (here - middle) @ np.array([1, 1j])
    b = (there - goal) @ np.array([1, 1j])
    factor = np.vdot(a, b) / np.vdot(a, a).real
    turned = ((landmarks - middle) @ np.array([1, 1j])) * factor
    return np.stack([turned.real, turned.imag], axis=-1) + goal
