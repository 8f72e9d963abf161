"""Work in processes of its own."""

import os

import pytest

from repro.errors import UserError
from repro.processes import beside_others, side_by_side


def square(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def refuse(number: int) -> int:
    if number == 2:
        raise UserError(f"{number} is refused.")
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks(workers):
    tasks = [(n,) for n in (3, 1, 2)]
    squares, processes = zip(*side_by_side(square, tasks, workers=workers), strict=True)
    assert squares == (9, 1, 4)
    assert (os.getpid() in processes) == (workers == 1)


def test_one_task_needs_no_further_process():
    assert list(side_by_side(square, [(2,)], workers=8)) == [(4, os.getpid())]


def test_nothing_is_nothing():
    assert list(side_by_side(square, [], workers=2)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_raises_comes_through(workers):
    with pytest.raises(UserError, match="2 is refused"):
        list(side_by_side(refuse, [(1,), (2,), (3,)], workers=workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_knows_that_it_is_one_of_several(workers):
    assert list(side_by_side(beside_others, [(), ()], workers=workers)) == [workers > 1] * 2
