"""Which of a run's numbers are results."""

import json
import math

import pytest

from repro.errors import UserError
from repro.study.cells import cells_of, read_results, words_of

MANIFEST = {
    "made_at": "2026-01-01T00:00:00+00:00",
    "code": {"version": "0.1.0", "commit": "a" * 40, "dirty": True},
    "parameters": {"profile": "smoke", "corpus": "/data/lrw", "overrides": {"refine.steps": 9}},
    "seed": 3,
    "machine": {"python": "3.11.7", "cpu": "Z80", "cores": 2, "gpus": []},
    "packages": {"torch": "2.13.0", "numpy": "2.1.0"},
}


def test_seeds_times_memory_and_rates_of_work_are_no_results():
    record = {
        "seconds": 3.0,
        "training_s": 1.0,
        "peak_memory_mib": 5.0,
        "seed": 0,
        "ms_per_frame": 3.0,
        "with_landmarks_ms_per_frame": 3.0,
        "frames_per_s": 12.0,
        "stages": {"fit": {"seconds": 1.0}},
        "render_ms": 2.0,
        "fps": 25,
    }
    assert cells_of(record) == {}


def test_results_are_named_with_dots_and_places():
    record = {
        "hs": 0.9,
        "epochs": 10,
        "scores": {"refined": {"psnr": 30.0}},
        "range_deg": [1.0, 2.5],
        "speed_deg_per_s": {"yaw": 4.0},
        "seconds_of_video": 16.0,
        "recall": None,
    }
    cells = cells_of(record)
    assert math.isnan(cells.pop("recall"))
    assert cells == {
        "hs": 0.9,
        "epochs": 10.0,
        "scores.refined.psnr": 30.0,
        "range_deg.0": 1.0,
        "range_deg.1": 2.5,
        "speed_deg_per_s.yaw": 4.0,
        "seconds_of_video": 16.0,
    }


def test_words_and_yes_or_no_are_no_numbers():
    record = {"identity_network": "dlib", "memory": True, "device": "cpu", "profile": "demo"}
    assert cells_of(record) == {}
    assert words_of(record) == {"identity_network": "dlib", "memory": "True"}


def test_a_run_is_read_with_where_it_came_from(tmp_path):
    (tmp_path / "04_fine_tuning.json").write_text('{"hs": 0.9, "bad": NaN, "net": "dlib"}')
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    found = read_results(tmp_path)
    assert found.cells["04_fine_tuning"]["hs"] == 0.9
    assert math.isnan(found.cells["04_fine_tuning"]["bad"])
    assert found.words == {"04_fine_tuning": {"net": "dlib"}}
    origin = found.origin
    assert (origin.profile, origin.corpus, origin.seed) == ("smoke", "lrw", 3)
    assert origin.overrides == {"refine.steps": 9}
    assert origin.versions["torch"] == "2.13.0"
    assert origin.versions["mediapipe"] == "none"
    assert origin.device == "2 cores of Z80, no GPU, Python 3.11.7"
    assert origin.code == "aaaaaaaaaaaa, with local changes"


def test_a_run_that_did_not_end_is_one_sentence(tmp_path):
    (tmp_path / "04_fine_tuning.json").write_text('{"hs": 0.9}')
    with pytest.raises(UserError, match=r"no '.*manifest.json'.*not come to its end"):
        read_results(tmp_path)
    for broken in ("{", "{}", "[]", json.dumps({**MANIFEST, "parameters": 3})):
        (tmp_path / "manifest.json").write_text(broken)
        with pytest.raises(UserError, match="not a run's manifest"):
            read_results(tmp_path)
