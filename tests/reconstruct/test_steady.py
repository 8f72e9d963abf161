import numpy as np
import pytest

from repro.evaluate.steadiness import jitter_percent, lag_frames
from repro.face import landmarks as lm
from repro.reconstruct.steady import bridge, bridge_points, runs_of, smooth


@pytest.fixture
def shape(portrait):
    return portrait.points.astype(np.float64)


def nodding(shape, frames=120):
    """A head that moves gently."""
    t = np.arange(frames)[:, None, None]
    return shape + 6 * np.concatenate([np.sin(0.2 * t), np.cos(0.13 * t)], 2)


def blinking(shape, frames=120):
    points = nodding(shape, frames)
    upper, lower = lm.EYELID_PAIRS.T
    for start in (30, 75):
        for k, shut in enumerate((0.6, 1.0, 0.5)):
            gap = points[start + k, lower] - points[start + k, upper]
            points[start + k, upper] += shut * gap
    return points


def lids(points):
    upper, lower = lm.EYELID_PAIRS.T
    return np.linalg.norm(points[:, upper] - points[:, lower], axis=-1).mean(1)


def test_noise_is_halved_without_delay(shape):
    true = nodding(shape)
    noisy = true + np.random.default_rng(0).normal(0, 0.4, true.shape)
    steady = smooth(noisy, np.ones(len(true), bool))
    assert np.std(steady - true) < 0.65 * np.std(noisy - true)
    assert jitter_percent(steady) < 0.45 * jitter_percent(noisy)
    assert lag_frames(steady, true) == pytest.approx(0, abs=0.03)


def test_blinks_stay_sharp(shape):
    true = blinking(shape)
    noisy = true + np.random.default_rng(0).normal(0, 0.2, true.shape)
    opening = lids(smooth(noisy, np.ones(len(true), bool)))
    for frame in (31, 76):
        shut = 1 - opening[frame] / np.median(opening)
        assert shut > 0.9 * (1 - lids(true)[frame] / np.median(lids(true)))


def test_a_still_photo_stays_as_it_is(shape):
    points = np.repeat(shape[None], 20, axis=0)
    np.testing.assert_allclose(smooth(points, np.ones(20, bool)), points, atol=1e-9)


def test_smoothing_does_not_reach_across_a_gap(shape):
    points = nodding(shape, 40)
    points[20:] += 300
    found = np.ones(40, bool)
    found[18:22] = False
    steady = smooth(np.where(found[:, None, None], points, np.nan), found)
    assert np.abs(steady - points)[found].max() < 1
    assert np.isnan(steady[~found]).all()


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_short_stretches_are_left_alone_or_hardly_changed(shape, length):
    points = nodding(shape, length)
    steady = smooth(points, np.ones(length, bool))
    assert np.abs(steady - points).max() < 0.2


def test_lost_frames_are_bridged_linearly():
    found = np.array([True, False, False, True, False])
    values = np.array([[0.0, 3.0], [9, 9], [9, 9], [3.0, 0.0], [9, 9]], np.float32)
    np.testing.assert_allclose(bridge(values, found), [[0, 3], [1, 2], [2, 1], [3, 0], [3, 0]])


def test_a_short_gap_is_bridged_better_than_in_a_straight_line(shape):
    true = nodding(shape)
    found = np.ones(len(true), bool)
    found[50:62] = False
    points = np.where(found[:, None, None], true, np.nan)
    filled, bridged = bridge_points(points, found)
    np.testing.assert_array_equal(bridged, ~found)

    def miss(guess):
        return np.abs(guess - true)[50:62].mean()

    assert miss(filled) < 0.8 * miss(bridge(points, found))


def test_a_turning_head_keeps_its_size_across_a_gap(shape):
    centre = shape.mean(0)
    angles = np.linspace(-0.6, 0.6, 30)
    turn = np.array([[[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]] for a in angles])
    true = (shape - centre) @ turn + centre
    found = np.ones(30, bool)
    found[5:25] = False
    filled, _ = bridge_points(np.where(found[:, None, None], true, np.nan), found)
    assert np.abs(filled - true).max() < 0.02 * np.ptp(shape)


def test_long_gaps_and_the_ends_are_filled_but_not_called_bridged(shape):
    points = nodding(shape, 80)
    found = np.ones(80, bool)
    found[[0, 1]] = found[20:60] = found[79] = False
    filled, bridged = bridge_points(np.where(found[:, None, None], points, np.nan), found)
    assert not bridged.any()
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[0], filled[2])


def test_runs_are_given_with_their_ends():
    assert runs_of(np.array([1, 1, 0, 1, 0, 0], bool)) == [(0, 2), (3, 4)]
    assert runs_of(np.zeros(3, bool)) == []
