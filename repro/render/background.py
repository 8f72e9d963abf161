"""Which frames of the target video stand behind the rendered face (Yi et al. 2020, section 3.3).

Key frames are the extremes of the head's orientation. Only they look for a background, the frame
of the target video whose head is turned most alike; the frames between two key frames play the
target video from the one matched frame to the other. The pose of every frame is then that of its
background, place and all, so that the head sits on its neck.

How fast the target video is played between two key frames is left to chance. With as many key
frames as in the authors' code it often races, and flickers as much as with a match for every frame;
with fewer (``frames_per_key``) it does not (``repro bench pictures``).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import convolve1d
from scipy.signal import find_peaks

from repro.errors import UserError

SMOOTHING_TAPS = 7
"""Taps of the Hanning window that smooths the angle curves, in frames."""

FRAMES_PER_KEY = 10
"""At least as many frames for each key frame: the authors' code; the paper gives no number."""


@dataclass(frozen=True)
class Backgrounds:
    """The background of every generated frame.

    source (T,) float32    place in the target video, in frames (fractions between two of them)
    pose   (T, 6) float32  pose that fits the picture shown: the target's own at ``frame``
    key    (K,) int        generated frames whose background was matched
    """

    source: np.ndarray
    pose: np.ndarray
    key: np.ndarray

    @property
    def frame(self) -> np.ndarray:
        """The target frame (T,) int that is shown: the nearest to ``source``."""
        return _nearest_whole(self.source)


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
        generated angles while playing forwards or backwards at close to natural speed.
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
        key, source = everyone, smooth_path(generated, target)
    else:
        raise ValueError(f"method {method!r} is none of 'paper', 'nearest', 'smooth'")
    source = source.astype(np.float32)
    return Backgrounds(source, target[_nearest_whole(source)].astype(np.float32), key)


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
    return _angle_distance(pose, pose_target).argmin(1)


def smooth_path(
    pose: np.ndarray,
    pose_target: np.ndarray,
    *,
    fastest: int = 2,
    change_cost_deg: float = 1.0,
    pace_cost_deg: float = 1.0,
) -> np.ndarray:
    """The cheapest path through the target video, one place for each generated frame (Viterbi).

    Ours, not the paper's. A path moves by a whole step of at most ``fastest`` target frames from
    one generated frame to the next, so no cut is ever seen. It pays the L1 distance of the three
    angles (degrees) at each frame, ``pace_cost_deg`` for each frame that its step differs from
    natural speed (one forwards or backwards), and ``change_cost_deg`` for each frame by which
    its step changes.

    Parameters
    ----------
    pose : array (T, 6)
    pose_target : array (M, 6)

    Returns
    -------
    int array (T,), target frames
    """
    distance = np.degrees(_angle_distance(pose, pose_target))
    t, m = distance.shape
    steps = np.arange(-fastest, fastest + 1)
    pace = pace_cost_deg * np.abs(np.abs(steps) - 1)
    change = change_cost_deg * np.abs(steps[:, None] - steps)  # (new step, old step)
    place = np.arange(m)
    origin = place - steps[:, None]  # (S, M): where a step to each place began
    reachable = (origin >= 0) & (origin < m)
    origin = origin.clip(0, m - 1)
    cost = np.broadcast_to(distance[0], (len(steps), m))  # (S, M): last step, place
    chosen = np.zeros((t, len(steps), m), np.int8)
    for frame in range(1, t):
        ways = cost[None] + change[:, :, None]  # (new step, old step, M)
        chosen[frame] = ways.argmin(1)
        best = np.take_along_axis(ways.min(1), origin, 1) + pace[:, None]
        cost = np.where(reachable, best, np.inf) + distance[frame]
    path = np.empty(t, int)
    step, path[-1] = np.unravel_index(cost.argmin(), cost.shape)
    for frame in range(t - 1, 0, -1):
        path[frame - 1] = path[frame] - steps[step]
        step = chosen[frame, step, path[frame - 1]]
    return path


def _angle_distance(pose: np.ndarray, pose_target: np.ndarray) -> np.ndarray:
    """Sum of absolute angle differences (T, M) float32, radians; one angle after another, since
    T x M x 3 numbers of a long sound fill hundreds of MB.
    """
    total = np.zeros((len(pose), len(pose_target)), np.float32)
    for angle in range(3):
        total += np.abs(np.subtract.outer(pose[:, angle], pose_target[:, angle], dtype=np.float32))
    return total


def _nearest_whole(source: np.ndarray) -> np.ndarray:
    return np.floor(source + 0.5).astype(int)


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
