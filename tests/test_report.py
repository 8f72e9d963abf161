"""A run's manifest and page."""

import json

import pytest

from repro.errors import UserError
from repro.report import Run, flat, write_report

PARAMETERS = {"profile": "smoke", "corpus": "synthetic"}
COMMAND = ["repro", "run", "--profile", "smoke"]


def write_markers(root):
    first = {"seconds": 10.5, "peak_memory_mib": 500.0, "note": "<b>bold</b>"}
    second = {"seconds": 2.0, "peak_memory_mib": 900.0, "error": {"px": 0.123456}}
    (root / "01_data_preparation.json").write_text(json.dumps(first))
    (root / "02_reconstruction.json").write_text(json.dumps(second))
    (root / "figures").mkdir()
    (root / "figures" / "fit.png").write_bytes(b"png")


def test_the_manifest_adds_up_the_stages(tmp_path):
    write_markers(tmp_path)
    path, _ = write_report(tmp_path, parameters=PARAMETERS, seed=4, command=COMMAND)
    record = json.loads(path.read_text())
    assert record["seconds"] == 12.5
    assert record["peak_memory_mib"] == 900.0
    assert record["seed"] == 4
    assert record["parameters"] == PARAMETERS
    assert record["command"] == COMMAND


def test_the_page_shows_numbers_figures_and_stand_ins_and_escapes_what_it_shows(tmp_path):
    write_markers(tmp_path)
    _, path = write_report(tmp_path, parameters=PARAMETERS, seed=4, command=COMMAND)
    page = path.read_text()
    for words in ("02 reconstruction", "error.px", "0.1235", 'src="figures/fit.png"', "lrw"):
        assert words in page
    assert "<b>bold</b>" not in page


def test_long_lists_are_counted_and_nested_records_named_with_dots():
    record = {"a": {"b": 1, "c": {"d": 0.5}}, "loss": list(range(100)), "few": [1, 2]}
    assert flat(record) == {"a.b": "1", "a.c.d": "0.5", "loss": "100 values", "few": "[1, 2]"}


def test_a_broken_marker_is_named(tmp_path):
    (tmp_path / "01_data_preparation.json").write_text("{")
    with pytest.raises(UserError, match="01_data_preparation"):
        Run.read(tmp_path)
