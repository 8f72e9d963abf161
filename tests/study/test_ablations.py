"""Variants are single changes of the full model; effects stand beside their noise."""

import numpy as np
import pandas as pd
import pytest

from repro.config import load_profile, profile_names
from repro.study import ablations as study
from repro.study import metrics as m


@pytest.mark.parametrize("name", profile_names())
def test_every_variant_changes_only_what_it_names(name):
    full = study.full_profile(load_profile(name))
    for variant in study.variants_of(full):
        changed = study.overridden(full, variant.overrides)
        back = {
            key: getattr(getattr(full, key.split(".")[0]), key.split(".")[1])
            for key in variant.overrides
        }
        assert study.overridden(changed, back) == full


@pytest.mark.parametrize(
    ("name", "left_out"), [("paper", "low-frequency albedo"), ("demo", "detailed albedo")]
)
def test_the_albedo_that_the_profile_takes_is_no_variant(name, left_out):
    names = [variant.name for variant in study.variants_of(load_profile(name))]
    assert names[0] == study.FULL
    assert left_out not in names
    assert len(names) == len(study.VARIANTS)


def test_the_study_s_steps_hold_for_the_full_model_too():
    profile = load_profile("demo", {"ablations.refine_steps": 7, "ablations.general_steps": 5})
    full = study.full_profile(profile)
    assert (full.refine.steps, full.refine_general.steps) == (7, 5)
    assert study.full_profile(load_profile("paper")) == load_profile("paper")


def test_an_effect_within_the_scatter_of_seeds_is_a_tie():
    gain, noise, verdict = study.judged(m.FACE_PSNR, [30.0, 30.2], [29.9, 30.1])
    sd = np.std([30.0, 30.2], ddof=1)
    assert gain == pytest.approx(0.1)
    assert noise == pytest.approx(2.8 * sd)
    assert verdict == study.TIED


@pytest.mark.parametrize(
    ("metric", "without", "verdict"),
    [
        (m.FACE_PSNR, [25.0, 25.1], study.FULL_BETTER),
        (m.FACE_PSNR, [35.0, 35.1], study.FULL_WORSE),
        (m.POSE_JITTER, [35.0, 35.1], study.FULL_BETTER),
        (m.POSE_JITTER, [25.0, 25.1], study.FULL_WORSE),
        (m.FACE_PSNR, [30.0, 30.1], study.SAME),
    ],
)
def test_better_is_what_the_metric_says(metric, without, verdict):
    assert study.judged(metric, [30.0, 30.1], without)[2] == verdict


def test_a_ratio_is_best_at_one_from_either_side():
    gain, _, verdict = study.judged(m.SHARPNESS, [0.95, 0.96], [1.4, 1.41])
    assert gain == pytest.approx(0.36)
    assert verdict == study.FULL_BETTER
    assert study.judged(m.SHARPNESS, [0.95, 0.95], [1.05, 1.05])[0] == pytest.approx(0)


def test_one_seed_tells_no_noise():
    _, noise, verdict = study.judged(m.FACE_PSNR, [30.0], [20.0])
    assert np.isnan(noise)
    assert verdict == study.UNKNOWN


@pytest.fixture
def variants():
    full = study.Variant(study.FULL, "", m.FACE_PSNR)
    return [full, study.Variant("less", "9.9", m.HS), study.Variant("other", "8", m.FACE_PSNR)]


@pytest.fixture
def measures():
    values = {
        study.FULL: {"face PSNR": [30, 30.2], "HS": [0.9, 0.91]},
        "less": {"face PSNR": [30, 30.2], "HS": [0.5, 0.52]},
        "other": {"face PSNR": [33, 33.1], "HS": [0.9, 0.9]},
    }
    return pd.DataFrame(
        {"variant": variant, "seed": seed, "name": name, "value": value, "unit": "u"}
        for variant, taken in values.items()
        for name, tries in taken.items()
        for seed, value in enumerate(tries)
    )


def test_every_metric_of_every_variant_has_a_row(measures, variants):
    table = study.effects(measures, variants)
    assert list(zip(table["variant"], table["metric"], strict=True)) == [
        ("less", "face PSNR"), ("less", "HS"), ("other", "face PSNR"), ("other", "HS"),
    ]  # fmt: skip
    own = study.own_effects(table)
    assert list(own["metric"]) == ["HS", "face PSNR"]
    assert own["effect"].tolist() == pytest.approx([0.395, -2.95])
    assert list(own["verdict"]) == [study.FULL_BETTER, study.FULL_WORSE]
    assert study.record(table)["less"]["without"] == pytest.approx(0.51)


def test_findings_name_what_beats_the_full_model(measures, variants):
    said = study.findings(study.effects(measures, variants))
    assert "less: HS 0.905 with, 0.51 without" in said[0]
    assert study.FULL_BETTER in said[0]
    assert "1 of 2; it is not the best beside: other." in said[2]


def test_findings_name_no_one_where_the_full_model_is_best(measures, variants):
    said = study.findings(study.effects(measures[measures["variant"] != "other"], variants[:2]))
    assert said[-1].endswith("best or tied in 1 of 1.")


def test_what_few_seeds_can_tell_is_said():
    profile = load_profile("demo", {"refine.steps": 12})
    assert "no noise" in study.reach(profile, 1)
    two = study.reach(profile, 2)
    assert "12 steps" in two
    assert "0.5 to 6.3 times" in two  # chi-square with 2 degrees of freedom
