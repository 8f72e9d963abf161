"""How much noise the mapping from sound to motion bears."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from repro.evaluate.expression import expression_correlation
from repro.evaluate.lips import correlation, lip_gap
from repro.face.model import MorphableModel
from repro.motion.mapping import MotionMapping
from repro.motion.predict import regress
from repro.pipeline.targets import Target
from repro.processes import one_thread
from repro.speech.features import mfcc_windows
from repro.speech.noise import at_snr, babble, white

SNR_DB = (30, 20, 10, 5, 0)

NOISES: Mapping[str, Callable[..., np.ndarray]] = {"white": white, "babble": babble}


def noise_sweep(
    mapping: MotionMapping,
    people: Sequence[Target],
    model: MorphableModel,
    *,
    seed: int,
    snr_db: Sequence[float] = SNR_DB,
    first: int = 0,
) -> pd.DataFrame:
    """What is left of the mouth's motion when the sound is noisy.

    Parameters
    ----------
    people : clips whose sound is made noisy; their reconstructed motion is the truth
    first : frame from which the motion is compared

    Returns
    -------
    a row for each person, noise and ratio (infinite: the sound as it is): person, noise, snr_db,
    expression_r (``evaluate.expression.expression_correlation``), lip_gap_r
    """
    rows = []
    for k, person in enumerate(people):
        if person.audio is None:
            continue
        sound = np.asarray(person.audio)
        sounds = {("none", np.inf): sound}
        for name, make in NOISES.items():
            noise = make(len(sound), seed=seed + k)
            sounds |= {(name, ratio): at_snr(sound, noise, ratio) for ratio in snr_db}
        true = person.motion.expression[first:]
        gap = lip_gap(person.track.shape_landmarks(model, true))
        for (name, ratio), noisy in sounds.items():
            with one_thread():
                motion = regress(mapping, mfcc_windows(noisy, len(person)))
            heard = motion.expression[first:]
            made = lip_gap(person.track.shape_landmarks(model, heard))
            scores = (
                expression_correlation(true, heard, model.expression_names),
                correlation(gap, made),
            )
            rows.append((person.name, name, ratio, *scores))
    return pd.DataFrame(rows, columns=["person", "noise", "snr_db", "expression_r", "lip_gap_r"])


def means(sweep: pd.DataFrame) -> pd.DataFrame:
    """The sweep's means over the people, a row for each noise and ratio."""
    return (
        sweep.groupby(["noise", "snr_db"], sort=False)[["expression_r", "lip_gap_r"]]
        .mean()
        .reset_index()
    )
