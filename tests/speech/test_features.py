"""MFCC windows, against plain implementations of the same formulas."""

import tracemalloc

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.speech.features import frames_of, mfcc_windows
from repro.speech.synthesis import speak


def noise(count, seed=0, level=0.1):
    return (level * np.random.default_rng(seed).normal(size=count)).astype(np.float32)


@pytest.fixture(scope="module")
def speech():
    return speak("Pam bought two big blue boats.", voice="en-us").audio


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


FILTERS = mel_filters(16000, 512, 26)


def plain_mfcc(audio, centre_s):
    """Coefficients 1 to 12 of the 25 ms of 16 kHz sound around a time, as sums."""
    rate, width, size, bands = 16000, 400, 512, 26
    first = round(centre_s * rate) - width // 2
    at = first + np.arange(width)
    inside = (at >= 0) & (at < len(audio))
    piece = np.where(inside, audio[np.clip(at, 0, len(audio) - 1)], 0)
    n = np.arange(width)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / width)
    piece = (piece - piece.mean()) * window
    power = [
        abs(np.sum(piece * np.exp(-2j * np.pi * k * n / size))) ** 2 for k in range(size // 2 + 1)
    ]
    log_mel = np.log(FILTERS @ power + 1e-6)
    n = np.arange(bands)
    return np.array(
        [
            np.sqrt(2 / bands) * np.sum(log_mel * np.cos(np.pi * k * (n + 0.5) / bands))
            for k in range(1, 13)
        ]
    )


def scipy_mfcc(audio, count):
    """The first ``count`` steps of the whole clip with SciPy's window, spectrum and DCT."""
    padded = np.concatenate([np.zeros(2040), audio.astype(np.float64), np.zeros(160 * count)])
    framed = np.stack([padded[160 * k : 160 * k + 400] for k in range(count)])
    framed = scipy.signal.detrend(framed, axis=1, type="constant")
    _, spectrum = scipy.signal.periodogram(
        framed, window="hann", nfft=512, detrend=False, scaling="spectrum", return_onesided=False
    )
    window_sum = scipy.signal.get_window("hann", 400).sum()
    power = spectrum[:, :257] * window_sum**2
    return scipy.fft.dct(np.log(power @ FILTERS.T + 1e-6), type=2, norm="ortho")[:, 1:13]


def test_it_equals_a_plain_implementation():
    audio = noise(16000) * np.linspace(0, 1, 16000, dtype=np.float32)
    windows = mfcc_windows(audio, 25)
    assert windows.shape == (25, 28, 12)
    assert windows.dtype == np.float32
    for t in (0, 1, 12, 24):
        for k in (0, 11, 13, 14, 27):
            expected = plain_mfcc(audio, t / 25 + (k - 11.5) / 100)
            assert windows[t, k] == pytest.approx(expected, abs=2e-3)


def test_it_equals_scipy_on_a_whole_sentence(speech):
    frames = frames_of(len(speech))
    windows = mfcc_windows(speech)
    assert len(windows) == frames
    steps = scipy_mfcc(speech, 4 * (frames - 1) + 28)
    for t in range(frames):
        assert windows[t] == pytest.approx(steps[4 * t : 4 * t + 28], abs=5e-3)


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
    assert np.shares_memory(windows[0], windows[1])
    assert not windows.flags.writeable


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


@pytest.mark.parametrize("offset", [0.02, -0.5])
def test_a_constant_offset_does_not_matter(speech, offset):
    """Only where the offset itself begins and ends is there something to hear."""
    plain, moved = (mfcc_windows(speech + np.float32(x)) for x in (0, offset))
    assert np.abs(moved - plain)[4:-4].max() < 2e-3


def test_clipping_changes_the_features_of_speech_little(speech):
    """Speech cut off at half its peak, beside another sentence."""
    plain = mfcc_windows(speech)
    clipped = mfcc_windows(np.clip(2 * speech / np.abs(speech).max(), -1, 1))
    other = mfcc_windows(speak("The judge jogged along.", voice="en-us").audio, len(plain))
    assert np.isfinite(clipped).all()
    error = np.square(clipped - plain).mean()
    assert error < 0.1 * np.square(other - plain).mean()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 9000), st.integers(0, 20))
def test_any_length_gives_as_many_windows_as_frames(samples, frames):
    windows = mfcc_windows(noise(samples), frames)
    assert windows.shape == (frames, 28, 12)
    assert np.isfinite(windows).all()


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 1), (1, 1), (399, 1), (640, 1), (959, 1), (961, 2), (16000, 25)]
)
def test_the_length_of_the_sound_gives_the_frames(samples, frames):
    assert frames_of(samples) == frames
    assert len(mfcc_windows(noise(samples))) == frames


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 3000), max_size=12),
    st.one_of(st.none(), st.integers(0, 60)),
    st.sampled_from([700, 4321, 10**6]),
)
def test_blocks_of_any_lengths_are_one_sound(lengths, frames, most):
    blocks = [noise(n, seed=k) for k, n in enumerate(lengths)]
    whole = np.concatenate([np.zeros(0, np.float32), *blocks])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("repro.speech.features._BLOCK", most)
        streamed = mfcc_windows(iter(blocks), frames)
    expected = mfcc_windows(whole, frames)
    assert streamed.shape == expected.shape
    assert streamed == pytest.approx(expected, abs=1e-4)


def test_no_more_blocks_are_taken_than_the_frames_need():
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield noise(16000)

    assert len(mfcc_windows(endless(), 50)) == 50
    assert len(taken) <= 4


def test_a_long_sound_is_never_in_memory_at_once():
    """Eight minutes: 30 MB of sound, of which 2.3 MB of coefficients stay."""
    block = noise(16000)
    mfcc_windows([block])  # tables that stay
    tracemalloc.start()
    windows = mfcc_windows(block for _ in range(480))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert windows.shape == (12000, 28, 12)
    assert peak < 8e6


def test_wrong_arguments_are_errors_of_the_program():
    with pytest.raises(ValueError, match="not \\(N,\\)"):
        mfcc_windows(np.zeros((2, 100)), 3)
    with pytest.raises(ValueError, match="counts video frames"):
        mfcc_windows(np.zeros(100), -1)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="not finite"):
            mfcc_windows(np.array([0, value], np.float32))
