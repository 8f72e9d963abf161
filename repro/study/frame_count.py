"""How many frames of a person are worth learning from (Yi et al. 2020, appendix A)."""

from collections.abc import Sequence

import pandas as pd

from repro.errors import UserError
from repro.study import metrics as m
from repro.study.published import frame_count_votes
from repro.study.verdict import TOLERANCE_SD

SHOWN = m.FACE_PSNR, m.SSIM, m.SHARPNESS, m.ERROR_FLICKER, m.LIP_GAP_R, m.EXPRESSION_ERROR
"""Metrics that the study follows over the counts."""


def counts_for(length: int, counts: Sequence[int], test_frames: int, *, name: str) -> list[int]:
    """The counts, rising, for which a clip of ``length`` frames leaves ``test_frames`` to test on.

    Raises
    ------
    UserError
        Fewer than two: nothing could be compared.
    """
    found = sorted(count for count in set(counts) if count <= length - test_frames)
    if len(found) < 2:
        raise UserError(
            f"Clip '{name}' has {length} frames: with {test_frames} to test on, at most one of "
            f"{sorted(counts)} can be learned from; lower frame_count.counts or test_frames."
        )
    return found


def by_count(measures: pd.DataFrame) -> pd.DataFrame:
    """Means and noise of each metric for each count.

    Noise is 2.8 standard deviations over people and seeds (``repro.study.verdict``), about each
    person's own mean over the counts that all share: that people differ is no noise of a count.

    Parameters
    ----------
    measures : columns person, frames_learned, seed, name, value, unit

    Returns
    -------
    a row for each count and metric: frames, metric, unit, mean, noise (nan for a single
    fine-tuning), fine_tunings, people
    """
    shared = measures.groupby("frames_learned")["person"].nunique()
    common = shared[shared == shared.max()].index
    rows = []
    for name, some in measures.groupby("name", sort=False):
        level = some[some["frames_learned"].isin(common)].groupby("person")["value"].mean()
        about = some["value"] - some["person"].map(level) + level.mean()
        for frames, values in about.groupby(some["frames_learned"]):
            rows.append(
                {
                    "frames": int(frames),
                    "metric": name,
                    "unit": some["unit"].iloc[0],
                    "mean": values.mean(),
                    "noise": TOLERANCE_SD * values.std(ddof=1),
                    "fine_tunings": len(values),
                    "people": some.loc[values.index, "person"].nunique(),
                }
            )
    return pd.DataFrame(rows)


def beside_votes(table: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """A row for each count: the metrics' means, the seconds it took, and the published choices.

    Parameters
    ----------
    table : as from ``by_count``
    costs : columns frames, part, seconds
    """
    wide = table.pivot(index="frames", columns="metric", values="mean")
    wide = wide[[metric.name for metric in SHOWN if metric.name in wide]]
    seconds = costs.groupby("frames")["seconds"].sum().rename("seconds")
    votes = {frames: share.percent for frames, share in frame_count_votes().items()}
    chosen = wide.index.map(votes.get).to_series(index=wide.index, name="paper_chosen_percent")
    return pd.concat([wide, seconds, chosen], axis=1).reset_index()


def findings(table: pd.DataFrame) -> list[str]:
    """What the numbers say of each metric, in words: where the gain ends, as far as noise tells."""
    return [_finding(metric, table[table["metric"] == metric.name]) for metric in SHOWN]


def _finding(metric: m.Metric, rows: pd.DataFrame) -> str:
    rows = rows.sort_values("frames").assign(loss=lambda r: metric.loss(r["mean"].to_numpy()))
    first, best = rows.iloc[0], rows.loc[rows["loss"].idxmin()]
    said = (
        f"{metric.name}: {first['mean']:.3g} with {first['frames']} frames, best "
        f"{best['mean']:.3g} with {best['frames']} ({first['unit']})"
    )
    noise = float((rows["noise"] ** 2).mean() ** 0.5)
    if pd.isna(rows["noise"]).all():
        return f"{said}; noise unknown, one fine-tuning with each count."
    enough = rows[rows["loss"] - best["loss"] <= noise].iloc[0]
    said = f"{said}; noise {noise:.2g}"
    if enough["frames"] == first["frames"]:
        return f"{said}: no count is better than the least by more than that."
    if enough["frames"] == rows["frames"].max():
        return f"{said}: better than every smaller count by more than that."
    return f"{said}: from {enough['frames']} frames on no gain is larger than that."
