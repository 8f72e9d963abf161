"""Lip gap, its correlation and closures on mouths of known opening."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from repro.evaluate.lips import closed_lip_recall, correlation, lip_gap
from repro.face.landmarks import INNER_LIP_PAIRS, LEFT_PUPIL, RIGHT_PUPIL


def mouth(opening, *, pupils: float = 60.0, dims: int = 2) -> np.ndarray:
    """Landmarks (T, 478, dims) whose inner lips are ``opening`` (T,) apart."""
    points = np.zeros((len(opening), 478, dims))
    points[:, LEFT_PUPIL, 0] = pupils
    points[:, RIGHT_PUPIL, 0] = 0
    for upper, lower in INNER_LIP_PAIRS:
        points[:, upper, 1] = 100
        points[:, lower, 1] = 100 + np.asarray(opening)
    return points


def test_lip_gap_is_in_percent_of_the_pupils_distance():
    np.testing.assert_allclose(lip_gap(mouth([0, 6, 12])), [0, 10, 20])


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_lip_gap_does_not_depend_on_the_unit_or_the_dimension(scale):
    flat, deep = mouth([1, 2, 3]), mouth([1, 2, 3], dims=3)
    np.testing.assert_allclose(lip_gap(scale * flat), lip_gap(deep))


def test_correlation_agrees_with_scipy():
    rng = np.random.default_rng(0)
    a = rng.normal(size=80)
    b = 0.5 * a + rng.normal(size=80)
    assert correlation(a, b) == pytest.approx(pearsonr(a, b).statistic)


def test_a_mouth_that_follows_at_half_the_size_correlates_fully():
    opening = np.random.default_rng(1).uniform(0, 10, 40)
    said, made = lip_gap(mouth(opening)), lip_gap(mouth(0.5 * opening))
    assert correlation(said, made) == pytest.approx(1)


def test_a_still_mouth_correlates_with_nothing():
    assert correlation([1, 2, 3], [5, 5, 5]) == 0


def test_tracks_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        correlation(np.zeros(3), np.zeros(4))


def test_every_closure_met_is_full_recall():
    gap = np.array([8, 1, 8, 8, 2, 2, 8, 0])
    assert closed_lip_recall(gap, gap) == 1


def test_missed_closures_lower_recall():
    true = np.array([8.0, 1, 8, 8, 8, 2, 2, 8, 8, 8, 0, 0])
    made = np.array([8.0, 8, 8, 8, 8, 8, 2, 8, 8, 8, 8, 8])
    assert closed_lip_recall(true, made) == pytest.approx(1 / 3)


def test_a_closure_may_be_a_frame_early_but_not_two():
    true = np.array([8.0, 8, 8, 1, 8, 8])
    early, earlier = np.array([8.0, 8, 1, 8, 8, 8]), np.array([8.0, 1, 8, 8, 8, 8])
    assert closed_lip_recall(true, early) == 1
    assert closed_lip_recall(true, earlier) == 0
    assert closed_lip_recall(true, earlier, within_frames=2) == 1


def test_thick_lips_whose_landmarks_stay_apart_close_too():
    true = np.array([8.0, 1, 8, 8, 8, 2, 2, 8, 8, 8, 0, 0])
    made = np.array([8.0, 1, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0])
    assert closed_lip_recall(true + 5, made + 5) == closed_lip_recall(true, made)


def test_recall_of_lips_that_hardly_move_is_not_a_number():
    assert np.isnan(closed_lip_recall(np.full(5, 9.0), np.zeros(5)))
