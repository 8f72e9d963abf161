"""Training windows: where they stand, between frames, and other voices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import UserError
from repro.motion.data import (
    PreparedWindows,
    WindowSet,
    normalise_voice,
    prepare,
    sequence_of,
    voice_warp,
)
from repro.motion.motion import Motion
from repro.motion.settings import MotionSettings

PLAIN = MotionSettings(window_frames=6, batch=4)


def clip(frames: int, *, seed: int = 0):
    """Windows cut from a sequence, and a motion whose every number is the time in frames."""
    sequence = np.random.default_rng(seed).normal(size=(28 + 4 * (frames - 1), 12))
    windows = np.stack([sequence[4 * t : 4 * t + 28] for t in range(frames)]).astype(np.float32)
    t = np.arange(frames, dtype=np.float32)[:, None]
    return windows, Motion(np.tile(t, 64), np.tile(t, 6))


@given(st.integers(1, 30))
def test_the_sequence_is_what_the_windows_were_cut_from(frames):
    windows, _ = clip(frames)
    sequence = sequence_of(windows)
    assert len(sequence) == 28 + 4 * (frames - 1)
    for t in range(frames):
        np.testing.assert_array_equal(sequence[4 * t : 4 * t + 28], windows[t])


def test_plain_batches_hold_every_window_in_order():
    windows, motion = clip(10)
    found = WindowSet([(windows, motion)], PLAIN)
    batches = list(found.batches(None))
    assert len(found) == 5
    assert [len(b.windows) for b in batches] == [4, 1]
    np.testing.assert_array_equal(batches[0].windows[2], windows[2:8])
    np.testing.assert_array_equal(batches[1].expression[0, :, 0], np.arange(4, 10))


def test_pose_is_relative_to_the_clip_s_mean():
    batch = next(WindowSet([clip(10)], PLAIN).batches(None))
    np.testing.assert_allclose(batch.pose[0, :, 3], np.arange(6) - 4.5)


def test_shuffled_batches_hold_the_same_windows():
    found = WindowSet([clip(12), clip(9, seed=1)], PLAIN)
    batches = found.batches(np.random.default_rng(0))
    starts = sorted(float(e[0, 0]) for b in batches for e in b.expression)
    assert starts == sorted([*range(7), *range(4)])


def test_windows_between_frames_take_motion_from_between_frames():
    settings = PLAIN.model_copy(update={"time_jitter": True})
    windows, motion = clip(20)
    sequence = sequence_of(windows)
    seen = set()
    for batch in WindowSet([(windows, motion)], settings).batches(np.random.default_rng(1)):
        for window, expression in zip(batch.windows.numpy(), batch.expression, strict=True):
            begin = 4 * float(expression[0, 0])
            assert begin == round(begin)
            seen.add(begin % 4)
            np.testing.assert_array_equal(window[3], sequence[int(begin) + 12 :][:28])
    assert seen == {0, 1, 2, 3}


def test_strides_leave_windows_out_but_wander():
    settings = PLAIN.model_copy(update={"stride_frames": 3})
    found = WindowSet([clip(16)], settings)
    assert len(found) == 4
    rng = np.random.default_rng(0)
    starts = {float(e[0, 0]) for _ in range(30) for b in found.batches(rng) for e in b.expression}
    assert starts == set(range(11))


def test_clips_shorter_than_a_window_are_refused():
    with pytest.raises(UserError, match="long enough"):
        WindowSet([clip(5)], PLAIN)


def test_a_normalised_voice_has_no_mean_and_unit_spread():
    windows = 3 + 5 * clip(40)[0]
    normal = normalise_voice(windows)
    np.testing.assert_allclose(normal.mean((0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(normal.std((0, 1)), 1, atol=1e-3)
    np.testing.assert_allclose(normal, normalise_voice(2 * windows - 7), atol=1e-3)


def test_a_steady_sound_is_not_made_to_vary_like_speech():
    windows = 3 + 0.01 * clip(40)[0]
    assert normalise_voice(windows).std() < 0.05


@pytest.mark.parametrize("normal", [False, True])
def test_some_prepared_windows_are_those_of_the_whole(normal):
    settings = PLAIN.model_copy(update={"normalise_voice": normal})
    windows = clip(2500)[0]
    whole = prepare(windows, settings)
    expected = normalise_voice(windows) if normal else windows
    np.testing.assert_array_equal(whole, expected)
    some = PreparedWindows(windows, settings)
    chosen = np.array([[7, 2400], [0, 3]])
    np.testing.assert_array_equal(some[chosen], whole[chosen])
    np.testing.assert_array_equal(some[1000:1010], whole[1000:1010])
    assert len(some) == 2500


def test_windows_of_another_size_are_refused():
    with pytest.raises(ValueError, match="MFCC windows"):
        prepare(np.zeros((4, 20, 12)), PLAIN)


def test_no_warp_is_the_identity():
    np.testing.assert_allclose(voice_warp(0, 12), np.eye(12), atol=1e-12)


@pytest.mark.parametrize("alpha", [-0.1, 0.07])
def test_a_warp_moves_a_spectrum_along_the_frequency_axis(alpha):
    """The warped coefficients are those of the spectrum read at warped frequencies."""
    cepstrum = np.random.default_rng(0).normal(size=12) / np.arange(1, 13) ** 3
    w = (np.arange(4096) + 0.5) * np.pi / 4096
    warped = w + 2 * np.arctan2(alpha * np.sin(w), 1 - alpha * np.cos(w))
    k = np.arange(1, 13)[:, None]
    spectrum = cepstrum @ np.cos(k * warped)
    expected = 2 / 4096 * np.cos(k * w) @ spectrum
    np.testing.assert_allclose(voice_warp(alpha, 12) @ cepstrum, expected, atol=1e-9)


def test_varied_batches_differ_in_sound_only():
    changes = {"mfcc_noise": 0.3, "channel_jitter": 0.3, "voice_jitter": 0.1}
    varied = WindowSet([clip(10)], PLAIN.model_copy(update=changes))
    plain = next(WindowSet([clip(10)], PLAIN).batches(np.random.default_rng(3)))
    other = next(varied.batches(np.random.default_rng(3)))
    assert not np.allclose(plain.windows, other.windows)
    assert np.corrcoef(plain.windows.flatten(), other.windows.flatten())[0, 1] > 0.7
    np.testing.assert_array_equal(plain.expression, other.expression)
