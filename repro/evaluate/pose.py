"""How alike two people's ways of holding the head are (Yi et al. 2020, section 4.4, Eq. 6)."""

import numpy as np
import ot

ANGLES = ("pitch", "yaw", "roll")


BINS = 60
RANGE_RAD = (-np.pi / 6, np.pi / 6)


def head_pose_similarity(
    real: np.ndarray,
    generated: np.ndarray,
    *,
    bins: int = BINS,
    range_rad: tuple[float, float] = RANGE_RAD,
    joint: bool = False,
) -> float:
    """HS = 1 - W1(P_real, P_gen), in [0, 1] (Eq. 6).

    The paper normalises the Wasserstein distance without saying by what: here by the distance
    between the middles of the histogram's outermost bins, so that 0 means that all heads are at
    one end in one video and at the other in the other. HS depends on that range: give both bins
    and range with the number (``head_pose_scores`` does).

    Parameters
    ----------
    real : (T, 3) radians, pitch, yaw, roll
    generated : (M, 3)
    bins : of the histogram over ``range_rad``, 2 or more; angles beyond it count in the outermost
    joint : False takes the mean of the three angles' own distances; True one distance between
        histograms over all three together, Euclidean and normalised by the cube's diagonal (its
        memory grows with T times M)

    Raises
    ------
    ValueError
        Angles of another shape, of no frame, or not finite; bins or a range that are none.
    """
    real, generated = (_binned(x, bins, range_rad) for x in (real, generated))
    if joint:
        return 1 - _joint_distance(real, generated, bins)
    return float(np.mean(_axis_similarities(real, generated, bins)))


def head_pose_similarity_by_axis(
    real: np.ndarray,
    generated: np.ndarray,
    *,
    bins: int = BINS,
    range_rad: tuple[float, float] = RANGE_RAD,
) -> dict[str, float]:
    """HS of pitch, yaw and roll, whose mean is ``head_pose_similarity``."""
    real, generated = (_binned(x, bins, range_rad) for x in (real, generated))
    values = _axis_similarities(real, generated, bins)
    return dict(zip(ANGLES, map(float, values), strict=True))


def convention(
    bins: int = BINS, range_rad: tuple[float, float] = RANGE_RAD
) -> dict[str, int | float]:
    """What must stand beside every HS: ``bins``, ``range_low_deg``, ``range_high_deg``."""
    low, high = (round(float(np.rad2deg(x)), 6) for x in range_rad)
    return {"bins": bins, "range_low_deg": low, "range_high_deg": high}


def head_pose_scores(
    real: np.ndarray,
    generated: np.ndarray,
    *,
    bins: int = BINS,
    range_rad: tuple[float, float] = RANGE_RAD,
) -> dict[str, int | float]:
    """One row: HS in all its forms with what it depends on.

    Returns
    -------
    hs; hs_pitch, hs_yaw, hs_roll; hs_joint; bins, range_low_deg, range_high_deg; beyond_range
    (share of all angles that lie outside); frames_real, frames_generated
    """
    by_axis = head_pose_similarity_by_axis(real, generated, bins=bins, range_rad=range_rad)
    every = np.concatenate([np.ravel(real), np.ravel(generated)])
    beyond = (every < range_rad[0]) | (every > range_rad[1])
    return {
        "hs": float(np.mean(list(by_axis.values()))),
        **{f"hs_{angle}": value for angle, value in by_axis.items()},
        "hs_joint": head_pose_similarity(
            real, generated, bins=bins, range_rad=range_rad, joint=True
        ),
        **convention(bins, range_rad),
        "beyond_range": float(beyond.mean()),
        "frames_real": len(real),
        "frames_generated": len(generated),
    }


def _binned(angles: np.ndarray, bins: int, range_rad: tuple[float, float]) -> np.ndarray:
    """Bin numbers (T, 3) int."""
    angles = np.asarray(angles, np.float64)
    if angles.ndim != 2 or angles.shape[1] != 3 or len(angles) == 0:
        raise ValueError(f"expected angles (T, 3) of at least one frame, got {angles.shape}")
    if not np.isfinite(angles).all():
        raise ValueError("angles hold values that are not finite")
    low, high = range_rad
    if bins < 2 or not low < high:
        raise ValueError(f"{bins} bins from {low} to {high} make no histogram")
    places = np.floor((angles - low) / (high - low) * bins)
    return places.clip(0, bins - 1).astype(int)


def _axis_similarities(real: np.ndarray, generated: np.ndarray, bins: int) -> np.ndarray:
    centres = np.arange(bins, dtype=np.float64)
    values = []
    for axis in range(3):
        weights = [np.bincount(x[:, axis], minlength=bins) / len(x) for x in (real, generated)]
        distance = ot.wasserstein_1d(centres, centres, *weights, p=1)
        values.append(1 - float(distance) / (bins - 1))
    return np.array(values)


def _joint_distance(real: np.ndarray, generated: np.ndarray, bins: int) -> float:
    cells, weights = [], []
    for x in (real, generated):
        found, counts = np.unique(x, axis=0, return_counts=True)
        cells.append(found.astype(np.float64))
        weights.append(counts / counts.sum())
    cost = np.linalg.norm(cells[0][:, None] - cells[1][None], axis=-1)
    diagonal = np.sqrt(3) * (bins - 1)
    return float(ot.emd2(weights[0], weights[1], cost)) / diagonal
