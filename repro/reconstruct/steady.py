"""Landmarks over time: noise taken out without delay, short gaps filled."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter

from repro import FPS
from repro.face import landmarks as lm

_WINDOW, _ORDER = 7, 2
_LONGEST_GAP = FPS
"""Frames without a face that are filled as if it had been there; it may go anywhere in more."""


def smooth(points: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Take the detector's noise out of landmarks, without delay.

    A parabola through seven frames around each one (Savitzky and Golay 1964) gives the smooth
    course. Where lips, lids, irises or the head leave it by more than is usual in the clip, they
    move, and their own course is kept to that extent (Wiener's gain): blinks and lip closures stay
    sharp.

    Parameters
    ----------
    points : (T, 478, 2) pixels; ignored where ``found`` (T,) is False

    Returns
    -------
    (T, 478, 2) of the same dtype, unchanged where not found.
    """
    result = points.copy()
    runs = [(a, b) for a, b in runs_of(found) if b - a >= _ORDER + 2]
    courses, strays = [], []
    for a, b in runs:
        course = _course(points[a:b])
        courses.append(course)
        strays.append(_stray(points[a:b] - course))
    if not runs:
        return result
    usual = np.median(np.concatenate(strays), axis=0)
    for (a, b), course, stray in zip(runs, courses, strays, strict=True):
        own = np.clip(1 - usual / np.maximum(stray, 1e-12), 0, 1)[:, _REGION, None]
        result[a:b] = course + own.astype(points.dtype) * (points[a:b] - course)
    return result


def bridge(values: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Fill the frames (T, ...) that were not found, linearly between those that were."""
    if found.all():
        return values
    t = np.arange(len(values))
    flat = values.reshape(len(values), -1)
    filled = np.stack([np.interp(t, t[found], column[found]) for column in flat.T], 1)
    return filled.reshape(values.shape).astype(values.dtype)


def bridge_points(points: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill the frames without a face.

    Over gaps of at most a second the head's place, size and tilt go on and come in at the pace they
    had, and the face's shape changes evenly; over longer ones, and before the first and after the
    last face, points are laid evenly or stay, only for arrays to be finite.

    Parameters
    ----------
    points : (T, 478, 2); found : (T,) bool, some of them True

    Returns
    -------
    points (T, 478, 2), and bridged (T,) bool: the frames within short gaps
    """
    result = bridge(points, found)
    bridged = np.zeros(len(found), bool)
    for a, b in runs_of(~found):
        if a > 0 and b < len(found) and b - a <= _LONGEST_GAP:
            bridged[a:b] = True
            result[a:b] = _across(points, found, a, b)
    return result, bridged


def runs_of(mask: np.ndarray) -> list[tuple[int, int]]:
    """Stretches [a, b) in which a mask (T,) is True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _regions() -> np.ndarray:
    region = np.zeros(lm.COUNT, int)
    for number, points in enumerate((lm.LIPS, lm.EYELIDS, np.arange(468, lm.COUNT)), start=1):
        region[points] = number
    return region


_REGION = _regions()
"""(478,): 1 the lips, 2 the lids, 3 the irises, 0 all else: each moves in its own time."""


def _course(points: np.ndarray) -> np.ndarray:
    """The smooth course of points (T, L, 2), T > 3."""
    window = min(_WINDOW, len(points) - 1 + len(points) % 2)
    return savgol_filter(points, window, _ORDER, axis=0, mode="interp")


def _stray(difference: np.ndarray) -> np.ndarray:
    """Mean squared distance (T, 4) of the points of each region from their course, around t."""
    squared = (difference**2).sum(-1)
    mean = np.stack([squared[:, r == _REGION].mean(1) for r in range(4)], 1)
    return gaussian_filter1d(mean, 1.0, axis=0)


def _across(points: np.ndarray, found: np.ndarray, a: int, b: int) -> np.ndarray:
    """Points (b - a, 478, 2) of the missing frames a to b."""
    before, after = points[a - 1].astype(np.float64), points[b].astype(np.float64)
    move = np.stack([_similarity(before), _similarity(after)])
    move[1, 3] = move[0, 3] + (move[1, 3] - move[0, 3] + np.pi) % (2 * np.pi) - np.pi
    pace = np.stack([_pace(points, found, a - 1, -1), _pace(points, found, b, 1)])
    length = b - (a - 1)
    t = np.arange(1, length) / length
    course = _hermite(t, move, pace * length)
    shape = (1 - t)[:, None] * _normal(before, move[0]) + t[:, None] * _normal(after, move[1])
    placed = shape * np.exp(course[:, 2] + 1j * course[:, 3])[:, None]
    xy = np.stack([placed.real, placed.imag], -1)
    return xy + course[:, None, :2]


def _similarity(points: np.ndarray) -> np.ndarray:
    """Place x, y, log size and tilt (4,) of a face, from its steady points."""
    steady = points[lm.STEADY]
    centre = steady.mean(0)
    eyes = points[[362, 263]].mean(0) - points[[33, 133]].mean(0)
    size = np.sqrt(np.square(steady - centre).sum(-1).mean())
    return np.array([*centre, np.log(max(size, 1e-6)), np.arctan2(eyes[1], eyes[0])])


def _normal(points: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Points (478,) complex with place, size and tilt taken out."""
    xy = points - move[:2]
    return (xy[:, 0] + 1j * xy[:, 1]) * np.exp(-move[2] - 1j * move[3])


def _pace(points: np.ndarray, found: np.ndarray, t: int, way: int) -> np.ndarray:
    """Change per frame of ``_similarity`` (4,) at the edge ``t`` of a gap, from the far side."""
    other = t
    for step in range(1, 4):
        k = t + way * step
        if not (0 <= k < len(found) and found[k]):
            break
        other = k
    if other == t:
        return np.zeros(4)
    change = _similarity(points[other]) - _similarity(points[t])
    change[3] = (change[3] + np.pi) % (2 * np.pi) - np.pi
    return change / (other - t)


def _hermite(t: np.ndarray, ends: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Cubic (n, 4) at t in (0, 1) with values ``ends`` (2, 4) and slopes, held from overshooting.

    Slopes of more than three times the straight one, or against it, are cut (Fritsch and Carlson).
    """
    rise = ends[1] - ends[0]
    slopes = np.clip(slopes, np.minimum(0, 3 * rise), np.maximum(0, 3 * rise))
    t = t[:, None]
    return (
        (2 * t**3 - 3 * t**2 + 1) * ends[0]
        + (t**3 - 2 * t**2 + t) * slopes[0]
        + (3 * t**2 - 2 * t**3) * ends[1]
        + (t**3 - t**2) * slopes[1]
    )
