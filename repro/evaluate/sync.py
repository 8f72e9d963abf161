"""Whether lips move with the sound: a small stand-in for SyncNet (Chung and Zisserman 2016).

SyncNet's weights are not open to every user of this package. Here a linear listener learns, on a
person's real recording, how far the lips are open at each sound (ridge regression from the MFCC
windows of section 3.2); its guess for another sound is held against the lips in a video at every
offset. Like LSE-C and LSE-D it gives an offset, a score there, and how far that stands out.

It says whether lips open and close when that person's would, and by how many frames they are off.
It does not say whether they take the right shapes (rounded, spread, teeth on lip), it is no score
to compare with published LSE-D or LSE-C, and a generator with a linear path of its own may please
it more than people. On 100 frames chance alone gives scores of 0.3 to 0.4 (``chance_r`` tells):
give it many seconds, and the same measure of the real lips beside it as the ceiling.

Measured on the real lips of six real clips of 6 to 20 s, each half judged by a listener that
learned on the other: r of 0.17 to 0.72, and the offset within one frame in 10 of 12; the other two
learned from 3 s. On six synthetic people: 0.35 to 0.84, and within one frame in 12 of 12. Loudness
in place of the listener found the offset in one of the six real clips.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from repro.evaluate.lips import correlation
from repro.evaluate.measure import Measure
from repro.speech.features import mfcc_windows

REACH_FRAMES = 15
"""Offsets looked at, either way, as with SyncNet."""

_RIDGE = 300.0
"""Penalty on weights of standardised features; from 30 to 3000 it changes r by less than 0.1."""

_LEAST_FRAMES = 4 * REACH_FRAMES


@dataclass(frozen=True)
class Listener:
    """Tells from sound how far a mouth is open.

    weights  (28 * 12,) float64, of standardised MFCC windows
    frames   that it learned from
    """

    weights: np.ndarray
    frames: int

    def opening(self, audio: np.ndarray, frames: int) -> np.ndarray:
        """How far the lips should be open (T,), in standard deviations, at 25 fps.

        Parameters
        ----------
        audio : (N,) float32 in [-1, 1], mono 16 kHz
        """
        return _heard(audio, frames) @ self.weights


def learn_listener(recordings: Iterable[tuple[np.ndarray, np.ndarray]]) -> Listener:
    """A listener from real recordings.

    Parameters
    ----------
    recordings : of each, the sound (N,) mono 16 kHz and the opening of the lips (T,) in any unit,
        such as ``repro.evaluate.lips.lip_gap``. Both are standardised per recording, so that
        voices and mouths of several people may be mixed.

    Raises
    ------
    ValueError
        Fewer than 60 frames in all, or lips that never move.
    """
    gaps, heard = [], []
    for audio, gap in recordings:
        gap = np.asarray(gap, np.float64)
        if not gap.std() > 0:
            raise ValueError("a listener cannot learn from lips that never move")
        gaps.append((gap - gap.mean()) / gap.std())
        heard.append(_heard(audio, len(gap)))
    frames = sum(map(len, gaps))
    if frames < _LEAST_FRAMES:
        raise ValueError(f"a listener needs at least {_LEAST_FRAMES} frames, got {frames}")
    x, y = np.concatenate(heard), np.concatenate(gaps)
    weights = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ y)
    return Listener(weights, frames)


def _heard(audio: np.ndarray, frames: int) -> np.ndarray:
    """MFCC windows (T, 28 * 12) standardised over the recording, so that the voice counts less."""
    x = mfcc_windows(audio, frames).reshape(frames, -1).astype(np.float64)
    return (x - x.mean(0)) / (x.std(0) + 1e-6)


@dataclass(frozen=True)
class LipSync:
    """How lips go with a sound over T frames.

    r           correlation of the opening heard and seen, in step
    offset      frames by which the lips trail behind the sound where they agree best; negative
                where they lead
    best_r      correlation there
    confidence  ``best_r`` less the median over all offsets looked at, as in LSE-C
    chance_r    largest correlation when the lips are moved round in a circle by more than those
                offsets: an offset with ``best_r`` below it means nothing
    frames      T
    """

    r: float
    offset: int
    best_r: float
    confidence: float
    chance_r: float
    frames: int

    def measures(self, *, crop: str, network: str) -> list[Measure]:
        """As rows; ``network`` names the landmarker of the lips and what the listener learned."""
        anywhere = f"best of +-{REACH_FRAMES} frames"
        rows = (
            ("r", self.r, "correlation", "in step", f"by chance up to {self.chance_r:.2f}"),
            ("offset", self.offset, "frames that lips trail", anywhere, f"r is {self.best_r:.2f}"),
            (
                "confidence",
                self.confidence,
                "correlation",
                anywhere,
                "best less median r, as LSE-C",
            ),
        )
        return [
            Measure(
                name=f"lip sync {name}",
                value=float(value),
                unit=unit,
                frames=self.frames,
                undetected=0,
                crop=crop,
                alignment=alignment,
                network=network,
                convention=f"linear listener in place of SyncNet; {note}",
            )
            for name, value, unit, alignment, note in rows
        ]


def lip_sync(heard: np.ndarray, seen: np.ndarray) -> LipSync:
    """Hold the opening that is heard (``Listener.opening``) against the one that is seen.

    Parameters
    ----------
    heard, seen : (T,) any unit

    Raises
    ------
    ValueError
        Different lengths, or fewer than 60 frames.
    """
    heard, seen = np.asarray(heard, np.float64), np.asarray(seen, np.float64)
    if heard.shape != seen.shape or heard.ndim != 1:
        raise ValueError(f"expected two tracks of one length, got {heard.shape}, {seen.shape}")
    frames = len(heard)
    if frames < _LEAST_FRAMES:
        raise ValueError(f"lip sync needs at least {_LEAST_FRAMES} frames, got {frames}")
    offsets = range(-REACH_FRAMES, REACH_FRAMES + 1)
    r = np.array([_at_offset(heard, seen, k) for k in offsets])
    best = int(r.argmax())
    beyond = range(REACH_FRAMES + 1, frames - REACH_FRAMES)
    return LipSync(
        r=float(r[REACH_FRAMES]),
        offset=offsets[best],
        best_r=float(r[best]),
        confidence=float(r[best] - np.median(r)),
        chance_r=max(correlation(heard, np.roll(seen, k)) for k in beyond),
        frames=frames,
    )


def _at_offset(heard: np.ndarray, seen: np.ndarray, offset: int) -> float:
    """Correlation of the sound with the lips ``offset`` frames later."""
    length = len(heard) - abs(offset)
    first, second = max(0, -offset), max(0, offset)
    return correlation(heard[first : first + length], seen[second : second + length])
