"""MFCC windows, against a plain implementation of the same formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.speech.features import mfcc_windows


def noise(count, seed=0, level=0.1):
    return (level * np.random.default_rng(seed).normal(size=count)).astype(np.float32)


def mel_filters(rate, size, bands):
    """Triangles between points equally spaced in mel = 2595 log10(1 + f / 700)."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    points = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    bins = np.arange(size // 2 + 1) * rate / size
    filters = np.zeros((bands, len(bins)))
    for band in range(bands):
        low, middle, high = points[band : band + 3]
        for k, f in enumerate(bins):
            filters[band, k] = max(0, min((f - low) / (middle - low), (high - f) / (high - middle)))
    return filters


def plain_mfcc(audio, centre_s):
    """Coefficients 1 to 12 of the 25 ms of 16 kHz sound around a time."""
    rate, width, size, bands = 16000, 400, 512, 26
    first = round(centre_s * rate) - width // 2
    at = first + np.arange(width)
    inside = (at >= 0) & (at < len(audio))
    piece = np.where(inside, audio[np.clip(at, 0, len(audio) - 1)], 0)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)
    power = np.abs(np.fft.rfft(piece * window, size)) ** 2
    log_mel = np.log(mel_filters(rate, size, bands) @ power + 1e-6)
    n = np.arange(bands)
    return np.array(
        [
            np.sqrt(2 / bands) * np.sum(log_mel * np.cos(np.pi * k * (n + 0.5) / bands))
            for k in range(1, 13)
        ]
    )


def test_it_equals_a_plain_implementation():
    audio = noise(16000) * np.linspace(0, 1, 16000, dtype=np.float32)
    windows = mfcc_windows(audio, 25)
    assert windows.shape == (25, 28, 12)
    assert windows.dtype == np.float32
    for t in (0, 1, 12, 24):
        for k in (0, 11, 13, 14, 27):
            expected = plain_mfcc(audio, t / 25 + (k - 11.5) / 100)
            assert windows[t, k] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("t", [0, 7, 24])
def test_the_middle_of_a_frame_is_the_middle_of_its_window(t):
    audio = np.zeros(16000, np.float32)
    audio[640 * t + 320] = 1
    heard = np.abs(mfcc_windows(audio, 25)[t]).max(axis=1)
    assert np.flatnonzero(heard > 0.1).tolist() == [13, 14]
    assert heard[13] == pytest.approx(heard[14], rel=1e-4)


def test_neighbouring_frames_share_all_but_four_windows():
    windows = mfcc_windows(noise(16000), 25)
    assert np.array_equal(windows[:-1, 4:], windows[1:, :-4])
    assert not np.allclose(windows[:-1], windows[1:])


def test_beyond_the_ends_there_is_silence_which_is_zero():
    windows = mfcc_windows(noise(6400), 30)
    assert np.abs(windows[0, :10]).max() < 1e-4
    assert np.abs(windows[0, 13:]).max(axis=1).min() > 1
    assert np.abs(windows[14:]).max() < 1e-4
    assert np.abs(mfcc_windows(np.zeros(0, np.float32), 3)).max() < 1e-4


def test_loudness_does_not_matter():
    audio = noise(16000)
    loud, soft = mfcc_windows(audio, 25), mfcc_windows(0.1 * audio, 25)
    assert np.abs(loud - soft)[4:-4].max() < 0.02 * loud.std()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 9000), st.integers(0, 20))
def test_any_length_gives_as_many_windows_as_frames(samples, frames):
    windows = mfcc_windows(noise(samples), frames)
    assert windows.shape == (frames, 28, 12)
    assert np.isfinite(windows).all()


def test_blocks_leave_no_seam(monkeypatch):
    audio = noise(32000)
    whole = mfcc_windows(audio, 50)
    monkeypatch.setattr("repro.speech.features._BLOCK", 17)
    assert mfcc_windows(audio, 50) == pytest.approx(whole, abs=1e-4)


def test_another_sample_rate_hears_at_the_same_times():
    audio = np.zeros(32000, np.float32)
    audio[1280 * 7 + 640] = 1
    windows = mfcc_windows(audio, 25, sample_rate=32000)
    assert windows.shape == (25, 28, 12)
    heard = np.abs(windows[7]).max(axis=1)
    assert np.flatnonzero(heard > 0.1).tolist() == [13, 14]


def test_wrong_arguments_are_errors_of_the_program():
    with pytest.raises(ValueError, match="not \\(N,\\)"):
        mfcc_windows(np.zeros((2, 100)), 3)
    with pytest.raises(ValueError, match="counts video frames"):
        mfcc_windows(np.zeros(100), -1)
