"""Fleiss' kappa and Krippendorff's alpha against their authors' examples and plain sums."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.study.agreement import fleiss_kappa, krippendorff_alpha

FLEISS = np.array([
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
])  # fmt: skip
"""14 people sort 10 items into 5 categories; kappa is 0.210."""

N = None
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]
"""Krippendorff 2011: four people, twelve items, some not judged; nominal alpha is 0.743."""


def counted(judgements, categories: int) -> np.ndarray:
    counts = np.zeros((len(judgements[0]), categories), int)
    for row in judgements:
        for item, category in enumerate(row):
            if category is not N:
                counts[item, category - 1] += 1
    return counts


def plain_alpha(counts: np.ndarray) -> float:
    """Every ordered pair of judgements of one item, then of all items, one after the other."""
    unlike, values = 0.0, []
    for row in counts:
        judged = [c for c, times in enumerate(row) for _ in range(times)]
        if len(judged) >= 2:
            values += judged
            unlike += sum(a != b for a, b in permutations(judged, 2)) / (len(judged) - 1)
    expected = sum(a != b for a, b in permutations(values, 2)) / (len(values) - 1)
    return 1 - unlike / expected if expected else float("nan")


def test_the_example_of_fleiss():
    assert fleiss_kappa(FLEISS) == pytest.approx(0.210, abs=5e-4)


def test_the_example_of_krippendorff():
    assert krippendorff_alpha(counted(KRIPPENDORFF, 5)) == pytest.approx(0.743, abs=5e-4)


def test_full_agreement_is_one():
    counts = 6 * np.eye(4, dtype=int)
    assert fleiss_kappa(counts) == pytest.approx(1)
    assert krippendorff_alpha(counts) == pytest.approx(1)


def test_answers_by_chance_agree_by_chance_alone():
    drawn = np.random.default_rng(0).multinomial(20, [0.1, 0.2, 0.3, 0.4], size=2000)
    assert fleiss_kappa(drawn) == pytest.approx(0, abs=0.01)
    assert krippendorff_alpha(drawn) == pytest.approx(0, abs=0.01)


def test_two_people_who_never_agree():
    counts = np.array([[1, 1], [1, 1], [1, 1]])
    assert fleiss_kappa(counts) == pytest.approx(-1)  # (0 - 1/2) / (1 - 1/2)


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=8))
def test_alpha_agrees_with_a_plain_implementation(rows):
    counts = np.array(rows)
    assert krippendorff_alpha(counts) == pytest.approx(plain_alpha(counts), nan_ok=True)


@given(st.integers(0, 2**32), st.integers(2, 9), st.integers(2, 12))
def test_alpha_and_kappa_are_tied_where_everybody_judged_everything(seed, people, items):
    counts = np.random.default_rng(seed).multinomial(people, [0.5, 0.3, 0.2], size=items)
    kappa, total = fleiss_kappa(counts), people * items
    tied = 1 - (1 - kappa) * (total - 1) / total
    assert krippendorff_alpha(counts) == pytest.approx(tied, nan_ok=True)


def test_where_there_is_nothing_to_agree_above():
    alike = np.array([[3, 0], [3, 0]])
    assert np.isnan(fleiss_kappa(alike))
    assert np.isnan(krippendorff_alpha(alike))
    assert np.isnan(krippendorff_alpha(np.array([[1, 0], [0, 1]])))


@pytest.mark.parametrize("counts", [[[2, 1], [1, 1]], [[1, 0], [0, 1]], np.zeros((0, 2))])
def test_kappa_needs_the_same_people_everywhere(counts):
    with pytest.raises(ValueError, match="same two or more people"):
        fleiss_kappa(np.array(counts))
