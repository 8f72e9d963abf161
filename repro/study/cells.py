"""What of a run's records is a result, and what it came from."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.errors import UserError
from repro.results import MANIFEST, Run

_NO_RESULT = re.compile(
    r"^(seed|seconds|fps|device|profile)$|_(s|ms|mib|gib|fps)$|ms_per_frame$|^frames_per_s$"
)
_SPEED = re.compile(r"^(?!frames).*_per_s$")
"""Of something in the picture: a result."""

_PACKAGES = (
    "av",
    "librosa",
    "mediapipe",
    "numba",
    "numpy",
    "opencv-contrib-python",
    "scikit-image",
    "scipy",
    "torch",
)
"""Those whose versions may move a number."""


@dataclass(frozen=True)
class Origin:
    """Where numbers came from.

    profile, corpus, overrides, seed  what the run was given
    made_at, commit, dirty            when, and with which code
    machine                           as ``repro.provenance.machine`` tells it
    versions                          of the packages that may move a number
    """

    profile: str
    corpus: str
    overrides: Mapping[str, object]
    seed: int
    made_at: str
    commit: str | None
    dirty: bool | None
    machine: Mapping[str, object]
    versions: Mapping[str, str]

    @property
    def device(self) -> str:
        """The machine in words."""
        m, gpus = self.machine, self.machine.get("gpus")
        names = ", ".join(gpus) if isinstance(gpus, list) and gpus else "no GPU"
        return f"{m.get('cores')} cores of {m.get('cpu')}, {names}, Python {m.get('python')}"

    @property
    def code(self) -> str:
        """The commit in words."""
        return f"{(self.commit or 'no commit')[:12]}{', with local changes' if self.dirty else ''}"


@dataclass(frozen=True)
class Results:
    """The results of one run.

    cells   number by stage and dotted name; nan where it is not defined
    words   likewise what is said in words, such as which network was used
    origin  what they came from
    """

    cells: Mapping[str, Mapping[str, float]]
    words: Mapping[str, Mapping[str, str]]
    origin: Origin


def read_results(root: Path) -> Results:
    """The results in a run's folder.

    A cell is every number in a stage's record but seeds, times, rates of work and memory (told by
    name: ``seconds``, ``..._s``, ``..._ms``, ``..._mib``, ``..._fps``, ...).

    Raises
    ------
    UserError
        No results there, or no manifest: the run has not come to its end.
    """
    run = Run.read(root)
    return Results(
        {stage: cells_of(record) for stage, record in run.stages.items()},
        {stage: words_of(record) for stage, record in run.stages.items()},
        _origin(root / MANIFEST),
    )


def cells_of(record: Mapping[str, object]) -> dict[str, float]:
    """The results among a stage's numbers, by dotted name; entries of lists by their place."""
    return {
        name: math.nan if value is None else float(value)
        for name, value in _leaves(record)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    }


def words_of(record: Mapping[str, object]) -> dict[str, str]:
    """What a stage's record says in words, by dotted name."""
    return {name: str(value) for name, value in _leaves(record) if isinstance(value, str | bool)}


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Everything in a record that may be a result, with its dotted name."""
    if isinstance(value, Mapping):
        items = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        items = [(str(place), inner) for place, inner in enumerate(value)]
    else:
        yield name, value
        return
    for key, inner in items:
        if _SPEED.search(key) or not _NO_RESULT.search(key):
            yield from _leaves(inner, f"{name}.{key}" if name else key)


def _origin(manifest: Path) -> Origin:
    try:
        record = json.loads(manifest.read_text(encoding="utf-8"))
        given, code = record["parameters"], record["code"]
        return Origin(
            profile=Path(given["profile"]).stem,
            corpus=Path(given["corpus"]).name,
            overrides=given.get("overrides") or {},
            seed=record["seed"],
            made_at=record["made_at"],
            commit=code["commit"],
            dirty=code["dirty"],
            machine=record["machine"],
            versions={name: record["packages"].get(name, "none") for name in _PACKAGES},
        )
    except FileNotFoundError as error:
        raise UserError(
            f"There is no '{manifest}': the run has not come to its end; go on with `repro run`."
        ) from error
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"File '{manifest}' is not a run's manifest; delete it and run again."
        ) from error
