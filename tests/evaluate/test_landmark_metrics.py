"""LMD in both conventions and E_ldmk, against closed forms."""

from functools import partial

import numpy as np
import pytest

from repro.evaluate import landmarks
from repro.evaluate.landmarks import MOUTH_68, MOUTH_478

NAMED = {"crop": "whole frame", "network": "made up"}
landmark_distance = partial(landmarks.landmark_distance, **NAMED)
landmark_distance_atvg = partial(landmarks.landmark_distance_atvg, **NAMED)
landmark_error = partial(landmarks.landmark_error, points=MOUTH_68, **NAMED)


def faces(frames: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(50, 200, (frames, 68, 2))


def test_lmd_of_equal_landmarks_is_zero():
    assert landmark_distance(faces(), faces(), image_px=256).value == 0


def test_lmd_does_not_see_where_the_head_is():
    moved = faces() + np.array([7.0, -3.0])
    assert landmark_distance(faces(), moved, image_px=256).value == pytest.approx(0)


def spread(offset: float) -> np.ndarray:
    """Half of the mouth's points go ``offset`` to the left, half to the right."""
    points = faces()
    points[:, 48:58, 0] += offset
    points[:, 58:68, 0] -= offset
    return points


def test_lmd_is_the_mean_distance_per_point_at_256():
    assert landmark_distance(faces(), spread(3), image_px=256).value == pytest.approx(3)
    assert landmark_distance(faces(), spread(3), image_px=512).value == pytest.approx(1.5)


def test_atvg_lmd_is_the_sum_over_the_mouths_points():
    found = landmark_distance_atvg(faces(), spread(3))
    assert found.value == pytest.approx(20 * 3)
    assert found.convention.startswith("atvg")
    assert (found.crop, found.network) == ("whole frame", "made up")


def test_other_points_than_the_mouths_do_not_count():
    other = faces()
    other[:, :48] += np.random.default_rng(1).normal(size=(6, 48, 2))
    assert landmark_distance(faces(), other, image_px=256).value == 0


def test_undetected_frames_are_counted_and_left_out():
    made = spread(3)
    made[2] = np.nan
    found = landmark_distance(faces(), made, image_px=256)
    assert found.value == pytest.approx(3)
    assert (found.frames, found.undetected) == (5, 1)
    detected = np.array([True, False, True, True, False, True])
    assert landmark_distance(faces(), spread(3), image_px=256, detected=detected).undetected == 2


def test_without_any_detected_frame_lmd_is_not_a_number():
    found = landmark_distance(faces(), faces() * np.nan, image_px=256)
    assert np.isnan(found.value)
    assert found.undetected == 6


def test_lmd_agrees_with_a_plain_implementation():
    true, made = faces(seed=1), faces(seed=2)
    made[4] = np.nan
    sums = []
    for t in (0, 1, 2, 3, 5):
        mouths = [x[t, 48:68] - x[t, 48:68].mean(0) for x in (true, made)]
        sums.append(sum(np.hypot(*(a - b)) for a, b in zip(*mouths, strict=True)))
    assert landmark_distance_atvg(true, made).value == pytest.approx(np.mean(sums))
    assert landmark_distance(true, made, image_px=128).value == pytest.approx(np.mean(sums) / 10)


def test_e_ldmk_sees_where_the_mouth_is():
    moved = faces() + np.array([3.0, -4.0])
    found = landmark_error(faces(), moved)
    assert found.value == pytest.approx(5)
    assert (found.frames, found.undetected, found.unit) == (6, 0, "px")


def test_e_ldmk_counts_undetected_frames():
    made = faces() + np.array([3.0, -4.0])
    made[:2] = np.nan
    found = landmark_error(faces(), made)
    assert found.value == pytest.approx(5)
    assert (found.frames, found.undetected) == (4, 2)


def test_the_landmarkers_mouth_is_in_the_order_of_ibug(made_up_track):
    """Corners at either end, upper points above lower ones, and mirrored points level."""
    mouth = made_up_track.landmarks[-1][MOUTH_478]  # the mouth is open
    x, y = mouth.T
    assert x[0] == x.min() and x[6] == x.max()
    for rows in ([0, 1, 2, 3, 4, 5, 6], [11, 10, 9, 8, 7], [12, 13, 14, 15, 16], [19, 18, 17]):
        assert (np.diff(x[rows]) > 0).all()
    for upper, lower in [(1, 11), (2, 10), (3, 9), (4, 8), (5, 7), (13, 19), (14, 18), (15, 17)]:
        assert y[upper] < y[lower]
    for right, left in [(1, 5), (2, 4), (11, 7), (10, 8), (13, 15), (19, 17)]:
        assert y[right] == pytest.approx(y[left], abs=0.5)
