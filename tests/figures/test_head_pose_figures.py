"""Pictures of notebook 09 show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from repro.figures import head_pose as views
from repro.study.head_pose import GENERAL, SAME, STILL, Heads, matrix, pair_scores

OWN = "personal, person"


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def heads():
    rng = np.random.default_rng(0)

    def person(name, place):
        angles = {n: place + rng.normal(0, 0.05, (40, 3)) for n in ("learned", "tested", "own")}
        made = {GENERAL: (np.full((40, 3), place),), OWN: (angles["own"], angles["own"])}
        return Heads(name, angles["learned"], angles["tested"], made)

    return [person("personal_1", -0.2), person("personal_2", 0.1)]


def test_distributions_have_a_histogram_for_each_angle_that_adds_up(heads):
    figure = views.distributions(heads, [GENERAL, OWN])
    assert len(figure.axes) == 6
    for axis in figure.axes:
        assert [patch.get_label() for patch in axis.patches] == ["real", GENERAL, OWN]
        sums = [patch.get_data().values.sum() for patch in axis.patches]
        assert sums == pytest.approx([1, 1, 1])
    assert [axis.get_xlabel() for axis in figure.axes[3:]] == [
        f"{angle} (degrees)" for angle in ("pitch", "yaw", "roll")
    ]


def test_what_lies_beyond_the_histogram_counts_in_its_outermost_bin(heads):
    edges = np.linspace(-30, 30, 61)
    shares = views._shares(np.array([-2.0, 2.0, 0.001, 0.001]), edges)
    assert (shares[0], shares[-1], shares[30]) == (0.25, 0.25, 0.5)


def test_curves_are_in_degrees_over_seconds(heads):
    figure = views.curves(heads[0], [OWN], frames=25)
    real, own = figure.axes[1].lines
    assert np.allclose(real.get_ydata(), np.degrees(heads[0].tested[:25, 1]))
    assert np.allclose(own.get_ydata(), np.degrees(heads[0].made[OWN][0][:25, 1]))
    assert real.get_xdata()[-1] == pytest.approx(0.96)


def test_matrices_write_every_hs_in_its_cell(heads):
    figure = views.matrices(heads, [SAME, OWN])
    for axis, kind in zip(figure.axes, (SAME, OWN), strict=False):
        scores = matrix(heads, kind)
        assert np.allclose(axis.images[0].get_array(), scores)
        written = [float(text.get_text()) for text in axis.texts]
        assert written == pytest.approx(scores.ravel(), abs=6e-4)


def test_bars_are_means_over_people_from_zero(heads):
    pairs = pair_scores(heads)
    figure = views.averages(pairs)
    for axis, column in zip(figure.axes, ("hs", "hs_own_range"), strict=True):
        assert [bar.get_x() for bar in axis.patches] == [0] * 4
        widths = [bar.get_width() for bar in axis.patches]
        assert widths == pytest.approx(pairs.groupby("against", sort=False)[column].mean().tolist())
        assert axis.get_xlim()[0] == 0
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        SAME, STILL, GENERAL, OWN,
    ]  # fmt: skip


def test_votes_are_shares_with_their_counts():
    figure = views.votes({"paper": {1: 1, 4: 3}, "this run": {5: 7}})
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == pytest.approx([0.25, 0, 0, 0.75, 0, 0, 0, 0, 0, 1])
    counts = [text.get_text() for text in figure.axes[0].texts]
    assert counts == ["1", "0", "0", "3", "0", "0", "0", "0", "0", "7"]


def test_ratings_stand_over_the_hs_of_their_person():
    ratings = pd.DataFrame({"person": ["a", "a", "b"], "rating": [2.0, 4.0, 5.0]})
    figure = views.hs_and_ratings({"a": 0.9, "b": 0.95}, ratings)
    x, y = figure.axes[0].lines[0].get_data()
    assert (list(x), list(y)) == ([0.9, 0.95], [3, 5])


def test_noise_curves_fall_from_the_left():
    rows = [("a", "none", np.inf, 0.6, 0.7)]
    rows += [("a", n, s, 0.01 * s, 0.02 * s) for n in ("white", "babble") for s in (30, 10, 0)]
    columns = ["person", "noise", "snr_db", "expression_r", "lip_gap_r"]
    figure = views.noise_curves(pd.DataFrame(rows, columns=columns))
    first = figure.axes[0]
    assert first.get_xlim()[0] > first.get_xlim()[1]
    assert first.lines[0].get_ydata()[0] == 0.6
    assert sorted(first.lines[1].get_ydata()) == pytest.approx([0, 0.1, 0.3])
