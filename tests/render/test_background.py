"""Key frames and background matching on poses whose answer is known."""

import itertools

import numpy as np
import pytest

from repro.errors import UserError
from repro.render import background
from repro.render.background import Backgrounds, key_frames, match_backgrounds, smooth_path


def swinging(frames: int, *, period: float, yaw: float = 0.3) -> np.ndarray:
    pose = np.zeros((frames, 6))
    pose[:, 1] = yaw * np.sin(2 * np.pi * np.arange(frames) / period)
    pose[:, 3:] = [0, 0, 0.6]
    return pose


def turning(frames: int) -> np.ndarray:
    """A target that turns steadily from yaw -0.5 to 0.5 and drifts to the right."""
    pose = np.zeros((frames, 6))
    pose[:, 1] = np.linspace(-0.5, 0.5, frames)
    pose[:, 3] = np.linspace(-0.1, 0.1, frames)
    pose[:, 5] = 0.7
    return pose


def test_key_frames_of_a_sine_are_its_crests_and_troughs():
    keys = key_frames(swinging(200, period=50))
    np.testing.assert_allclose(keys, [12.5, 37.5, 62.5, 87.5, 112.5, 137.5, 162.5, 187.5], atol=0.5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_axis_gives_key_frames(axis):
    pose = np.zeros((100, 6))
    pose[:, axis] = np.cos(2 * np.pi * (np.arange(100) - 30) / 200)
    np.testing.assert_array_equal(key_frames(pose), [30])


@pytest.mark.parametrize("frames", [1, 5, 9, 10, 57, 300])
def test_at_most_a_tenth_of_the_frames_are_key_frames(frames):
    pose = np.random.default_rng(0).normal(size=(frames, 6))
    keys = key_frames(pose)
    assert len(keys) <= frames // 10
    assert (np.diff(keys) > 0).all()
    assert frames < 300 or len(keys) == 30


def test_thinning_keeps_the_widest_swings():
    pose = swinging(100, period=100)
    pose[:, 1] += 0.01 * np.sin(2 * np.pi * np.arange(100) / 10)
    keys = key_frames(pose, frames_per_key=50)
    assert len(keys) == 2
    assert abs(keys[0] - 25) <= 5 and abs(keys[1] - 75) <= 5


def test_fewer_key_frames_play_the_target_slower():
    rng = np.random.default_rng(4)
    wander = np.cumsum(rng.normal(0, 0.02, (300, 3)), axis=0)
    generated, target = np.zeros((300, 6)), np.zeros((200, 6))
    generated[:, :3] = wander - wander.mean(0)
    target[:, :3] = rng.normal(0, 0.1, (200, 3))
    speeds = [
        np.abs(np.diff(match_backgrounds(generated, target, frames_per_key=k).source)).mean()
        for k in (10, 40, 100)
    ]
    assert speeds[0] > 1.5 * speeds[1] > 2 * speeds[2]


def test_a_long_sound_takes_no_more_memory_at_a_time_than_a_short_one(monkeypatch):
    sizes, advance = [], background._advance

    def watched(*arguments):
        cost, chosen = advance(*arguments)
        sizes.append(chosen.shape)
        return cost, chosen

    monkeypatch.setattr(background, "_advance", watched)
    path = smooth_path(swinging(3000, period=60), turning(20))
    assert len(path) == 3000
    assert max(n for n, _, _ in sizes) <= background._BLOCK
    assert {places for _, _, places in sizes} == {39}


def test_matching_in_blocks_changes_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    generated, target = 0.1 * rng.normal(size=(50, 6)), 0.1 * rng.normal(size=(12, 6))
    whole = [match_backgrounds(generated, target, method=m).source for m in ("nearest", "smooth")]
    monkeypatch.setattr(background, "_BLOCK", 7)
    parts = [match_backgrounds(generated, target, method=m).source for m in ("nearest", "smooth")]
    np.testing.assert_array_equal(whole, parts)


def test_small_trembling_is_smoothed_away():
    still = np.zeros((100, 6))
    still[:, 1] = np.linspace(0, 1, 100) + 0.001 * np.random.default_rng(0).normal(size=100)
    assert len(key_frames(still)) == 0


def test_a_pose_that_never_turns_back_has_no_key_frames():
    assert len(key_frames(turning(80))) == 0
    assert len(key_frames(np.zeros((80, 6)))) == 0


def test_key_frames_take_the_target_frame_turned_most_alike():
    generated, target = swinging(200, period=50), turning(101)
    matched = match_backgrounds(generated, target)
    expected = np.round(100 * (generated[matched.key, 1] + 0.5))
    np.testing.assert_array_equal(matched.source[matched.key], expected)
    assert {0, 199} <= set(matched.key)


def test_between_key_frames_the_place_moves_in_a_straight_line():
    matched = match_backgrounds(swinging(200, period=50), turning(101))
    for first, last in zip(matched.key, matched.key[1:], strict=False):
        line = np.linspace(matched.source[first], matched.source[last], last - first + 1)
        np.testing.assert_allclose(matched.source[first : last + 1], line, atol=1e-3)


def test_angles_are_compared_by_the_sum_of_absolute_differences():
    target = np.zeros((2, 6))
    target[0, :3] = [0.3, 0.0, 0.0]  # L1 0.3, L2 0.3
    target[1, :3] = [0.11, 0.11, 0.11]  # L1 0.33, L2 0.19
    assert match_backgrounds(np.zeros((1, 6)), target, method="nearest").frame.tolist() == [0]


@pytest.mark.parametrize("method", ["paper", "nearest", "smooth"])
def test_the_pose_is_that_of_the_picture_shown(method):
    generated, target = swinging(120, period=40), turning(77)
    matched = match_backgrounds(generated, target, method=method)
    assert matched.source.shape == (120,) and matched.pose.shape == (120, 6)
    assert matched.source.min() >= 0 and matched.source.max() <= 76
    assert np.abs(matched.frame - matched.source).max() <= 0.5
    for axis in range(6):
        expected = np.interp(matched.source, np.arange(77), target[:, axis])
        np.testing.assert_allclose(matched.pose[:, axis], expected, atol=1e-6)
    if method == "nearest":
        np.testing.assert_array_equal(matched.source, matched.frame)


def test_between_two_frames_their_mixture_is_shown():
    places = Backgrounds(np.float32([1, 1.25, 0.5, 2]), np.zeros((4, 6)), np.array([0]))
    frames = np.uint8([0, 100, 200])[:, None, None, None] * np.ones((2, 2, 3), np.uint8)
    shown = list(places.shown(frames))
    assert [int(frame[0, 0, 0]) for frame in shown] == [100, 125, 50, 200]
    assert all(frame.dtype == np.uint8 and frame.shape == (2, 2, 3) for frame in shown)
    np.testing.assert_allclose(places.at(1, np.float32([[0, 1], [4, 2], [8, 6]])), [5, 3])
    assert places.used.tolist() == [0, 1, 2]


def test_nearest_matches_every_frame_on_its_own():
    target = turning(101)
    order = np.random.default_rng(0).permutation(101)
    matched = match_backgrounds(target[order], target, method="nearest")
    np.testing.assert_array_equal(matched.frame, order)


def test_the_smooth_path_never_cuts_and_follows_a_reachable_pose_exactly():
    target = turning(101)
    path = np.concatenate([np.arange(20, 60), np.arange(60, 10, -1)])
    assert smooth_path(target[path], target).tolist() == path.tolist()
    shuffled = target[np.random.default_rng(0).integers(0, 101, 150)]
    assert np.abs(np.diff(smooth_path(shuffled, target))).max() <= 2


def test_the_smooth_path_is_the_cheapest_of_all():
    rng = np.random.default_rng(0)
    generated, target = 0.05 * rng.normal(size=(4, 6)), 0.05 * rng.normal(size=(4, 6))
    between = np.stack([np.interp(np.arange(0, 3.5, 0.5), range(4), a) for a in target.T], 1)

    def price(path: np.ndarray) -> float:
        steps = np.diff(path)
        if np.abs(steps).max() > 2:
            return np.inf
        angles = np.degrees(np.abs(generated - between[(2 * path).astype(int)])[:, :3].sum())
        return angles + np.abs(np.abs(steps) - 1).sum() + 2 * np.abs(np.diff(steps)).sum()

    every_path = itertools.product(np.arange(0, 3.5, 0.5), repeat=4)
    cheapest = min(price(np.array(path)) for path in every_path)
    assert price(smooth_path(generated, target)) == pytest.approx(cheapest)


def test_one_frame_of_either_is_enough():
    for method in ("paper", "nearest", "smooth"):
        assert match_backgrounds(turning(1), turning(50), method=method).frame.shape == (1,)
        assert not match_backgrounds(turning(50), turning(1), method=method).frame.any()


def test_a_missing_pose_is_named():
    broken = turning(20)
    broken[7, 2] = np.nan
    with pytest.raises(UserError, match="frame 7"):
        match_backgrounds(broken, turning(20))
    with pytest.raises(UserError, match="no frames"):
        match_backgrounds(turning(20), np.zeros((0, 6)))
