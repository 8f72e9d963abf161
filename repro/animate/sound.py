"""What is heard at each frame: x_{t-3:t+4}, seven chunks of 40 ms (Chen et al. 2020, 3.2, A.1)."""

import numpy as np
import soxr

from repro import FPS, SAMPLE_RATE
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.speech.features import COEFFICIENTS, WINDOWS, mfcc_windows
from repro.speech.noise import at_snr, babble, white

CHUNKS = 7
"""Chunks per frame: its own 40 ms, three before and three after it."""

_BABBLES = 2
"""Noises of several voices in ``noises``."""


def window_shape(settings: AnimateSpeechSettings) -> tuple[int, int]:
    """Rows and columns (R, C) of a frame's window: (7, samples of 40 ms), or (28, 12) of MFCCs."""
    if settings.sound == "mfcc":
        return WINDOWS, COEFFICIENTS
    return CHUNKS, settings.sample_rate // FPS


def sound_windows(audio: np.ndarray, frames: int, settings: AnimateSpeechSettings) -> np.ndarray:
    """The sound around each of T frames, silence before and after it.

    Parameters
    ----------
    audio : (N,) float32, mono 16 kHz
    frames : T, which need not match the length of the sound

    Returns
    -------
    (T, R, C) float32, as ``window_shape`` says; read-only, what neighbours share is in memory once

    Raises
    ------
    ValueError
        Sound of another shape, or that holds a value which is not finite.
    """
    if settings.sound == "mfcc":
        return mfcc_windows(audio, frames)
    return wave_windows(audio, frames, settings.sample_rate)


def wave_windows(audio: np.ndarray, frames: int, sample_rate: int) -> np.ndarray:
    """Chunks (T, 7, C) float32 of samples: ``[t, k]`` is what is heard while frame t + k - 3 shows.

    Parameters
    ----------
    audio : (N,) float32, mono 16 kHz
    sample_rate : of the chunks, Hz; C is a 25th of it

    Raises
    ------
    ValueError
        Sound of another shape, or that holds a value which is not finite.
    """
    if np.ndim(audio) != 1:
        raise ValueError(f"audio has shape {np.shape(audio)}, not (N,)")
    if not np.isfinite(audio).all():
        raise ValueError("audio holds values that are not finite; set them to 0 first")
    samples, beyond = sample_rate // FPS, CHUNKS // 2
    sound = soxr.resample(np.asarray(audio, np.float32), SAMPLE_RATE, sample_rate)
    padded = np.zeros((frames + 2 * beyond, samples), np.float32)
    used = sound[: (frames + beyond) * samples]
    padded[beyond:].reshape(-1)[: len(used)] = used
    if not frames:
        return np.empty((0, CHUNKS, samples), np.float32)
    return np.lib.stride_tricks.sliding_window_view(padded, CHUNKS, axis=0).transpose(0, 2, 1)


def noises(samples: int, *, seed: int) -> tuple[np.ndarray, ...]:
    """Noises (N,) float32 of power 1 to choose from: of all frequencies, and of many voices."""
    voices = [babble(samples, seed=seed + k) for k in range(_BABBLES)]
    return (white(samples, seed=seed), *voices)


def in_noise(
    audio: np.ndarray,
    choice: tuple[np.ndarray, ...],
    settings: AnimateSpeechSettings,
    rng: np.random.Generator,
) -> np.ndarray:
    """Sound (N,) with one of some noises, each N long or longer, at a ratio that is drawn.

    Of 6, 9, ..., 30 dB (section 3.2), unless the settings say otherwise.

    Raises
    ------
    ValueError
        A noise that is shorter than the sound; silence.
    """
    ratios = np.arange(settings.noise_low_db, settings.noise_high_db + 1, settings.noise_step_db)
    noise = choice[rng.integers(len(choice))]
    if len(noise) < len(audio):
        raise ValueError(f"a noise has {len(noise)} samples, fewer than the sound's {len(audio)}")
    first = int(rng.integers(len(noise) - len(audio) + 1))
    return at_snr(audio, noise[first : first + len(audio)], float(rng.choice(ratios)))
