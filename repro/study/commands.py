"""The commands ``repro study`` and, for ``repro verify``, what it prints."""

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from repro.errors import UserError

study_app = typer.Typer(no_args_is_help=True, help="People's ratings: make a study, analyse it.")
out = Console(highlight=False)

_COLOURS = {
    "reproduced": "green",
    "within noise": "green",
    "deviates": "red",
    "not comparable": "yellow",
}


@study_app.command()
def make(
    videos: Annotated[
        Path,
        typer.Argument(
            help="A folder with a folder of videos for each method, of the same names; or a CSV "
            "with the columns group, method, video."
        ),
    ],
    to: Annotated[Path, typer.Option("--out", help="The new folder to write.")],
    original: Annotated[
        str | None, typer.Option(help="The method that is the real video, shown for comparison.")
    ] = None,
    groups: Annotated[
        int | None, typer.Option(help="Groups to show, chosen at random; up to 30 by default.")
    ] = None,
    participants: Annotated[int, typer.Option(help="People to prepare orders for.")] = 20,
    one_by_one: Annotated[
        bool,
        typer.Option("--one-by-one", help="Have every video rated by itself, from fake to real."),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="Of all choices and codes; by default drawn, and kept secret."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
) -> None:
    """Make a blinded comparison or rating of videos: a page to hand out, and the key to keep.

    The default seed is drawn and stands in the key: with a known one, people could tell methods.
    """
    from repro.study.make import KEY, make_study
    from repro.study.videos import read_videos

    given = read_videos(videos, original=original)
    page = make_study(
        to,
        given,
        seed=secrets.randbits(63) if seed is None else seed,
        groups=groups,
        participants=participants,
        one_by_one=one_by_one,
        title=title,
    )
    out.print(f"page  {page}  (hand out its folder)", markup=False, soft_wrap=True)
    out.print(f"key   {to / KEY}  (keep it)", markup=False, soft_wrap=True)


@study_app.command()
def analyse(
    answers: Annotated[
        list[Path], typer.Argument(help="Files that participants sent, or folders of them.")
    ],
    key: Annotated[Path, typer.Option(help="The study's key.json.")],
    to: Annotated[
        Path | None, typer.Option("--out", help="Write .json here, and the table as .md beside.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the intervals' random draws.")] = 0,
) -> None:
    """Say what people chose, or how they rated: percentages, intervals, agreement."""
    from repro.study import marks, ratings
    from repro.study.answers import read_answers
    from repro.study.make import read_key

    content = read_key(key)
    given = read_answers(answers, content)
    if "scale" in content:
        analysis = marks.analyse_marks(given, content, seed=seed)
        _tell(marks.marks_markdown(analysis), analysis, to)
    else:
        analysis = ratings.analyse(given, content, seed=seed)
        _tell(ratings.markdown(analysis), analysis, to)


@study_app.command()
def published(
    to: Annotated[
        Path | None, typer.Option("--out", help="Write .json here, and the tables as .md beside.")
    ] = None,
) -> None:
    """Analyse the votes that the paper publishes anew, with intervals."""
    from repro.study.published import published as votes
    from repro.study.published import published_markdown

    _tell(published_markdown(), votes(), to)


def _tell(text: str, record: dict[str, object], to: Path | None) -> None:
    """Print a text, and write it and its record beside each other."""
    from repro.files import atomic_path, write_json

    if to is not None:
        if to.suffix != ".json":
            raise UserError(f"Cannot write '{to}': give it a name that ends in .json.")
        write_json(to, record)
        with atomic_path(to.with_suffix(".md")) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    typer.echo(text)


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


def write_reference_of(roots: list[Path], to: Path) -> None:
    """Write the reference that repeat runs give, and print how noisy their numbers are."""
    from repro.study.cells import read_results
    from repro.study.verdict import make_reference, write_reference

    reference = make_reference([read_results(root) for root in roots])
    write_reference(to, reference)
    cells = [cell for stage in reference.cells.values() for cell in stage.values()]
    same = sum(cell.tolerance == 0 for cell in cells)
    unknown = sum(cell.tolerance != cell.tolerance for cell in cells)
    seeds = ", ".join(str(origin.seed) for origin in reference.origins)
    out.print(
        f"runs       {len(roots)}, of seeds {seeds}\ncells      {len(cells)}: {same} the same in "
        f"all runs, {unknown} whose noise could not be measured",
        markup=False,
    )


def _number(value: float | None, digits: str = ".6g") -> str:
    """A number as text; empty where there is none, a dash where it is undefined."""
    if value is None:
        return ""
    return "-" if value != value else format(value, digits)
