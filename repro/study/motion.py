"""What the mappings make of speech that they did not learn from (notebooks 03 and 04).

Of each person the first frames are learned from; the sound of the others drives the general
mapping, the personal one, and the plainest thing that could work: ridge regression from the same
MFCC windows. What comes out is held against the reconstruction of those frames, and of synthetic
people also against the truth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from repro import FPS
from repro.corpus.truth import truth_of
from repro.corpus.visemes import mouth_actions
from repro.evaluate.expression import expression_correlation, speech_correlations
from repro.evaluate.lips import closed_lip_recall, correlation, lip_gap
from repro.face.coefficients import EXPRESSION
from repro.face.model import MorphableModel
from repro.motion.mapping import MotionMapping
from repro.motion.person import MouthMethod
from repro.motion.predict import predict
from repro.motion.regression import fit_ridge
from repro.pipeline.targets import Target
from repro.processes import one_thread
from repro.speech.synthesis import Phoneme

GENERAL, PERSONAL, RIDGE = "general", "personal", "ridge"
PHONEMES = "true phonemes, average style"
"""Of synthetic people: the mouth shapes of the phonemes that were really said, as nobody in
particular says them. No mapping that does not know the person can do much better."""
OWN_MOUTH = "personal, own mouth"
"""Personal, with the mouth opened as far as the person does (``motion.person.articulate``)."""

TRUTH, SEEN = "truth", "reconstruction"
"""What expressions are held against."""

SCORES = ("expression_r", "lip_gap_r", "closed_lip_recall", "expression_mse")
_ACTIONS = 52
"""The expression's first numbers, weights from 0 to 1; those after them have another unit."""


@dataclass(frozen=True)
class Heard:
    """Expressions of a person over T frames that were not learned from.

    person  whose shape turns expressions into lips
    true    by ``TRUTH`` (synthetic people only) and ``SEEN``: (T, 64)
    made    by mapping: (T, 64)
    """

    person: Target
    true: dict[str, np.ndarray]
    made: dict[str, np.ndarray]

    def __len__(self) -> int:
        """T."""
        return len(self.true[SEEN])


def hear(
    person: Target,
    others: Sequence[Target] = (),
    *,
    learned: int,
    mappings: Mapping[str, MotionMapping],
    mouth: MouthMethod = "paper",
    names: Sequence[str] = (),
) -> Heard:
    """Let mappings hear a person's sound.

    Parameters
    ----------
    person : the clip of which ``learned`` frames were learned from; the rest is tested. Beside the
        mappings stands ``RIDGE``, learned from the same frames, where there are some
    others : further clips of the person, tested as a whole
    mappings : ``GENERAL``, ``PERSONAL``
    mouth : "person" adds ``OWN_MOUTH``
    names : of the expression, needed for that and for ``PHONEMES``
    """
    own = person.motion[:learned]
    ridge = fit_ridge(person.windows[:learned], own.expression) if learned else None

    def said(windows: np.ndarray) -> dict[str, np.ndarray]:
        with one_thread():
            made = {name: predict(m, windows).expression for name, m in mappings.items()}
            if mouth == "person" and PERSONAL in mappings:
                opened = predict(
                    mappings[PERSONAL], windows, own=own, mouth_method=mouth, names=names
                )
                made[OWN_MOUTH] = opened.expression
        if ridge is not None:
            made[RIDGE] = windows.reshape(len(windows), -1) @ ridge[:-1] + ridge[-1]
        return made

    clips = [(person, learned), *((clip, 0) for clip in others)]
    parts = [
        (said(clip.windows) | _ideal(clip, names), _true(clip), first) for clip, first in clips
    ]
    return Heard(
        person,
        {k: np.concatenate([true[k][first:] for _, true, first in parts]) for k in parts[0][1]},
        {k: np.concatenate([made[k][first:] for made, _, first in parts]) for k in parts[0][0]},
    )


def _ideal(clip: Target, names: Sequence[str]) -> dict[str, np.ndarray]:
    """What the true phonemes alone make of a synthetic clip; nothing of a real one."""
    truth = truth_of(clip.clip.path)
    if truth is None or not names:
        return {}
    times = truth.times_s.tolist()
    phonemes = [Phoneme(s, *span) for s, span in zip(truth.symbols, times, strict=True)]
    expression = np.zeros((len(clip), EXPRESSION), np.float32)
    frames = np.arange(len(clip)) / FPS
    expression[:, :_ACTIONS] = mouth_actions(phonemes, frames, names[:_ACTIONS])
    return {PHONEMES: expression}


def _true(clip: Target) -> dict[str, np.ndarray]:
    truth = truth_of(clip.clip.path)
    known = {} if truth is None else {TRUTH: truth.expression[: len(clip)]}
    return {**known, SEEN: clip.motion.expression}


def best_known(heard: Heard) -> str:
    """``TRUTH`` where it is known, else ``SEEN``."""
    return TRUTH if TRUTH in heard.true else SEEN


def gaps(heard: Heard, model: MorphableModel, against: str) -> dict[str, np.ndarray]:
    """Lip gap (T,) of what is held against and of each mapping, % of the inter-pupil distance."""
    expressions = {against: heard.true[against], **heard.made}
    return {
        name: lip_gap(heard.person.track.shape_landmarks(model, expression))
        for name, expression in expressions.items()
    }


def scores(people: Sequence[Heard], model: MorphableModel) -> pd.DataFrame:
    """How well each mapping follows each person's speech.

    Returns
    -------
    a row for each: person, against, mapping, frames, and ``SCORES``: mean r of the speech-related
    actions (``evaluate.expression``), r of the lip gap, share of closures met, and mean square
    error of the 52 actions
    """
    rows = []
    for heard in people:
        for against, true in heard.true.items():
            gap = gaps(heard, model, against)
            for mapping, made in heard.made.items():
                rows.append({
                    "person": heard.person.name,
                    "against": against,
                    "mapping": mapping,
                    "frames": len(heard),
                    "expression_r": expression_correlation(true, made, model.expression_names),
                    "lip_gap_r": correlation(gap[against], gap[mapping]),
                    "closed_lip_recall": closed_lip_recall(gap[against], gap[mapping]),
                    "expression_mse": float(np.square((made - true)[:, :_ACTIONS]).mean()),
                })  # fmt: skip
    return pd.DataFrame(rows)


def means(table: pd.DataFrame) -> pd.DataFrame:
    """The means of ``scores`` over the people, by what is held against and mapping."""
    grouped = table.groupby(["against", "mapping"], sort=False)
    return grouped[list(SCORES)].mean().reset_index()


def share_better(
    table: pd.DataFrame, score: str, *, against: str, mapping: str = PERSONAL, than: str = GENERAL
) -> float:
    """Share of the people in whom one mapping's score is better than another's."""
    rows = table[table["against"] == against].pivot(index="person", columns="mapping", values=score)
    lead = rows[mapping] - rows[than]
    return float(((-lead if score == "expression_mse" else lead) > 0).mean())


def action_correlations(
    people: Sequence[Heard], model: MorphableModel, *, against: str
) -> dict[str, Mapping[str, float]]:
    """For each mapping, r of each speech-related action: the mean over the people."""
    tables = {
        mapping: pd.DataFrame([
            speech_correlations(heard.true[against], heard.made[mapping], model.expression_names)
            for heard in people
        ])
        for mapping in people[0].made
    }  # fmt: skip
    return {mapping: table.mean().to_dict() for mapping, table in tables.items()}
