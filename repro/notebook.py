"""What every notebook begins and ends with: its workspace, its figures and tables, its marker."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from repro.config import load_profile
from repro.figures import keep
from repro.files import write_json
from repro.pipeline import Workspace
from repro.provenance import MIB, peak_memory_bytes


@dataclass(frozen=True)
class Session:
    """A notebook being run.

    stage  the notebook's stem, such as ``03_general_training``
    ws     where its results go
    began  ``time.perf_counter()`` at the start
    """

    stage: str
    ws: Workspace
    began: float

    def show(self, figure: Figure, name: str) -> Figure:
        """Keep a figure among the results, and give it back to be shown."""
        keep(figure, self.ws.root / "figures" / self.stage, name)
        plt.close(figure)  # shown once, as the cell's value
        return figure

    def table(self, rows: pd.DataFrame, name: str) -> pd.DataFrame:
        """Keep a table among the results as CSV, and give it back to be shown."""
        folder = self.ws.root / "tables"
        folder.mkdir(exist_ok=True)
        rows.to_csv(folder / f"{self.stage[:2]}_{name}.csv", index=False)
        return rows

    def finish(self, **numbers: object) -> Mapping[str, object]:
        """Write the marker that says this notebook is done, with its main numbers."""
        record = {
            **numbers,
            "seed": self.ws.seed,
            "profile": self.ws.profile.name,
            "face_model": self.ws.model.name,
            "device": self.ws.device,
            "seconds": round(time.perf_counter() - self.began, 1),
            "peak_memory_mib": round(peak_memory_bytes() / MIB, 1),
        }
        write_json(self.ws.root / f"{self.stage}.json", record)
        return record


def begin(
    stage: str,
    *,
    profile: str,
    corpus: str,
    results_dir: str,
    seed: int,
    overrides: Mapping[str, object] | None = None,
) -> Session:
    """Open the workspace that a notebook's ``parameters`` cell asks for.

    What an earlier notebook made is read; what is missing is made on the way. A relative
    ``results_dir`` counts from the working folder, or from the checkout where that is its
    ``notebooks/``, as in JupyterLab: its results are those of ``repro run``.
    """
    settings = load_profile(profile, overrides)
    root = _from_checkout(Path.cwd()) / results_dir / settings.name / Path(corpus).name
    return Session(
        stage, Workspace.open(root, settings, corpus=corpus, seed=seed), time.perf_counter()
    )


def _from_checkout(folder: Path) -> Path:
    inside = folder.name == "notebooks" and (folder.parent / "Snakefile").is_file()
    return folder.parent if inside else folder


class Said(str):
    """A sentence that a notebook shows as text, not as a value in quotes."""

    def _repr_markdown_(self) -> str:
        return str(self)


def check(answer: object, right: object, *, tolerance: float = 1e-4) -> Said:
    """Hold an exercise's answer, ``None`` for none yet, against the right one.

    Parameters
    ----------
    answer, right : numbers or arrays
    tolerance : largest difference of an entry that still counts as equal
    """
    if answer is None:
        return Said("No answer yet.")
    given, wanted = np.asarray(answer, np.float64), np.asarray(right, np.float64)
    if given.shape != wanted.shape:
        return Said(f"Not yet: the shape is {given.shape}, not {wanted.shape}.")
    off = float(np.abs(given - wanted).max(initial=0))
    return Said("Right." if off <= tolerance else f"Not yet: off by up to {off:.3g}.")
