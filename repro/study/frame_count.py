"""How many frames of a person are worth learning from (Yi et al. 2020, appendix A)."""

from collections.abc import Sequence

import pandas as pd

from repro.study import metrics as m
from repro.study.published import frame_count_votes
from repro.study.verdict import TOLERANCE_SD

SHOWN = m.FACE_PSNR, m.SSIM, m.SHARPNESS, m.ERROR_FLICKER, m.LIP_GAP_R, m.EXPRESSION_ERROR
"""Metrics that the study follows over the counts."""


def divided(length: int, counts: Sequence[int], test_frames: int) -> tuple[list[int], int]:
    """What to learn from a clip of ``length`` frames, and how many of its last frames to test on.

    At most a quarter of the clip is tested on. A clip that is too short for two of the counts is
    learned from by half and as a whole.

    Returns
    -------
    the counts, rising, and the tested frames
    """
    tested = min(test_frames, max(length // 4, 1))
    room = length - tested
    found = sorted(count for count in set(counts) if count <= room)
    return (found if len(found) >= 2 else [room // 2, room]), tested


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
    said = f"{said}: from {enough['frames']} frames on no gain is larger than that"
    later = rows[(rows["frames"] > best["frames"]) & (rows["loss"] - best["loss"] > noise)]
    for _, row in later.iterrows():
        said += f"; {row['mean']:.3g} with {row['frames']} is worse than the best by more"
    return f"{said}."
