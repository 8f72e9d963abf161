"""The commands ``repro assets`` and, for ``repro doctor``, what it prints."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from repro import assets
from repro.errors import UserError

assets_app = typer.Typer(invoke_without_command=True)
out = Console(highlight=False)


@assets_app.callback()
def list_assets(context: typer.Context) -> None:
    """List the licensed data and weights that can be used, and what stands in for each."""
    if context.invoked_subcommand is None:
        print_assets(details=True)


@assets_app.command()
def fetch(
    what: Annotated[
        str,
        typer.Argument(help="clips: six videos and three recordings of real people."),
    ],
    source: Annotated[
        Path | None, typer.Option("--from", help="Copy those at hand in this folder instead.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Folder to write; assets/clips.")] = None,
) -> None:
    """Get public files that are not shipped, each checked by its hash."""
    from repro.corpus.public_clips import fetch_clips

    if what != "clips":
        raise UserError(f"There is no '{what}' to fetch; choose clips.")
    for path in fetch_clips(assets.folder() / "clips" if to is None else to, source=source):
        out.print(str(path), markup=False, soft_wrap=True)


def _standing(row: assets.Asset, found: Path | None) -> str:
    if found is None:
        return "not there"
    if row.corpus:
        return f"{found} (learned from with --corpus {found})"
    return str(found) if row.taken else f"{found} (no stage takes it yet)"


def print_assets(*, details: bool = False) -> None:
    """Print what is there and what stands in; with ``details``, how to get each."""
    table = Table("asset", "is", "otherwise serves", box=None)
    for row in assets.ASSETS:
        if row.gated:
            found = assets.find(row.name)
            table.add_row(row.name, _standing(row, found), row.stand_in)
    out.print(table)
    if not details:
        out.print("\nNothing of these is needed. `repro assets` tells how to get each.")
        return
    for row in assets.ASSETS:
        where = assets.place(row)
        out.print(f"\n[bold]{row.name}[/]  {row.what}")
        out.print(f"    licence  {row.licence}", markup=False)
        out.print(f"    get      {row.how}", markup=False)
        if row.gated:
            parts = (part if isinstance(part, str) else " or ".join(part) for part in row.needs)
            needs = f" (with {', '.join(parts)})" if row.needs else ""
            out.print(f"    put at   {where}{needs}", markup=False)
