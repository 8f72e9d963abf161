"""Run a notebook as the Snakefile does, and write its page: ``python -m repro.execute``."""

import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import papermill
import typer
from traitlets.config import Config

from repro.page import write_page


def execute(source: Path, out: Path, *, parameters: Mapping[str, object]) -> Path:
    """Run a notebook with parameters by papermill; returns the page beside what was run.

    The kernel is spoken to over a socket in a folder of its own rather than an open port, to which
    every user of the machine could connect and of which ipykernel warns.

    Parameters
    ----------
    source : the notebook
    out : the .ipynb to write; an .html of the same name goes beside it
    parameters : of its ``parameters`` cell

    Raises
    ------
    papermill.PapermillExecutionError
        A cell failed; ``out`` then shows where.
    """
    logging.getLogger("papermill").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        config = Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"})
        papermill.execute_notebook(
            source, out, parameters=dict(parameters), kernel_name="python3",
            progress_bar=False, config=config,
        )  # fmt: skip
    return write_page(out, out.with_suffix(".html"), source=source)


def main(
    source: Path,
    out: Path,
    parameters: Annotated[str, typer.Option(help='As JSON: \'{"profile": "smoke"}\'.')] = "{}",
) -> None:
    """Run a notebook with parameters and write its page."""
    execute(source, out, parameters=json.loads(parameters))


if __name__ == "__main__":
    typer.run(main)
