import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))
STEMS = [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=STEMS)
def test_a_committed_notebook_is_thin_and_holds_no_output(path):
    book = nbformat.read(path, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    tagged = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert max(len(cell.source.splitlines()) for cell in code) <= 30


@pytest.mark.parametrize("path", NOTEBOOKS, ids=STEMS)
def test_links_of_a_notebook_lead_to_the_functions_they_name(path):
    cells = nbformat.read(path, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    links = [link for text in texts for link in re.findall(r"\[([^\]]+)\]\((\.\./[^)]+)\)", text)]
    for words, target in links:
        code = (path.parent / target).read_text()
        for name in re.findall(r"`([\w.]+)`", words):
            last = name.split(".")[-1]
            assert re.search(rf"(def|class) {last}\b|^{last}\b", code, re.M), (name, target)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=STEMS)
def test_a_notebook_reads_alone(path):
    cells = nbformat.read(path, as_version=4).cells
    assert "**Time and memory**" in cells[0].source and "](../repro/" in cells[0].source
    exercises = [cell.source for cell in cells if "# your answer" in cell.source]
    assert len(exercises) == 3
    assert all("check(" in source for source in exercises)


@pytest.mark.parametrize("stem", STEMS)
def test_a_notebook_as_run_is_quiet_and_has_a_page(smoke_run, stem):
    book = nbformat.read(smoke_run / "notebooks" / f"{stem}.ipynb", as_version=4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type in ("stream", "error")]
    page = (smoke_run / "notebooks" / f"{stem}.html").read_text()
    assert not re.search(r"<(script|link)[^>]*(src|href)=", page)
    assert page.count("data:image/png;base64") >= 1


@pytest.mark.parametrize("stem", STEMS)
def test_the_smoke_run_finishes_every_notebook_with_its_numbers(smoke_run, stem):
    marker = json.loads((smoke_run / f"{stem}.json").read_text())
    assert marker["seed"] == 0 and marker["profile"] == "smoke"
    assert (smoke_run / "notebooks" / f"{stem}.ipynb").is_file()
    assert list((smoke_run / "figures" / stem).glob("*.png"))


def test_the_run_leaves_a_manifest_and_a_report(smoke_run):
    manifest = json.loads((smoke_run / "manifest.json").read_text())
    assert {"code", "seed", "machine", "stand_ins", "packages"} <= set(manifest)
    assert "open-face-1" in (smoke_run / "report.html").read_text()


def test_reconstruction_of_synthetic_people_is_near_the_truth(smoke_run):
    marker = json.loads((smoke_run / "02_reconstruction.json").read_text())
    assert marker["residual_percent"] < 2
    assert marker["yaw_error_deg"] < 2
    assert marker["lip_gap_r"] > 0.8


def test_the_refined_frames_are_nearer_to_the_real_ones_than_black_or_grey(smoke_run):
    scores = json.loads((smoke_run / "06_gan_refinement.json").read_text())["scores"]
    for name in ("rendered", "refined"):
        assert scores[name]["face_psnr"] > 15
        assert scores[name]["sharpness_ratio"] > 0.1


def test_a_second_run_does_nothing_again(smoke_run):
    before = {path: path.stat().st_mtime_ns for path in smoke_run.glob("[!.]*.json")}
    command = [sys.executable, "-m", "repro.cli", "run", "--profile", "smoke"]
    results = str(smoke_run.parents[1])
    subprocess.run([*command, "--results", results], cwd=CHECKOUT, check=True, capture_output=True)
    assert {path: path.stat().st_mtime_ns for path in smoke_run.glob("[!.]*.json")} == before


def test_a_notebook_runs_alone_with_plain_papermill(smoke_run, tmp_path):
    command = [sys.executable, "-m", "papermill", "--no-progress-bar"]
    parameters = ["-p", "profile", "smoke", "-p", "results_dir", str(smoke_run.parents[1])]
    source = CHECKOUT / "notebooks" / "04_fine_tuning.ipynb"
    out = Path(tmp_path) / "out.ipynb"
    subprocess.run(
        [*command, str(source), str(out), *parameters],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert out.is_file()
