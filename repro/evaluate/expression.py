"""Expression coefficients: their error (E_exp, Song et al. 2020, Eq. 5), how they follow speech.

Which actions speech moves is defined by the corpus' own mouth shapes: those to which
``repro.corpus.visemes.TARGETS`` gives a weight in any viseme.
"""

from collections.abc import Sequence

import numpy as np

from repro.corpus.visemes import BOTH_SIDES, TARGETS
from repro.evaluate.lips import correlation
from repro.evaluate.measure import NONE, Measure

SPEECH_ACTIONS = tuple(dict.fromkeys(action for target in TARGETS.values() for action in target))
"""The actions that speech moves: jawOpen, mouthPucker and so on. Where ARKit splits one into left
and right, which speech moves alike, the mean of both sides is one action."""

_MOVES = 0.005
"""Least spread of an action that counts as moving: a twentieth of what speech usually gives."""


def speech_correlations(
    true: np.ndarray, generated: np.ndarray, names: Sequence[str]
) -> dict[str, float]:
    """Pearson's r of each speech-related action; those that stand still in the truth are left out.

    Parameters
    ----------
    true, generated : (T, E)
    names : of the E; actions that are not among them are left out
    """
    sides = {action: _sides(action, names) for action in SPEECH_ACTIONS}
    tracks = {
        action: (true[:, chosen].mean(1), generated[:, chosen].mean(1))
        for action, chosen in sides.items()
        if chosen
    }
    return {action: correlation(a, b) for action, (a, b) in tracks.items() if a.std() >= _MOVES}


def expression_correlation(true: np.ndarray, generated: np.ndarray, names: Sequence[str]) -> float:
    """The mean of ``speech_correlations``; nan where no such action moves."""
    values = list(speech_correlations(true, generated, names).values())
    return float(np.mean(values)) if values else float("nan")


def _sides(action: str, names: Sequence[str]) -> list[int]:
    """Places of an action, or of its two sides."""
    wanted = (f"{action}Left", f"{action}Right") if action in BOTH_SIDES else (action,)
    return [k for k, name in enumerate(names) if name in wanted]


def expression_error(true: np.ndarray, generated: np.ndarray, *, face_model: str) -> list[Measure]:
    """E_exp in its two readings.

    Eq. 5 divides by "the number of expression parameters" and sums ||e^(i) - e(i)||_2 over their
    index: the mean absolute error of a parameter. Their loss (Eq. 3) takes the norm of a frame's
    whole vector instead, and their published values fit either. Both depend on the face model's
    units, so only figures on the same model compare.

    Parameters
    ----------
    true, generated : (T, E) coefficients
    face_model : its name, printed with the numbers

    Raises
    ------
    ValueError
        Not two arrays (T, E) of one shape.
    """
    true, generated = np.asarray(true, np.float64), np.asarray(generated, np.float64)
    if true.shape != generated.shape or true.ndim != 2:
        raise ValueError(f"expected two arrays (T, E), got {true.shape}, {generated.shape}")
    error = generated - true
    readings = {
        "Eq. 5 as written: mean over parameters and frames of the absolute error": abs(error),
        "as in the loss, Eq. 3: mean over frames of the vector's L2 norm": np.linalg.norm(
            error, axis=1
        ),
    }
    return [
        Measure(
            "E_exp",
            float(values.mean()) if values.size else float("nan"),
            f"weights of {face_model}",
            len(error),
            0,
            NONE,
            NONE,
            NONE,
            f"Song et al., {reading}; {error.shape[1]} parameters",
        )
        for reading, values in readings.items()
    ]
