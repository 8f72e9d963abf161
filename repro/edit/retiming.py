"""Which target frames are shown to which sound (Song et al. 2020, section 3.3.1).

"A tailored dynamic programming based on retiming algorithm inspired by [45]" selects frames "whose
head shaking and blink of eyes look compatible with the source speech"; no more is said. Here, as in
Suwajanakorn et al. 2017: heads that move while nobody speaks, and lids that close in the middle of
a word, cost; so does every frame that is shown twice or left out, and neither may happen twice in
a row. The best path over all is found exactly (Viterbi).

Where the speech is longer than the footage, that is played back and forth (``back_and_forth``).
Long speech is taken by stretches, each going on where the last one ended (``retimed``).
"""

from dataclasses import dataclass

import numpy as np

from repro import FPS
from repro.face.pose import rotation_matrix

_STEPS = 1, 0, 2
"""How far the footage goes on from frame to frame: as filmed, shown twice, one left out."""

_STRETCH = 1000
"""Frames of sound whose best path is found at once: its table takes as many times the footage."""

_STILL_RAD_S = 0.5
"""Speed of a head (0.5 rad/s are 29 degrees a second) that counts as fully moving."""


@dataclass(frozen=True)
class RetimingCosts:
    """What each disagreement costs, per frame.

    motion  a fully moving head in silence
    rest    a still head at full loudness
    blink   shut lids at full loudness
    uneven  a frame that is shown twice, or one that is left out
    """

    motion: float = 1.0
    rest: float = 0.2
    blink: float = 1.0
    uneven: float = 0.3


def head_speed(pose: np.ndarray) -> np.ndarray:
    """How much a head turns (T,) in [0, 1] in each frame of its pose (T, 6).

    The angle between the frames before and after, over time; 1 from 0.5 rad/s on.
    """
    rotation = rotation_matrix(np.asarray(pose, np.float64)[:, :3])
    before = np.r_[0, np.arange(len(pose) - 1)]
    after = np.r_[np.arange(1, len(pose)), len(pose) - 1]
    turn = rotation[before].swapaxes(-1, -2) @ rotation[after]
    cosine = np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1)
    seconds = np.maximum(after - before, 1) / FPS
    return np.clip(np.arccos(cosine) / seconds / _STILL_RAD_S, 0, 1)


def frame_costs(
    loudness: np.ndarray,
    moving: np.ndarray,
    blinking: np.ndarray,
    costs: RetimingCosts | None = None,
) -> np.ndarray:
    """What it costs to show each target frame to each frame of sound.

    Parameters
    ----------
    loudness : (T,) in [0, 1], of the sound (``repro.corpus.performance.loudness``)
    moving : (M,) in [0, 1], of the target's head (``head_speed``)
    blinking : (M,) in [0, 1], weight of the target's shut lids

    Returns
    -------
    (T, M) float64
    """
    costs = costs or RetimingCosts()
    loud = np.asarray(loudness, np.float64)[:, None]
    moving, blinking = (np.asarray(x, np.float64)[None] for x in (moving, blinking))
    in_silence = costs.motion * (1 - loud) * moving
    return in_silence + loud * (costs.rest * (1 - moving) + costs.blink * blinking)


def retime(cost: np.ndarray, *, uneven: float = RetimingCosts.uneven) -> np.ndarray:
    """The cheapest path through the target frames.

    It may begin anywhere. From one frame to the next it goes on by one target frame; or, for
    ``uneven`` more and not twice in a row, by none or by two.

    Parameters
    ----------
    cost : (T, M), ``frame_costs``

    Returns
    -------
    (T,) int, the target frame that is shown at each

    Raises
    ------
    ValueError
        The footage is too short: see ``back_and_forth``.
    """
    t, m = cost.shape
    best = np.full((len(_STEPS), m), np.inf)
    best[0] = cost[0]
    came = np.zeros((t, len(_STEPS), m), np.int8)
    for i in range(1, t):
        cheapest = best.argmin(0)  # whose last step does not matter
        following = np.full_like(best, np.inf)
        for kind, step in enumerate(_STEPS):
            source = cheapest if step == 1 else np.zeros(m, np.int64)
            value = np.take_along_axis(best, source[None], 0)[0]
            reached = m - step
            following[kind, step:] = value[:reached] + (0.0 if step == 1 else uneven)
            came[i, kind, step:] = source[:reached]
        best = following + cost[i]
    kind, place = (int(k) for k in np.unravel_index(best.argmin(), best.shape))
    if not np.isfinite(best[kind, place]):
        raise ValueError(f"{m} target frames are too few for {t} frames of sound")
    path = np.empty(t, np.int64)
    for i in range(t - 1, -1, -1):
        path[i] = place
        kind, place = int(came[i, kind, place]), place - _STEPS[kind]
    return path


def back_and_forth(frames: int, wanted: int) -> np.ndarray:
    """Footage of M ``frames`` played forwards and backwards until at least ``wanted`` are shown.

    Returns
    -------
    (n,) int, frames of the footage; as they are where they suffice
    """
    there = np.arange(frames)
    if frames < 2:
        return np.zeros(max(wanted, frames), np.int64)
    turn = np.concatenate([there, there[-2:0:-1]])
    rounds = max(-(-wanted // len(turn)), 1)
    return there if wanted <= frames else np.tile(turn, rounds)


def retimed(
    loudness: np.ndarray,
    moving: np.ndarray,
    blinking: np.ndarray,
    costs: RetimingCosts | None = None,
) -> np.ndarray:
    """Which target frame is shown to each frame of sound, however long.

    Parameters
    ----------
    loudness : (T,), of the sound; moving, blinking : (M,), of the footage; as ``frame_costs``

    Returns
    -------
    (T,) int
    """
    costs = costs or RetimingCosts()
    total, footage = len(loudness), len(moving)
    order = back_and_forth(footage, footage if total <= footage else footage + 2 * total + 2)
    shown: list[np.ndarray] = []
    begins = 0
    for first in range(0, total, _STRETCH):
        heard = loudness[first : first + _STRETCH]
        stop = len(order) if total <= footage else begins + footage + 2 * len(heard)
        places = order[begins:stop]
        cost = frame_costs(heard, moving[places], blinking[places], costs)
        if shown:
            cost[0, len(_STEPS) :] = np.inf  # it goes on from where it is
        path = retime(cost, uneven=costs.uneven)
        shown.append(places[path])
        begins += int(path[-1])
    return np.concatenate(shown) if shown else np.zeros(0, np.int64)
