"""Whether a run gives the numbers of the reference, cell by cell.

The reference holds, for every cell, a value, how many repeat runs (other seeds) its noise was
measured on, and the tolerance: 2.8 of their standard deviations. That is the largest difference to
expect between two single runs in 95 of 100 cases (1.96 times the square root of 2; the
repeatability limit of ISO 5725-6) where the standard deviation is well known; measured on two or
three runs it is rough.

Each cell is one of

* **reproduced**: equal to six digits, or undefined in both;
* **within noise**: not equal, and no further away than the tolerance;
* **deviates**: further away, or undefined in one of the two;
* **not comparable**: the corpus or a setting differs; the stage names another network, face model
  or the like than the reference; the cell stands in one of the two only; or it is not equal and
  its noise was not measured (fewer than two repeat runs where it was defined).
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from repro.errors import UserError
from repro.files import write_json
from repro.study.cells import Origin, Results

REPRODUCED, WITHIN_NOISE, DEVIATES, NOT_COMPARABLE = VERDICTS = (
    "reproduced",
    "within noise",
    "deviates",
    "not comparable",
)

TOLERANCE_SD = 2.8
"""Standard deviations over repeat runs that two runs may lie apart."""

_EQUAL = 1e-6
_ZERO = 1e-9


@dataclass(frozen=True)
class ReferenceCell:
    """A number to be reproduced.

    value      of the first run; nan where undefined
    tolerance  2.8 standard deviations over the repeat runs; nan where fewer than two define it
    n          repeat runs that define it
    """

    value: float
    tolerance: float
    n: int


@dataclass(frozen=True)
class Reference:
    """The numbers to be reproduced.

    cells    by stage and dotted name
    words    likewise, of the first run
    origins  of every repeat run; the values are the first one's
    """

    cells: Mapping[str, Mapping[str, ReferenceCell]]
    words: Mapping[str, Mapping[str, str]]
    origins: tuple[Origin, ...]

    @property
    def origin(self) -> Origin:
        """Of the run whose values are the reference."""
        return self.origins[0]


@dataclass(frozen=True)
class Verdict:
    """What became of a cell.

    stage, cell  its place
    verdict      one of ``VERDICTS``
    reason       why it deviates or is not comparable, in words; empty otherwise
    value        this run's; None where it has no such cell
    reference    None where the reference has no such cell
    """

    stage: str
    cell: str
    verdict: str
    reason: str
    value: float | None
    reference: ReferenceCell | None


def compare(results: Results, reference: Reference) -> list[Verdict]:
    """The verdict on every cell of the run or of the reference, in the reference's order.

    Raises
    ------
    UserError
        The reference is of another profile.
    """
    given, wanted = results.origin, reference.origin
    if given.profile != wanted.profile:
        raise UserError(
            f"The reference is of profile '{wanted.profile}', the run of '{given.profile}'; "
            "name the reference of that profile with --reference."
        )
    whole = _difference(given, wanted)
    verdicts = []
    for stage in [*reference.cells, *(s for s in results.cells if s not in reference.cells)]:
        known, found = reference.cells.get(stage, {}), results.cells.get(stage, {})
        reason = whole or _wording(results.words.get(stage), reference.words.get(stage))
        for cell in [*known, *(c for c in found if c not in known)]:
            verdicts.append(_verdict(stage, cell, found.get(cell), known.get(cell), reason))
    return verdicts


def holds(verdicts: Sequence[Verdict]) -> bool:
    """Whether every cell of the reference was reproduced, or came within its noise.

    Cells that the reference does not know do not count; those that could not be compared do.
    """
    fine = (REPRODUCED, WITHIN_NOISE)
    return all(v.verdict in fine for v in verdicts if v.reference is not None)


def tally(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many cells came to each verdict."""
    counts = Counter(v.verdict for v in verdicts)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def version_differences(given: Origin, wanted: Origin) -> list[str]:
    """Packages whose versions differ, in words."""
    return [
        f"{name} {given.versions.get(name, 'none')} instead of {version}"
        for name, version in wanted.versions.items()
        if given.versions.get(name, "none") != version
    ]


def _difference(given: Origin, wanted: Origin) -> str:
    """Why nothing of two runs of one profile can be compared; empty where it can."""
    if given.corpus != wanted.corpus:
        return f"corpus '{given.corpus}' instead of '{wanted.corpus}'"
    names = {*given.overrides, *wanted.overrides}
    changed = [n for n in sorted(names) if given.overrides.get(n) != wanted.overrides.get(n)]
    return f"set otherwise: {', '.join(changed)}" if changed else ""


def _wording(given: Mapping[str, str] | None, wanted: Mapping[str, str] | None) -> str:
    """How two stages' words differ, where both have the stage."""
    if given is None or wanted is None:
        return ""
    changed = [
        f"{name} '{given.get(name, 'none')}' instead of '{word}'"
        for name, word in wanted.items()
        if given.get(name) != word
    ]
    return "; ".join(changed)


def _verdict(
    stage: str, cell: str, value: float | None, known: ReferenceCell | None, reason: str
) -> Verdict:
    def judged(verdict: str, why: str = "") -> Verdict:
        return Verdict(stage, cell, verdict, why, value, known)

    if known is None or value is None:
        where = "the reference" if known is None else "this run"
        return judged(NOT_COMPARABLE, f"not in {where}")
    if reason:
        return judged(NOT_COMPARABLE, reason)
    undefined = math.isnan(value), math.isnan(known.value)
    if all(undefined) or math.isclose(value, known.value, rel_tol=_EQUAL, abs_tol=_ZERO):
        return judged(REPRODUCED)
    if math.isnan(known.tolerance):
        return judged(NOT_COMPARABLE, f"its noise was not measured (n = {known.n})")
    if any(undefined):
        return judged(DEVIATES, "undefined in one of the two")
    apart = abs(value - known.value)
    if apart <= known.tolerance:
        return judged(WITHIN_NOISE)
    return judged(DEVIATES, f"off by {apart:.3g}, tolerance {known.tolerance:.3g}")


def make_reference(runs: Sequence[Results]) -> Reference:
    """The reference that repeat runs give: the first one's values, the noise of all.

    Runs with other seeds measure the noise of chance; runs of one seed on several machines that of
    machines alone, which is zero on the same one.

    Raises
    ------
    UserError
        No runs; or runs that differ in profile, corpus, settings, stages, cells or networks.
    """
    if not runs:
        raise UserError("A reference needs at least one run.")
    first = runs[0]
    for run in runs[1:]:
        _check_repeats(run, first)
    return Reference(
        {
            stage: {cell: _noise([run.cells[stage][cell] for run in runs]) for cell in cells}
            for stage, cells in first.cells.items()
        },
        first.words,
        tuple(run.origin for run in runs),
    )


def _check_repeats(run: Results, first: Results) -> None:
    a, b = run.origin, first.origin
    reason = f"profile '{a.profile}' instead of '{b.profile}'" if a.profile != b.profile else ""
    reason = reason or _difference(a, b)
    for stage in {*run.cells, *first.cells}:
        there = {*run.cells.get(stage, {})} ^ {*first.cells.get(stage, {})}
        reason = reason or (f"cell '{min(there)}' of {stage} in one alone" if there else "")
        reason = reason or _wording(run.words.get(stage), first.words.get(stage))
    if reason:
        raise UserError(f"The runs of seeds {b.seed} and {a.seed} are no repeats: {reason}.")


def _noise(values: Sequence[float]) -> ReferenceCell:
    defined = np.array([v for v in values if math.isfinite(v)])
    n = len(defined)
    # Taken from the first, equal numbers have a spread of exactly zero.
    tolerance = TOLERANCE_SD * float((defined - defined[0]).std(ddof=1)) if n >= 2 else math.nan
    return ReferenceCell(values[0], tolerance, n)


def write_reference(path: Path, reference: Reference) -> None:
    """Write a reference as JSON; what is undefined is null."""
    stages = {
        stage: {
            "words": dict(reference.words.get(stage, {})),
            "cells": {
                name: {"value": _null(c.value), "tolerance": _null(c.tolerance), "n": c.n}
                for name, c in cells.items()
            },
        }
        for stage, cells in reference.cells.items()
    }
    runs = [asdict(origin) for origin in reference.origins]
    write_json(path, {"tolerance_sd": TOLERANCE_SD, "runs": runs, "stages": stages})


def read_reference(path: Path) -> Reference:
    """Read what ``write_reference`` wrote.

    Raises
    ------
    UserError
        No such file, or not a reference.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        stages = record["stages"]
        cells = {
            stage: {name: _cell(**cell) for name, cell in content["cells"].items()}
            for stage, content in stages.items()
        }
        words = {stage: content["words"] for stage, content in stages.items()}
        origins = tuple(Origin(**run) for run in record["runs"])
    except OSError as error:
        raise UserError(
            f"Reference '{path}' cannot be read ({error.strerror}); name another one with "
            "--reference."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"File '{path}' is not a reference of `repro verify`; get it again from the checkout."
        ) from error
    if not origins:
        raise UserError(f"Reference '{path}' names no run; get it again from the checkout.")
    return Reference(cells, words, origins)


def _cell(value: float | None, tolerance: float | None, n: int) -> ReferenceCell:
    return ReferenceCell(_nan(value), _nan(tolerance), n)


def _null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _nan(value: float | None) -> float:
    return math.nan if value is None else float(value)
