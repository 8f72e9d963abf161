"""Which frames of the target video stand behind the rendered face (Yi et al. 2020, section 3.3).

Key frames are the extremes of the head's orientation. Only they look for a background, the frame
of the target video whose head is turned most alike; the frames between two key frames play the
target video from the one matched frame to the other. The pose of every frame is then that of its
background, place and all, so that the head sits on its neck. A background between two frames of the
target video is their mixture, by linear interpolation.

How fast the target video is played between two key frames is left to chance. With as many key
frames as in the authors' code it often races, and flickers as much as with a match for every frame;
with fewer (``frames_per_key``) it does not (``repro bench pictures``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numba
import numpy as np
from scipy.ndimage import convolve1d, gaussian_filter1d
from scipy.signal import find_peaks

from repro.errors import UserError

SMOOTHING_TAPS = 7
"""Taps of the Hanning window that smooths the angle curves, in frames."""

FRAMES_PER_KEY = 10
"""At least as many frames for each key frame: the authors' code; the paper gives no number."""

PLACES_PER_FRAME = 2
"""The smooth path stands on frames of the target video and halfway between two."""

ROUNDING_FRAMES = 2.0
"""Standard deviation of the filter that rounds off where the smooth path turns back."""

_BLOCK = 1024
"""Frames matched at a time, so that memory does not grow with the sound's length."""


class Indexed(Protocol):
    """Arrays read by a whole number, such as a video's frames."""

    def __getitem__(self, t: int, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Backgrounds:
    """The background of every generated frame.

    source (T,) float32    place in the target video, in frames (fractions between two of them)
    pose   (T, 6) float32  pose that fits the picture shown: the target's own there
    key    (K,) int        generated frames whose background was matched
    """

    source: np.ndarray
    pose: np.ndarray
    key: np.ndarray

    @property
    def frame(self) -> np.ndarray:
        """The target frame (T,) int nearest to ``source``."""
        return np.floor(self.source + 0.5).astype(int)

    @property
    def used(self) -> np.ndarray:
        """The target frames (n,) int that are shown, alone or mixed."""
        return np.union1d(np.floor(self.source), np.ceil(self.source)).astype(int)

    def at(self, t: int, values: Indexed) -> np.ndarray:
        """What the target has at frame ``t``: of ``values`` (M, ...), mixed where between two."""
        return _between(values, float(self.source[t]))

    def shown(self, values: Indexed) -> Iterator[np.ndarray]:
        """``at`` of every frame, one after another."""
        return (self.at(t, values) for t in range(len(self.source)))


def _between(values: Indexed, place: float) -> np.ndarray:
    low = int(place)
    share = place - low
    if share == 0:
        return np.asarray(values[low])
    first, second = np.asarray(values[low]), np.asarray(values[low + 1])
    if first.dtype == np.uint8:
        return cv2.addWeighted(first, 1 - share, second, share, 0)
    return first + np.asarray(share, first.dtype) * (second - first)


def match_backgrounds(
    pose_generated: np.ndarray,
    pose_target: np.ndarray,
    *,
    method: Literal["paper", "nearest", "smooth"] = "paper",
    frames_per_key: int = FRAMES_PER_KEY,
) -> Backgrounds:
    """Choose a frame of the target video for every generated frame, and fit the pose to it.

    Parameters
    ----------
    pose_generated : array (T, 6), radians and metres, from the audio
    pose_target : array (M, 6), of the target video
    method :
        "paper": key frames are matched, those between are interpolated linearly (Yi et al. 2020);
        fast play where neighbouring key frames match far-apart places.
        "nearest": every frame is matched on its own, the paper's "intuitive solution".
        "smooth" (not in the paper): the path through the target video that stays near the
        generated angles while playing forwards or backwards at close to natural speed, see
        ``smooth_path``, its turns rounded off.
    frames_per_key : of the paper's method, see ``key_frames``

    Raises
    ------
    UserError
        when either sequence is empty or holds a value that is not finite
    """
    generated = _checked(pose_generated, "generated")
    target = _checked(pose_target, "target")
    everyone = np.arange(len(generated))
    if method == "paper":
        key = key_frames(generated, frames_per_key=frames_per_key)
        key = np.union1d(key, [0, len(generated) - 1])
        source = np.interp(everyone, key, nearest_frames(generated[key], target))
    elif method == "nearest":
        key, source = everyone, nearest_frames(generated, target)
    elif method == "smooth":
        path = smooth_path(generated, target)
        key, source = everyone, gaussian_filter1d(path, ROUNDING_FRAMES, mode="nearest")
    else:
        raise ValueError(f"method {method!r} is none of 'paper', 'nearest', 'smooth'")
    source = source.astype(np.float32)
    pose = np.stack([_between(target, float(place)) for place in source])
    return Backgrounds(source, pose.astype(np.float32), key)


def key_frames(
    pose: np.ndarray, *, taps: int = SMOOTHING_TAPS, frames_per_key: int = FRAMES_PER_KEY
) -> np.ndarray:
    """Frames where the head turns back in pitch, yaw or roll (Yi et al. 2020, section 3.3).

    Each angle is smoothed with a Hanning window; its local maxima and minima are candidates.
    Those with the smallest swing are dropped until at most T / frames_per_key remain.

    Parameters
    ----------
    pose : array (T, 3 or more), radians first
    taps : width of the window in frames
    frames_per_key : at least this many frames for each key frame kept

    Returns
    -------
    int array (K,), rising, K <= T / frames_per_key; without the ends unless they are extremes
    """
    angles = smooth_angles(np.asarray(pose, np.float64)[:, :3], taps=taps)
    swing: dict[int, float] = {}
    for curve in (*angles.T, *-angles.T):
        peaks, found = find_peaks(curve, prominence=0, plateau_size=1)
        for peak, prominence in zip(peaks, found["prominences"], strict=True):
            swing[int(peak)] = max(swing.get(int(peak), 0.0), float(prominence))
    widest_first = sorted(swing, key=lambda frame: (-swing[frame], frame))
    return np.array(sorted(widest_first[: len(angles) // frames_per_key]), int)


def smooth_angles(angles: np.ndarray, *, taps: int = SMOOTHING_TAPS) -> np.ndarray:
    """Curves (T, A) smoothed in time by a Hanning window of sum 1; the ends are held."""
    window = np.hanning(taps)
    return convolve1d(angles, window / window.sum(), axis=0, mode="nearest")


def nearest_frames(pose: np.ndarray, pose_target: np.ndarray) -> np.ndarray:
    """Target frames (T,) int with the least sum of absolute differences of the three angles."""
    nearest = np.empty(len(pose), int)
    for first in range(0, len(pose), _BLOCK):
        some = slice(first, first + _BLOCK)
        distance = np.abs(pose[some, None, :3] - pose_target[:, :3]).sum(-1)
        nearest[some] = distance.argmin(1)
    return nearest


def smooth_path(
    pose: np.ndarray,
    pose_target: np.ndarray,
    *,
    fastest: int = 2,
    change_cost_deg: float = 2.0,
    pace_cost_deg: float = 1.0,
) -> np.ndarray:
    """The cheapest path through the target video, one place for each generated frame (Viterbi).

    Ours, not the paper's. A path moves by half frames, by at most ``fastest`` target frames from
    one generated frame to the next, so no cut is ever seen. It pays the L1 distance of the three
    angles (degrees) at each frame, ``pace_cost_deg`` for each frame that its step differs from
    natural speed (one forwards or backwards), and ``change_cost_deg`` for each frame by which
    its step changes. Memory does not grow with T but for the path itself.

    Parameters
    ----------
    pose : array (T, 6)
    pose_target : array (M, 6)

    Returns
    -------
    float array (T,), places in the target video, in frames
    """
    frames = np.arange(len(pose_target))
    places = np.arange(PLACES_PER_FRAME * (len(frames) - 1) + 1) / PLACES_PER_FRAME
    target = np.stack([np.interp(places, frames, pose_target[:, k]) for k in range(3)], 1)
    steps = np.arange(-fastest * PLACES_PER_FRAME, fastest * PLACES_PER_FRAME + 1)
    speeds = steps / PLACES_PER_FRAME
    pace = pace_cost_deg * np.abs(np.abs(speeds) - 1)
    change = change_cost_deg * np.abs(speeds[:, None] - speeds)  # (new step, old step)
    wanted, target = np.degrees(pose[:, :3]), np.degrees(target)

    def blocks() -> Iterator[np.ndarray]:
        return (wanted[k : k + _BLOCK] for k in range(1, len(wanted), _BLOCK))

    # Which step led to each place is kept for one block at a time: the first time through only
    # the costs at the blocks' starts are.
    cost = np.tile(np.abs(wanted[0] - target).sum(1), (len(steps), 1))  # (S, places): last step
    starts = []
    for block in blocks():
        starts.append(cost)
        cost, _ = _advance(cost, block, target, steps, pace, change)
    path = np.empty(len(wanted), int)
    step, path[-1] = np.unravel_index(cost.argmin(), cost.shape)
    end = len(wanted) - 1
    for start, block in reversed(list(zip(starts, blocks(), strict=True))):
        _, chosen = _advance(start, block, target, steps, pace, change)
        for before in chosen[::-1]:
            path[end - 1] = path[end] - steps[step]
            step = before[step, path[end]]
            end -= 1
    return path / PLACES_PER_FRAME


@numba.njit(cache=True, nogil=True)
def _advance(cost, wanted, target, steps, pace, change):
    """Cheapest paths to every place, by their last step, some frames on.

    Takes the costs (S, P) before, the angles (n, 3) of those frames and (P, 3) of the places.
    Returns the costs (S, P) after, and the step before the last one (n, S, P) int8.
    """
    count, places = cost.shape
    chosen = np.zeros((len(wanted), count, places), np.int8)
    for t in range(len(wanted)):
        after = np.full((count, places), np.inf)
        for place in range(places):
            distance = np.abs(wanted[t] - target[place]).sum()
            for new in range(count):
                origin = place - steps[new]
                if origin < 0 or origin >= places:
                    continue
                best = np.inf
                for old in range(count):
                    price = cost[old, origin] + change[new, old]
                    if price < best:
                        best = price
                        chosen[t, new, place] = old
                after[new, place] = best + pace[new] + distance
        cost = after
    return cost, chosen


def _checked(pose: np.ndarray, name: str) -> np.ndarray:
    pose = np.asarray(pose, np.float64)
    if pose.ndim != 2 or pose.shape[1] != 6:
        raise ValueError(f"expected {name} pose (T, 6), got {pose.shape}")
    if not len(pose):
        raise UserError(f"The {name} pose has no frames; give at least one.")
    broken = np.nonzero(~np.isfinite(pose).all(1))[0]
    if len(broken):
        raise UserError(
            f"The {name} pose of frame {broken[0]} is not a number; fill missing frames first."
        )
    return pose
