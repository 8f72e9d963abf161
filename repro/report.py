"""What a run has made: its tables, figures and numbers, and the pages that show them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2

from repro.errors import UserError
from repro.files import atomic_path, write_json
from repro.provenance import manifest

MANIFEST, REPORT = "manifest.json", "report.html"


@dataclass(frozen=True)
class Run:
    """The results of one profile on one corpus.

    root       their folder
    stages     each notebook's marker, by its stem, such as ``03_general_training``
    notebooks, tables, figures  files, sorted
    """

    root: Path
    stages: dict[str, dict[str, object]]
    notebooks: tuple[Path, ...]
    tables: tuple[Path, ...]
    figures: tuple[Path, ...]

    @classmethod
    def read(cls, root: Path) -> "Run":
        """Look through a folder of results.

        Raises
        ------
        UserError
            There are no results, or one of them cannot be read.
        """
        markers = sorted(root.glob("[0-9][0-9]_*.json"))
        if not markers:
            raise UserError(f"Folder '{root}' holds no results; make them with `repro run`.")
        return cls(
            root,
            {marker.stem: _load(marker) for marker in markers},
            tuple(sorted(root.glob("notebooks/*.ipynb"))),
            tuple(sorted(root.glob("tables/*.csv"))),
            tuple(sorted(root.glob("figures/**/*.png"))),
        )

    def costs(self) -> dict[str, dict[str, float]]:
        """Seconds and peak memory of each stage whose marker tells them."""
        names = ("seconds", "peak_memory_mib")
        return {
            stage: {n: float(str(marker[n])) for n in names if n in marker}
            for stage, marker in self.stages.items()
            if any(n in marker for n in names)
        }


def _load(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"File '{path}' is not JSON; delete it and run again.") from error
    if not isinstance(content, dict):
        raise UserError(f"File '{path}' is not a stage's record; delete it and run again.")
    return content


def flat(record: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """The numbers and words of a nested record by dotted name, as text; lists by their length."""
    rows: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            rows |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and len(value) > 6:
            rows[prefix + name] = f"{len(value)} values"
        elif isinstance(value, float):
            rows[prefix + name] = f"{value:.4g}"
        else:
            rows[prefix + name] = str(value)
    return rows


def write_report(
    root: Path, *, parameters: Mapping[str, object], seed: int, command: Sequence[str]
) -> tuple[Path, Path]:
    """Write a run's manifest and its page; returns their paths.

    Parameters
    ----------
    root : folder of the run's results
    parameters : what the run was given
    command : what started it
    """
    run = Run.read(root)
    record = manifest(parameters=parameters, seed=seed, stages=run.costs(), command=command)
    write_json(root / MANIFEST, record)
    page = root / REPORT
    with atomic_path(page) as temporary:
        temporary.write_text(_page(run, record), encoding="utf-8")
    return root / MANIFEST, page


def _page(run: Run, record: Mapping[str, object]) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(
        (files("repro") / "report.html.jinja").read_text(encoding="utf-8")
    )
    return template.render(
        record=record,
        stages={name: flat(marker) for name, marker in run.stages.items()},
        notebooks=_links(run, run.notebooks),
        tables=_links(run, run.tables),
        figures=_links(run, run.figures),
    )


def _links(run: Run, paths: tuple[Path, ...]) -> list[str]:
    return [path.relative_to(run.root).as_posix() for path in paths]
