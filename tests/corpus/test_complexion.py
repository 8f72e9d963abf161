"""What is painted on a face."""

import numpy as np

from repro.corpus.complexion import creases, vermilion
from repro.corpus.figure import build_figure
from repro.corpus.noise import noise_table
from repro.corpus.people import GREY_HAIR, draw_person
from repro.corpus.shade_surface import CREASES_LEFT_M, CREASES_M, CREASES_TOP_M, LIP
from repro.corpus.synthetic_clip import figure_albedo
from repro.face.model import load_open_model

MODEL = load_open_model()


def test_creases_deepen_with_age():
    ages = (20, 35, 50, 65)
    deep = [np.mean([creases(age, seed)[..., 0].mean() for seed in range(4)]) for age in ages]
    assert (np.diff(deep) > 0).all() and deep[-1] > 4 * deep[0]


def test_creases_stand_beside_the_mouth_and_not_on_the_nose_or_at_the_border():
    depth = creases(70, 0)[..., 0]

    def at(right, down):
        return depth[
            round((down - CREASES_TOP_M) / CREASES_M), round((right - CREASES_LEFT_M) / CREASES_M)
        ]

    beside = max(at(0.0255 + d, 0.057) for d in np.linspace(-0.003, 0.003, 9))
    assert beside > 0.4 and at(0.0, 0.03) < 0.02
    assert max(depth[0].max(), depth[-1].max(), depth[:, 0].max(), depth[:, -1].max()) == 0


def test_slopes_of_creases_are_those_of_their_depth():
    depth, right, down = np.moveaxis(creases(60, 1), -1, 0)
    np.testing.assert_allclose(depth[5, 101] - depth[5, 99], 2 * right[5, 100], atol=1e-6)
    np.testing.assert_allclose(depth[101, 5] - depth[99, 5], 2 * down[100, 5], atol=1e-6)


def test_the_red_of_the_lips_is_within_the_models_lips_and_has_a_bow():
    def red(side, up):
        return vermilion(np.array([[side, 0, up]]))[0]

    assert red(0, -0.068) > 0.9 and red(0, -0.079) > 0.9
    assert red(0, -0.0618) < 0.1 and red(0, -0.0860) < 0.1 and red(0.03, -0.073) < 0.1
    assert red(0.0055, -0.0645) > red(0, -0.0645)


def test_old_people_have_grey_hair_and_young_ones_do_not():
    people = [draw_person(seed).appearance for seed in range(60)]
    for a in people:
        if a.age_years < 25:
            assert a.hair.grey < 0.1
        if a.age_years > 70:
            assert a.hair.grey > 0.4
        assert (a.hair.mean_colour >= np.minimum(a.hair.colour, GREY_HAIR) - 1e-9).all()
    ages = [a.age_years for a in people]
    assert min(ages) < 25 and max(ages) > 70


def test_lips_are_redder_than_the_skin_around_them_but_not_by_much():
    for seed in range(4):
        figure = build_figure(MODEL, draw_person(seed), noise_table())
        albedo = figure_albedo(figure)
        lips = albedo[figure.paint.marks[: len(albedo), LIP] > 0.9].mean(0)
        chin = albedo[MODEL.landmark68[[7, 8, 9]]].mean(0)
        redness = lips[0] / lips[1] - chin[0] / chin[1]
        assert 0 < redness < 0.8
