"""A person's own blinks, at new times.

Not the paper's. When someone blinks cannot be heard, so the regression of Eq. 2 answers with
half-closed lids that hardly move. The blinks seen in the input clip are shown again instead, as
often as the person blinked there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro import FPS

_BLINKING = ("eyeBlinkLeft", "eyeBlinkRight")
_REACH_S = 0.24
"""A blink's lids are back at most so long after, and at rest so long before, they were shut."""
_SHORTEST_INTERVAL_S = 0.4


@dataclass(frozen=True)
class BlinkHabit:
    """How a person blinks.

    channels   (2,) int, places of the lids in the expression
    resting    (2,) float32, the lids' usual weight between blinks
    blinks     lid weights above ``resting`` over time, (n, 2) float32 each, zero at both ends
    per_minute how often
    """

    channels: np.ndarray
    resting: np.ndarray
    blinks: tuple[np.ndarray, ...]
    per_minute: float


def blink_habit(expression: np.ndarray, names: Sequence[str], *, least: float = 0.25) -> BlinkHabit:
    """Find the blinks in a track.

    Parameters
    ----------
    expression : (T, 64)
    names : of the expression basis; "eyeBlinkLeft" and "eyeBlinkRight" among them
    least : how far the mean lid must rise above its usual weight and fall again to be a blink
    """
    channels = np.array([list(names).index(name) for name in _BLINKING])
    lids = np.asarray(expression, np.float32)[:, channels]
    resting = np.median(lids, axis=0)
    raised = np.maximum(lids - resting, 0)
    level = raised.mean(1)
    reach = round(_REACH_S * FPS)
    blinks = []
    for t in _peaks(level, least, reach):
        first, last = max(t - reach, 0), min(t + reach, len(level) - 1)
        begin = first + int(np.flatnonzero(level[first : t + 1] == level[first : t + 1].min())[-1])
        end = t + int(level[t : last + 1].argmin())
        base = max(level[begin], level[end])
        if level[t] - base >= least:
            ramp = np.linspace(raised[begin], raised[end], end - begin + 1)
            blinks.append(np.maximum(raised[begin : end + 1] - ramp, 0))
    return BlinkHabit(channels, resting, tuple(blinks), 60 * FPS * len(blinks) / len(lids))


def _peaks(level: np.ndarray, least: float, reach: int) -> list[int]:
    """Frames above ``least`` that are the highest of those around them."""
    found: list[int] = []
    for t in np.flatnonzero(level >= least):
        near = level[max(t - reach, 0) : t + reach + 1]
        if level[t] == near.max() and (not found or t - found[-1] > reach):
            found.append(int(t))
    return found


def blink_starts(habit: BlinkHabit, frames: int, rng: np.random.Generator) -> list[int]:
    """First frames of blinks over T frames: gamma-distributed intervals at the person's rate."""
    if not habit.blinks:
        return []
    mean_s = 60 / habit.per_minute
    shape = 3.0
    starts, t = [], rng.uniform(0, mean_s)
    while t * FPS < frames:
        starts.append(int(t * FPS))
        free = max(mean_s - _SHORTEST_INTERVAL_S, 0.1)
        t += _SHORTEST_INTERVAL_S + rng.gamma(shape, free / shape)
    return starts


def add_blinks(expression: np.ndarray, habit: BlinkHabit, *, seed: int) -> np.ndarray:
    """The expression (T, 64) with the lids at rest, but for blinks at seeded times.

    A person who did not blink in the clip (or whose lids could not be seen) does not blink here.
    """
    rng = np.random.default_rng(seed)
    blinking = np.zeros((len(expression), 2), np.float32)
    for start in blink_starts(habit, len(expression), rng):
        shape = habit.blinks[rng.integers(len(habit.blinks))]
        shown = blinking[start : start + len(shape)]
        np.maximum(shown, shape[: len(shown)], out=shown)
    result = np.array(expression, np.float32)
    result[:, habit.channels] = habit.resting + blinking
    return result
