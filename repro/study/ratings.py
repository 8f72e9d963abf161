"""What people's answers say: shares, how sure they are, and how far people agree."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from repro.errors import UserError
from repro.study.agreement import fleiss_kappa, krippendorff_alpha
from repro.study.answers import Answers

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Share:
    """How often something was chosen.

    votes, of         so many of so many
    percent           100 votes / of
    wilson_percent    Wilson's 95 % interval, as though every vote were another person's
    bootstrap_percent 95 % interval over participants drawn anew, which heeds that one person's
                      votes go together; None for votes whose people are not known, or one person
    """

    votes: int
    of: int
    percent: float
    wilson_percent: tuple[float, float]
    bootstrap_percent: tuple[float, float] | None = None

    def __str__(self) -> str:
        """Percentage and interval, the bootstrap's where there is one."""
        low, high = self.bootstrap_percent or self.wilson_percent
        return f"{self.percent:.1f} % [{low:.1f}, {high:.1f}]"


def share(votes: int, of: int) -> Share:
    """A share of votes with Wilson's interval."""
    interval = stats.binomtest(votes, of).proportion_ci(LEVEL, method="wilson")
    low, high = (round(100 * float(v), 2) for v in interval)
    return Share(votes, of, round(100 * votes / of, 2), (low, high))


def analyse(
    answers: Sequence[Answers], key: Mapping[str, Any], *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Percentages of each method for each question (as in Yi et al. 2020, Table 1), as JSON.

    Returns
    -------
    ``participants``, ``incomplete`` (numbers of those who did not answer all), ``groups``,
    ``methods``, ``seed``, ``resamples``, and for each of ``questions``

    * ``text`` and ``votes``
    * ``methods``: a ``Share`` of each
    * ``fleiss_kappa``: null unless the same number of people, at least two, judged every group
    * ``krippendorff_alpha``: null where nothing was judged twice, or all chose alike
    * ``places``: votes by place on the page, and ``places_p``, how likely (chi-square) as uneven
      ones are where the place does not matter

    Raises
    ------
    UserError
        No answers.
    """
    if not answers:
        raise UserError("There are no answers to analyse.")
    return {
        "study": key["study"],
        "participants": len(answers),
        "incomplete": [a.participant for a in answers if not a.complete],
        "groups": len(key["groups"]),
        "methods": list(key["methods"]),
        "seed": seed,
        "resamples": resamples,
        "questions": {
            question: {"text": text, **_question(answers, key, question, seed, resamples)}
            for question, text in key["questions"].items()
        },
    }


def _question(
    answers: Sequence[Answers], key: Mapping[str, Any], question: str, seed: int, resamples: int
) -> dict[str, Any]:
    methods = list(key["methods"])
    names = [group["name"] for group in key["groups"].values()]
    counts = np.zeros((len(answers), len(names), len(methods)), int)  # participant, group, method
    places = np.zeros(len(methods), int)
    for p, given in enumerate(answers):
        for (name, asked), method in given.choices.items():
            if asked == question:
                counts[p, names.index(name), methods.index(method)] += 1
                places[given.places[name, asked]] += 1
    votes, total = counts.sum((0, 1)), int(counts.sum())
    if total == 0:
        raise UserError(f"Nobody has answered '{key['questions'][question]}'.")
    intervals = bootstrap(counts.sum(1), seed, resamples)
    return {
        "votes": total,
        "methods": {
            method: asdict(share(int(votes[m]), total))
            | {"bootstrap_percent": intervals[m] if intervals else None}
            for m, method in enumerate(methods)
        },
        "fleiss_kappa": _kappa(counts.sum(0)),
        "krippendorff_alpha": _defined(krippendorff_alpha(counts.sum(0))),
        "places": places.tolist(),
        "places_p": _defined(float(stats.chisquare(places).pvalue)),
    }


def bootstrap(counts: np.ndarray, seed: int, resamples: int) -> list[tuple[float, float]] | None:
    """95 % intervals of the percentages of M answers; participants' counts (P, M) are drawn anew.

    None for one participant.
    """
    people = len(counts)
    if people < 2:
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(people, np.full(people, 1 / people), size=resamples) @ counts
    percent = 100 * drawn / drawn.sum(1, keepdims=True)
    edges = np.percentile(percent, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], axis=0)
    return [(round(float(low), 2), round(float(high), 2)) for low, high in edges.T]


def _kappa(counts: np.ndarray) -> float | None:
    people = counts.sum(1)
    if people.min() != people.max() or people[0] < 2:
        return None
    return _defined(fleiss_kappa(counts))


def _defined(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def markdown(analysis: Mapping[str, Any]) -> str:
    """The table of an analysis: methods down, questions across, agreement below."""
    questions = analysis["questions"]
    rows = [
        [method, *(str(Share(**q["methods"][method])) for q in questions.values())]
        for method in analysis["methods"]
    ]
    for title, name in (
        ("Fleiss' kappa", "fleiss_kappa"),
        ("Krippendorff's alpha", "krippendorff_alpha"),
    ):
        values = [q[name] for q in questions.values()]
        rows.append([title, *("-" if v is None else f"{v:.2f}" for v in values)])
    head = ["chosen as the best", *(name.replace("_", " ") for name in questions)]
    people, incomplete = analysis["participants"], len(analysis["incomplete"])
    note = f"{people} participants" + (f" ({incomplete} incomplete)" if incomplete else "")
    interval = "drawing participants anew" if people > 1 else "Wilson"
    return (
        f"{table(head, rows)}\n\n{note}, {analysis['groups']} groups; 95 % intervals: {interval}."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
