"""What is heard at each frame."""

import numpy as np
import pytest
from pydantic import ValidationError

from repro.animate.sound import in_noise, noises, sound_windows, wave_windows, window_shape
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.speech.features import mfcc_windows

PAPER = AnimateSpeechSettings()
MFCC = AnimateSpeechSettings(sound="mfcc")


def hum(frames=20, seed=0):
    t = np.arange(frames * 640) / 16_000
    noise = 0.01 * np.random.default_rng(seed).normal(size=len(t))
    return (0.3 * np.sin(2 * np.pi * 220 * t) + noise).astype(np.float32)


def test_the_paper_s_window_is_seven_chunks_of_2000_samples():
    assert window_shape(PAPER) == (7, 2000)
    windows = sound_windows(hum(), 20, PAPER)
    assert windows.shape == (20, 7, 2000)
    assert windows.dtype == np.float32
    assert not windows.flags.writeable


def test_chunks_lie_around_their_frame_with_silence_beyond_the_ends():
    windows = wave_windows(hum(), 20, 50_000)
    for frame in (5, 12):
        for k in range(7):
            np.testing.assert_array_equal(windows[frame, k], windows[frame + k - 3, 3])
    assert not windows[0, :3].any()
    assert windows[0, 3].any()
    assert not windows[-1, 4:].any()


def test_the_middle_chunk_is_the_frame_s_own_40_ms():
    """A hum of 220 Hz stays one at 50 kHz, in phase."""
    windows = wave_windows(hum(), 20, 50_000)
    t = np.arange(10 * 2000, 11 * 2000) / 50_000
    wanted = 0.3 * np.sin(2 * np.pi * 220 * t)
    assert np.corrcoef(windows[10, 3], wanted)[0, 1] > 0.99


def test_more_frames_than_sound_are_silent_and_fewer_still_hear_what_follows():
    long, short = wave_windows(hum(5), 9, 16_000), wave_windows(hum(9), 5, 16_000)
    assert not long[8].any()
    assert short[4, 4:].any()
    assert wave_windows(hum(5), 0, 16_000).shape == (0, 7, 640)


def test_mfccs_are_the_package_s():
    assert window_shape(MFCC) == (28, 12)
    np.testing.assert_array_equal(sound_windows(hum(), 20, MFCC), mfcc_windows(hum(), 20))


def test_noise_is_as_loud_as_one_of_the_ratios_says():
    choice = noises(16_000, seed=0)
    sound = hum(15)
    ratios = []
    for seed in range(60):
        made = in_noise(sound, choice, PAPER, np.random.default_rng(seed))
        ratios.append(10 * np.log10(np.mean(sound**2) / np.mean((made - sound) ** 2)))
    nearest = np.round(np.array(ratios) / 3) * 3
    np.testing.assert_allclose(ratios, nearest, atol=0.1)
    assert set(nearest) == set(range(6, 31, 3))


def test_broken_sound_and_short_noises_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        wave_windows(np.array([0.0, np.nan]), 1, 16_000)
    with pytest.raises(ValueError, match="shape"):
        wave_windows(np.zeros((2, 640)), 1, 16_000)
    with pytest.raises(ValueError, match="fewer than"):
        in_noise(hum(), (hum(5),), PAPER, np.random.default_rng(0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kernel": 4},
        {"reference_frames": 300},
        {"motion_frames": 300},
        {"test_s": 2.0},
        {"noise_high_db": 3},
        {"unknown": 1},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        AnimateSpeechSettings(**wrong)
