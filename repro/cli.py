"""The command ``repro``."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from repro import __version__
from repro.assets_commands import assets_app, print_assets
from repro.config import SYNTHETIC, load_profile, parse_overrides
from repro.errors import UserError
from repro.study.commands import study_app

if TYPE_CHECKING:
    from repro.pipeline import Workspace

app = typer.Typer(
    help="Audio-driven talking faces: regenerate every table and figure, or make a video talk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(assets_app, name="assets")
app.add_typer(study_app, name="study")
out = Console(highlight=False)

CONFIG_FILE, LOCK_FILE = ".run.json", ".run.lock"
"""Beside a run's results: what it was given, and the sign that it is going on."""

ProfileOption = Annotated[str, typer.Option(help="smoke, demo, gpu, paper, or a .toml file.")]
SeedOption = Annotated[int, typer.Option(help="The one seed from which all others are drawn.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Override a setting: refine.steps=100.")
]
ResultsOption = Annotated[Path, typer.Option(help="Folder of all results.")]
CorpusOption = Annotated[
    str,
    typer.Option(
        help="Corpus that is learned from: synthetic, a folder of videos, or the folder of LRW, "
        "VoxCeleb2, TCD-TIMIT, GRID, LRS3 or CREMA-D."
    ),
]
ReferenceOption = Annotated[
    Path | None,
    typer.Option(
        help="The numbers to hold it against; by default results/reference/<profile>.json."
    ),
]


@app.callback()
def _options() -> None:
    """Audio-driven talking faces: regenerate every table and figure, or make a video talk."""


@app.command()
def version() -> None:
    """Print the version and the commit."""
    from repro.provenance import code_version

    code = code_version()
    commit = f" ({code.commit[:12]}{', changed' if code.dirty else ''})" if code.commit else ""
    out.print(f"talking-face-repro {__version__}{commit}")


@app.command()
def doctor(results: ResultsOption = Path("results")) -> None:
    """Say what is here, what is missing, and the command that installs it.

    Exits with 1 where something that a run needs is missing.
    """
    from repro.doctor import check_all, install_command

    checks = check_all(results)
    table = Table("", "", "what to do", box=None)
    for check in checks:
        mark = "[green]ok[/]" if check.fine else "[red]no[/]" if check.needed else "[yellow]!![/]"
        table.add_row(mark, f"{check.name}: {check.found}", check.remedy)
    out.print(table)
    command = install_command(checks)
    if command:
        out.print(f"\nMissing system libraries; as root:\n\n    {command}\n", markup=False)
    out.print()
    print_assets()
    if any(check.needed and not check.fine for check in checks):
        raise typer.Exit(1)


@app.command()
def run(
    profile: ProfileOption = "demo",
    corpus: CorpusOption = SYNTHETIC,
    seed: SeedOption = 0,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Processor cores; all by default.")
    ] = None,
    notebook: Annotated[
        str | None, typer.Option(help="Only up to this notebook, by its number: 03.")
    ] = None,
    results: ResultsOption = Path("results"),
    overrides: SetOption = None,
) -> None:
    """Run the notebooks in order; only what changed since the last run is done again."""
    from repro.files import write_json
    from repro.provenance import command_line
    from repro.results import MANIFEST, REPORT

    changes = parse_overrides(overrides or [])
    load_profile(profile, changes)  # says what is wrong before anything starts
    corpus = corpus if corpus == SYNTHETIC else str(_existing(Path(corpus)))
    root = _root(results.resolve(), profile, corpus)
    target = "all" if notebook is None else _notebook_target(notebook)
    config = root / CONFIG_FILE
    command = [
        *(sys.executable, "-m", "snakemake", target),
        *("--snakefile", str(_checkout() / "Snakefile"), "--directory", str(_checkout())),
        *("--configfile", str(config), "--cores", str(cores or os.cpu_count() or 1)),
        *("--scheduler", "greedy", "--rerun-incomplete", "--nolock", "--quiet", "host", "reason"),
    ]
    given = {
        "profile": profile,
        "corpus": corpus,
        "seed": seed,
        "results_dir": str(results.resolve()),
        "overrides": changes,
        "command": command_line(),
        "until": notebook and notebook[:2],
    }
    _make_folder(root)
    try:
        with FileLock(root / LOCK_FILE, timeout=0):
            write_json(config, given)
            code = subprocess.run(command, check=False).returncode
    except Timeout as error:
        raise UserError(f"Another run is writing to '{root}'; wait for it or end it.") from error
    if code:
        raise typer.Exit(code)
    if notebook is None:
        _print_results(root)
        out.print(f"report    {root / REPORT}", markup=False, soft_wrap=True)
        out.print(f"manifest  {root / MANIFEST}", markup=False, soft_wrap=True)


@app.command("corpus")
def make_corpus(
    profile: ProfileOption = "demo",
    share: Annotated[
        str, typer.Option(help="Which share, of how many: 2/8. Together they are all of it.")
    ] = "1/1",
    seed: SeedOption = 0,
    results: ResultsOption = Path("results"),
    overrides: SetOption = None,
) -> None:
    """Make the synthetic corpus before a run, or a share of it on each of several machines."""
    match = re.fullmatch(r"(\d+)/(\d+)", share)
    if match is None:
        raise UserError(f"Share '{share}' must be written like 2/8: the second of eight.")
    part = int(match[1]), int(match[2])
    settings = load_profile(profile, parse_overrides(overrides or []))

    from repro import pipeline

    root = _root(results.resolve(), profile, SYNTHETIC)
    made = pipeline.corpus(pipeline.Workspace.open(root, settings, seed=seed), part=part)
    out.print(f"corpus    {made.folder}", markup=False, soft_wrap=True)


def _root(results: Path, profile: str, corpus: str) -> Path:
    """Where the results of a profile on a corpus stand."""
    return results / Path(profile).stem / Path(corpus).name


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise UserError(f"Corpus '{folder}' must be '{SYNTHETIC}' or a folder of videos.")
    return folder.resolve()


def _checkout() -> Path:
    root = Path(__file__).resolve().parents[1]
    if not (root / "Snakefile").is_file():
        raise UserError(
            "The notebooks and the Snakefile are not installed with the package; "
            "run from a checkout (`pip install -e .`)."
        )
    return root


def _notebook_target(number: str) -> str:
    """The rule of a notebook: ``notebook_03``."""
    numbers = sorted(p.name[:2] for p in (_checkout() / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if number[:2] not in numbers:
        raise UserError(f"There is no notebook '{number}'; the numbers are {', '.join(numbers)}.")
    return f"notebook_{number[:2]}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Folder '{folder}' cannot be written ({error.strerror}).") from error


@app.command()
def talk(
    video: Annotated[Path, typer.Option(help="A short video of one person, or a photo.")],
    audio: Annotated[Path, typer.Option(help="What they shall say: any sound or video file.")],
    to: Annotated[Path, typer.Option("--out", help="The video to write (.mp4).")],
    profile: ProfileOption = "demo",
    frames: Annotated[
        int | None,
        typer.Option(min=50, help="Frames of the video to learn from, where a person is learned."),
    ] = None,
    seed: SeedOption = 0,
    work: Annotated[
        Path | None,
        typer.Option(help="Folder where models are kept; results/PROFILE/synthetic."),
    ] = None,
    full_frame: Annotated[
        bool, typer.Option("--full-frame", help="The video's whole picture, not its square crop.")
    ] = False,
    method: Annotated[
        Literal["natural-head-pose", "everybodys-talkin", "rhythmic-head-motion"],
        typer.Option(
            help="Yi et al.: head and face made anew; Song et al.: the mouth alone; Chen et al.: "
            "whole frames from a few."
        ),
    ] = "natural-head-pose",
    references: Annotated[
        int | None,
        typer.Option(min=1, help="How many frames rhythmic-head-motion is shown, of the first 64."),
    ] = None,
    overrides: SetOption = None,
) -> None:
    """Make a person's video say what an audio file says."""
    from repro.talk import talk as make_talk

    settings = load_profile(profile, parse_overrides(overrides or []))
    record = make_talk(
        video,
        audio,
        to,
        profile=settings,
        frames=settings.talk.frames if frames is None else frames,
        seed=seed,
        work=work,
        full_frame=full_frame,
        method=method,
        references=references,
    )
    out.print(f"video   {to}", markup=False, soft_wrap=True)
    out.print(f"record  {to.with_suffix('.json')}", markup=False, soft_wrap=True)
    stages = record.get("stages")
    if isinstance(stages, dict):
        _print_costs(stages)


@app.command("verify-video")
def verify_video(
    video: Annotated[Path, typer.Argument(help="Any video; its record is looked for beside it.")],
) -> None:
    """Say whether a video says that it was generated, what made it, and whether that fits.

    Exits with 0 where it says so and everything that says so fits the file; with 1 where nothing
    says so, or where the file was changed since; with 2 where it cannot be read.
    """
    from repro.label import verify

    found = verify(video)
    table = Table(box=None, show_header=False)
    for name, said in found.lines():
        table.add_row(name, escape(said))
    out.print(table)
    raise typer.Exit(found.exit_code)


def _print_costs(stages: dict[str, dict[str, float]]) -> None:
    table = Table("stage", "seconds", "peak MiB", box=None)
    for name, cost in stages.items():
        table.add_row(name, f"{cost['seconds']:.1f}", f"{cost['peak_memory_mib']:.0f}")
    out.print(table)


@app.command()
def report(
    profile: ProfileOption = "demo",
    corpus: CorpusOption = SYNTHETIC,
    results: ResultsOption = Path("results"),
    reference: ReferenceOption = None,
) -> None:
    """Write a run's page anew, and say what it has made, and where."""
    from repro.report import write_page
    from repro.results import MANIFEST

    root = _root(results, profile, corpus)
    _print_results(root)
    if not (root / MANIFEST).is_file():
        out.print("There is no page yet: the run has not come to its end; go on with `repro run`.")
        return
    page = write_page(root, reference=reference or _reference(profile))
    out.print(f"report    {page}", markup=False, soft_wrap=True)


def _print_results(root: Path) -> None:
    from repro.results import Run

    found = Run.read(root)
    table = Table("results of", str(root), box=None)
    for stage in found.stages:
        cost = found.costs().get(stage, {})
        table.add_row(stage, f"{cost['seconds']:.0f} s" if "seconds" in cost else "done")
    out.print(table)
    for kind, paths in (("tables", found.tables), ("figures", found.figures)):
        for path in paths:
            out.print(f"{kind:<9} {path}", markup=False, soft_wrap=True)


@app.command()
def verify(
    profile: ProfileOption = "demo",
    corpus: CorpusOption = SYNTHETIC,
    results: ResultsOption = Path("results"),
    reference: ReferenceOption = None,
) -> None:
    """Hold a run's numbers against the committed reference, cell by cell.

    Exits with 0 where every cell of the reference was reproduced or came within its noise, with 1
    where one deviates or could not be compared, with 2 where there is nothing to compare.
    """
    from repro.study.commands import print_verdicts

    if not print_verdicts(_root(results, profile, corpus), reference or _reference(profile)):
        raise typer.Exit(1)


@app.command("reference")
def make_reference(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Results' folders (as of --results) of repeat runs of other seeds."),
    ],
    profile: ProfileOption = "demo",
    corpus: CorpusOption = SYNTHETIC,
    to: Annotated[
        Path | None, typer.Option("--out", help="The file to write; the committed reference.")
    ] = None,
) -> None:
    """Make the reference of ``repro verify`` from repeat runs: the first one's values, all's noise.

    A cell's tolerance is 2.8 standard deviations over the runs: give three or more. A folder of the
    same name, without .json, gets the first run's tables and figures.
    """
    from repro.reference import write_reference_folder
    from repro.study.commands import write_reference_of

    to = to or _reference(profile)
    roots = [_root(folder, profile, corpus) for folder in runs]
    write_reference_of(roots, to)
    page = write_reference_folder(roots[0], to.with_suffix(""))
    out.print(f"reference  {to}\npage       {page}", markup=False, soft_wrap=True)


def _reference(profile: str) -> Path:
    """Where the committed reference of a profile stands."""
    return _checkout() / "results" / "reference" / f"{Path(profile).stem}.json"


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(help="render, pictures, corpus, reconstruct, motion or refine."),
    ],
    runs: Annotated[
        int | None, typer.Option(min=1, help="Timed calls after a warm-up; people to look at.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of PyTorch and of the rasteriser.")
    ] = None,
    clips: Annotated[
        Path | None,
        typer.Option(help="reconstruct, motion, refine: a folder of videos, not synthetic people."),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="reconstruct: settings of this profile, and its network beside the fit; "
            "motion, refine: whose run is measured, demo by default."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="reconstruct: who the people are; else the run's.")
    ] = 0,
    results: ResultsOption = Path("results"),
    overrides: SetOption = None,
    to: Annotated[Path | None, typer.Option("--out", help="Write the JSON here too.")] = None,
) -> None:
    """Measure a part whose speed or accuracy matters; prints JSON."""
    from repro.bench import BENCHES
    from repro.files import write_json

    if name not in BENCHES:
        raise UserError(f"There is no bench '{name}'; choose one of {', '.join(BENCHES)}.")
    given: dict[str, object] = {"runs": runs, "threads": threads}
    if name not in {"reconstruct", "motion", "refine"}:
        if clips is not None or profile is not None or seed or overrides:
            raise UserError(
                "--clips, --profile, --seed and --set are for reconstruct, motion and refine, "
                f"not for {name}."
            )
    elif name != "reconstruct":
        given["clips"] = clips
        given["ws"] = _workspace(profile or "demo", results, overrides or [], seed=seed)
    else:
        given |= {"clips": clips, "seed": seed}
        if profile is not None:
            given |= _reconstruction_of(profile, results, overrides or [])
        elif overrides:
            raise UserError("--set changes a profile's settings: name it with --profile.")
    record = BENCHES[name](**{key: value for key, value in given.items() if value is not None})
    if to is not None:
        write_json(to, record)
    typer.echo(json.dumps(record, indent=2))


def _reconstruction_of(profile: str, results: Path, overrides: list[str]) -> dict[str, object]:
    """Settings of the fit and the network of a profile's run, trained now where it is not yet."""
    from repro import pipeline

    ws = _workspace(profile, results, overrides)
    network, _, _ = pipeline.coefficient_network(ws)
    return {"settings": ws.profile.reconstruct, "network": network}


def _workspace(profile: str, results: Path, overrides: list[str], *, seed: int = 0) -> "Workspace":
    """The workspace of a profile's run on the synthetic corpus."""
    from repro import pipeline

    settings = load_profile(profile, parse_overrides(overrides))
    root = _root(results.resolve(), profile, SYNTHETIC)
    return pipeline.Workspace.open(root, settings, seed=seed)


def main() -> None:
    """Run the command; what people can put right is one sentence and exit code 2."""
    try:
        app()
    except UserError as error:
        typer.echo(f"repro: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
