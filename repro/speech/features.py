"""What the motion network hears: MFCCs around each video frame (Yi et al. 2020, section 3.2).

The paper says "MFCC"; the sizes are those of the authors' public code: 16 kHz, windows of 25 ms
every 10 ms, 13 coefficients of which the first (loudness) is dropped, and for each video frame the
28 windows of the 280 ms around it. Without the first coefficient, features do not depend on how
loud a recording is; and as each 25 ms is taken about its mean, not on a constant offset either.

Sound may come in blocks: of an hour only the coefficients are kept, 4.8 kB a second.
"""

from collections.abc import Iterable, Iterator

import librosa
import numpy as np

from repro import FPS, SAMPLE_RATE

WINDOWS = 28
"""MFCC windows per video frame: the frame's own 40 ms and 120 ms on either side."""

COEFFICIENTS = 12

_WIDTH, _STEP, _AROUND = (SAMPLE_RATE * ms // 1000 for ms in (25, 10, 120))
_FFT = 512
_MELS = 26
_POWER_FLOOR = 1e-6
"""Mel power that counts as silence, below a recording's own noise: silence then has MFCCs of 0."""

_PER_FRAME = SAMPLE_RATE // FPS // _STEP
_BLOCK = 60 * SAMPLE_RATE
"""Samples that are transformed at a time."""


def mfcc_windows(sound: np.ndarray | Iterable[np.ndarray], frames: int | None = None) -> np.ndarray:
    """MFCCs around each of T video frames at 25 fps.

    Parameters
    ----------
    sound : (N,) float32 in [-1, 1] at 16 kHz, or such blocks one after the other, of any lengths;
        silence is taken to stand before and after it
    frames : T, which need not match the length of the sound; by default its length, and at least 1

    Returns
    -------
    (T, 28, 12) float32
        ``[t, k]`` are coefficients 1 to 12 of the window centred on t / 25 + (k - 11.5) / 100
        seconds, so that the 28 lie evenly around the middle of the 40 ms for which frame t shows.
        Read-only: what neighbouring frames share is in memory once.

    Raises
    ------
    ValueError
        Sound of another shape, or that holds a value which is not finite.
    """
    if frames is not None and frames < 0:
        raise ValueError(f"frames is {frames}: it counts video frames")
    blocks = _pieces([sound] if isinstance(sound, np.ndarray) else sound)
    steps = np.concatenate([np.empty((0, COEFFICIENTS), np.float32), *_steps(blocks, frames)])
    if not len(steps):
        return np.empty((0, WINDOWS, COEFFICIENTS), np.float32)
    views = np.lib.stride_tricks.sliding_window_view(steps, WINDOWS, axis=0)[::_PER_FRAME]
    return views.transpose(0, 2, 1)


def frames_of(samples: int) -> int:
    """Video frames at 25 fps that go with so many samples of sound, at least 1."""
    return max(1, round(samples / SAMPLE_RATE * FPS))


def _pieces(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The same sound as float32 blocks of at most ``_BLOCK`` samples."""
    for block in blocks:
        if np.ndim(block) != 1:
            raise ValueError(f"audio has shape {np.shape(block)}, not (N,)")
        for first in range(0, len(block), _BLOCK):
            piece = np.asarray(block[first : first + _BLOCK], np.float32)
            if not np.isfinite(piece).all():
                raise ValueError("audio holds values that are not finite; set them to 0 first")
            yield piece


def _steps(blocks: Iterable[np.ndarray], frames: int | None) -> Iterator[np.ndarray]:
    """Coefficients (n, 12) of the windows every 10 ms, from the first that frame 0 needs."""
    before = _AROUND - _STEP // 2 + _WIDTH // 2  # samples of silence ahead of the sound
    held = np.zeros(before, np.float32)
    heard, done, wanted = 0, 0, None if frames is None else _steps_of(frames)
    for block in blocks:
        heard += len(block)
        held = np.concatenate([held, block])
        ready = (len(held) - _WIDTH) // _STEP + 1
        ready = ready if wanted is None else min(ready, wanted - done)
        if ready > 0:
            yield _mfcc(held, ready)
            held, done = held[ready * _STEP :], done + ready
        if done == wanted:
            return
    wanted = _steps_of(frames_of(heard)) if wanted is None else wanted
    while done < wanted:  # silence after the sound
        ready = min(wanted - done, _BLOCK // _STEP)
        held = np.pad(held, (0, max(0, (ready - 1) * _STEP + _WIDTH - len(held))))
        yield _mfcc(held, ready)
        held, done = held[ready * _STEP :], done + ready


def _steps_of(frames: int) -> int:
    return _PER_FRAME * (frames - 1) + WINDOWS if frames else 0


def _mfcc(sound: np.ndarray, count: int) -> np.ndarray:
    """Coefficients (count, 12) of windows every 10 ms from the first sample on."""
    framed = librosa.util.frame(sound, frame_length=_WIDTH, hop_length=_STEP)[:, :count]
    hann = librosa.filters.get_window("hann", _WIDTH).astype(np.float32)[:, None]
    spectrum = np.fft.rfft((framed - framed.mean(0)) * hann, _FFT, axis=0)
    mel = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=_FFT, n_mels=_MELS, htk=True, norm=None)
    power = mel @ (spectrum.real**2 + spectrum.imag**2)
    cepstrum = librosa.feature.mfcc(
        S=np.log(power + _POWER_FLOOR), n_mfcc=COEFFICIENTS + 1, dct_type=2, norm="ortho"
    )
    return cepstrum[1:].T
