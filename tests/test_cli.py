"""The command line, without the work behind it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from repro import cli, doctor


@pytest.fixture
def snakemake(monkeypatch):
    """Stands in for Snakemake: notes the command it was called with."""
    commands = []

    def run(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(cli.subprocess, "run", run)
    return commands


def write_results(root):
    (root / "figures" / "02").mkdir(parents=True)
    (root / "figures" / "02" / "fit.png").write_bytes(b"png")
    (root / "tables").mkdir()
    (root / "tables" / "table_1.csv").write_text("a,b\n")
    marker = {"seconds": 12.3, "peak_memory_mib": 700.0, "clips": {"people": 6}}
    (root / "01_data_preparation.json").write_text(json.dumps(marker))


def test_a_bad_profile_is_one_sentence_and_exit_code_2(call, tmp_path):
    code, _, error = call("run", "--profile", "dmeo", "--results", tmp_path)
    assert code == 2
    assert error.startswith("repro: There is no profile 'dmeo'")
    assert len(error.splitlines()) == 1


def test_a_usage_error_is_exit_code_2(call):
    assert call("talk", "--video", "a.mp4")[0] == 2
    assert call("no-such-command")[0] == 2


def test_run_passes_its_options_to_snakemake(call, snakemake, tmp_path):
    write_results(tmp_path / "smoke" / "synthetic")
    code, printed, _ = call(
        *("run", "--profile", "smoke", "--seed", 3, "--cores", 1, "--results", tmp_path),
        *("--set", "refine.steps=9"),
    )
    assert code == 0
    (command,) = snakemake
    assert command[:4] == [sys.executable, "-m", "snakemake", "all"]
    given = json.loads(Path(command[command.index("--configfile") + 1]).read_text())
    assert (given["profile"], given["corpus"], given["seed"]) == ("smoke", "synthetic", 3)
    assert given["until"] is None
    assert given["overrides"] == {"refine.steps": 9}
    assert command[command.index("--cores") + 1] == "1"
    for path in ("tables/table_1.csv", "figures/02/fit.png", "report.html", "manifest.json"):
        assert path in printed


def test_a_run_that_fails_passes_its_exit_code_on(call, monkeypatch, tmp_path):
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(cli.subprocess, "run", lambda *_, **__: failed)
    assert call("run", "--profile", "smoke", "--results", tmp_path)[0] == 1


def test_a_second_run_into_the_same_results_is_refused(call, snakemake, tmp_path):
    root = tmp_path / "smoke" / "synthetic"
    root.mkdir(parents=True)
    with cli.FileLock(root / cli.LOCK_FILE):
        code, _, error = call("run", "--profile", "smoke", "--results", tmp_path)
    assert code == 2
    assert "Another run" in error
    assert snakemake == []


def test_a_corpus_is_synthetic_or_a_folder_of_videos(call, snakemake, tmp_path):
    code, _, error = call("run", "--corpus", tmp_path / "none", "--results", tmp_path)
    assert code == 2
    assert "folder of videos" in error
    videos = tmp_path / "videos"
    videos.mkdir()
    write_results(tmp_path / "demo" / "videos")
    assert call("run", "--corpus", videos, "--results", tmp_path)[0] == 0
    config = snakemake[0][snakemake[0].index("--configfile") + 1]
    assert json.loads(Path(config).read_text())["corpus"] == str(videos)


def test_results_that_cannot_be_written_are_refused(call, snakemake, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, error = call("run", "--profile", "smoke", "--results", tmp_path / "file")
    assert code == 2
    assert "cannot be written" in error


def test_run_stops_at_the_notebook_that_is_asked_for(call, snakemake, tmp_path):
    assert call("run", "--notebook", "06", "--results", tmp_path)[0] == 0
    (command,) = snakemake
    assert command[3] == "notebook_06"
    given = json.loads(Path(command[command.index("--configfile") + 1]).read_text())
    assert given["until"] == "06"


def test_an_unknown_notebook_is_refused(call, snakemake, tmp_path):
    code, _, error = call("run", "--notebook", "99", "--results", tmp_path)
    assert code == 2
    assert "no notebook '99'" in error


def test_report_lists_tables_and_figures(call, tmp_path):
    write_results(tmp_path / "demo" / "synthetic")
    code, printed, _ = call("report", "--results", tmp_path)
    assert code == 0
    assert "12 s" in printed
    assert "table_1.csv" in printed


def test_report_without_results_says_how_to_make_them(call, tmp_path):
    code, _, error = call("report", "--results", tmp_path)
    assert code == 2
    assert "repro run" in error


def test_assets_tells_how_to_get_each(call):
    code, printed, _ = call("assets")
    assert code == 0
    for words in ("01_MorphableModel.mat", "signed form", "open-face-1", "lrw"):
        assert words in printed


def test_doctor_exits_with_1_where_something_needed_is_missing(call, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_loads", lambda library: library != "libEGL.so.1")
    code, printed, _ = call("doctor", "--results", tmp_path)
    assert code == 1
    assert "apt-get install -y libegl1" in printed


def test_doctor_names_packages_that_are_missing_or_too_old():
    checks = doctor.check_packages(["no-such-package-anywhere>=1", "numpy>=999", "scipy>=1"])
    assert [(c.name, c.fine) for c in checks] == [
        ("package no-such-package-anywhere", False),
        ("package numpy", False),
    ]


def test_an_unknown_bench_is_refused(call):
    code, _, error = call("bench", "painter")
    assert code == 2
    assert "choose one of render, pictures, corpus" in error


def test_bench_prints_json_with_the_machine_and_writes_it(call, tmp_path):
    path = tmp_path / "bench.json"
    code, printed, _ = call("bench", "render", "--runs", 2, "--out", path)
    assert code == 0
    record = json.loads(printed)
    assert record == json.loads(path.read_text())
    row = record["times"][0]
    assert row["triangles"] > 9000
    assert row["ms_median"] > 0
    assert row["covered_px"] > 10_000
    assert record["machine"]["cpu"]


def test_a_bench_refuses_what_is_for_another(call, tmp_path):
    for given in (("--clips", tmp_path), ("--set", "refine.steps=3")):
        code, _, error = call("bench", "render", *given)
        assert code == 2 and "reconstruct" in error
    code, _, error = call("bench", "reconstruct", "--set", "reconstruct.sweeps=3")
    assert code == 2 and "--profile" in error


def test_a_share_of_the_corpus_is_made_where_the_run_looks_for_it(call, monkeypatch, tmp_path):
    from repro.pipeline import targets

    asked = []

    def made(folder, settings, *, splits, part, progress):
        asked.append((folder, settings.people, part))
        return targets.Corpus(folder, settings, ())

    monkeypatch.setattr(targets, "make_corpus", made)
    arguments = ("--profile", "smoke", "--results", tmp_path, "--set", "corpus.people=4")
    code, printed, _ = call("corpus", "--share", "2/8", *arguments)
    ((folder, people, part),) = asked
    assert code == 0 and str(folder) in printed and (people, part) == (4, (2, 8))
    assert folder.parent == tmp_path / "smoke" / "synthetic" / "corpus"


def test_a_share_that_is_no_share_is_refused(call, tmp_path):
    code, _, error = call("corpus", "--share", "half", "--results", tmp_path)
    assert code == 2 and "2/8" in error


def test_verify_video_says_by_its_exit_code_what_it_found(call, tmp_path):
    import numpy as np

    from repro.corpus.video import VideoWriter
    from repro.label import container_label

    for name, tags in (("made", container_label({"motion": "abc"})), ("other", {})):
        with VideoWriter(tmp_path / f"{name}.mp4", size=(64, 48), metadata=tags) as writer:
            writer.write(np.zeros((48, 64, 3), np.uint8))
    code, printed, _ = call("verify-video", tmp_path / "made.mp4")
    assert code == 0 and "synthetic" in printed and "yes" in printed and "abc" in printed
    code, printed, _ = call("verify-video", tmp_path / "other.mp4")
    assert code == 1 and "not said" in printed
    code, _, error = call("verify-video", tmp_path / "gone.mp4")
    assert code == 2 and error.startswith("repro: No such file")
