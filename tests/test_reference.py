"""The tables and figures that are committed beside the reference's numbers."""

import re

import cv2
import numpy as np
import pytest
from test_report import write_results

from repro.errors import UserError
from repro.reference import write_reference_folder


def test_the_page_shows_the_tables_and_links_to_files_that_are_there(tmp_path):
    root = write_results(tmp_path / "run", seed=3)
    long = "\n".join(f"{k},{k * k}" for k in range(100))
    (root / "tables" / "06_steps.csv").write_text(f"step,loss\n{long}\n")
    page = write_reference_folder(root, tmp_path / "kept" / "smoke")
    text = page.read_text()
    assert "Every person in them is synthetic." in text
    assert "seed 3" in text
    assert "| refined | 31.23 |" in text
    assert "[steps](tables/06_steps.csv), 100 rows" in text and "| 99 |" not in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert "figures/06_gan_refinement/refined.webp" in links
    for link in links:
        assert (page.parent / link).is_file()


def test_a_figure_looks_as_it_did(tmp_path):
    root = write_results(tmp_path / "run")
    smooth = np.tile(np.linspace(0, 255, 80)[None, :, None], (60, 1, 3)).astype(np.uint8)
    cv2.imwrite(str(root / "figures" / "06_gan_refinement" / "refined.png"), smooth)
    write_reference_folder(root, tmp_path / "smoke")
    kept = cv2.imread(str(tmp_path / "smoke" / "figures" / "06_gan_refinement" / "refined.webp"))
    assert np.abs(kept.astype(int) - smooth).max() < 12


def test_what_lay_there_is_replaced_and_nothing_else_is_left(tmp_path):
    root = write_results(tmp_path / "run")
    old = tmp_path / "kept" / "smoke" / "tables" / "06_gone.csv"
    old.parent.mkdir(parents=True)
    old.write_text("a\n1\n")
    write_reference_folder(root, tmp_path / "kept" / "smoke")
    assert not old.exists()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["smoke"]


def test_a_run_that_has_not_ended_leaves_what_lay_there(tmp_path):
    root = write_results(tmp_path / "run")
    kept = write_reference_folder(root, tmp_path / "smoke").read_text()
    (root / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"manifest\.json.*repro run"):
        write_reference_folder(root, tmp_path / "smoke")
    assert (tmp_path / "smoke" / "README.md").read_text() == kept
