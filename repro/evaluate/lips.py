"""Whether lips move as they should: opening, its correlation, closures."""

import numpy as np

from repro.face.landmarks import inter_pupil_distance
from repro.face.landmarks import lip_gap as lip_opening


def lip_gap(landmarks: np.ndarray) -> np.ndarray:
    """Opening (T,) of the middle of the inner lips, % of the clip's inter-pupil distance.

    Parameters
    ----------
    landmarks : (T, 478, 2) or (T, 478, 3), any unit; 3-D points of the model (``model.landmarks``)
        or points of an image. The distance between the pupils is the clip's median.
    """
    return 100 * lip_opening(landmarks) / np.median(inter_pupil_distance(landmarks))


def correlation(true: np.ndarray, generated: np.ndarray) -> float:
    """Pearson's r of two tracks (T,); 0 where one of them does not move.

    Raises
    ------
    ValueError
        Tracks of different lengths, or of fewer than two frames.
    """
    true, generated = np.asarray(true, np.float64), np.asarray(generated, np.float64)
    if true.shape != generated.shape or true.ndim != 1 or len(true) < 2:
        raise ValueError(f"expected two tracks of one length, got {true.shape}, {generated.shape}")
    a, b = true - true.mean(), generated - generated.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else 0.0


def closed_lip_recall(
    true_gap: np.ndarray,
    generated_gap: np.ndarray,
    *,
    closed_percent: float = 4.0,
    within_frames: int = 1,
) -> float:
    """Share of the true closures at which the generated lips close too.

    Landmarks of closed lips stand apart by as much as the person's lips are thick, so closed is a
    gap of at most ``closed_percent`` above the smallest true one (its first percentile). A closure
    is a run of such frames; it is met when a generated gap is as small in one of its frames or
    ``within_frames`` of it.

    Parameters
    ----------
    true_gap, generated_gap : (T,) % of the inter-pupil distance (``lip_gap``)

    Returns
    -------
    float in [0, 1]; nan for lips that hardly move: all frames would be one closure
    """
    limit = np.percentile(true_gap, 1) + closed_percent
    shut = np.concatenate([[False], np.asarray(true_gap) <= limit, [False]])
    if shut[1:-1].all():
        return float("nan")
    edges = np.flatnonzero(np.diff(shut.astype(int))).reshape(-1, 2)
    gap = np.asarray(generated_gap)
    met = [
        gap[max(first - within_frames, 0) : stop + within_frames].min() <= limit
        for first, stop in edges
    ]
    return float(np.mean(met))
