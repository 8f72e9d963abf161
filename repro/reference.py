"""Tables and figures that stand beside a reference's numbers, and a page to look at them."""

import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

import jinja2

from repro.config import SYNTHETIC
from repro.errors import UserError
from repro.report import Table, shown_table, small_figures
from repro.results import Run
from repro.study.cells import read_results
from repro.tables import markdown, read_table

FIGURE_BYTES = 5_000_000
"""All figures take about so much at most."""


def write_reference_folder(root: Path, folder: Path) -> Path:
    """Write a run's tables (.csv), its figures (.webp) and a page of both; returns the page.

    What lay in ``folder`` is replaced.

    Parameters
    ----------
    root : folder of the run's results, which has come to its end
    folder : to be written; the page is its ``README.md``

    Raises
    ------
    UserError
        No results there, one of them cannot be read, or the folder cannot be written.
    """
    run = Run.read(root)
    origin = read_results(root).origin
    contents: dict[str, bytes] = {}
    tables: dict[Path, tuple[Table, str]] = {}
    for path in run.tables:
        table, href = read_table(path), f"tables/{path.name}"
        tables[path] = shown_table(path.stem[3:], href, table), markdown(table)
        contents[href] = path.read_bytes()
    figures: dict[Path, tuple[str, str]] = {}
    for path, picture in small_figures(run.figures, most_bytes=FIGURE_BYTES).items():
        href = path.relative_to(root).with_suffix(".webp").as_posix()
        figures[path] = path.stem.replace("_", " "), href
        contents[href] = picture
    sections = []
    for stage in run.stages:
        own, pictures = run.of_stage(stage)
        sections.append((stage, [tables[path] for path in own], [figures[p] for p in pictures]))
    template = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string((files("repro") / "reference.md.jinja").read_text(encoding="utf-8"))
    page = template.render(
        name=folder.name,
        origin=origin,
        synthetic=origin.corpus == SYNTHETIC,
        sections=sections,
    )
    contents["README.md"] = page.encode()
    _replace(folder, contents)
    return folder / "README.md"


def _replace(folder: Path, contents: dict[str, bytes]) -> None:
    """Write a folder's files under a hidden name, and move it into place."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as made:
            new, old = Path(made) / "new", Path(made) / "old"
            for name, content in contents.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(content)
            if folder.exists():
                shutil.move(folder, old)
            os.replace(new, folder)
    except OSError as error:
        raise UserError(f"'{folder}' cannot be written ({error.strerror}).") from error
