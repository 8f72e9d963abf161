"""Verdicts: each kind, at its edges; references made, written and read again."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from repro.errors import UserError
from repro.study.cells import Origin, Results
from repro.study.verdict import (
    DEVIATES,
    NOT_COMPARABLE,
    REPRODUCED,
    WITHIN_NOISE,
    compare,
    holds,
    make_reference,
    read_reference,
    tally,
    version_differences,
    write_reference,
)

ORIGIN = Origin(
    profile="demo",
    corpus="synthetic",
    overrides={},
    seed=0,
    made_at="2026-01-01T00:00:00+00:00",
    commit="a" * 40,
    dirty=False,
    machine={"python": "3.11.7", "cpu": "Z80", "cores": 2, "gpus": []},
    versions={"torch": "2.13.0", "numpy": "2.1.0"},
)
NAN = math.nan


def run(*, seed: int = 0, words: dict[str, str] | None = None, **cells: float) -> Results:
    """Results of one stage."""
    words = {"network": "dlib"} if words is None else words
    return Results({"04": cells}, {"04": words}, replace(ORIGIN, seed=seed))


@pytest.fixture
def reference():
    """psnr 30 with a standard deviation of 1 over three runs."""
    return make_reference([run(seed=s, psnr=v) for s, v in enumerate((30.0, 29.0, 31.0))])


def only(results: Results, reference):
    (verdict,) = compare(results, reference)
    return verdict


def test_tolerance_is_2_8_standard_deviations_about_the_first_run(reference):
    cell = reference.cells["04"]["psnr"]
    assert (cell.value, cell.n) == (30.0, 3)
    assert cell.tolerance == pytest.approx(2.8)
    assert [origin.seed for origin in reference.origins] == [0, 1, 2]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (30.0, REPRODUCED),
        (30.0 * (1 + 9e-7), REPRODUCED),
        (30.0 * (1 + 2e-6), WITHIN_NOISE),
        (30.0 + 2.79, WITHIN_NOISE),
        (30.0 - 2.79, WITHIN_NOISE),
        (30.0 + 2.81, DEVIATES),
        (30.0 - 2.81, DEVIATES),
        (NAN, DEVIATES),
        (math.inf, DEVIATES),
    ],
)
def test_verdicts_at_their_edges(reference, value, verdict):
    found = only(run(psnr=value), reference)
    assert found.verdict == verdict
    assert bool(found.reason) == (verdict == DEVIATES)
    assert holds([found]) == (verdict in (REPRODUCED, WITHIN_NOISE))


def test_two_runs_of_one_distribution_agree_19_times_in_20():
    rng = np.random.default_rng(0)
    many = make_reference([run(psnr=v) for v in rng.normal(30, 1, 1000).tolist()])
    a, b = rng.normal(30, 1, (2, 4000))
    agree = np.abs(a - b) <= many.cells["04"]["psnr"].tolerance
    assert agree.mean() == pytest.approx(0.95, abs=0.015)


def test_without_noise_only_equal_numbers_hold():
    fixed = make_reference([run(psnr=30.0), run(psnr=30.0)])
    assert only(run(psnr=30.0), fixed).verdict == REPRODUCED
    assert only(run(psnr=30.001), fixed).verdict == DEVIATES
    dust = make_reference([run(psnr=0.2262)] * 3)  # whose mean is not 0.2262 in floating point
    assert dust.cells["04"]["psnr"].tolerance == 0
    zero = make_reference([run(psnr=0.0), run(psnr=0.0)])
    assert only(run(psnr=1e-12), zero).verdict == REPRODUCED


def test_one_run_is_a_reference_whose_noise_is_not_known():
    once = make_reference([run(psnr=30.0)])
    assert only(run(psnr=30.0), once).verdict == REPRODUCED
    other = only(run(psnr=30.1), once)
    assert other.verdict == NOT_COMPARABLE
    assert "n = 1" in other.reason
    assert not holds([other])


def test_undefined_cells_are_reproduced_by_undefined_ones_alone():
    sometimes = make_reference([run(r=v) for v in (0.5, NAN, 0.7)])
    assert sometimes.cells["04"]["r"].n == 2
    assert only(run(r=NAN), sometimes).verdict == DEVIATES
    never = make_reference([run(r=NAN), run(r=NAN)])
    assert only(run(r=NAN), never).verdict == REPRODUCED
    assert only(run(r=0.5), never).verdict == NOT_COMPARABLE


def test_cells_of_one_alone_are_not_comparable(reference):
    extra = compare(run(psnr=30.0, ssim=0.9), reference)
    assert [v.verdict for v in extra] == [REPRODUCED, NOT_COMPARABLE]
    assert extra[1].reason == "not in the reference"
    assert holds(extra)  # what the reference does not know does not count
    missing = compare(run(ssim=0.9), reference)
    assert missing[0].reason == "not in this run"
    assert not holds(missing)
    other_stage = Results({"09": {"hs": 1.0}}, {"09": {}}, ORIGIN)
    found = compare(other_stage, reference)
    assert [(v.stage, v.reason) for v in found] == [
        ("04", "not in this run"),
        ("09", "not in the reference"),
    ]


def test_other_networks_corpora_and_settings_are_not_comparable(reference):
    network = only(run(words={"network": "arcface"}, psnr=30.0), reference)
    assert network.verdict == NOT_COMPARABLE
    assert network.reason == "network 'arcface' instead of 'dlib'"
    for change, words in (
        ({"corpus": "lrw"}, "corpus 'lrw' instead of 'synthetic'"),
        ({"overrides": {"refine.steps": 9}}, "set otherwise: refine.steps"),
    ):
        other = run(psnr=30.0)
        found = only(replace(other, origin=replace(other.origin, **change)), reference)
        assert (found.verdict, found.reason) == (NOT_COMPARABLE, words)


def test_another_seed_or_machine_is_compared(reference):
    elsewhere = run(psnr=31.0, seed=7)
    machine = {**ORIGIN.machine, "gpus": ["H200"]}
    origin = replace(elsewhere.origin, machine=machine, versions={"torch": "2.14.0"})
    assert only(replace(elsewhere, origin=origin), reference).verdict == WITHIN_NOISE
    assert version_differences(origin, reference.origin) == [
        "torch 2.14.0 instead of 2.13.0",
        "numpy none instead of 2.1.0",
    ]
    assert version_differences(ORIGIN, ORIGIN) == []


def test_a_reference_of_another_profile_is_refused(reference):
    other = run(psnr=30.0)
    with pytest.raises(UserError, match="reference is of profile 'demo', the run of 'smoke'"):
        compare(replace(other, origin=replace(ORIGIN, profile="smoke")), reference)


def test_verdicts_are_counted(reference):
    verdicts = compare(run(psnr=30.5, ssim=1.0), reference)
    assert tally(verdicts) == {
        REPRODUCED: 0,
        WITHIN_NOISE: 1,
        DEVIATES: 0,
        NOT_COMPARABLE: 1,
    }


def test_a_reference_comes_back_as_it_was_written(tmp_path):
    made = make_reference([run(seed=s, psnr=30.0 + s, r=NAN, once=(1.0, NAN)[s]) for s in (0, 1)])
    path = tmp_path / "reference" / "demo.json"
    write_reference(path, made)
    assert "NaN" not in path.read_text()
    again = read_reference(path)
    assert again.origins == made.origins
    assert again.words == made.words
    assert again.cells["04"]["psnr"] == made.cells["04"]["psnr"]
    assert math.isnan(again.cells["04"]["r"].value)
    assert math.isnan(again.cells["04"]["once"].tolerance)
    assert again.cells["04"]["once"].n == 1


def test_runs_that_are_no_repeats_make_no_reference():
    with pytest.raises(UserError, match="at least one run"):
        make_reference([])
    with pytest.raises(UserError, match="seeds 0 and 1 are no repeats: cell 'ssim' of 04"):
        make_reference([run(psnr=1.0, ssim=1.0), run(psnr=1.0, seed=1)])
    with pytest.raises(UserError, match="'arcface' instead of 'dlib'"):
        make_reference([run(psnr=1.0), run(psnr=1.0, words={"network": "arcface"})])
    other = run(psnr=1.0)
    moved = replace(other, origin=replace(ORIGIN, corpus="lrw"))
    with pytest.raises(UserError, match="corpus 'lrw'"):
        make_reference([other, moved])
    smoke = replace(other, origin=replace(ORIGIN, profile="smoke"))
    with pytest.raises(UserError, match="profile 'smoke'"):
        make_reference([other, smoke])


def test_what_is_no_reference_is_one_sentence(tmp_path):
    path = tmp_path / "demo.json"
    with pytest.raises(UserError, match=r"demo.json' cannot be read \(No such file"):
        read_reference(path)
    for broken in ("{", "[]", '{"runs": []}', '{"stages": {"a": {"cells": {"b": 3}}}, "runs": []}'):
        path.write_text(broken)
        with pytest.raises(UserError, match="is not a reference"):
            read_reference(path)
    path.write_text(json.dumps({"stages": {}, "runs": []}))
    with pytest.raises(UserError, match="names no run"):
        read_reference(path)
