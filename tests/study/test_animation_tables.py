"""Tables 1 and 2 of Chen et al. 2020, their ablations, and what they say."""

import numpy as np
import pandas as pd
import pytest
from made_up_people import SMALL, person

from repro.animate.animate import Animator
from repro.animate.generator import seeded_generator
from repro.errors import UserError
from repro.study import animation as study


@pytest.fixture(scope="module")
def cases():
    people = [person(name, frames=9, hue=hue) for name, hue in (("one", 0.0), ("two", 0.8))]
    return [study.Case.of(one, tau=5, frames=3) for one in people]


def test_what_is_made_is_not_known(cases):
    for case in cases:
        assert (len(case.known), len(case.real)) == (5, 3)
        known = {frame.tobytes() for frame in case.known.frames}
        assert not known & {frame.tobytes() for frame in case.real.frames}
    with pytest.raises(UserError, match="nothing is left to make"):
        study.Case.of(person("short", frames=5), tau=5, frames=3)


def test_a_case_takes_all_frames_where_fewer_are_left():
    assert len(study.Case.of(person("one", frames=7), tau=5, frames=30).real) == 2


def test_pictures_are_made_from_as_many_references_as_asked_for(cases):
    animator = Animator(seeded_generator(SMALL, seed=0).eval(), SMALL, "none", 0)
    made = study.landmark_driven(animator, cases, [1, 3])
    assert list(made) == ["K = 1", "K = 3"]
    assert made["K = 1"][0].shape == cases[0].real.frames.shape
    assert not np.array_equal(made["K = 1"][0], made["K = 3"][0])


def test_real_frames_are_perfect_and_worse_ones_worse(cases):
    real = [case.real.frames for case in cases]
    grey = [np.full_like(frames, 128) for frames in real]
    rows, pooled = study.measured({"real": real, "grey": grey}, cases)
    table = study.table(rows, pooled).set_index("method")
    assert table.loc["real", "SSIM"] == 1 and table.loc["real", "PSNR"] == np.inf
    assert table.loc["grey", "SSIM"] < 0.9 and table.loc["grey", "PSNR"] < 30
    assert (table["frames"] == 6).all()
    assert table.loc["grey", "undetected"] == 6  # nobody's face
    assert "FID" not in table  # six frames are too few


def test_costs_are_differences_person_by_person():
    values = {("full", "a"): 0.9, ("full", "b"): 0.5, ("less", "a"): 0.8, ("less", "b"): 0.3}
    rows = pd.DataFrame(
        {"method": method, "person": who, "name": name, "value": value * sign}
        for (method, who), value in values.items()
        for name, sign in (("SSIM", 1.0), ("LMD", -10.0))
    )
    cost = study.differences(rows, than="full").set_index("measure")
    assert cost.loc["SSIM", "cost"] == pytest.approx(0.15)
    assert cost.loc["SSIM", "noise"] == pytest.approx(2.8 * 0.05)
    assert cost.loc["SSIM", "beyond_noise"]
    assert cost.loc["LMD", "cost"] == pytest.approx(1.5)  # a larger distance is worse
    assert (cost["pairs"] == 2).all()


def test_variants_lack_their_part_and_nothing_else():
    made = study.variants(SMALL, ["projection", "composition", "all"], steps=7)
    assert {s.steps for s in made.values()} == {7}
    assert made[study.FULL].model_copy(update={"steps": SMALL.steps}) == SMALL
    assert not made["without 3D-aware module"].projected
    assert made["without 3D-aware module"].composition == "nonlinear"
    assert made["without non-linear composition"].composition == "matting"
    assert not made["baseline"].attention
    assert study.variants(SMALL, [], steps=None)[study.FULL] == SMALL


def test_the_papers_rows_stand_as_printed():
    two = study.published("table_2", "VoxCeleb2").set_index("method")
    assert two.loc["Chen et al. 2020, K = 32", "CSIM"] == 0.58
    assert study.published("table_1", "LRW")["LMD"].min() == 3.13
    three = study.published("table_3", "VoxCeleb2").set_index("method")
    assert {name for name, _ in study.VARIANTS.values()} < set(three.index)
