"""The examples of docs/extending.md run as they stand, and do what they say."""

import re
from pathlib import Path

import numpy as np
import pytest

from repro.corpus import readers
from repro.corpus.recording import TEST, TRAIN
from repro.study.head_pose import Heads

PAGE = Path(__file__).resolve().parents[1] / "docs" / "extending.md"
EXAMPLES = re.findall(r"^## (.+?)\n.*?```python\n(.*?)```", PAGE.read_text(), re.M | re.S)


def names_of(title):
    """What an example defines."""
    names: dict = {}
    exec(dict(EXAMPLES)[title], names)
    return names


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_is_short(title, code):
    lines = [line for line in code.splitlines() if line and not line.startswith(("import", "from"))]
    assert len(lines) <= 20


def test_a_corpus_of_ones_own_is_known_by_its_layout(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "READERS", dict(readers.READERS))
    monkeypatch.setattr(readers, "_LAYOUTS", dict(readers._LAYOUTS))
    names_of("A corpus")
    (tmp_path / "takes").mkdir()
    for stem in ("anna_1", "bert_1"):
        (tmp_path / "takes" / f"{stem}.mp4").touch()
        (tmp_path / "takes" / f"{stem}.txt").write_text(f"said by {stem}")
    assert readers.recognise(tmp_path) == "mine"
    anna, bert = readers.read_recordings(tmp_path)
    assert (anna.speaker, anna.split, anna.text) == ("anna", TEST, "said by anna_1")
    assert (bert.speaker, bert.split) == ("bert", TRAIN)


def test_a_method_of_ones_own_has_its_row():
    rng = np.random.default_rng(0)
    learned, tested = 0.1 * rng.standard_normal((2, 40, 3))
    made = {"general, paper": (np.zeros((40, 3)),)}
    heads = [Heads(name, learned + k, tested + k, made) for k, name in enumerate("ab")]
    rows = names_of("A method")["table"](heads).set_index("against")
    same = rows.loc["same person, other frames", "mean_hs"]
    assert rows.loc["backwards", "mean_hs"] == pytest.approx(same)  # order does not matter to HS


def test_a_metric_of_ones_own_has_its_row():
    real = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3)).astype(np.uint8)
    table = names_of("A metric")["table"](real, {"itself": real, "still": real[[0] * 5]})
    assert table.set_index("method")["value"].to_dict() == {"itself": 1.0, "still": 0.0}
