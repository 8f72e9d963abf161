"""Section 4.4 on people whose heads are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from repro.evaluate.pose import head_pose_similarity
from repro.motion.predict import predict
from repro.study.head_pose import (
    GENERAL,
    SAME,
    STILL,
    Heads,
    averages,
    conventions,
    heads_of,
    hs_by_person,
    in_own_range,
    matrix,
    pair_scores,
    personal,
    same_and_different,
    share_above,
    told_apart,
    variance_ratio,
)

OWN = personal("person")


def turning(place: float, spread: float, frames: int, seed: int) -> np.ndarray:
    """Angles (frames, 3) about a place."""
    return place + spread * np.random.default_rng(seed).normal(size=(frames, 3))


def person(name: str, place: float, seed: int) -> Heads:
    """Whose own method moves as they do, whose general mapping hardly moves."""
    made = {
        GENERAL: (turning(place, 0.001, 80, seed + 1),),
        OWN: tuple(turning(place, 0.05, 80, seed + k) for k in (2, 3, 4)),
    }
    return Heads(
        name,
        turning(place, 0.05, 200, seed + 5),
        turning(place, 0.05, 80, seed + 6),
        made,
    )


@pytest.fixture(scope="module")
def heads():
    return [person(name, place, 10 * k) for k, (name, place) in enumerate(
        [("a", -0.3), ("b", 0.0), ("c", 0.25)]
    )]  # fmt: skip


def test_every_pair_has_a_row_with_its_convention(heads):
    pairs = pair_scores(heads)
    assert len(pairs) == 3 * 4
    row = pairs[(pairs["person"] == "b") & (pairs["against"] == OWN)].iloc[0]
    each = [head_pose_similarity(heads[1].tested, x) for x in heads[1].made[OWN]]
    assert row["hs"] == pytest.approx(np.mean(each))
    assert row["hs_sd"] == pytest.approx(np.std(each))
    assert row["draws"] == 3
    assert (row["bins"], row["range_low_deg"], row["range_high_deg"]) == (60, -30, 30)
    assert (row["frames_real"], row["frames_generated"]) == (80, 80)
    assert pairs["bins"].dtype.kind == "i"
    own = [in_own_range(heads[1].tested, x) for x in heads[1].made[OWN]]
    assert row["hs_own_range"] == pytest.approx(np.mean(own))


def test_in_its_own_range_hs_does_not_depend_on_how_far_heads_move():
    rng = np.random.default_rng(0)
    real, made = rng.normal(0, 0.1, (90, 3)), rng.normal(0.05, 0.05, (90, 3))
    whole = in_own_range(real, made)
    assert in_own_range(0.1 * real, 0.1 * made) == pytest.approx(whole, abs=0.01)
    assert in_own_range(real, real) == 1
    ends = np.zeros((50, 3)), np.ones((50, 3))
    assert in_own_range(*ends) == pytest.approx(0, abs=1e-9)


def test_a_still_head_is_its_mean_distance_from_the_learned_mean_away(heads):
    """W1 to a point mass is the mean absolute distance: sd sqrt(2 / pi), over 60 degrees."""
    pairs = pair_scores(heads)
    expected = 1 - 0.05 * np.sqrt(2 / np.pi) / (np.pi / 3)
    assert hs_by_person(pairs, STILL)["b"] == pytest.approx(expected, abs=0.006)


def test_the_variance_ratio_tells_a_head_that_hardly_moves(heads):
    moving = np.random.default_rng(3).normal(0, 1, (500, 3)) * (0.1, 0.2, 0.05)
    assert variance_ratio(moving, 0.5 * moving + 1) == pytest.approx(0.25)
    assert np.isnan(variance_ratio(np.ones((4, 3)), moving))
    table = pair_scores(heads)
    still = table[table["against"] == STILL]["variance_ratio"]
    np.testing.assert_allclose(still, 0, atol=1e-12)
    found = averages(table).set_index("against")["median_variance_ratio"]
    assert found[STILL] == pytest.approx(0, abs=1e-12) and (found.drop(STILL) > 0).all()


def test_averages_are_over_people_and_stand_beside_the_papers(heads):
    pairs = pair_scores(heads)
    table = averages(pairs).set_index("against")
    assert table.loc[OWN, "mean_hs"] == pytest.approx(hs_by_person(pairs, OWN).mean())
    assert table.loc[OWN, "least"] == hs_by_person(pairs, OWN).min()
    assert table["people"].tolist() == [3] * 4
    assert table.loc[OWN, "paper"] == 0.859
    assert table["paper"].drop(OWN).isna().all()
    assert table.loc[OWN, "share_above_general"] == share_above(pairs, OWN) == 1
    assert share_above(pairs, GENERAL, OWN) == 0
    assert set(table["bins"]) == {60}


def test_the_matrix_holds_rows_of_real_frames_against_columns_of_what_was_made(heads):
    scores = matrix(heads, OWN)
    expected = head_pose_similarity(heads[0].tested, heads[2].made[OWN][0])
    assert scores[0, 2] == pytest.approx(expected)
    assert scores[0, 2] != pytest.approx(scores[2, 0], abs=1e-6)
    assert (np.diag(scores) == scores.max(1)).all()


def test_people_held_differently_are_told_apart(heads):
    found = told_apart(heads, SAME)
    assert found["same"] > 0.98
    # the places lie 0.3, 0.25 and 0.55 rad apart; a little of "a" lies beyond the range
    assert found["different"] == pytest.approx(1 - (0.3 + 0.25 + 0.55) / 3 / (np.pi / 3), abs=0.02)
    assert (found["nearer"], found["first"]) == (1, 1)
    rows = same_and_different(heads).set_index("against")
    assert rows.loc[SAME, "different"] == found["different"]
    assert rows.loc[SAME, "range_high_deg"] == 30


def test_alike_people_are_not_told_apart():
    alike = [person(name, 0.0, 100 * k) for k, name in enumerate("abcd")]
    found = told_apart(alike, OWN)
    assert abs(found["same"] - found["different"]) < 0.01


def test_one_person_alone_is_not_told_apart_from_anyone(heads):
    found = told_apart(heads[:1], SAME)
    assert found["same"] > 0.98
    assert all(np.isnan(found[name]) for name in ("different", "nearer", "first"))


def test_a_wider_range_makes_the_same_heads_more_alike(heads):
    table = conventions(heads, bins=(60, 240), ranges_deg=(30, 60, 90)).set_index(
        ["bins", "range_deg"]
    )
    still = 1 - table[STILL]
    assert still[60, "±60"] == pytest.approx(still[60, "±30"] / 2, rel=0.05)
    assert still[60, "±90"] == pytest.approx(still[60, "±30"] / 3, rel=0.1)
    assert still[240, "±30"] == pytest.approx(still[60, "±30"], rel=0.05)
    assert still[60, "the pair's own"] > 2 * still[60, "±30"]
    assert (table[OWN] > table[STILL]).all()


def test_a_person_is_tested_on_the_sound_after_what_was_learned_and_on_other_clips(
    spoken, linear_mapping
):
    clips = [SimpleNamespace(name=str(k), **vars(spoken(k))) for k in (20, 21)]
    for clip in clips:
        clip.windows = spoken(int(clip.name)).windows
    person, other = clips
    head = heads_of(
        person,
        [other],
        learned=60,
        general=linear_mapping,
        mapping=linear_mapping,
        methods=["paper", "person"],
        draws=3,
        seed=5,
    )
    frames = len(person.motion) - 60 + len(other.motion)
    assert head.name == "20"
    assert np.array_equal(head.learned, person.motion.pose[:60, :3])
    assert np.array_equal(
        head.tested, np.concatenate([person.motion.pose[60:], other.motion.pose])[:, :3]
    )
    assert {kind: len(draws) for kind, draws in head.made.items()} == {
        GENERAL: 1, personal("paper"): 1, OWN: 3,
    }  # fmt: skip
    assert all(x.shape == (frames, 3) for draws in head.made.values() for x in draws)
    heard = predict(linear_mapping, person.windows[60:]).pose[:, :3]
    assert np.allclose(head.made[personal("paper")][0][: len(heard)], heard)
    mean = person.motion.pose[:60, :3].mean(0)
    assert np.allclose(head.made[GENERAL][0][: len(heard)], heard + mean)
    assert not np.allclose(head.made[OWN][0], head.made[OWN][1])
