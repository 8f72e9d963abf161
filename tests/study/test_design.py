"""Orders are balanced, codes tell nothing."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import UserError
from repro.study.design import make_design

NAMES = [f"group {i:02d}" for i in range(40)]
METHODS = ("DAVS", "ATVG", "ours")


def test_thirty_groups_are_shown_by_default_or_all_where_there_are_fewer():
    assert len(make_design(NAMES, METHODS, seed=0).groups) == 30
    assert len(make_design(NAMES[:7], METHODS, seed=0).groups) == 7
    assert len(make_design(NAMES, METHODS, seed=0, groups=5).groups) == 5


def test_the_same_seed_gives_the_same_study_and_another_another():
    made = make_design(NAMES, METHODS, seed=4, groups=5)
    assert made == make_design(NAMES, METHODS, seed=4, groups=5)
    other = make_design(NAMES, METHODS, seed=5, groups=5)
    assert made.study != other.study
    assert not {*made.groups.values()} & {*other.groups.values()}
    assert made.groups.keys() != other.groups.keys()


@given(st.integers(0, 2**63), st.integers(2, 8), st.integers(1, 6), st.integers(1, 5))
def test_every_method_stands_everywhere_equally_often(seed, count, groups, rounds):
    methods = [f"m{i}" for i in range(count)]
    made = make_design(NAMES[:groups], methods, seed=seed, participants=count * rounds)
    for name in made.groups:
        orders = [dict(order)[name] for order in made.orders]
        for place in range(count):
            assert {*Counter(order[place] for order in orders).values()} == {rounds}


@given(st.integers(0, 2**63), st.integers(1, 30))
def test_everybody_sees_every_group_once_with_every_method_once(seed, participants):
    made = make_design(NAMES[:9], METHODS, seed=seed, participants=participants, original="real")
    assert len(made.orders) == participants
    for order in made.orders:
        assert sorted(name for name, _ in order) == sorted(made.groups)
        assert all(sorted(methods) == sorted(METHODS) for _, methods in order)


def test_groups_come_in_orders_of_each_ones_own():
    made = make_design(NAMES, METHODS, seed=0)
    assert len({tuple(name for name, _ in order) for order in made.orders}) == 20


def test_codes_are_all_different_and_the_original_has_one():
    made = make_design(NAMES, METHODS, seed=0, original="real")
    codes = [code for videos in made.videos.values() for code in videos.values()]
    codes += made.groups.values()
    assert len(codes) == 30 * 4 + 30 == len({*codes})
    assert all(len(code) == 12 and int(code, 16) >= 0 for code in codes)


def test_codes_in_order_tell_no_method():
    """The place of a method's code among its group's, sorted as on disk, is a matter of chance."""
    made = make_design([f"g{i}" for i in range(600)], METHODS, seed=1, groups=600)
    places = Counter(sorted(v.values()).index(v["ours"]) for v in made.videos.values())
    assert all(160 < places[place] < 240 for place in range(3))


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="41 groups were asked for, and there are 40"):
        make_design(NAMES, METHODS, seed=0, groups=41)
    with pytest.raises(UserError, match="0 groups"):
        make_design(NAMES, METHODS, seed=0, groups=0)
    with pytest.raises(UserError, match="at least 1 participant"):
        make_design(NAMES, METHODS, seed=0, participants=0)
