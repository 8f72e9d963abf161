import numpy as np

from repro.notebook import check


def test_an_exercise_without_an_answer_says_so():
    assert check(None, np.ones(3)) == "No answer yet."


def test_an_answer_is_right_within_the_tolerance():
    assert check([1, 1, 1.00001], np.ones(3)) == "Right."
    assert check(7, 7) == "Right."


def test_a_wrong_answer_hears_how_it_differs():
    assert "by up to 0.5" in check([1, 1.5], np.ones(2))
    assert "(2,)" in check([1, 1], np.ones(3))
