"""How steady tracks and pictures are over time, and how far tracks trail behind."""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from scipy.interpolate import CubicSpline

from repro.face import landmarks as lm

_MOST_FRAMES = 3.0
"""The longest delay looked for, either way."""


def jitter_percent(points: np.ndarray, *, points_used: np.ndarray | None = None) -> float:
    """Root mean square of the landmarks' second difference, % of the inter-pupil distance.

    Motion counts too: compare with the same of the true points, or of another tracker.

    Parameters
    ----------
    points : (T, 478, 2); frames with NaN, and those beside them, do not count
    points_used : indices of the landmarks that count (default: all)

    Raises
    ------
    ValueError
        No three frames in a row without NaN.
    """
    points = np.asarray(points, np.float64)
    second = np.diff(points if points_used is None else points[:, points_used], n=2, axis=0)
    second = second[np.isfinite(second).all((1, 2))]
    if len(second) == 0:
        raise ValueError("jitter needs three frames in a row with a face")
    pupils = float(np.nanmean(lm.inter_pupil_distance(points)))
    return 100 * float(np.sqrt((second**2).sum(-1).mean())) / pupils


def angle_jitter_deg(angles: np.ndarray) -> float:
    """Root mean square of an angle's second difference, degrees; motion counts too.

    Parameters
    ----------
    angles : (T,) radians; frames with NaN, and those beside them, do not count; nan comes out
        where no three frames in a row are left
    """
    second = np.diff(np.asarray(angles, np.float64), n=2)
    second = second[np.isfinite(second)]
    return float(np.degrees(np.sqrt((second**2).mean()))) if len(second) else float("nan")


def pixel_flicker(
    frames: Iterable[np.ndarray],
    masks: Iterable[np.ndarray],
    *,
    beyond: np.ndarray | float = 0.0,
) -> float:
    """Mean absolute second difference of pixels over time, in grey levels of 255.

    Zero for still and for evenly brightening pictures. Motion and a camera's noise count too:
    compare with the same of the real frames, or of another way to make them, or count only jumps
    ``beyond`` what real frames show. Only three frames are held.

    Parameters
    ----------
    frames : T frames (H, W, 3) or (H, W), values in [0, 255]
    masks : T masks (H, W) bool; a pixel counts where it lies in all three frames' masks
    beyond : of each second difference only what exceeds this counts; one number, or one for each
        pixel: see ``usual_flicker``

    Raises
    ------
    ValueError
        Fewer than three frames, or masks that no three frames in a row share.
    """
    total, count = 0.0, 0
    for change, shared in _second_differences(frames, masks):
        excess = np.maximum(change - beyond, 0)[shared]
        total, count = total + float(excess.sum(dtype=np.float64)), count + excess.size
    if count == 0:
        raise ValueError("flicker needs a mask that three frames in a row share")
    return total / count


def usual_flicker(frames: Iterable[np.ndarray], masks: Iterable[np.ndarray]) -> np.ndarray:
    """``pixel_flicker`` of each pixel by itself: (H, W, 3) or (H, W) float32.

    Infinite for pixels that no three masks in a row share.

    Raises
    ------
    ValueError
        Fewer than three frames.
    """
    total: np.ndarray | float = 0.0
    count: np.ndarray | float = 0.0
    for change, shared in _second_differences(frames, masks):
        seen = shared.reshape(*shared.shape, *[1] * (change.ndim - 2)).astype(np.float32)
        total, count = total + change * seen, count + seen
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count > 0, total / count, np.inf).astype(np.float32)


def _second_differences(
    frames: Iterable[np.ndarray], masks: Iterable[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Absolute second differences of pixels, and where all three masks are (H, W) bool."""
    last: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=3)
    seen = 0
    for frame, mask in zip(frames, masks, strict=True):
        last.append((np.asarray(frame, np.float32), np.asarray(mask) > 0))
        seen += 1
        if seen < 3:
            continue
        (a, in_a), (b, in_b), (c, in_c) = last
        yield np.abs(a - 2 * b + c), in_a & in_b & in_c
    if seen < 3:
        raise ValueError(f"flicker needs at least 3 frames, got {seen}")


def lag_frames(signal: np.ndarray, reference: np.ndarray) -> float:
    """By how many frames a signal trails behind a reference; negative where it leads.

    The delay, to a fraction of a frame and at most three, at which the delayed reference (cubic
    spline) correlates best with the signal, all components together, each about its mean.

    Parameters
    ----------
    signal : (T, ...); frames with NaN do not count
    reference : (T, ...) of the same shape, without NaN

    Raises
    ------
    ValueError
        Shapes differ; too few frames; or one of the two does not move.
    """
    x, y = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (signal, reference))
    if x.shape != y.shape:
        raise ValueError(f"signals differ in shape: {np.shape(signal)}, {np.shape(reference)}")
    margin = int(_MOST_FRAMES)
    t = np.arange(margin, len(x) - margin)
    t = t[np.isfinite(x[t]).all(1)]
    if len(t) < 8:
        raise ValueError(f"lag needs at least 8 frames besides {2 * margin}, got {len(t)}")
    delays = np.arange(-_MOST_FRAMES, _MOST_FRAMES + 0.01, 0.1)
    course = CubicSpline(np.arange(len(y)), y)
    seen = x[t] - x[t].mean(0)
    agreement = np.array([_correlation(seen, course(t - d)) for d in delays])
    if not np.isfinite(agreement).all():
        raise ValueError("lag needs signals that move")
    best = int(np.clip(agreement.argmax(), 1, len(delays) - 2))
    before, peak, after = agreement[best - 1 : best + 2]
    bend = before - 2 * peak + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(delays[best] + 0.1 * np.clip(shift, -1, 1))


def _correlation(centred: np.ndarray, other: np.ndarray) -> float:
    other = other - other.mean(0)
    size = np.sqrt((centred**2).sum() * (other**2).sum())
    return float((centred * other).sum() / size) if size > 0 else np.nan
