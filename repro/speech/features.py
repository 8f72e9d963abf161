"""What the motion network hears: MFCCs around each video frame (Yi et al. 2020, section 3.2).

The paper says "MFCC"; the sizes are those of the authors' public code: 16 kHz, windows of 25 ms
every 10 ms, 13 coefficients of which the first (loudness) is dropped, and for each video frame the
28 windows of the 280 ms around it. Without the first coefficient, features do not depend on how
loud a recording is.
"""

import librosa
import numpy as np

from repro import FPS, SAMPLE_RATE

WINDOWS = 28
"""MFCC windows per video frame: the frame's own 40 ms and 120 ms on either side."""

COEFFICIENTS = 12

_WINDOW_MS, _STEP_MS, _AROUND_MS = 25, 10, 120
_FFT_MS = 32
_MELS = 26
_POWER_FLOOR = 1e-6
"""Mel power that counts as silence, below a recording's own noise: silence then has MFCCs of 0."""

_BLOCK = 60_000
"""MFCC windows (10 minutes) computed at a time."""


def mfcc_windows(audio: np.ndarray, frames: int, *, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """MFCCs around each of T video frames at 25 fps.

    Parameters
    ----------
    audio : (N,) float32 in [-1, 1]; silence is taken to stand before and after it
    frames : T; need not match the length of the audio
    sample_rate : of the audio, in Hz

    Returns
    -------
    (T, 28, 12) float32
        ``[t, k]`` are coefficients 1 to 12 of the window centred on t / 25 + (k - 11.5) / 100
        seconds, so that the 28 lie evenly around the middle of the 40 ms for which frame t shows.
    """
    if np.ndim(audio) != 1:
        raise ValueError(f"audio has shape {np.shape(audio)}, not (N,)")
    if frames < 0:
        raise ValueError(f"frames is {frames}: it counts video frames")
    per_frame = 1000 // FPS // _STEP_MS
    count = per_frame * (frames - 1) + WINDOWS if frames else 0
    steps = np.empty((count, COEFFICIENTS), np.float32)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        steps[start:stop] = _mfcc(audio, start, stop, sample_rate)
    if not frames:
        return np.empty((0, WINDOWS, COEFFICIENTS), np.float32)
    views = np.lib.stride_tricks.sliding_window_view(steps, WINDOWS, axis=0)[::per_frame]
    return np.ascontiguousarray(views.transpose(0, 2, 1))


def _mfcc(audio: np.ndarray, start: int, stop: int, sample_rate: int) -> np.ndarray:
    """Coefficients (stop - start, 12) of windows numbered from the first that frame 0 needs."""
    step, width, fft = (round(sample_rate * ms / 1000) for ms in (_STEP_MS, _WINDOW_MS, _FFT_MS))
    centre = round(sample_rate * (_STEP_MS / 2 - _AROUND_MS) / 1000) + start * step
    first = centre - fft // 2
    piece = _cut(audio, first, first + (stop - start - 1) * step + fft)
    spectrum = librosa.stft(
        piece, n_fft=fft, hop_length=step, win_length=width, window="hann", center=False
    )
    mel = librosa.filters.mel(sr=sample_rate, n_fft=fft, n_mels=_MELS, htk=True, norm=None)
    power = mel @ (spectrum.real**2 + spectrum.imag**2)
    cepstrum = librosa.feature.mfcc(
        S=np.log(power + _POWER_FLOOR), n_mfcc=COEFFICIENTS + 1, dct_type=2, norm="ortho"
    )
    return cepstrum[1:].T


def _cut(audio: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Samples ``start`` to ``stop`` as float32, with silence beyond either end."""
    piece = np.zeros(stop - start, np.float32)
    given = audio[max(0, start) : max(0, stop)]
    at = max(0, -start)
    piece[at : at + len(given)] = given
    return piece
