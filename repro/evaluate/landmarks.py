"""Distances between landmarks (LMD, Yi et al. 2020, Table 2) and how steady tracks are."""

from typing import NamedTuple

import numpy as np

MOUTH_68 = np.arange(48, 68)
"""The mouth's 20 points in the order of iBUG 68."""


class LandmarkDistance(NamedTuple):
    """A mean over frames, and how many frames it left out.

    distance   pixels at 256 x 256; nan if no frame counted
    frames     that counted
    undetected frames without landmarks in one of the two
    convention its name, to be printed with the number
    """

    distance: float
    frames: int
    undetected: int
    convention: str


def landmark_distance(
    true: np.ndarray,
    generated: np.ndarray,
    *,
    image_px: int,
    points: np.ndarray = MOUTH_68,
    detected: np.ndarray | None = None,
) -> LandmarkDistance:
    """LMD as the mean distance per point, in pixels at 256 x 256.

    Each set of points is moved to its own centroid first, so that the head's place does not count.

    Parameters
    ----------
    true, generated : (T, L, 2) pixels of square images of side ``image_px``; NaN where undetected
    points : indices of the landmarks that count (the mouth's 20 of 68)
    detected : (T,) bool, frames with landmarks in both, or None to tell by NaN
    """
    offsets, found = _centred_offsets(true, generated, points, detected)
    scale = 256 / image_px
    mean = float(scale * offsets.mean()) if len(offsets) else float("nan")
    name = "mean per point, px at 256, centroids aligned, undetected frames counted"
    return LandmarkDistance(mean, len(offsets), int((~found).sum()), name)


def landmark_distance_atvg(
    true: np.ndarray,
    generated: np.ndarray,
    *,
    points: np.ndarray = MOUTH_68,
    detected: np.ndarray | None = None,
) -> LandmarkDistance:
    """LMD as ATVG's public script has it: the sum over the mouth's points, mean over the frames.

    Pixels as they come, without a scale: give the images' size with the number.
    """
    offsets, found = _centred_offsets(true, generated, points, detected)
    mean = float(offsets.sum(1).mean()) if len(offsets) else float("nan")
    name = "ATVG: sum over 20 mouth points, px as given, undetected frames dropped"
    return LandmarkDistance(mean, len(offsets), int((~found).sum()), name)


def flicker(tracks: np.ndarray) -> float:
    """Unsteadiness of tracks (T, ..., D): root mean square of the second difference, same unit.

    Zero for steady and for evenly moving points.
    """
    tracks = np.asarray(tracks, np.float64)
    if len(tracks) < 3:
        raise ValueError(f"flicker needs at least 3 frames, got {len(tracks)}")
    second = np.diff(tracks, n=2, axis=0)
    return float(np.sqrt((second**2).sum(-1).mean()))


def _centred_offsets(true, generated, points, detected) -> tuple[np.ndarray, np.ndarray]:
    """Distances (frames found, L) of centred points, and which frames (T,) were found."""
    pair = [np.asarray(x, np.float64)[:, points] for x in (true, generated)]
    if pair[0].shape != pair[1].shape:
        raise ValueError(f"landmarks differ in shape: {pair[0].shape}, {pair[1].shape}")
    if detected is None:
        detected = np.isfinite(pair[0]).all((1, 2)) & np.isfinite(pair[1]).all((1, 2))
    found = np.asarray(detected, bool)
    a, b = (x[found] - x[found].mean(1, keepdims=True) for x in pair)
    return np.linalg.norm(a - b, axis=-1), found
