"""What a run has made: its tables, figures, videos and numbers."""

import json
from dataclasses import dataclass
from pathlib import Path

from repro.errors import UserError

MANIFEST, REPORT = "manifest.json", "report.html"


@dataclass(frozen=True)
class Run:
    """The results of one profile on one corpus.

    root       their folder
    stages     each notebook's marker, by its stem, such as ``03_general_training``
    notebooks, tables, figures  files, sorted
    videos     those to be shown: beside the markers and in ``videos``, not in its folders
    """

    root: Path
    stages: dict[str, dict[str, object]]
    notebooks: tuple[Path, ...]
    tables: tuple[Path, ...]
    figures: tuple[Path, ...]
    videos: tuple[Path, ...]

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
            _files(root, "notebooks/*.ipynb"),
            _files(root, "tables/*.csv"),
            _files(root, "figures/**/*.png"),
            _files(root, "*.mp4") + _files(root, "videos/*.mp4"),
        )

    def of_stage(self, stage: str) -> tuple[list[Path], list[Path]]:
        """Tables and figures of a notebook, told by the number and the folder they are under."""
        number = f"{stage[:2]}_"
        figures = self.root / "figures" / stage
        return (
            [path for path in self.tables if path.name.startswith(number)],
            [path for path in self.figures if figures in path.parents],
        )

    def costs(self) -> dict[str, dict[str, float]]:
        """Seconds and peak memory of each stage whose marker tells them."""
        names = ("seconds", "peak_memory_mib")
        return {
            stage: {n: float(str(marker[n])) for n in names if n in marker}
            for stage, marker in self.stages.items()
            if any(n in marker for n in names)
        }


def _files(root: Path, pattern: str) -> tuple[Path, ...]:
    """Files, sorted, but those that a run which was killed left half-written under hidden names."""
    return tuple(sorted(p for p in root.glob(pattern) if not p.name.startswith(".")))


def _load(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"File '{path}' is not JSON; delete it and run again.") from error
    if not isinstance(content, dict):
        raise UserError(f"File '{path}' is not a stage's record; delete it and run again.")
    return content
