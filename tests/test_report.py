"""A run's manifest and its page."""

import json
import re

import cv2
import numpy as np
import pytest

from repro.corpus.video import VideoWriter
from repro.errors import UserError
from repro.report import inline_figures, inline_videos, write_page, write_report
from repro.study.cells import read_results
from repro.study.verdict import make_reference, write_reference

PARAMETERS = {"profile": "smoke", "corpus": "synthetic"}
COMMAND = ["repro", "run", "--profile", "smoke"]


def write_results(root, *, seed: int = 0, psnr: float = 30.0):
    first = {"seconds": 10.5, "peak_memory_mib": 500.0, "note": "<b>bold</b>"}
    second = {"seconds": 2.0, "peak_memory_mib": 900.0, "psnr": psnr, "curve": [1.0] * 100}
    hs = {"seconds": 1.0, "mean_hs": {"personal, paper": 0.97}}
    root.mkdir(parents=True, exist_ok=True)
    (root / "01_data_preparation.json").write_text(json.dumps(first))
    (root / "06_gan_refinement.json").write_text(json.dumps(second))
    (root / "09_head_pose_hs.json").write_text(json.dumps(hs))
    for folder in ("tables", "figures/06_gan_refinement", "videos"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tables" / "06_scores.csv").write_text("frames,psnr\nrefined,31.23456\n")
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    cv2.imwrite(str(root / "figures" / "06_gan_refinement" / "refined.png"), picture)
    with VideoWriter(root / "videos" / "strip.mp4", size=(32, 32), audio=None) as writer:
        for _ in range(5):
            writer.write(picture[:32, :32])
    given = {"parameters": PARAMETERS, "seed": seed, "command": COMMAND}
    write_report(root, **given)
    return root


@pytest.fixture
def reference(tmp_path):
    roots = [write_results(tmp_path / f"seed{s}", seed=s, psnr=30.0 + s) for s in range(2)]
    path = tmp_path / "smoke.json"
    write_reference(path, make_reference([read_results(root) for root in roots]))
    return path


def test_the_manifest_adds_up_the_stages(tmp_path):
    record = json.loads((write_results(tmp_path, seed=4) / "manifest.json").read_text())
    assert record["seconds"] == 13.5
    assert record["peak_memory_mib"] == 900.0
    assert record["seed"] == 4
    assert record["parameters"] == PARAMETERS
    assert record["command"] == COMMAND


def test_the_page_stands_alone(tmp_path):
    root = write_results(tmp_path / "run")
    text = (root / "report.html").read_text()
    assert len(re.findall(r'<img src="data:image/webp;base64,', text)) == 1
    assert len(re.findall(r'<video src="data:video/mp4;base64,', text)) == 1
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert "<script" not in text
    for words in ("31.23", "lrw", "Manifest", "0.859 (15 videos)", "&lt;b&gt;bold"):
        assert words in text
    assert "<b>bold</b>" not in text
    assert "There is no reference" in text


def test_numbers_stand_beside_the_reference_with_noise_and_verdict(tmp_path, reference):
    root = write_results(tmp_path / "new", psnr=31.5)
    write_page(root, reference=reference)
    numbers = (root / "numbers.csv").read_text()
    assert "06_gan_refinement,psnr,,31.5,1.97989" in numbers
    assert "within noise" in numbers
    page = (root / "report.html").read_text()
    assert '<td class="within">within noise</td>' in page
    assert re.search(r"\d+ reproduced", page)


def test_a_deviation_is_told_with_its_size(tmp_path, reference):
    root = write_results(tmp_path / "new", psnr=40.0)
    write_page(root, reference=reference)
    assert "deviates: off by 10, tolerance 1.98" in (root / "report.html").read_text()


def test_curves_are_left_to_the_figures(tmp_path):
    root = write_results(tmp_path)
    assert "curve" not in (root / "numbers.csv").read_text()


def test_every_table_also_stands_as_markdown_and_latex(tmp_path):
    root = write_results(tmp_path)
    assert "| refined | 31.23 |" in (root / "tables" / "06_scores.md").read_text()
    assert r"refined & 31.23 \\" in (root / "tables" / "06_scores.tex").read_text()
    assert (root / "numbers.md").is_file() and (root / "numbers.tex").is_file()


def test_figures_are_made_coarser_until_they_fit(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (1000, 1000, 3), dtype=np.uint8)
    paths = [tmp_path / f"{k}.png" for k in range(2)]
    for path in paths:
        cv2.imwrite(str(path), noise)
    fine = sum(map(len, inline_figures(paths).values()))
    coarse = sum(map(len, inline_figures(paths, most_bytes=600_000).values()))
    assert coarse < 0.6 * fine
    assert coarse * 3 / 4 < 600_000


def test_a_broken_figure_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"a\.png"):
        inline_figures([tmp_path / "a.png"])


def test_videos_that_do_not_fit_are_linked(tmp_path):
    (tmp_path / "small.mp4").write_bytes(b"x" * 10)
    (tmp_path / "large.mp4").write_bytes(b"x" * 100)
    shown = inline_videos([tmp_path / "large.mp4", tmp_path / "small.mp4"], tmp_path, most_bytes=50)
    assert shown[0][0] == "small.mp4" and shown[0][1].startswith("data:video/mp4")
    assert shown[1] == ("large.mp4", "")
