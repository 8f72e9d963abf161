"""The ablations (Yi et al. 2020, section 4.2): what each part of the model is good for.

A variant is the full model with some settings changed. Both are trained from the same data and
seeds, several times; an effect counts where it is larger than the noise between seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import chi2

from repro.config import Profile
from repro.study import metrics as m
from repro.study.verdict import TOLERANCE_SD

FULL = "full model"

FULL_BETTER, TIED, FULL_WORSE, SAME, UNKNOWN = VERDICTS = (
    "full is better",
    "tied within noise",
    "full is worse",
    "untouched",
    "noise unknown",
)
"""Of the full model beside a variant. Untouched: both give the same to the last digit, as where
what was left out has no part in the number. Unknown: one seed tells no noise."""


@dataclass(frozen=True)
class Variant:
    """The full model with a part left out.

    name       what is left out
    about      where the paper speaks of it
    overrides  settings by dotted name
    metric     what the part is there for
    """

    name: str
    about: str
    metric: m.Metric
    overrides: Mapping[str, object] = field(default_factory=dict)


VARIANTS = (
    Variant(
        "no pose prediction", "4.2, Fig. 4 row 2", m.HS_OWN_RANGE, {"ablations.still_head": True}
    ),
    Variant(
        "no continuity term", "3.2, Eq. 2", m.POSE_JITTER, {"motion.lambda_continuity": 0.0}
    ),
    Variant(
        "naive background", "3.3", m.BACKGROUND_FLICKER, {"render.background": "nearest"}
    ),
    Variant(
        "low-frequency albedo", "3.3", m.FACE_PSNR, {"render.albedo": "low_frequency"}
    ),
    Variant("detailed albedo", "3.3", m.FACE_PSNR, {"render.albedo": "detailed"}),
    Variant("no memory", "3.4", m.CSIM, {"ablations.fixed_identity": True}),
    Variant(
        "no identity, no memory", "4.2, Fig. 4 row 3", m.FACE_PSNR,
        {"refine.use_memory": False, "refine_general.use_memory": False},
    ),
    Variant(
        "window of 1 frame", "3.4", m.ERROR_FLICKER,
        {"refine.window": 1, "refine_general.window": 1},
    ),
)  # fmt: skip


def overridden(profile: Profile, overrides: Mapping[str, object]) -> Profile:
    """A profile with some settings changed, by dotted name; checked as a whole."""
    values = profile.model_dump()
    for name, value in overrides.items():
        section, _, setting = name.partition(".")
        values[section] = {**values[section], setting: value}
    return Profile.model_validate(values)


def full_profile(profile: Profile) -> Profile:
    """The full model of the study: the profile's, with the steps that the study can afford."""
    given = profile.ablations
    steps = {"refine_general.steps": given.general_steps, "refine.steps": given.refine_steps}
    return overridden(profile, {name: count for name, count in steps.items() if count is not None})


def variants_of(profile: Profile, variants: Sequence[Variant] = VARIANTS) -> list[Variant]:
    """The full model, then the variants that differ from it: one of the albedos is its own."""
    others = [v for v in variants if overridden(profile, v.overrides) != profile]
    return [Variant(FULL, "", m.FACE_PSNR), *others]


def effects(
    measures: pd.DataFrame, variants: Sequence[Variant], *, tolerance_sd: float = TOLERANCE_SD
) -> pd.DataFrame:
    """Every metric of every variant beside the full model's.

    The effect is what the full model gains, in the metric's unit, above 0 where it is better. Two
    single runs of one model lie up to 2.8 standard deviations apart (``repro.study.verdict``); of
    two models' deviations the root mean square is taken. Means over seeds lie nearer together, so
    the rule asks for more than it must.

    Parameters
    ----------
    measures : columns variant, seed, name, value, unit
    variants : as from ``variants_of``, the full model first

    Returns
    -------
    a row for each variant and metric: variant, about, metric, unit, its_own (whether it is what
    the part is there for), full, without (means over seeds), effect, noise, seeds, verdict
    """
    units = measures.drop_duplicates("name").set_index("name")["unit"]
    values = measures.pivot(index="seed", columns=["variant", "name"], values="value")
    rows = []
    for variant in variants[1:]:
        for metric in m.METRICS.values():
            if metric.name not in units:
                continue
            full, without = (values[name][metric.name] for name in (FULL, variant.name))
            gain, noise, verdict = judged(metric, full, without, tolerance_sd)
            rows.append(
                {
                    "variant": variant.name,
                    "about": variant.about,
                    "metric": metric.name,
                    "unit": units[metric.name],
                    "its_own": metric == variant.metric,
                    "full": full.mean(),
                    "without": without.mean(),
                    "effect": gain,
                    "noise": noise,
                    "seeds": len(values),
                    "verdict": verdict,
                }
            )
    return pd.DataFrame(rows)


def judged(
    metric: m.Metric, full: np.ndarray, without: np.ndarray, tolerance_sd: float = TOLERANCE_SD
) -> tuple[float, float, str]:
    """What the full model gains, the noise of that, and the verdict in words.

    Parameters
    ----------
    full, without : (S,) values, one for each seed
    """
    a, b = metric.loss(full), metric.loss(without)
    gain = float(b.mean() - a.mean())
    noise = float("nan")
    if len(a) >= 2:
        noise = tolerance_sd * float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    if np.array_equal(a, b):
        return gain, noise, SAME
    if np.isnan(noise):
        return gain, noise, UNKNOWN
    if abs(gain) <= noise:
        return gain, noise, TIED
    return gain, noise, FULL_BETTER if gain > 0 else FULL_WORSE


def own_effects(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``effects`` where a variant is held to what its part is there for."""
    return table[table["its_own"]].reset_index(drop=True)


def findings(table: pd.DataFrame) -> list[str]:
    """What the numbers say, a sentence for each variant on its own metric, and one in sum."""
    own = own_effects(table)
    sentences = [_finding(row) for row in own.to_dict("records")]
    worse = list(own.loc[own["verdict"] == FULL_WORSE, "variant"])
    held = own["verdict"].isin([FULL_BETTER, TIED, SAME]).sum()
    sentences.append(
        f"On what its parts are there for, the full model is best or tied in {held} of {len(own)}"
        + (f"; it is not the best beside: {', '.join(worse)}." if worse else ".")
    )
    elsewhere = table[~table["its_own"] & (table["verdict"] == FULL_WORSE)]
    if len(elsewhere):
        listed = ", ".join(f"{r.variant} ({r.metric})" for r in elsewhere.itertuples())
        sentences.append(f"By other measures the full model is beaten by: {listed}.")
    return sentences


def _finding(row: Mapping[str, object]) -> str:
    numbers = (
        f"{row['metric']} {row['full']:.3g} with, {row['without']:.3g} without ({row['unit']}), "
        f"noise {row['noise']:.2g}"
    )
    return f"{row['variant']}: {numbers}: {row['verdict']}."


def reach(profile: Profile, seeds: int) -> str:
    """What a study of this size can tell, in words.

    Parameters
    ----------
    profile : the full model's
    """
    refine = profile.refine
    length = f"{refine.steps} steps" if refine.steps else f"{refine.epochs} passes"
    said = (
        f"{seeds} fine-tunings of each variant on one person, the refiner {length} each "
        "(the paper: 60 passes)."
    )
    if seeds < 2:
        return f"{said} One fine-tuning tells no noise: no effect can be judged."
    degrees = 2 * (seeds - 1)
    low, high = np.sqrt(degrees / chi2.ppf([0.975, 0.025], degrees))
    return (
        f"{said} From so few, a standard deviation may truly be {low:.1f} to {high:.1f} times what "
        "was measured (95 %): take a verdict near its noise for a hint. Effects on other people, "
        "and of general training with other seeds, are not in that noise."
    )


def record(table: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """The numbers of ``own_effects`` by variant, for a stage's record."""
    columns = ("full", "without", "effect", "noise")
    return {
        row["variant"]: {c: None if np.isnan(row[c]) else round(row[c], 5) for c in columns}
        for row in own_effects(table).to_dict("records")
    }
