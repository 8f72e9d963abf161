"""Noise at a known ratio."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.speech.noise import at_snr, babble, white


def power(x):
    return float(np.mean(np.square(x, dtype=np.float64)))


@given(st.floats(-20, 40), st.floats(0.01, 3), st.floats(0.01, 3))
def test_the_ratio_of_powers_is_what_was_asked_for(snr_db, loud, noisy):
    rng = np.random.default_rng(0)
    sound = (loud * rng.normal(size=4000)).astype(np.float32)
    noise = (noisy * rng.normal(size=4000)).astype(np.float32)
    added = at_snr(sound, noise, snr_db).astype(np.float64) - sound
    assert 10 * np.log10(power(sound) / power(added)) == pytest.approx(snr_db, abs=0.05)
    assert np.corrcoef(added, noise)[0, 1] == pytest.approx(1, abs=1e-3)


def test_silence_and_other_lengths_have_no_ratio():
    sound = np.ones(100, np.float32)
    with pytest.raises(ValueError, match="silence"):
        at_snr(0 * sound, sound, 10)
    with pytest.raises(ValueError, match="length"):
        at_snr(sound, sound[:50], 10)


def test_white_noise_is_flat_and_of_power_one():
    noise = white(64000, seed=0)
    assert power(noise) == pytest.approx(1, abs=0.02)
    bands = np.square(np.abs(np.fft.rfft(noise)))[:32000].reshape(8, -1).mean(1)
    assert bands.max() / bands.min() < 1.1
    assert np.array_equal(noise, white(64000, seed=0))
    assert not np.array_equal(noise, white(64000, seed=1))


def test_babble_is_of_power_one_like_speech_and_has_hardly_a_pause():
    noise = babble(48000, seed=0)
    assert noise.shape == (48000,) and noise.dtype == np.float32
    assert power(noise) == pytest.approx(1, abs=1e-3)
    spectrum = np.square(np.abs(np.fft.rfft(noise)))
    hz = np.fft.rfftfreq(48000, 1 / 16000)
    assert spectrum[(hz > 100) & (hz < 4000)].sum() > 0.8 * spectrum.sum()
    levels = [power(noise[k : k + 1600]) for k in range(0, 48000, 1600)]
    assert np.mean(np.array(levels) > 0.05) > 0.9
    assert np.array_equal(noise, babble(48000, seed=0))
    assert not np.allclose(noise, babble(48000, seed=1))
