"""Tables as Markdown and LaTeX."""

import io

import numpy as np
import pandas as pd
import pytest

from repro.errors import UserError
from repro.tables import cell, latex, markdown, read_table, write_forms

TABLE = pd.DataFrame({"a|b": ["x_1", "50 %"], "PSNR": [29.87654, np.inf], "n": [3, 100000]})


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456, "0.1235"), (12.0, "12"), (np.inf, "∞"), (np.nan, ""), (None, ""), (7, "7"),
     (123456.7, "1.235e+05"), ("word", "word"), (True, "True")],
)  # fmt: skip
def test_a_number_has_four_digits(value, text):
    assert cell(value) == text


def test_markdown_can_be_read_back():
    lines = markdown(TABLE.rename(columns={"a|b": "name"})).splitlines()
    read = pd.read_csv(io.StringIO("\n".join([lines[0], *lines[2:]])), sep="|").iloc[:, 1:-1]
    assert [name.strip() for name in read.columns] == ["name", "PSNR", "n"]
    assert float(read.iloc[0, 1]) == 29.88
    assert lines[1] == "| --- | ---: | ---: |"


def test_signs_with_a_meaning_are_escaped():
    assert "a\\|b" in markdown(TABLE)
    text = latex(TABLE)
    assert r"x\_1 & 29.88 & 3 \\" in text
    assert r"50 \% & $\infty$ & 100000 \\" in text
    assert text.startswith(r"\begin{tabular}{lrr}")


def test_what_is_true_or_false_is_no_number():
    table = pd.DataFrame({"found": [True, False], "n": [1, 2]})
    assert markdown(table).splitlines()[1] == "| --- | ---: |"


def test_both_forms_stand_beside_the_csv(tmp_path):
    path = tmp_path / "08_table_2.csv"
    TABLE.to_csv(path, index=False)
    write_forms(path, read_table(path))
    assert {p.name for p in tmp_path.iterdir()} == {
        "08_table_2.csv",
        "08_table_2.md",
        "08_table_2.tex",
    }


def test_a_broken_table_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(UserError, match=r"a\.csv"):
        read_table(tmp_path / "a.csv")
