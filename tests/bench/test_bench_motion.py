"""The bench of motion, on people who are not filmed."""

import json
from pathlib import Path

import numpy as np
import pytest
from known import Known

from repro import bench, pipeline
from repro.bench import bench_motion
from repro.config import load_profile
from repro.corpus.clip import Clip
from repro.study import motion as study


@pytest.fixture
def ws(tmp_path, linear_mapping, spoken, made_up_track, monkeypatch):
    """Two people; every mapping is the linear one."""
    clip = Clip(Path("none.mp4"), 96, 96, 1, 25, True, 1)
    people = [
        Known(f"p{k}", "", clip, np.empty(0), made_up_track, said.audio, said.motion)
        for k, said in ((k, spoken(k)) for k in (20, 22))
    ]
    monkeypatch.setattr(pipeline, "general_motion", lambda ws: (linear_mapping, None, ""))
    monkeypatch.setattr(pipeline, "personal_motion", lambda *_, **__: (linear_mapping, None, ""))
    monkeypatch.setattr(pipeline, "personal_targets", lambda ws: people)
    monkeypatch.setattr(pipeline, "further_targets", lambda ws: [])
    monkeypatch.setattr(pipeline, "target", lambda ws, path: people[int(path.stem)])
    changes = linear_mapping.settings.model_dump() | {"fine_tune_epochs": 1, "stride_frames": 30}
    values = {f"motion.{k}": v for k, v in changes.items()} | {"talk.frames": 300}
    profile = load_profile("smoke", values)
    return pipeline.Workspace.open(tmp_path, profile)


def test_people_are_measured_beside_ridge_with_times(ws):
    made = bench_motion(ws, runs=1, threads=1)
    assert set(made["people"]) == {"p20", "p22"}
    assert all(p["frames_tested"] == 50 for p in made["people"].values())
    assert {row["mapping"] for row in made["means"]} >= {study.GENERAL, study.RIDGE}
    assert -1 <= made["means"][0]["expression_r"] <= 1
    assert 0 < made["hs"]["personal, person"]["mean"] <= 1
    assert made["fine_tuning"]["seconds"] > 0
    assert made["inference"]["frames_per_s"] > 0
    assert "actions" not in made  # nobody's truth is known
    json.dumps(made, allow_nan=False)


def test_videos_are_tested_on_their_last_third(ws, monkeypatch):
    found = [Clip(Path(f"{k}.mp4"), 96, 96, 200, 25, True, 1) for k in range(2)]
    monkeypatch.setattr(bench.motion, "folder_corpus", lambda folder: found)
    made = bench_motion(ws, clips=Path("clips"), runs=1, threads=1)
    for person in made["people"].values():
        learned, tested = person["frames_learned"], person["frames_tested"]
        assert learned == round(2 / 3 * (learned + tested))


def test_the_command_takes_a_run_of_a_profile(tmp_path, monkeypatch, call):
    given = {}
    monkeypatch.setitem(bench.BENCHES, "motion", lambda **kw: given.update(kw) or {})
    code, _, _ = call(
        "bench", "motion", "--profile", "smoke", "--seed", "4", "--results", tmp_path,
        "--set", "motion.epochs=3", "--clips", tmp_path,
    )  # fmt: skip
    assert code == 0
    assert given["ws"].root == tmp_path / "smoke" / "synthetic"
    assert (given["ws"].seed, given["ws"].profile.motion.epochs) == (4, 3)
    assert given["clips"] == tmp_path
