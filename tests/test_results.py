"""What a run's folder holds."""

import json

import pytest

from repro.errors import UserError
from repro.results import Run


def write_markers(root):
    (root / "01_data_preparation.json").write_text(json.dumps({"seconds": 10.5}))
    (root / "02_reconstruction.json").write_text(
        json.dumps({"seconds": 2.0, "peak_memory_mib": 900.0, "error": {"px": 0.1}})
    )


def test_costs_are_read_from_the_markers(tmp_path):
    write_markers(tmp_path)
    costs = Run.read(tmp_path).costs()
    assert costs["01_data_preparation"] == {"seconds": 10.5}
    assert costs["02_reconstruction"] == {"seconds": 2.0, "peak_memory_mib": 900.0}


def test_tables_and_figures_are_told_by_number_and_folder(tmp_path):
    write_markers(tmp_path)
    names = ["tables/01_clips.csv", "tables/02_fit.csv", "figures/02_reconstruction/fit.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    tables, figures = Run.read(tmp_path).of_stage("02_reconstruction")
    assert [p.name for p in tables] == ["02_fit.csv"]
    assert [p.name for p in figures] == ["fit.png"]


def test_videos_of_studies_and_half_written_ones_are_left_where_they_are(tmp_path):
    write_markers(tmp_path)
    (tmp_path / "videos" / "study" / "ours").mkdir(parents=True)
    for name in ("quickstart.mp4", "videos/strip.mp4", "videos/study/ours/a.mp4", ".half.tmp.mp4"):
        (tmp_path / name).write_bytes(b"x")
    found = [p.relative_to(tmp_path).as_posix() for p in Run.read(tmp_path).videos]
    assert found == ["quickstart.mp4", "videos/strip.mp4"]


def test_a_broken_marker_is_named(tmp_path):
    (tmp_path / "01_data_preparation.json").write_text("{")
    with pytest.raises(UserError, match="01_data_preparation"):
        Run.read(tmp_path)


def test_no_results_say_how_to_make_them(tmp_path):
    with pytest.raises(UserError, match="repro run"):
        Run.read(tmp_path)
