"""Distances between landmarks (LMD of Yi et al. 2020, Table 2; E_ldmk of Song et al. 2020)."""

import numpy as np

from repro.evaluate.measure import NONE, Measure

MOUTH_68 = np.arange(48, 68)
"""The mouth's 20 points in the order of iBUG 68."""

MOUTH_478 = np.array(
    [61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181]  # outer lips, from the right corner up
    + [78, 82, 13, 312, 308, 317, 14, 87]  # inner lips, likewise
)
"""The landmarker's points that come nearest to those 20, in the same order.

On 72 frames of six people they lie 3 % of the inter-pupil distance from where dlib's predictor of
68 points puts its own.
"""

CENTROIDS = "each frame's points moved to their centroid"


def landmark_distance(
    true: np.ndarray,
    generated: np.ndarray,
    *,
    image_px: int,
    crop: str,
    network: str,
    points: np.ndarray = MOUTH_68,
    detected: np.ndarray | None = None,
) -> Measure:
    """LMD as the mean distance per point, in pixels at 256 x 256.

    Each set of points is moved to its own centroid first, so that the head's place does not count.

    Parameters
    ----------
    true, generated : (T, L, 2) pixels of square images of side ``image_px``; NaN where undetected
    crop, network : which part of the picture, and whose landmarks; printed with the number
    points : indices of the landmarks that count (the mouth's 20 of 68; ``MOUTH_478`` of 478)
    detected : (T,) bool, frames with landmarks in both, or None to tell by NaN
    """
    offsets, found = _centred_offsets(true, generated, points, detected)
    scale = 256 / image_px
    name = f"mean over {len(points)} points and the frames"
    return _measure("LMD", scale * offsets, "px at 256", found, crop, CENTROIDS, network, name)


def landmark_distance_atvg(
    true: np.ndarray,
    generated: np.ndarray,
    *,
    crop: str,
    network: str,
    points: np.ndarray = MOUTH_68,
    detected: np.ndarray | None = None,
) -> Measure:
    """LMD as ATVG's public script has it: the sum over the mouth's points, mean over the frames.

    Pixels as they come, without a scale: ``crop`` tells the images' size with the number. The
    script drops undetected frames without a word; here they are counted.
    """
    offsets, found = _centred_offsets(true, generated, points, detected)
    name = f"atvg: sum over {len(points)} mouth points, mean over the frames"
    return _measure("LMD", offsets.sum(1), "px", found, crop, CENTROIDS, network, name)


def landmark_error(
    true: np.ndarray,
    generated: np.ndarray,
    *,
    crop: str,
    network: str,
    points: np.ndarray = MOUTH_478,
) -> Measure:
    """E_ldmk (Song et al. 2020, Eq. 5): mean distance of landmarks where they stand in the picture.

    The paper projects both with the same shape and pose, so that only the expression differs, and
    looks at the mouth. Nothing is moved or scaled here: ``crop`` tells the images' size.

    Parameters
    ----------
    true, generated : (T, L, 2) pixels; NaN where undetected
    """
    a, b = (np.asarray(x, np.float64)[:, points] for x in (true, generated))
    found = np.isfinite(a).all((1, 2)) & np.isfinite(b).all((1, 2))
    distances = np.linalg.norm(a[found] - b[found], axis=-1)
    name = f"Song et al., Eq. 5: mean over {len(points)} points and the frames"
    return _measure("E_ldmk", distances, "px", found, crop, NONE, network, name)


def _measure(name, distances, unit, found, crop, alignment, network, convention) -> Measure:
    value = float(distances.mean()) if len(distances) else float("nan")
    missed = int((~found).sum())
    return Measure(name, value, unit, len(distances), missed, crop, alignment, network, convention)


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
