"""Sound of any file, at any rate and with any channels, read as mono float32 at 16 kHz."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from repro import FPS, SAMPLE_RATE
from repro.corpus.container import decodable, decoded, opened
from repro.errors import UserError

_HOLE_S = 0.02
"""Sound whose timestamp is off by more than this follows a hole or an overlap, not a rounding."""

_OVERLAP_S, _LONGEST_HOLE_S = 1.0, 600.0
"""Timestamps that jump further, back or ahead, are the file's mistake: the sound goes on."""

_LOUDEST = 100.0
"""Greatest value of sound in floating point that can be an overload and not another scale."""


def read_audio(path: Path | str, *, min_s: float = 0.5, zero_s: float | None = None) -> np.ndarray:
    """The sound of any audio or video file: (N,) float32 in [-1, 1], mono 16 kHz.

    Channels are averaged; where they cancel each other out, one of them is taken. Silence stands
    where the timestamps leave a hole, and for values that are not finite; what is louder than full
    scale is clipped. Of sound that overlaps the earlier is kept.

    Parameters
    ----------
    zero_s : the file's timestamp at which to begin; by default that of the first sample

    Raises
    ------
    UserError
        No such file; a folder; not a media file; no sound; shorter than ``min_s`` seconds; sound
        in floating point that is not within [-1, 1] by far.
    """
    path = Path(path)
    content = bytearray()  # grows in place, where joining a list would need the memory twice
    for block in sound_blocks(path, zero_s=zero_s):
        content += block.tobytes()
    sound = np.frombuffer(content, np.float32)
    if len(sound) < min_s * SAMPLE_RATE or not len(sound):
        raise UserError(
            f"'{path}' has only {len(sound) / SAMPLE_RATE:.2f} s of sound: "
            f"give at least {max(min_s, 1 / FPS):g} s."
        )
    return sound


def sound_blocks(path: Path | str, *, zero_s: float | None = None) -> Iterator[np.ndarray]:
    """What ``read_audio`` reads, in blocks (n,) of some seconds: memory stays flat.

    Raises
    ------
    UserError
        As ``read_audio``, but for sound that is short.
    """
    path = Path(path)
    with opened(path) as container:
        stream = container.streams.best("audio")
        if stream is None:
            raise UserError(f"'{path}' has no sound: give a file with speech in it.")
        at = done = 0  # samples: where the next piece belongs, and where the last one ended
        first = True
        for start_s, piece in _pieces(container, decodable(stream, path)):
            if start_s is not None:
                zero_s = start_s if zero_s is None else zero_s
                place = round((start_s - zero_s) * SAMPLE_RATE)
                likely = -_OVERLAP_S <= (place - at) / SAMPLE_RATE <= _LONGEST_HOLE_S
                at, first = place if likely or first else at, False
            for begin in range(done, at, SAMPLE_RATE):
                yield np.zeros(min(SAMPLE_RATE, at - begin), np.float32)
            piece_s = max(done, at) / SAMPLE_RATE
            yield _in_scale(piece[max(0, done - at) :], path, piece_s)
            at += len(piece)
            done = max(done, at)


def _in_scale(piece: np.ndarray, path: Path, begin_s: float) -> np.ndarray:
    loudest = np.abs(piece).max(initial=0)
    if loudest > _LOUDEST:
        raise UserError(
            f"The sound of '{path}' reaches {loudest:.3g} at {begin_s:.0f} s or soon after: "
            "scale it to lie between -1 and 1, or give a file of whole numbers."
        )
    return piece.clip(-1, 1)


@dataclass
class _Run:
    """A stretch of sound without a hole, being resampled.

    kind     sample format, channels and rate
    end_s    timestamp up to which it was decoded
    start_s  timestamp of its first sample; None once that was given out
    spare_s  what the codec filled its last block up with
    held     samples that were not given out yet, for the last of them may be spare
    """

    kind: tuple[str, str, int]
    end_s: float
    start_s: float | None
    spare_s: float = 0.0
    held: list[np.ndarray] = field(default_factory=list)
    resampler: av.AudioResampler = field(
        default_factory=lambda: av.AudioResampler(format="flt", rate=SAMPLE_RATE)
    )

    def add(self, block: av.AudioFrame, duration_s: float) -> None:
        """Go on with what was decoded; ``duration_s``: as the file states it, 0 for not."""
        length_s = block.samples / block.sample_rate
        self.spare_s = max(0.0, length_s - (duration_s or length_s))
        self.end_s += length_s
        block.pts = None
        self._resample(block)

    def _resample(self, block: av.AudioFrame | None) -> None:
        # Packed samples: PyAV crashes on frames of eight planes and more.
        for part in self.resampler.resample(block):
            self.held.append(_mono(part.to_ndarray().reshape(-1, part.layout.nb_channels).T))

    def take(self, *, keep: int) -> tuple[float | None, np.ndarray]:
        """All but the last ``keep`` samples, and the timestamp of the run's first, once."""
        joined = np.concatenate([np.zeros(0, np.float32), *self.held])
        cut = max(0, len(joined) - keep)
        start_s, self.start_s, self.held = self.start_s, None, [joined[cut:]]
        return start_s, joined[:cut]

    def finish(self) -> tuple[float | None, np.ndarray]:
        """What is left of the run, without what is spare."""
        self._resample(None)
        return self.take(keep=round(self.spare_s * SAMPLE_RATE))


def _pieces(container, stream) -> Iterator[tuple[float | None, np.ndarray]]:
    """Sound as it is decoded: samples (n,) float32 at 16 kHz.

    Before them: the timestamp of the first one, or None where they follow those before.
    """
    run: _Run | None = None
    for block in decoded(container, stream):
        expected_s = run.end_s if run else 0.0
        time_s = expected_s if block.pts is None else float(block.pts * stream.time_base)
        kind = block.format.name, block.layout.name, block.sample_rate
        if run is None or kind != run.kind or abs(time_s - expected_s) > _HOLE_S:
            if run:
                yield run.finish()
            run = _Run(kind, time_s, time_s)
        run.add(block, float(block.duration * stream.time_base))
        if sum(map(len, run.held)) > 2 * SAMPLE_RATE:
            yield run.take(keep=SAMPLE_RATE)
    if run:
        yield run.finish()


def _mono(channels: np.ndarray) -> np.ndarray:
    """The mean (n,) of channels (C, n): none is louder for being one of many.

    Where it falls far below what one channel alone would leave of it, as between channels of
    opposite sign, it is the first of the loud channels. What is not finite becomes silence.
    """
    channels = np.where(np.isfinite(channels), channels, np.float32(0))
    mean = channels.mean(axis=0)
    if len(channels) == 1 or not mean.size:
        return mean
    power = np.square(channels, dtype=np.float64).mean(axis=1)
    if np.square(mean, dtype=np.float64).mean() >= 0.1 * power.max() / len(channels) ** 2:
        return mean
    return channels[np.argmax(power >= power.max() / 2)]
