"""People's votes and ratings."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from repro.errors import UserError
from repro.study.head_pose_ratings import agreement, read_ratings, vote_summary, votes_of
from repro.study.published import head_pose_marks

PEOPLE = ["ann", "bob", "cat", "dan"]


def write(tmp_path, text):
    path = tmp_path / "ratings.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_papers_votes_give_the_papers_numbers():
    found = vote_summary(head_pose_marks())
    assert found["votes"] == 20 * 15
    assert f"{found['mean']:.2f}" == "3.60"
    assert f"{100 * found['share_4_5']:.1f}" == "64.3"
    assert f"{100 * found['share_1_2']:.1f}" == "24.0"


def test_a_csv_of_ratings_is_read_answer_by_answer(tmp_path):
    text = "rater,person,rating\n1,ann,5\n2,ann,4\n1,bob,3\n1, cat, 1\n1,ann,4.6\n"
    ratings = read_ratings(write(tmp_path, text), PEOPLE)
    assert ratings["person"].tolist() == ["ann", "ann", "bob", "cat", "ann"]
    assert ratings["rating"].tolist() == [5, 4, 3, 1, 4.6]
    assert votes_of(ratings) == {1: 1, 2: 0, 3: 1, 4: 1, 5: 2}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "are not a CSV"),
        ('person,rating\nann,"5\nbob,3', "are not a CSV"),
        ("person,score\nann,5\n", "lack the column 'rating'"),
        ("name,rating\nann,5\n", "lack the column 'person'"),
        ("person,rating\nann,5\nbob,good\n", "line 3: 'good' is no rating from 1 to 5"),
        ("person,rating\nann,0\n", "line 2: '0' is no rating"),
        ("person,rating\nann,5\nbob,\n", "line 3: 'nan' is no rating"),
        ("person,rating\nann,5\neve,3\n", "line 3: there is no video of 'eve'; the people are ann"),
        ("person,rating\nann,5\nbob,3\nann,2\n", "of 2 people's videos; a correlation needs 3"),
        ("person,rating\n", "of 0 people's videos"),
    ],
)
def test_what_is_wrong_with_a_csv_is_said(tmp_path, text, says):
    with pytest.raises(UserError, match=says):
        read_ratings(write(tmp_path, text), PEOPLE)


def test_a_missing_file_a_folder_and_bytes_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"No such file of ratings: '.*gone\.csv'"):
        read_ratings(tmp_path / "gone.csv", PEOPLE)
    with pytest.raises(UserError, match="are not a CSV"):
        read_ratings(tmp_path, PEOPLE)
    path = tmp_path / "noise.csv"
    path.write_bytes(np.random.default_rng(0).bytes(500))
    with pytest.raises(UserError, match="Ratings"):
        read_ratings(path, PEOPLE)


def rated(means: dict[str, float]) -> pd.DataFrame:
    """Two answers each, half a point about the mean."""
    rows = [(name, mean + d) for name, mean in means.items() for d in (-0.5, 0.5)]
    return pd.DataFrame(rows, columns=["person", "rating"])


def test_ratings_that_follow_hs_correlate_wholly():
    hs = dict(zip(PEOPLE, (0.5, 0.6, 0.7, 0.9), strict=True))
    ratings = rated({name: 5 * value for name, value in hs.items()})
    table = agreement(hs, ratings, seed=0).set_index("coefficient")
    assert table["value"].tolist() == pytest.approx([1, 1])
    assert table["low"].tolist() == pytest.approx([1, 1])
    assert table.loc["Pearson", ["people", "answers", "paper"]].tolist() == [4, 8, 0.65]
    against = agreement({name: -value for name, value in hs.items()}, ratings, seed=0)
    assert against["value"].tolist() == pytest.approx([-1, -1])


def test_spearman_asks_for_the_order_alone():
    hs = dict(zip(PEOPLE, (0.1, 0.2, 0.3, 0.9), strict=True))
    ratings = rated(dict(zip(PEOPLE, (1.5, 4.0, 4.2, 4.4), strict=True)))
    table = agreement(hs, ratings, seed=0).set_index("coefficient")["value"]
    assert table["Spearman"] == pytest.approx(1)
    assert table["Pearson"] == pytest.approx(pearsonr(list(hs.values()), [1.5, 4, 4.2, 4.4])[0])


def test_the_interval_holds_the_true_correlation_about_as_often_as_it_says():
    """40 people, true r 0.65: of 60 studies most intervals hold it, and not all widely."""
    rng = np.random.default_rng(0)
    held, widths = 0, []
    for k in range(60):
        x = rng.normal(size=40)
        y = 0.65 * x + np.sqrt(1 - 0.65**2) * rng.normal(size=40)
        hs = {f"p{i}": v for i, v in enumerate(x)}
        ratings = pd.DataFrame({"person": list(hs), "rating": 3 + y})
        row = agreement(hs, ratings, seed=k, resamples=120).iloc[0]
        held += row["low"] <= 0.65 <= row["high"]
        widths.append(row["high"] - row["low"])
    assert held >= 48
    assert np.mean(widths) < 0.6


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(0)
    hs = {f"p{k}": v for k, v in enumerate(rng.uniform(size=12))}
    ratings = rated({name: 2 + value + rng.uniform() for name, value in hs.items()})
    first, again, other = (agreement(hs, ratings, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["low"].equals(other["low"])
    assert first["value"].equals(other["value"])


def test_ratings_that_are_all_alike_have_no_correlation():
    hs = dict(zip(PEOPLE, (0.5, 0.6, 0.7, 0.9), strict=True))
    table = agreement(hs, rated(dict.fromkeys(PEOPLE, 3.0)), seed=0)
    assert table[["value", "low", "high"]].isna().all(axis=None)
