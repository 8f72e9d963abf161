"""The published votes: what the paper prints comes out again."""

import pytest

from repro.study.published import (
    frame_count_votes,
    head_pose_votes,
    published_markdown,
    published_votes,
    table_one,
)


def test_the_digits_of_table_1_are_whole_votes_of_600():
    printed = published_votes()["table_1"]["percent"]
    for question, row in table_one().items():
        assert sum(share.votes for share in row.values()) == 600
        for method, share in row.items():
            assert share.of == 600
            assert share.percent == printed[question][method]


def test_votes_on_head_pose_give_the_papers_mean_and_shares():
    found, printed = head_pose_votes(), published_votes()["head_pose"]["printed"]
    assert found.similar.of == 25 + 47 + 35 + 110 + 83 == 300
    assert round(found.mean, 2) == printed["mean"] == 3.60
    assert round(found.similar.percent, 1) == printed["percent_4_or_5"] == 64.3
    assert round(found.dissimilar.percent, 1) == printed["percent_1_or_2"] == 24.0
    assert found.mean == pytest.approx((25 + 2 * 47 + 3 * 35 + 4 * 110 + 5 * 83) / 300, abs=5e-4)
    low, high = found.mean_interval
    assert (low + high) / 2 == pytest.approx(found.mean, abs=1e-3)
    assert high - low == pytest.approx(2 * 1.96 * found.sd / 300**0.5, abs=2e-3)


def test_frame_counts_are_whole_people_of_eleven():
    found = frame_count_votes()
    assert [share.votes for share in found.values()] == [0, 0, 0, 4, 4, 7]
    printed = published_votes()["frame_count"]["percent"].values()
    assert [round(share.percent, 1) for share in found.values()] == list(printed)


def test_eleven_people_do_not_tell_300_frames_from_800():
    found = frame_count_votes()
    assert found[300].wilson_percent[1] > found[800].wilson_percent[0]


def test_the_tables_hold_all_three():
    text = published_markdown()
    for cell in ("88.7 % [85.9, 91.0]", "3.60 [3.45, 3.74]", "36.4 % [15.2, 64.6]"):
        assert cell in text
