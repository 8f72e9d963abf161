"""Tables of a run in the forms that people paste: Markdown and LaTeX beside the CSV."""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from repro.errors import UserError
from repro.files import atomic_path

DIGITS = 4
"""Significant digits of a number as it is shown; the CSV holds all of them."""

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def read_table(path: Path) -> pd.DataFrame:
    """A run's table.

    Raises
    ------
    UserError
        The file is not a table.
    """
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise UserError(
            f"Table '{path}' cannot be read ({error}); run its notebook again."
        ) from error


def cell(value: object) -> str:
    """A table's entry as text: numbers to four significant digits, nothing for what is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        if math.isinf(value):
            return "∞" if value > 0 else "-∞"
        if value == round(value) and abs(value) < 10**DIGITS:
            return f"{value:.0f}"
        return f"{value:.{DIGITS}g}"
    return str(value)


def as_text(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table as it is shown."""
    rows = [[cell(value) for value in row] for row in table.itertuples(index=False)]
    return [str(name) for name in table.columns], rows


def is_number(table: pd.DataFrame) -> list[bool]:
    """Which columns hold numbers, and are set to the right."""
    kinds = pd.api.types
    return [kinds.is_numeric_dtype(k) and not kinds.is_bool_dtype(k) for k in table.dtypes]


def markdown(table: pd.DataFrame) -> str:
    """The table in Markdown."""
    head, rows = as_text(table)
    rule = ["---:" if number else "---" for number in is_number(table)]
    return _lines([head, rule, *rows])


def _lines(rows: Sequence[Sequence[str]]) -> str:
    shown = ("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in rows)
    return "\n".join(shown) + "\n"


def latex(table: pd.DataFrame) -> str:
    """The table in LaTeX: ``tabular`` with booktabs' rules."""
    head, rows = as_text(table)
    columns = "".join("r" if number else "l" for number in is_number(table))
    lines = [" & ".join(map(_escaped, row)) + r" \\" for row in (head, *rows)]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text).replace("∞", r"$\infty$")


def write_forms(path: Path, table: pd.DataFrame) -> None:
    """Write Markdown (.md) and LaTeX (.tex) beside a table's CSV."""
    for suffix, text in ((".md", markdown(table)), (".tex", latex(table))):
        with atomic_path(path.with_suffix(suffix)) as temporary:
            temporary.write_text(text, encoding="utf-8")
