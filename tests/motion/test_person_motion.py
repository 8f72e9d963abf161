"""What cannot be heard: poses retold without seams, blinks at the person's rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.evaluate.pose import head_pose_similarity
from repro.motion.blinks import add_blinks, blink_habit, blink_starts
from repro.motion.motion import Motion
from repro.motion.person import articulate, match_moments, soft_clip, with_habits
from repro.motion.retrieve import retell

NAMES = (
    *("browInnerUp", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookUpLeft", "jawOpen"),
    *(f"action{k}" for k in range(59)),
)


def own_pose(frames: int = 300, seed: int = 0) -> np.ndarray:
    """A head that wanders smoothly."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames) / 25
    size = np.array([0.05, 0.12, 0.04, 0.01, 0.004, 0.01])
    pose = np.array([0.1, -0.05, 0.0, 0.02, 0.0, 0.8]) + size * sum(
        np.sin(2 * np.pi * rng.uniform(0.1, 0.8, 6) * t[:, None] + rng.uniform(0, 6, 6))
        for _ in range(3)
    )
    return pose.astype(np.float32)


def blinking(frames: int = 300, every: int = 60) -> np.ndarray:
    expression = np.zeros((frames, 64), np.float32)
    expression[:, 1:3] = 0.1
    for start in range(20, frames - 6, every):
        expression[start : start + 6, 1] = [0.4, 0.9, 1.0, 0.8, 0.5, 0.2]
        expression[start : start + 6, 2] = [0.3, 0.8, 0.9, 0.7, 0.4, 0.2]
    return expression


def heard(frames: int) -> Motion:
    pose = np.tile(own_pose().mean(0), (frames, 1)).astype(np.float32)
    return Motion(np.full((frames, 64), 0.2, np.float32), pose)


@given(st.integers(0, 10_000), st.integers(9, 400), st.integers(1, 500))
@settings(max_examples=40, deadline=None)
def test_a_retold_track_has_every_frame_and_stays_on_the_track(seed, m, frames):
    track = np.arange(m, dtype=np.float64)[:, None]
    told = retell(own_pose(m), frames, seed=seed)
    shown = told.of(track)
    assert shown.shape == (frames, 1)
    assert shown.min() >= 0
    assert shown.max() <= m - 1
    assert told.share.min() >= 0
    assert told.share.max() <= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_retold_pose_moves_no_faster_than_the_person(seed):
    own = own_pose()
    step = np.abs(np.diff(own, axis=0)).max(0)
    made = retell(own, 700, seed=seed).of(own)
    assert (np.abs(np.diff(made, axis=0)).max(0) < 2.0 * step).all()


def test_a_retold_pose_is_not_the_track_again():
    own = own_pose()
    made = retell(own, 300, seed=0).of(own)
    assert np.abs(np.corrcoef(made[:, 1], own[:, 1])[0, 1]) < 0.9
    assert not np.allclose(made, retell(own, 300, seed=1).of(own))
    np.testing.assert_array_equal(made, retell(own, 300, seed=0).of(own))


def test_segments_go_the_way_that_is_wanted():
    own = own_pose(600)
    wanted = own_pose(300, seed=7)
    wanted[:, 1] = np.where(np.arange(300) < 150, own[:, 1].max(), own[:, 1].min())
    errors = {
        guided: np.mean(
            [
                np.abs(retell(own, 300, seed=s, wanted=goal).of(own)[:, 1] - wanted[:, 1]).mean()
                for s in range(6)
            ]
        )
        for guided, goal in ((False, None), (True, wanted))
    }
    assert errors[True] < 0.85 * errors[False]


def test_tracks_of_a_few_frames_cannot_be_retold():
    with pytest.raises(ValueError, match="too short"):
        retell(own_pose(5), 100, seed=0)


def test_the_person_s_head_moves_as_the_person_s_does():
    own = Motion(blinking(), own_pose())
    made = with_habits(heard(400), own, seed=3, pose_method="person")
    np.testing.assert_allclose(made.pose.std(0), own.pose.std(0), rtol=0.15)
    np.testing.assert_allclose(made.pose.mean(0), own.pose.mean(0), atol=0.02)
    assert head_pose_similarity(own.pose[:, :3], made.pose[:, :3]) > 0.95
    np.testing.assert_array_equal(made.expression, heard(400).expression)


def test_the_paper_s_methods_leave_the_regression_alone():
    own = Motion(blinking(), own_pose())
    said = heard(50)
    assert with_habits(said, own, seed=0, pose_method="paper", eyes_method="paper") is said


def test_a_short_clip_need_not_show_the_whole_range():
    own = own_pose()
    still = own[100:110]
    moved = match_moments(still, own)
    assert np.abs(moved - still).max() < 0.1 * (own.max(0) - own.min(0)).max()


def test_nothing_leaves_the_person_s_range_by_more_than_a_tenth():
    own = own_pose()
    moved = match_moments(own_pose(300, seed=1) * 3, own)
    room = 0.1 * (own.max(0) - own.min(0)) + 1e-6
    assert (moved <= own.max(0) + room).all()
    assert (moved >= own.min(0) - room).all()


def test_soft_clip_leaves_the_inside_alone():
    x = np.linspace(-3, 3, 61)
    clipped = soft_clip(x, -1.0, 1.0, margin=0.5)
    inside = np.abs(x) <= 1
    np.testing.assert_array_equal(clipped[inside], x[inside])
    assert (np.diff(clipped) > 0).all()
    assert np.abs(clipped).max() < 1.5


def test_blinks_are_found_and_counted():
    habit = blink_habit(blinking(300, every=60), NAMES)
    assert habit.channels.tolist() == [1, 2]
    assert len(habit.blinks) == 5
    assert habit.per_minute == pytest.approx(25)
    np.testing.assert_allclose(habit.resting, 0.1, atol=1e-6)
    for blink in habit.blinks:
        assert blink[[0, -1]].max() < 0.01
        assert blink.max(0) == pytest.approx([0.9, 0.8], abs=0.03)


def test_slow_squints_are_no_blinks():
    expression = np.zeros((200, 64))
    expression[:, 1:3] = (0.3 + 0.25 * np.sin(np.arange(200) / 15))[:, None]
    assert blink_habit(expression, NAMES).blinks == ()


def test_blinks_come_as_often_as_the_person_s():
    habit = blink_habit(blinking(1500, every=75), NAMES)
    starts = blink_starts(habit, 60_000, np.random.default_rng(0))
    assert len(starts) / (60_000 / 25 / 60) == pytest.approx(habit.per_minute, rel=0.1)
    assert np.diff(starts).min() >= 9


def test_added_blinks_close_the_lids_and_leave_the_rest():
    habit = blink_habit(blinking(), NAMES)
    said = np.full((500, 64), 0.3, np.float32)
    made = add_blinks(said, habit, seed=0)
    assert made[:, 1].max() == pytest.approx(1.0, abs=0.05)
    assert np.median(made[:, 1]) == pytest.approx(0.1, abs=1e-6)
    np.testing.assert_array_equal(np.delete(made, [1, 2], 1), np.delete(said, [1, 2], 1))
    assert not np.allclose(made, add_blinks(said, habit, seed=1))


def test_a_person_who_was_not_seen_to_blink_does_not():
    habit = blink_habit(np.full((100, 64), 0.15), NAMES)
    made = add_blinks(np.zeros((300, 64)), habit, seed=0)
    np.testing.assert_allclose(made[:, 1:3], 0.15)


def test_eyes_can_go_with_the_head():
    own = Motion(blinking(), own_pose())
    own.expression[:, 3] = own.pose[:, 0]
    made = with_habits(heard(300), own, seed=2, eyes_method="person", names=NAMES)
    told = retell(own.pose, 300, seed=2, wanted=heard(300).pose)
    np.testing.assert_allclose(made.expression[:, 3], told.of(own.pose)[:, 0], atol=1e-5)
    np.testing.assert_array_equal(made.expression[:, 4], np.float32(0.2))


def test_a_mumbling_mouth_gets_the_person_s_spread():
    rng = np.random.default_rng(0)
    own = rng.uniform(0, 1, (300, 64)).astype(np.float32)
    mumbled = 0.5 + 0.7 * (rng.permutation(own) - 0.5)
    made = articulate(mumbled, own, [4, 5])
    np.testing.assert_allclose(made[:, 4:6].std(0), own[:, 4:6].std(0), rtol=0.05)
    assert np.corrcoef(made[:, 4], mumbled[:, 4])[0, 1] > 0.99
    np.testing.assert_array_equal(np.delete(made, [4, 5], 1), np.delete(mumbled, [4, 5], 1))
    assert made[:, 4].min() >= own[:, 4].min()


def test_a_still_mouth_is_not_blown_up():
    still = np.full((50, 64), 0.4, np.float32)
    own = np.random.default_rng(0).uniform(0, 1, (90, 64))
    np.testing.assert_allclose(articulate(still, own, [4]), still)


def test_motion_survives_saving(tmp_path):
    motion = Motion(blinking(), own_pose())
    motion.save(tmp_path / "m.npz")
    read = Motion.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(read.expression, motion.expression)
    np.testing.assert_array_equal(read[10:20].pose, motion.pose[10:20])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.json", "m.npz"]


def test_motion_of_two_lengths_is_refused():
    with pytest.raises(ValueError, match="pose"):
        Motion(np.zeros((4, 64)), np.zeros((5, 6)))
