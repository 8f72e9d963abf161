"""One page with all that a run has made, which needs no other file and no network.

Every table, figure and short video stands in it; beside each number the paper's, where it has one,
and the committed reference's noise and verdict, where there is one. The tables are written as
Markdown and LaTeX beside their CSV, and all numbers as ``numbers.csv``.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import cv2
import jinja2
import numpy as np
import pandas as pd

from repro.config import SYNTHETIC
from repro.errors import UserError
from repro.files import atomic_path, write_json
from repro.provenance import manifest
from repro.results import MANIFEST, REPORT, Run
from repro.study.cells import cells_of, read_results, words_of
from repro.study.verdict import Verdict, compare, read_reference, tally
from repro.tables import as_text, is_number, read_table, write_forms

NUMBERS = "numbers.csv"

FIGURE_BYTES, VIDEO_BYTES = 8_000_000, 2_500_000
"""All figures, and all videos, take about so much of the page at most, before base64."""

_FORMS = ((88, 1600), (75, 1200), (60, 1000), (45, 800))
"""Quality and most pixels of a figure's side, the finest first: the first that fits is taken."""

_LONG, _WORDY = 30, 3000
"""Rows and letters of a table that is shown at once; longer ones open on a click."""


@dataclass(frozen=True)
class Table:
    """A table as the page shows it.

    name, href  its name, and its CSV beside the page
    head, rows  as text
    numbers     which columns are set to the right
    """

    name: str
    href: str
    head: list[str]
    rows: list[list[str]]
    numbers: list[bool]

    @property
    def is_long(self) -> bool:
        """Whether it opens on a click."""
        letters = sum(len(entry) for row in self.rows for entry in row)
        return len(self.rows) > _LONG or letters > _WORDY


@dataclass(frozen=True)
class Section:
    """What a notebook has made: its numbers, words, tables and figures (name and data URI)."""

    name: str
    cost: str
    numbers: Table
    words: Mapping[str, str]
    tables: list[Table]
    figures: list[tuple[str, str]]
    notebook: str


def write_report(
    root: Path,
    *,
    parameters: Mapping[str, object],
    seed: int,
    command: Sequence[str],
    reference: Path | None = None,
) -> tuple[Path, Path]:
    """Write a run's manifest and its page; returns their paths.

    Parameters
    ----------
    root : folder of the run's results
    parameters : what the run was given
    command : what started it
    reference : of ``repro verify``; None, or a file that is not there, for none
    """
    run = Run.read(root)
    record = manifest(
        parameters=parameters,
        seed=seed,
        stages=run.costs(),
        command=command,
        own_corpus=parameters.get("corpus", SYNTHETIC) != SYNTHETIC,
    )
    write_json(root / MANIFEST, record)
    return root / MANIFEST, write_page(root, reference=reference)


def write_page(root: Path, *, reference: Path | None = None) -> Path:
    """Write the page and the tables' other forms from what lies in a run's folder.

    Raises
    ------
    UserError
        No results there, or no manifest: the run has not come to its end.
    """
    run = Run.read(root)
    results = read_results(root)  # says what is missing
    record = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    known = reference if reference is not None and reference.is_file() else None
    verdicts: list[Verdict] = []
    if known is not None:
        verdicts = compare(results, read_reference(known))
    judged = {(v.stage, v.cell): v for v in verdicts}
    numbers = {stage: numbers_of(stage, marker, judged) for stage, marker in run.stages.items()}
    every = pd.concat([t.assign(stage=stage) for stage, t in numbers.items()])
    every = every[["stage", *(c for c in every.columns if c != "stage")]]
    with atomic_path(root / NUMBERS) as temporary:
        every.to_csv(temporary, index=False)
    write_forms(root / NUMBERS, every)
    tables = {path: read_table(path) for path in run.tables}
    for path, table in tables.items():
        write_forms(path, table)
    pictures = inline_figures(run.figures)
    sections = [_section(run, stage, numbers[stage], tables, pictures) for stage in run.stages]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(
        (files("repro") / "report.html.jinja").read_text(encoding="utf-8")
    )
    page = root / REPORT
    with atomic_path(page) as temporary:
        text = template.render(
            record=record,
            manifest_text=json.dumps(record, indent=1, ensure_ascii=False),
            sections=sections,
            videos=inline_videos(run.videos, root),
            verdicts=tally(verdicts) if verdicts else {},
            reference=None if known is None else known.name,
            numbers=NUMBERS,
        )
        temporary.write_text(text, encoding="utf-8")
    return page


def numbers_of(
    stage: str, marker: Mapping[str, object], judged: Mapping[tuple[str, str], Verdict]
) -> pd.DataFrame:
    """A stage's numbers: cell, paper, this run, noise, verdict.

    Long lists, such as curves, are left to figures. ``noise`` is the reference's tolerance.
    """
    short = {k: v for k, v in marker.items() if not (isinstance(v, list) and len(v) > 8)}
    paper = _paper().get(stage, {})
    rows = []
    for name, value in cells_of(short).items():
        printed, verdict = paper.get(name), judged.get((stage, name))
        noise = verdict.reference.tolerance if verdict and verdict.reference else float("nan")
        rows.append(
            {
                "cell": name,
                "paper": f"{printed[0]:g} ({printed[1]})" if printed else "",
                "this run": value,
                "noise": noise,
                "verdict": _said(verdict),
            }
        )
    return pd.DataFrame(rows, columns=["cell", "paper", "this run", "noise", "verdict"])


def _said(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return verdict.verdict + (f": {verdict.reason}" if verdict.reason else "")


def _paper() -> dict[str, dict[str, list]]:
    """The paper's numbers by stage and cell, each with what they were measured on."""
    text = (files("repro.study") / "data" / "paper_cells.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, list]] = json.loads(text)
    return found


def _section(
    run: Run,
    stage: str,
    numbers: pd.DataFrame,
    tables: Mapping[Path, pd.DataFrame],
    pictures: Mapping[Path, str],
) -> Section:
    own, figures = run.of_stage(stage)
    cost = run.costs().get(stage, {})
    shown = [f"{cost['seconds']:.0f} s"] if "seconds" in cost else []
    if "peak_memory_mib" in cost:
        shown.append(f"{cost['peak_memory_mib'] / 1024:.1f} GiB")
    kept = numbers
    for column in ("paper", "verdict"):  # columns with nothing in them only take space
        if not kept[column].astype(bool).any():
            kept = kept.drop(columns=[column] + ["noise"] * (column == "verdict"))
    notebook = next((p for p in run.notebooks if p.stem == stage), None)
    return Section(
        stage,
        ", ".join(shown),
        shown_table("numbers", NUMBERS, kept),
        words_of(run.stages[stage]),
        [shown_table(p.stem[3:], _relative(run.root, p), tables[p]) for p in own],
        [(p.stem, pictures[p]) for p in figures],
        _relative(run.root, notebook) if notebook else "",
    )


def shown_table(name: str, href: str, table: pd.DataFrame) -> Table:
    """A table as pages show it, with a link to its CSV."""
    head, rows = as_text(table)
    return Table(name.replace("_", " "), href, head, rows, is_number(table))


def _relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def inline_figures(paths: Sequence[Path], *, most_bytes: int = FIGURE_BYTES) -> dict[Path, str]:
    """Data URIs of figures, as fine as fits into ``most_bytes`` together.

    Raises
    ------
    UserError
        One of them is not a picture.
    """
    encoded = small_figures(paths, most_bytes=most_bytes)
    return {path: _uri("image/webp", content) for path, content in encoded.items()}


def small_figures(paths: Sequence[Path], *, most_bytes: int) -> dict[Path, bytes]:
    """Figures as WebP, as fine as fits into ``most_bytes`` together.

    Raises
    ------
    UserError
        One of them is not a picture.
    """
    for quality, side in _FORMS:
        encoded = {path: _webp(path, quality, side) for path in paths}
        if sum(map(len, encoded.values())) <= most_bytes:
            break
    return encoded


def _webp(path: Path, quality: int, most_px: int) -> bytes:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if _size(path) else None
    if image is None:
        raise UserError(f"Figure '{path}' is not a picture; run its notebook again.")
    scale = most_px / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()


def _size(path: Path) -> int:
    return path.stat().st_size


def inline_videos(
    paths: Sequence[Path], root: Path, *, most_bytes: int = VIDEO_BYTES
) -> list[tuple[str, str]]:
    """Name and data URI of each video, the smallest first; a link where no more fit in."""
    shown, left = [], most_bytes
    for path in sorted(paths, key=lambda p: (_size(p), p)):
        size = _size(path)
        if size <= left:
            left -= size
            shown.append((_relative(root, path), _uri("video/mp4", path.read_bytes())))
        else:
            shown.append((_relative(root, path), ""))
    return shown


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
