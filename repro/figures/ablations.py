"""Pictures of the ablations (notebook 07): effects beside their noise."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from repro.study.ablations import FULL, FULL_BETTER, FULL_WORSE, SAME, TIED, UNKNOWN

_COLOURS = {
    FULL_BETTER: "#8cc98c",
    TIED: "#e3e3e3",
    FULL_WORSE: "#ef9f95",
    SAME: "white",
    UNKNOWN: "#f3e2b3",
}


def effect_table(table: pd.DataFrame) -> Figure:
    """What the full model gains over every variant by every metric, coloured by the verdict.

    Framed: what the part left out is there for. In a cell the gain, above 0 where the full model
    is better, and its noise.

    Parameters
    ----------
    table : as from ``repro.study.ablations.effects``
    """
    variants = list(dict.fromkeys(table["variant"]))
    metrics = list(dict.fromkeys(table["metric"]))
    figure, axis = plt.subplots(
        figsize=(1.05 * len(metrics) + 2.2, 0.52 * len(variants) + 1.5), layout="constrained"
    )
    for row in table.itertuples():
        x, y = metrics.index(row.metric), variants.index(row.variant)
        axis.add_patch(
            plt.Rectangle((x, y), 1, 1, facecolor=_COLOURS[row.verdict], edgecolor="0.75", lw=0.6)
        )
        if row.verdict != SAME:
            axis.text(x + 0.5, y + 0.38, f"{row.effect:+.2g}", ha="center", va="center", fontsize=9)
            axis.text(
                x + 0.5, y + 0.75, f"±{row.noise:.2g}", ha="center", va="center", fontsize=7,
                color="0.35",
            )  # fmt: skip
    for row in table[table["its_own"]].itertuples():
        x, y = metrics.index(row.metric), variants.index(row.variant)
        axis.add_patch(plt.Rectangle((x, y), 1, 1, fill=False, edgecolor="black", lw=1.8, zorder=3))
    units = table.drop_duplicates("metric").set_index("metric")["unit"]
    axis.set_xlim(0, len(metrics))
    axis.set_ylim(len(variants), 0)
    labels = [_wrapped(_with_unit(name, units[name])) for name in metrics]
    axis.set_xticks(np.arange(len(metrics)) + 0.5, labels, fontsize=7.5)
    axis.xaxis.tick_top()
    axis.set_yticks(np.arange(len(variants)) + 0.5, variants)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    shown = [verdict for verdict in _COLOURS if verdict in set(table["verdict"])]
    handles = [Patch(facecolor=_COLOURS[v], edgecolor="0.75", label=v) for v in shown]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
    return figure


def _with_unit(name: str, unit: str) -> str:
    """The name, with its unit where it has a plain one."""
    return name if unit == "1" or unit.startswith("weights") else f"{name} ({unit})"


def _wrapped(text: str, width: int = 14) -> str:
    """Words in lines of about ``width`` letters."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def seed_values(measures: pd.DataFrame, own: pd.DataFrame) -> Figure:
    """Each variant's own metric, a dot for every seed, with and without the part.

    Parameters
    ----------
    measures : columns variant, seed, name, value
    own : as from ``repro.study.ablations.own_effects``
    """
    columns = min(4, len(own))
    lines = -(-len(own) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(2.75 * columns, 2.1 * lines), squeeze=False, layout="constrained"
    )
    by_model = dict(list(measures.groupby("variant")))
    for axis, row in zip(axes.flat, own.itertuples(), strict=False):
        for x, model in enumerate((FULL, row.variant)):
            taken = by_model[model]
            values = taken.loc[taken["name"] == row.metric, "value"].to_numpy()
            places = x + np.linspace(-0.08, 0.08, len(values))
            axis.plot(places, values, "o", ms=5, color="tab:blue" if x == 0 else "tab:orange")
            axis.plot([x - 0.2, x + 0.2], [values.mean()] * 2, color="0.3", lw=1)
        axis.set_xlim(-0.5, 1.5)
        axis.margins(y=0.25)
        axis.set_xticks([0, 1], ["full", row.variant], fontsize=7.5)
        axis.set_title(_wrapped(_with_unit(row.metric, row.unit), 30), fontsize=8.5)
        axis.tick_params(axis="y", labelsize=7.5)
        axis.grid(alpha=0.3, axis="y")
    for axis in axes.flat[len(own) :]:
        axis.set_visible(False)
    return figure
