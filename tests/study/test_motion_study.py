"""Mappings side by side on speech that they did not learn from."""

from pathlib import Path

import numpy as np
import pytest
from known import Known

from repro.corpus.clip import Clip
from repro.face.model import load_open_model
from repro.study import motion as study


@pytest.fixture(scope="module")
def people(spoken, made_up_track):
    clip = Clip(Path("none.mp4"), 96, 96, 1, 25, True, 1)
    return [
        Known(f"p{k}", "", clip, np.empty(0), made_up_track, said.audio, said.motion)
        for k, said in ((k, spoken(k)) for k in (20, 22))
    ]


@pytest.fixture(scope="module")
def heard(people, linear_mapping):
    model = load_open_model()
    mappings = {study.GENERAL: linear_mapping, study.PERSONAL: linear_mapping}
    return [
        study.hear(
            person, people[:1], learned=60, mappings=mappings, mouth="person",
            names=model.expression_names,
        )
        for person in people
    ]  # fmt: skip


def test_only_frames_that_were_not_learned_from_are_held_against(heard, people):
    whole = len(people[0])
    for one, person in zip(heard, people, strict=True):
        assert len(one) == len(person) - 60 + whole  # the further clip counts as a whole
        assert set(one.made) == {study.GENERAL, study.PERSONAL, study.OWN_MOUTH, study.RIDGE}
        assert {len(made) for made in one.made.values()} == {len(one)}
        np.testing.assert_array_equal(
            one.true[study.SEEN][: len(person) - 60], person.motion.expression[60:]
        )
    assert study.TRUTH not in heard[0].true


def test_the_truth_itself_scores_best(heard, people):
    model = load_open_model()
    true = heard[0].true[study.SEEN]
    perfect = study.Heard(people[0], {study.SEEN: true}, {study.GENERAL: true})
    (row,) = study.scores([perfect], model).to_dict("records")
    assert row["expression_r"] == row["lip_gap_r"] == pytest.approx(1)
    assert row["closed_lip_recall"] == 1 and row["expression_mse"] == 0


def test_scores_have_a_row_for_each_person_and_mapping_and_means_of_them(heard):
    model = load_open_model()
    table = study.scores(heard, model)
    assert len(table) == 2 * 4
    assert table["expression_r"].between(-1, 1).all()
    general = table[table["mapping"] == study.GENERAL]
    means = study.means(table).set_index("mapping")
    assert means.loc[study.GENERAL, "lip_gap_r"] == pytest.approx(general["lip_gap_r"].mean())


def test_better_is_a_greater_correlation_and_a_smaller_error(heard):
    table = study.scores(heard, load_open_model())
    rows = table["mapping"] == study.PERSONAL
    table.loc[rows, "lip_gap_r"] = 2.0
    table.loc[rows, "expression_mse"] = 9.0
    assert study.share_better(table, "lip_gap_r", against=study.SEEN) == 1
    assert study.share_better(table, "expression_mse", against=study.SEEN) == 0


def test_r_of_each_action_is_the_mean_over_people(heard):
    model = load_open_model()
    found = study.action_correlations(heard, model, against=study.SEEN)
    jaw = model.expression_names.index("jawOpen")
    each = [
        np.corrcoef(h.true[study.SEEN][:, jaw], h.made[study.GENERAL][:, jaw])[0, 1] for h in heard
    ]
    assert found[study.GENERAL]["jawOpen"] == pytest.approx(np.mean(each), abs=1e-4)
