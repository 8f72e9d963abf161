"""The bench of reconstruction, in a size for tests."""

import json

import numpy as np
import pytest

from repro.bench import bench_reconstruct
from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic import make_corpus
from repro.errors import UserError
from repro.evaluate.compare_reconstruction import METHODS
from repro.face.model import load_open_model
from repro.reconstruct.network import CoefficientNetwork
from repro.reconstruct.network_settings import ReconstructNetworkSettings


@pytest.fixture(scope="module")
def network():
    tiny = ReconstructNetworkSettings(block="basic", layers=(1, 1, 1, 1), width=4, input_px=32)
    return CoefficientNetwork.untrained(load_open_model(), tiny, seed=0).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One clip of a second, without its truth."""
    folder = tmp_path_factory.mktemp("clips")
    small = CorpusSettings(
        people=2, personal_people=1, general_clips=1, clip_s=1.0, image_px=160, supersample=1,
        workers=1, seed=7990,
    )  # fmt: skip
    (entry,) = make_corpus(folder, small, splits=("general",)).split("general")
    entry.truth.unlink()
    entry.masks.unlink()
    return folder


def test_people_are_measured_against_their_truth(network):
    made = bench_reconstruct(runs=1, seed=3, clip_s=1.0, image_px=160, network=network)
    assert made["truth"]["landmark_error_percent"] < 10
    assert made["truth"]["yaw_error_deg"] < 5
    assert made["neutral_better_than_mean_share"] in (0, 1)
    assert made["frames"] == 25
    assert made["frames_per_s"]["detection"] > made["frames_per_s"]["total"] > 0
    assert made["peak_memory_mib"] > 100
    rows = {row["method"]: row for row in made["comparison"]}
    assert tuple(rows) == METHODS
    assert all(row["yaw_error_deg"] < 10 and row["ms_per_frame"] > 0 for row in rows.values())
    assert "mouth_motion_error_percent" in rows["network"]
    assert "mouth_motion_error_percent" not in rows["solvepnp"]
    json.dumps(made, allow_nan=False)


def test_videos_are_measured_against_their_landmarks(folder):
    made = bench_reconstruct(clips=folder)
    (name,) = made["clips"]
    assert name == "general_7990000_00.mp4"
    assert 0 < made["landmarks"]["reprojection_median"] < 10
    assert made["landmarks"]["far_frames"] == 0
    assert [row["method"] for row in made["comparison"]] == [m for m in METHODS if m != "network"]
    assert all("yaw_error_deg" not in row for row in made["comparison"])
    assert made["clips"][name] == pytest.approx(made["landmarks"])


def test_a_seed_of_other_corpora_is_refused():
    with pytest.raises(UserError, match="0 to 999"):
        bench_reconstruct(seed=1000)


def test_the_command_measures_a_folder(folder, tmp_path, monkeypatch, capsys):
    from repro import cli

    out = tmp_path / "made.json"
    arguments = ["repro", "bench", "reconstruct", "--clips", str(folder), "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    made = json.loads(capsys.readouterr().out)
    assert made == json.loads(out.read_text())
    assert np.isfinite(made["landmarks"]["lip_gap_r"])


def test_the_command_takes_a_profile_s_fit_and_network(tmp_path, monkeypatch, capsys):
    from repro import bench, cli, pipeline

    given = {}
    monkeypatch.setitem(bench.BENCHES, "reconstruct", lambda **kw: given.update(kw) or {})
    monkeypatch.setattr(pipeline, "coefficient_network", lambda ws: (ws, None, ""))
    monkeypatch.setattr(
        "sys.argv",
        ["repro", "bench", "reconstruct", "--profile", "smoke", "--runs", "2", "--seed", "5",
         "--results", str(tmp_path), "--set", "reconstruct.crop_margin=2.0"],
    )  # fmt: skip
    with pytest.raises(SystemExit):
        cli.main()
    assert given["settings"].crop_margin == 2.0
    assert given["network"].root == tmp_path / "smoke" / "synthetic"
    assert (given["runs"], given["seed"]) == (2, 5) and "threads" not in given
