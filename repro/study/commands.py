"""The commands ``repro study`` and, for ``repro verify``, what it prints."""

from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

study_app = typer.Typer(no_args_is_help=True, help="People's ratings: make a study, analyse it.")
out = Console(highlight=False)

_COLOURS = {
    "reproduced": "green",
    "within noise": "green",
    "deviates": "red",
    "not comparable": "yellow",
}


def print_verdicts(root: Path, reference: Path) -> bool:
    """Print how a run's results stand against a reference; whether every cell of it holds."""
    from repro.study.cells import read_results
    from repro.study.verdict import compare, holds, read_reference, tally, version_differences

    wanted, given = read_reference(reference), read_results(root)
    verdicts = compare(given, wanted)
    table = Table("stage", "cell", "reference", "noise", "n", "this run", "verdict", box=None)
    for v in verdicts:
        known = v.reference
        table.add_row(
            v.stage,
            v.cell,
            _number(known.value) if known else "",
            _number(known.tolerance, ".2g") if known else "",
            str(known.n) if known else "",
            _number(v.value),
            f"[{_COLOURS[v.verdict]}]{v.verdict}[/]{f': {v.reason}' if v.reason else ''}",
        )
    out.print(table)
    out.print()
    for name, origin in (("reference", wanted.origin), ("this run", given.origin)):
        words = f"{name:<9}  {origin.code}, seed {origin.seed}, {origin.device}"
        out.print(words, markup=False, soft_wrap=True)
    for difference in version_differences(given.origin, wanted.origin):
        out.print(f"versions   {difference}", markup=False)
    counts = tally(verdicts)
    out.print("verdict    " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return holds(verdicts)


def _number(value: float | None, digits: str = ".6g") -> str:
    """A number as text; empty where there is none, a dash where it is undefined."""
    if value is None:
        return ""
    return "-" if value != value else format(value, digits)
