"""Videos rated one by one: how real each method's look (Song et al. 2020, 4.4, Table 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from repro.errors import UserError
from repro.study.agreement import krippendorff_alpha
from repro.study.answers import Answers
from repro.study.ratings import RESAMPLES, Share, bootstrap, share, table

REAL_FROM = 4
"""Marks from here on call a video real."""


def analyse_marks(
    answers: Sequence[Answers], key: Mapping[str, Any], *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Marks of each method, as JSON.

    Returns
    -------
    ``study``, ``participants``, ``incomplete`` (numbers of those who did not answer all),
    ``videos``, ``scale``, ``seed``, ``resamples``, ``krippendorff_alpha`` of real or not (null
    where nothing was rated twice, or all said the same), and for each of ``methods``

    * ``percent`` of each mark, from 1 on, and their ``mean``
    * ``real``: a ``Share`` of marks of 4 and more

    Raises
    ------
    UserError
        No answers; a method of which nobody rated a video.
    """
    if not answers:
        raise UserError("There are no answers to analyse.")
    names = [video["name"] for video in key["groups"].values()]
    method_of = np.array(
        [method for v in key["groups"].values() for method in v["videos"].values()]
    )
    counts = np.zeros((len(answers), len(names), len(key["scale"])), int)
    for p, given in enumerate(answers):
        for (name, _), mark in given.choices.items():
            counts[p, names.index(name), int(mark) - 1] += 1
    real = counts[..., REAL_FROM - 1 :].sum(-1)
    said = np.stack([counts.sum(-1) - real, real], -1)  # participant, video, not real or real
    alpha = krippendorff_alpha(said.sum(0))
    methods = {}
    for method in key["methods"]:
        own = np.flatnonzero(method_of == method)
        of_mark = counts[:, own].sum((0, 1))
        total = int(of_mark.sum())
        if not total:
            raise UserError(f"Nobody has rated a video of '{method}'.")
        intervals = bootstrap(said[:, own].sum(1), seed, resamples)
        methods[method] = {
            "percent": [round(100 * int(n) / total, 2) for n in of_mark],
            "mean": round(float(of_mark @ np.arange(1, len(of_mark) + 1)) / total, 3),
            "real": asdict(share(int(of_mark[REAL_FROM - 1 :].sum()), total))
            | {"bootstrap_percent": intervals[1] if intervals else None},
        }
    return {
        "study": key["study"],
        "participants": len(answers),
        "incomplete": [a.participant for a in answers if not a.complete],
        "videos": len(names),
        "scale": list(key["scale"]),
        "seed": seed,
        "resamples": resamples,
        "krippendorff_alpha": round(alpha, 4) if np.isfinite(alpha) else None,
        "methods": methods,
    }


def marks_markdown(analysis: Mapping[str, Any]) -> str:
    """The table of an analysis, as Table 4: marks across, methods down."""
    marks = [str(mark) for mark in range(1, len(analysis["scale"]) + 1)]
    rows = [
        [
            method,
            *(f"{p:.1f}" for p in of["percent"]),
            f"{of['mean']:.2f}",
            str(Share(**of["real"])),
        ]
        for method, of in analysis["methods"].items()
    ]
    alpha = analysis["krippendorff_alpha"]
    agreed = "-" if alpha is None else f"{alpha:.2f}"
    people, incomplete = analysis["participants"], len(analysis["incomplete"])
    note = f"{people} participants" + (f" ({incomplete} incomplete)" if incomplete else "")
    interval = "drawing participants anew" if people > 1 else "Wilson"
    return (
        f"{table(['method, %', *marks, 'mean', 'real'], rows)}\n\n{note}, {analysis['videos']} "
        f"videos; real: {REAL_FROM} or more; Krippendorff's alpha of that {agreed}; 95 % "
        f"intervals: {interval}."
    )
