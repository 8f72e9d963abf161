"""How quality over frames is averaged, and what is said of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.study import frame_count as study
from repro.study import metrics as m


def test_only_counts_that_leave_frames_to_test_on_are_taken():
    assert study.divided(400, (800, 50, 300, 100), 100) == ([50, 100, 300], 100)


def test_a_short_clip_is_learned_from_by_half_and_as_a_whole():
    assert study.divided(120, (100, 200), 50) == ([45, 90], 30)


@given(st.integers(66, 2000), st.integers(10, 200))
def test_no_frame_is_both_learned_from_and_tested_on(length, test_frames):
    counts, tested = study.divided(length, (50, 100, 800), test_frames)
    assert 0 < counts[0] < counts[-1] <= length - tested
    assert 0 < tested <= test_frames


def rows(values, metric="face PSNR"):
    return pd.DataFrame(
        {"person": p, "frames_learned": n, "seed": s, "name": metric, "value": v, "unit": "dB"}
        for (p, n), tries in values.items()
        for s, v in enumerate(tries)
    )


def test_means_and_noise_are_over_seeds():
    table = study.by_count(rows({("a", 50): [20, 22], ("a", 300): [25, 25.5]}))
    assert table["frames"].tolist() == [50, 300]
    assert table["mean"].tolist() == pytest.approx([21, 25.25])
    assert table["noise"].tolist() == pytest.approx([2.8 * np.sqrt(2), 2.8 * np.sqrt(0.125)])
    assert table["fine_tunings"].tolist() == [2, 2]


def test_that_people_differ_is_no_noise_of_a_count():
    table = study.by_count(rows({
        ("a", 50): [20], ("a", 300): [25], ("b", 50): [30], ("b", 300): [35], ("a", 800): [27],
    }))  # fmt: skip
    assert table["noise"].tolist()[:2] == pytest.approx([0, 0])
    # "b" has no clip for 800 frames; "a" stands 5 below the mean of the two.
    assert table["mean"].tolist() == pytest.approx([25, 30, 32])
    assert table["people"].tolist() == [2, 2, 1]


def every_metric(gains):
    parts = [
        rows({("a", n): tries for n, tries in gains.items()}, metric.name) for metric in study.SHOWN
    ]
    return study.by_count(pd.concat(parts))


def test_findings_say_from_where_on_nothing_is_gained():
    gains = {50: [20, 20.1], 300: [25, 25.1], 800: [25.1, 25.15]}
    said = study.findings(every_metric(gains))[0]
    assert said.startswith("face PSNR: 20.1 with 50 frames, best 25.1 with 800")
    assert said.endswith("from 300 frames on no gain is larger than that.")


def test_findings_say_where_more_frames_are_worse():
    falling = {50: [20, 20.1], 100: [25, 25.1], 300: [22, 22.1], 800: [25, 25.05]}
    said = study.findings(every_metric(falling))[0]
    assert "from 100 frames on no gain is larger than that" in said
    assert said.endswith("; 22.1 with 300 is worse than the best by more.")


def test_findings_say_that_the_most_frames_are_the_best():
    said = study.findings(every_metric({50: [20, 20.1], 300: [25, 25.1]}))[0]
    assert said.endswith("better than every smaller count by more than that.")


def test_findings_say_that_noise_hides_everything():
    said = study.findings(every_metric({50: [20, 25], 300: [21, 26]}))[0]
    assert said.endswith("no count is better than the least by more than that.")


def test_findings_say_that_noise_is_unknown():
    assert "noise unknown" in study.findings(every_metric({50: [20], 300: [21]}))[0]


def test_the_published_choices_stand_beside_the_counts():
    costs = pd.DataFrame({
        "frames": [50, 50, 300, 300], "part": ["motion", "refinement"] * 2, "seconds": [1, 2, 3, 4],
    })  # fmt: skip
    table = study.beside_votes(every_metric({50: [20, 21], 300: [25, 26]}), costs)
    assert table["seconds"].tolist() == [3, 7]
    assert table["paper_chosen_percent"].tolist() == pytest.approx([0, 36.4], abs=0.05)
    assert table[m.SSIM.name].tolist() == pytest.approx([20.5, 25.5])
