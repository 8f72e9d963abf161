"""LMD in both conventions, and flicker, against closed forms."""

import numpy as np
import pytest

from repro.evaluate.landmarks import flicker, landmark_distance, landmark_distance_atvg


def faces(frames: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(50, 200, (frames, 68, 2))


def test_lmd_of_equal_landmarks_is_zero():
    assert landmark_distance(faces(), faces(), image_px=256).distance == 0


def test_lmd_does_not_see_where_the_head_is():
    moved = faces() + np.array([7.0, -3.0])
    assert landmark_distance(faces(), moved, image_px=256).distance == pytest.approx(0)


def spread(offset: float) -> np.ndarray:
    """Half of the mouth's points go ``offset`` to the left, half to the right."""
    points = faces()
    points[:, 48:58, 0] += offset
    points[:, 58:68, 0] -= offset
    return points


def test_lmd_is_the_mean_distance_per_point_at_256():
    assert landmark_distance(faces(), spread(3), image_px=256).distance == pytest.approx(3)
    assert landmark_distance(faces(), spread(3), image_px=512).distance == pytest.approx(1.5)


def test_atvg_lmd_is_the_sum_over_the_mouths_points():
    found = landmark_distance_atvg(faces(), spread(3))
    assert found.distance == pytest.approx(20 * 3)
    assert "ATVG" in found.convention


def test_other_points_than_the_mouths_do_not_count():
    other = faces()
    other[:, :48] += np.random.default_rng(1).normal(size=(6, 48, 2))
    assert landmark_distance(faces(), other, image_px=256).distance == 0


def test_undetected_frames_are_counted_and_left_out():
    made = spread(3)
    made[2] = np.nan
    found = landmark_distance(faces(), made, image_px=256)
    assert found.distance == pytest.approx(3)
    assert (found.frames, found.undetected) == (5, 1)
    detected = np.array([True, False, True, True, False, True])
    assert landmark_distance(faces(), spread(3), image_px=256, detected=detected).undetected == 2


def test_without_any_detected_frame_lmd_is_not_a_number():
    found = landmark_distance(faces(), faces() * np.nan, image_px=256)
    assert np.isnan(found.distance)
    assert found.undetected == 6


def test_flicker_of_even_motion_is_zero():
    t = np.arange(10.0)[:, None, None]
    assert flicker(t * np.ones((10, 4, 2))) == pytest.approx(0)


def test_flicker_of_points_that_jump_to_and_fro_is_four_times_their_size():
    x = 0.5 * (-1.0) ** np.arange(20)
    tracks = np.stack([x, 0 * x], -1)[:, None]
    assert flicker(tracks) == pytest.approx(4 * 0.5)


def test_flicker_of_white_noise_is_closed_form():
    noise = np.random.default_rng(0).normal(size=(20_000, 1, 1))
    assert flicker(noise) == pytest.approx(np.sqrt(6), rel=0.03)  # 1 + 4 + 1


def test_flicker_needs_three_frames():
    with pytest.raises(ValueError, match="3 frames"):
        flicker(np.zeros((2, 3, 2)))
