"""The bench of refinement, on the smoke run, and its command."""

import json

import pytest

from repro.bench import bench_refine
from repro.bench.refine import _gains, _medians
from repro.config import load_profile
from repro.pipeline import Workspace


def test_a_run_s_models_are_measured_on_held_out_frames(smoke_run):
    made = bench_refine(Workspace.open(smoke_run, load_profile("smoke")), runs=1, timed_runs=1)
    ((name, rows),) = made["people"].items()
    by_kind = {row["frames"]: row for row in rows}
    assert list(by_kind) == ["rendered", "low-frequency", "general", "refined"]
    for row in rows:
        assert 15 < row["face_psnr"] < 60 and 0 < row["ssim"] <= 1
        assert 0.9 < row["csim"] <= 1 and 0 < row["mouth_error_percent"] < 20
    assert made["memory"][name] >= 0.5
    assert made["training"]["general"]["steps"] == 20
    assert made["frames_per_s"] > 0 and made["stages"]["refine"]["peak_memory_mib"] < 6 * 1024
    json.dumps(made, allow_nan=False)


def test_people_of_a_folder_take_the_corpus_place(smoke_run, filmed_person, tmp_path):
    (tmp_path / "anna.mp4").symlink_to(filmed_person)
    ws = Workspace.open(smoke_run, load_profile("smoke"))
    made = bench_refine(ws, clips=tmp_path, timed_runs=1)
    assert (
        list(made["people"]) == ["anna"] == [name for name in made["memory"] if name != "general"]
    )
    best, plain = (made["people"]["anna"][k]["face_psnr"] for k in (0, 1))
    assert 15 < plain < best < 60


def test_medians_are_over_the_people_and_gains_over_the_rendered_frames():
    names = ("head_psnr", "face_psnr", "mouth_psnr", "ssim", "csim", "feature_distance")
    people = [
        [
            {"frames": "rendered", **dict.fromkeys(names, 1.0 * k)},
            {"frames": "low-frequency", **dict.fromkeys(names, 0.5 * k)},
            {"frames": "general", **dict.fromkeys(names, 2.0 * k)},
            {"frames": "refined", **dict.fromkeys(names, 3.0 * k)},
        ]
        for k in (1, 2, 9)
    ]
    medians = _medians(people)
    assert medians[0] == {"frames": "rendered", **dict.fromkeys(names, 2.0)}
    assert _gains(medians) == {
        "general": {
            "over rendered": dict.fromkeys(names, 2.0),
            "over low-frequency": dict.fromkeys(names, 3.0),
        },
        "refined": {
            "over rendered": dict.fromkeys(names, 4.0),
            "over low-frequency": dict.fromkeys(names, 5.0),
        },
    }


def run(monkeypatch, *arguments: str) -> object:
    from repro import cli

    monkeypatch.setattr("sys.argv", ["repro", "bench", "refine", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return stopped.value.code


def test_the_command_opens_the_run_of_a_profile(tmp_path, monkeypatch):
    from repro import bench

    given = {}
    monkeypatch.setitem(bench.BENCHES, "refine", lambda **kw: given.update(kw) or {})
    override = "refine.steps=3"
    where = ("--results", str(tmp_path), "--set", override, "--runs", "2")
    assert not run(monkeypatch, "--profile", "smoke", *where)
    assert given["ws"].root == tmp_path / "smoke" / "synthetic"
    assert given["ws"].profile.refine.steps == 3 and given["runs"] == 2
