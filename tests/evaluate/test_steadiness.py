import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from repro.evaluate.steadiness import (
    angle_jitter_deg,
    jitter_percent,
    lag_frames,
    pixel_flicker,
    usual_flicker,
)
from repro.face import landmarks as lm


def wander(frames, seed=0, parts=4):
    rng = np.random.default_rng(seed)
    phase, rate = rng.uniform(0, 6, parts), rng.uniform(0.1, 0.5, parts)
    t = np.arange(frames)
    waves = [
        np.sin(r * t + p) + 0.5 * np.sin(2.3 * r * t) for r, p in zip(rate, phase, strict=True)
    ]
    return np.stack(waves, 1)


def face(frames=80, seed=1):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-50, 50, (1, lm.COUNT, 2))
    points[0, [lm.RIGHT_PUPIL, lm.LEFT_PUPIL]] = [[-30, 0], [30, 0]]
    points = points + 8 * wander(frames, parts=2)[:, None] + 100
    points[:, lm.INNER_LIP_PAIRS[:3, 1], 1] += 6 * wander(frames, 5, 1)
    return points


@pytest.mark.parametrize("delay", [-1.5, -0.3, 0.0, 0.45, 1.0, 2.2])
def test_a_known_delay_is_measured_to_a_twentieth_of_a_frame(delay):
    signal = wander(120)
    delayed = CubicSpline(np.arange(120), signal)(np.arange(120) - delay)
    assert lag_frames(delayed, signal) == pytest.approx(delay, abs=0.05)


def test_noise_and_an_offset_do_not_change_the_lag():
    signal = wander(400)
    noisy = signal + np.random.default_rng(0).normal(3, 0.2, signal.shape)
    assert lag_frames(noisy, signal) == pytest.approx(0, abs=0.1)


def test_an_exponential_filter_trails_by_its_time_constant():
    t = np.arange(300)
    signal = np.sin(0.02 * t)[:, None]
    trailing = signal.copy()
    for k in range(1, 300):
        trailing[k] = 0.5 * signal[k] + 0.5 * trailing[k - 1]
    assert lag_frames(trailing, signal) == pytest.approx(1.0, abs=0.1)


def test_frames_without_a_face_do_not_count_in_the_lag():
    signal = wander(120)
    holes = signal.copy()
    holes[40:50] = np.nan
    assert lag_frames(holes, signal) == pytest.approx(0, abs=0.05)


def test_signals_that_stand_still_have_no_lag():
    with pytest.raises(ValueError, match="move"):
        lag_frames(np.ones((50, 2)), np.ones((50, 2)))


def test_jitter_of_white_noise_is_the_square_root_of_twelve_deviations_a_point():
    points = np.zeros((4000, lm.COUNT, 2)) + face(1)[0]
    points = points + np.random.default_rng(0).normal(0, 0.3, (4000, 1, 2))
    assert jitter_percent(points) == pytest.approx(100 * 0.3 * np.sqrt(12) / 60, rel=0.05)


def test_even_motion_has_no_jitter_and_gaps_do_not_count():
    points = face(1) + np.arange(30)[:, None, None] * 2.0
    points[10:12] = np.nan
    assert jitter_percent(points) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="three frames"):
        jitter_percent(points[9:13])


def test_an_angle_that_turns_evenly_does_not_jitter_and_one_that_shakes_does():
    t = np.arange(20)
    assert angle_jitter_deg(0.1 * t) == pytest.approx(0, abs=1e-6)
    shaken = np.deg2rad(0.5) * (-1.0) ** t
    assert angle_jitter_deg(shaken) == pytest.approx(2)
    shaken[7] = np.nan
    assert angle_jitter_deg(shaken) == pytest.approx(2)
    assert np.isnan(angle_jitter_deg(np.array([0.1, np.nan, 0.2])))


def test_pixel_flicker_of_even_brightening_is_zero_and_of_blinking_pixels_closed_form():
    t = np.arange(9.0)[:, None, None, None]
    frames, masks = 10 + 3 * t * np.ones((9, 6, 6, 3)), np.ones((9, 6, 6), bool)
    assert pixel_flicker(frames, masks) == pytest.approx(0, abs=1e-5)
    blinking = (100 + 5 * (-1.0) ** t) * np.ones((9, 6, 6, 3))
    assert pixel_flicker(blinking, masks) == pytest.approx(4 * 5)


def test_pixel_flicker_sees_only_what_three_frames_masks_share():
    frames = np.zeros((5, 4, 4), np.uint8)
    frames[2] = 60  # a flash: second differences 60, -120, 60
    masks = np.zeros((5, 4, 4), bool)
    masks[:, :2] = True
    frames[:, 2:] = np.random.default_rng(0).integers(0, 255, (5, 2, 4))
    assert pixel_flicker(frames, masks) == pytest.approx(80)
    masks[3] = False  # leaves the first three frames alone
    assert pixel_flicker(frames, masks) == pytest.approx(60)
    masks[1] = False
    with pytest.raises(ValueError, match="share"):
        pixel_flicker(frames, masks)


def test_pixel_flicker_agrees_with_a_plain_loop():
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 255, (7, 5, 6, 3)).astype(np.uint8)
    masks = rng.uniform(size=(7, 5, 6)) < 0.8
    values = [
        abs(int(frames[t - 1][i, j, c]) - 2 * int(frames[t][i, j, c]) + int(frames[t + 1][i, j, c]))
        for t in range(1, 6)
        for i in range(5)
        for j in range(6)
        for c in range(3)
        if masks[t - 1 : t + 2, i, j].all()
    ]
    assert pixel_flicker(iter(frames), iter(masks)) == pytest.approx(np.mean(values))


def test_jumps_count_only_beyond_what_is_usual():
    trembling = np.full((12, 4, 4), 100.0)
    trembling[::2] += 1
    jumping = trembling.copy()
    jumping[6:] += 50
    masks = np.ones((12, 4, 4), bool)
    masks[:, 0, 0] = False
    usual = usual_flicker(trembling, masks)
    assert np.isinf(usual[0, 0])
    np.testing.assert_allclose(usual[masks[0]], 2)
    assert pixel_flicker(trembling, masks, beyond=usual) == 0
    # the jump is seen in two of ten second differences
    expected = np.mean([0] * 8 + [52 - 2, 52 - 2])
    assert pixel_flicker(jumping, masks, beyond=usual) == pytest.approx(expected)


def test_pixel_flicker_needs_three_frames():
    with pytest.raises(ValueError, match="3 frames"):
        pixel_flicker(np.zeros((2, 4, 4)), np.ones((2, 4, 4), bool))
