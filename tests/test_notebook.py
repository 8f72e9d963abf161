import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from repro.notebook import begin, check


def test_an_exercise_without_an_answer_says_so():
    assert check(None, np.ones(3)) == "No answer yet."


def test_an_answer_is_right_within_the_tolerance():
    assert check([1, 1, 1.00001], np.ones(3)) == "Right."
    assert check(7, 7) == "Right."


def test_an_answer_s_check_is_shown_without_quotes():
    shown, _ = DisplayFormatter().format(check(7, 7))
    assert shown["text/markdown"] == "Right."


def test_a_wrong_answer_hears_how_it_differs():
    assert "by up to 0.5" in check([1, 1.5], np.ones(2))
    assert "(2,)" in check([1, 1], np.ones(3))


@pytest.mark.parametrize(("folder", "root"), [("notebooks", ""), ("elsewhere", "elsewhere")])
def test_results_of_a_notebook_run_in_its_folder_stand_with_those_of_a_whole_run(
    tmp_path, monkeypatch, folder, root
):
    (tmp_path / "Snakefile").touch()
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    run = begin("00_x", profile="smoke", corpus="synthetic", results_dir="results", seed=0)
    assert run.ws.root == tmp_path / root / "results" / "smoke" / "synthetic"
