"""Target frames chosen for a sound, against every path there is."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.edit.retiming import (
    RetimingCosts,
    back_and_forth,
    frame_costs,
    head_speed,
    retime,
)
from repro.face.pose import rotation_matrix


def uneven_steps(path) -> np.ndarray:
    return np.flatnonzero(np.diff(path) != 1)


def price(path, cost, uneven) -> float:
    return cost[np.arange(len(path)), path].sum() + uneven * len(uneven_steps(path))


def allowed(path) -> bool:
    steps = np.diff(path)
    return set(steps) <= {0, 1, 2} and not (np.diff(uneven_steps(path)) == 1).any()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(3, 6), st.floats(0, 0.5), st.integers(0, 10_000))
def test_no_path_is_cheaper(t, m, uneven, seed):
    cost = np.random.default_rng(seed).uniform(size=(t, m))
    paths = [p for p in itertools.product(range(m), repeat=t) if allowed(p)]
    cheapest = min(price(p, cost, uneven) for p in paths)
    found = retime(cost, uneven=uneven)
    assert allowed(found)
    assert price(found, cost, uneven) == pytest.approx(cheapest)


def test_where_nothing_is_gained_the_footage_runs_as_it_was_filmed():
    path = retime(np.zeros((30, 50)), uneven=0.1)
    np.testing.assert_array_equal(np.diff(path), 1)


def test_a_blink_is_moved_out_of_a_word():
    """Said from frame 10 to 20; the lids are shut at frames 12 and 13 of footage with no slack."""
    loud = np.zeros(30)
    loud[10:21] = 1
    shut = np.zeros(40)
    shut[12:14] = 1
    cost = frame_costs(loud, np.zeros(40), shut, RetimingCosts(rest=0.0))
    shown = retime(cost, uneven=0.05)
    assert (shut[shown] * loud).sum() == 0


def test_a_head_moves_while_it_speaks():
    loud = np.r_[np.zeros(20), np.ones(20)]
    moving = np.r_[np.zeros(25), np.ones(25)]
    shown = retime(frame_costs(loud, moving, np.zeros(50)), uneven=0.3)
    np.testing.assert_array_equal(shown, np.arange(5, 45))


def test_costs_are_those_of_the_definition():
    costs = RetimingCosts(motion=2.0, rest=0.5, blink=3.0)
    cost = frame_costs(np.array([0.0, 1.0, 0.5]), np.array([1.0, 0.0]), np.array([0.0, 1.0]), costs)
    np.testing.assert_allclose(cost, [[2.0, 0.0], [0.0, 3.5], [1.0, 1.75]])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_steadily_turning_head_has_its_speed(axis):
    pose = np.zeros((20, 6))
    pose[:, axis] = 0.01 * np.arange(20)  # rad a frame: 0.25 rad/s, half of what counts as full
    np.testing.assert_allclose(head_speed(pose), 0.5, rtol=1e-6)


def test_a_head_that_is_carried_along_does_not_turn():
    pose = np.zeros((10, 6))
    pose[:, 3] = np.arange(10)
    assert not head_speed(pose).any()


def test_speed_is_the_angle_between_the_neighbours():
    rng = np.random.default_rng(0)
    pose = np.concatenate([0.004 * rng.normal(size=(9, 3)), np.zeros((9, 3))], 1)
    turn = rotation_matrix(pose[3, :3]).T @ rotation_matrix(pose[5, :3])
    angle = np.arccos((np.trace(turn) - 1) / 2)
    assert head_speed(pose)[4] == pytest.approx(angle * 12.5 / 0.5)


def test_footage_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="2 target frames are too few for 9"):
        retime(np.zeros((9, 2)))


@given(st.integers(1, 12), st.integers(1, 60))
def test_back_and_forth_is_long_enough_and_never_jumps(frames, wanted):
    shown = back_and_forth(frames, wanted)
    assert len(shown) >= wanted
    assert shown.min() == 0 and shown.max() == frames - 1
    assert (np.abs(np.diff(shown)) <= 1).all()
    if frames >= 2:
        assert (np.diff(shown) != 0).all()
