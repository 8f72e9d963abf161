"""Pictures of how many frames are worth learning from (notebook 10)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from repro.study.frame_count import SHOWN, by_count
from repro.study.metrics import FACE_PSNR
from repro.study.published import frame_count_votes

_ARROW = {"higher": "higher is better", "lower": "lower is better", "one": "1 is best"}
_PARTS = {"rendering": "0.6", "motion": "tab:green", "refinement": "tab:blue"}


def quality(table: pd.DataFrame, before: pd.DataFrame) -> Figure:
    """Each metric over the frames learned from; bars: 2.8 standard deviations of one fine-tuning.

    Parameters
    ----------
    table : as from ``repro.study.frame_count.by_count``
    before : columns person, frames_learned, value (dB): PSNR of the face before refinement
    """
    shown = [metric for metric in SHOWN if metric.name in set(table["metric"])]
    columns = 3
    lines = -(-len(shown) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(11, 2.5 * lines), squeeze=False, layout="constrained"
    )
    for axis, metric in zip(axes.flat, shown, strict=False):
        rows = table[table["metric"] == metric.name].sort_values("frames")
        noise = rows["noise"].fillna(0)
        axis.errorbar(rows["frames"], rows["mean"], yerr=noise, fmt="o-", ms=4, lw=1.3, capsize=3)
        if metric is FACE_PSNR:
            drawn = by_count(before.assign(name="before", unit="dB"))
            label = "before refinement"
            axis.plot(drawn["frames"], drawn["mean"], "s--", c="0.5", ms=3, lw=1, label=label)
            axis.legend(fontsize=8)
        unit = rows["unit"].iloc[0]
        name = metric.name if unit == "1" or "weights" in unit else f"{metric.name} ({unit})"
        axis.set_title(f"{name}\n{_ARROW[metric.better]}", fontsize=9)
        _over_frames(axis, rows["frames"].tolist())
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("frames learned from")
    return figure


def choices_and_costs(costs: pd.DataFrame) -> Figure:
    """The published choices with their 95 % intervals; beside them what learning costs here.

    Parameters
    ----------
    costs : columns frames, part, seconds
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 2.9), layout="constrained")
    votes = frame_count_votes()
    counts = sorted(votes)
    percent = np.array([votes[n].percent for n in counts])
    low, high = np.array([votes[n].wilson_percent for n in counts]).T
    left.bar([str(n) for n in counts], percent, color="0.75")
    left.errorbar(
        range(len(counts)), percent, yerr=[percent - low, high - percent], fmt="none", capsize=3,
        color="0.3",
    )  # fmt: skip
    left.set_ylabel("chosen among the best (%)")
    left.set_xlabel("frames learned from (paper: 11 people)")
    left.grid(alpha=0.3, axis="y")
    wide = costs.pivot(index="frames", columns="part", values="seconds")
    below = np.zeros(len(wide))
    for part in (p for p in _PARTS if p in wide):
        right.bar(wide.index.astype(str), wide[part], bottom=below, color=_PARTS[part], label=part)
        below = below + wide[part].to_numpy()
    right.set_ylabel("seconds of learning")
    right.set_xlabel("frames learned from (this run)")
    right.legend(fontsize=8)
    right.grid(alpha=0.3, axis="y")
    return figure


def _over_frames(axis: Axes, counts: Sequence[int]) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticks(counts, [str(n) for n in counts], fontsize=8)
    axis.tick_params(axis="y", labelsize=8)
    axis.grid(alpha=0.3)
