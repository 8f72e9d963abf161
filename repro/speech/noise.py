"""Noise over speech, at a known ratio."""

import numpy as np

from repro.speech.sentences import SENTENCES
from repro.speech.synthesis import VOICES_HIGH, VOICES_LOW, speak

TALKERS = 6


def white(samples: int, *, seed: int) -> np.ndarray:
    """Gaussian noise (N,) float32 of power 1, alike at all frequencies."""
    return np.random.default_rng(seed).normal(size=samples).astype(np.float32)


def babble(samples: int, *, seed: int, talkers: int = TALKERS) -> np.ndarray:
    """Several synthetic voices (N,) float32 of power 1 that speak at once, equally loud.

    Each says sentences without end, women and men by turns.
    """
    rng = np.random.default_rng(seed)
    mixed = np.zeros(samples)
    for k in range(talkers):
        voice = rng.choice(VOICES_HIGH if k % 2 else VOICES_LOW)
        parts: list[np.ndarray] = []
        while sum(map(len, parts)) < 2 * samples:
            text = SENTENCES[rng.integers(len(SENTENCES))]
            parts.append(speak(text, voice=str(voice), pad_s=0.1).audio)
        talk = np.concatenate(parts)
        first = int(rng.integers(len(talk) - samples + 1))
        talk = talk[first : first + samples]
        mixed += talk / np.sqrt(np.mean(talk**2) + 1e-12)
    return (mixed / np.sqrt(np.mean(mixed**2) + 1e-12)).astype(np.float32)


def at_snr(sound: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Sound (N,) with noise (N,) added, of a power that is ``snr_db`` below the sound's.

    Both powers are means over the whole, pauses included; nothing is clipped.

    Raises
    ------
    ValueError
        Different lengths, or one that is silent.
    """
    if sound.shape != noise.shape:
        raise ValueError(f"sound {sound.shape} and noise {noise.shape} differ in length")
    powers = [float(np.mean(np.square(x, dtype=np.float64))) for x in (sound, noise)]
    if not all(powers):
        raise ValueError("silence has no signal-to-noise ratio")
    gain = np.sqrt(powers[0] / powers[1] / 10 ** (snr_db / 10))
    return (sound + gain * noise).astype(np.float32)
