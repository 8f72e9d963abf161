"""Pictures of how heads are held (notebook 09): distributions, matrices of HS, averages."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from repro import FPS
from repro.evaluate.pose import ANGLES, BINS, RANGE_RAD
from repro.study.head_pose import GENERAL, PAPER_MEAN_HS, SAME, STILL, Heads, matrix

_COLOURS = {SAME: "0.45", STILL: "tab:brown", GENERAL: "tab:orange", "personal, paper": "tab:blue"}
_OTHER = "tab:green"
_WIDTHS = {GENERAL: 2.4}  # it is often just what the personal mapping makes, and lies below that


def _line(kind: str) -> dict[str, object]:
    """How a kind is drawn, everywhere alike."""
    return {"color": _COLOURS.get(kind, _OTHER), "lw": _WIDTHS.get(kind, 1.3), "label": kind}


def distributions(heads: Sequence[Heads], kinds: Sequence[str], *, bins: int = BINS) -> Figure:
    """Histograms of pitch, yaw and roll: the real tested frames filled, what was made as lines.

    Parameters
    ----------
    heads : a row of pictures for each; bars more than twice as high as any real one are cut off
    kinds : of what was made; all their draws together
    """
    figure, axes = plt.subplots(
        len(heads), 3, figsize=(11, 1.9 * len(heads) + 0.9), squeeze=False, layout="constrained"
    )
    edges = np.degrees(np.linspace(*RANGE_RAD, bins + 1))
    for head, line in zip(heads, axes, strict=True):
        for i, axis in enumerate(line):
            shown = [_shares(head.tested[:, i], edges)]
            axis.stairs(shown[0], edges, fill=True, color="0.8", label="real")
            for kind in kinds:
                made = np.concatenate([draw[:, i] for draw in head.draws(kind)])
                shown.append(_shares(made, edges))
                axis.stairs(shown[-1], edges, **_line(kind))
            _frame(axis, shown, edges)
        line[0].set_ylabel(f"{head.name}\nshare of frames", fontsize=8)
    for axis, angle in zip(axes[-1], ANGLES, strict=True):
        axis.set_xlabel(f"{angle} (degrees)")
    _legend_above(figure, axes[0, 0])
    return figure


def curves(head: Heads, kinds: Sequence[str], *, frames: int | None = None) -> Figure:
    """Pitch, yaw and roll over the first of the tested frames, real and as made."""
    figure, axes = plt.subplots(3, 1, figsize=(11, 5.6), sharex=True, layout="constrained")
    seconds = np.arange(len(head.tested[:frames])) / FPS
    for i, (axis, angle) in enumerate(zip(axes, ANGLES, strict=True)):
        axis.plot(seconds, np.degrees(head.tested[:frames, i]), color="black", lw=1.8, label="real")
        for kind in kinds:
            axis.plot(seconds, np.degrees(head.draws(kind)[0][:frames, i]), **_line(kind))
        axis.set_ylabel(f"{angle} (degrees)")
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("seconds")
    _legend_above(figure, axes[0])
    return figure


def _legend_above(figure: Figure, axis: plt.Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=9)


def _shares(radians: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of the frames in each bin; those beyond count in the outermost, as in HS."""
    degrees = np.degrees(radians).clip(edges[0], edges[-1] - 1e-6)
    return np.histogram(degrees, edges)[0] / len(degrees)


def _frame(axis: plt.Axes, shown: Sequence[np.ndarray], edges: np.ndarray) -> None:
    """Show the angles that occur, and heights up to the tallest bar that is not a spike."""
    taken = np.flatnonzero(np.sum(shown, axis=0) > 0)
    margin = 2
    low, high = max(taken[0] - margin, 0), min(taken[-1] + 1 + margin, len(edges) - 1)
    axis.set_xlim(edges[low], edges[high])
    top = 1.15 * max(0.05, min(max(x.max() for x in shown), 2.2 * shown[0].max()))
    axis.set_ylim(0, top)
    axis.grid(alpha=0.3)


def matrices(heads: Sequence[Heads], kinds: Sequence[str]) -> Figure:
    """HS of every person's real frames (rows) with what is every person's (columns)."""
    scores = {kind: matrix(heads, kind) for kind in kinds}
    low = min(0.95, *(float(x.min()) for x in scores.values()))
    names = [head.name.removeprefix("personal_") for head in heads]
    side = max(0.42 * len(heads) + 1.6, 2.9)
    figure, axes = plt.subplots(
        1, len(kinds), figsize=(side * len(kinds) + 0.8, side), squeeze=False, layout="constrained"
    )
    for axis, (kind, values) in zip(axes[0], scores.items(), strict=True):
        image = axis.imshow(values, vmin=low, vmax=1, cmap="viridis")
        for i, j in np.ndindex(values.shape):
            axis.text(
                j, i, f"{values[i, j]:.{2 if len(heads) > 6 else 3}f}".removeprefix("0"),
                ha="center", va="center", fontsize=8,
                color="white" if values[i, j] < (low + 1) / 2 else "black",
                fontweight="bold" if i == j else "normal",
            )  # fmt: skip
        axis.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.set_xlabel("real, learned from" if kind == SAME else kind)
    axes[0, 0].set_ylabel("real, tested")
    figure.colorbar(image, ax=list(axes[0]), label="HS", shrink=0.8)
    return figure


def averages(pairs: pd.DataFrame) -> Figure:
    """Mean HS of each kind as bars, its people as dots, beside the paper's mean.

    Twice: over the fixed range, and over each pair's own, where heads that move little count.
    """
    kinds = list(dict.fromkeys(pairs["against"]))
    figure, axes = plt.subplots(
        1, 2, figsize=(11, 0.45 * len(kinds) + 1.3), sharey=True, layout="constrained"
    )
    titles = {
        "hs": f"HS, {BINS} bins over ±{np.degrees(RANGE_RAD[1]):.0f} degrees",
        "hs_own_range": f"HS, {BINS} bins over each pair's own range",
    }
    for axis, (column, title) in zip(axes, titles.items(), strict=True):
        for k, kind in enumerate(kinds):
            values = pairs.loc[pairs["against"] == kind, column].to_numpy()
            axis.barh(k, values.mean(), color=_line(kind)["color"], alpha=0.75, height=0.65)
            places = k + np.linspace(-0.22, 0.22, len(values) + 2)[1:-1]
            axis.plot(values, places, "o", ms=3.5, color="black", alpha=0.6)
            axis.text(
                0.02, k, f"{values.mean():.3f}", va="center", color="white", fontweight="bold"
            )
        axis.set_xlim(0, 1)
        axis.set_xlabel(title)
        axis.grid(alpha=0.3, axis="x")
    axes[0].axvline(PAPER_MEAN_HS, color="tab:red", ls="--", lw=1.3)
    axes[0].text(PAPER_MEAN_HS, -0.62, f"paper {PAPER_MEAN_HS} ", color="tab:red", ha="right")
    axes[0].set_yticks(range(len(kinds)), kinds)
    axes[0].set_ylim(len(kinds) - 0.5, -1)
    return figure


def votes(counts: Mapping[str, Mapping[int, int]]) -> Figure:
    """Votes from 1 to 5, as shares of all, by name."""
    figure, axis = plt.subplots(figsize=(7, 2.6), layout="constrained")
    width = 0.8 / len(counts)
    for k, (name, given) in enumerate(counts.items()):
        total = sum(given.values())
        places = np.arange(1, 6) + (k - (len(counts) - 1) / 2) * width
        bars = axis.bar(places, [given.get(s, 0) / total for s in range(1, 6)], width, label=name)
        axis.bar_label(bars, [str(given.get(s, 0)) for s in range(1, 6)], fontsize=8)
    words = ("not\nsimilar", "maybe not\nsimilar", "don't\nknow", "maybe\nsimilar", "similar")
    axis.set_xticks(
        range(1, 6), [f"{s}\n{word}" for s, word in zip(range(1, 6), words, strict=True)]
    )
    axis.set_ylabel("share of votes")
    axis.margins(y=0.15)
    axis.legend(fontsize=9)
    return figure


def hs_and_ratings(hs: Mapping[str, float], ratings: pd.DataFrame) -> Figure:
    """Mean rating of each person's video over its HS."""
    means = ratings.groupby("person")["rating"].agg(["mean", "sem"]).fillna(0)
    figure, axis = plt.subplots(figsize=(6, 3.6), layout="constrained")
    x = [hs[name] for name in means.index]
    axis.errorbar(x, means["mean"], yerr=means["sem"], fmt="o", capsize=3)
    for name, a, b in zip(means.index, x, means["mean"], strict=True):
        axis.annotate(
            name.removeprefix("personal_"),
            (a, b),
            xytext=(5, 4),
            textcoords="offset points",
            fontsize=7,
        )
    axis.set_xlabel("HS")
    axis.set_ylabel("mean rating (1 to 5)")
    axis.set_ylim(0.8, 5.2)
    axis.margins(x=0.12)
    axis.grid(alpha=0.3)
    return figure


def noise_curves(sweep: pd.DataFrame) -> Figure:
    """How correlations with the true motion fall with noise, as of ``repro.study.noise``."""
    shown = {"expression_r": "actions of mouth and jaw", "lip_gap_r": "opening of the lips"}
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.1), sharey=True, layout="constrained")
    for axis, (column, title) in zip(axes, shown.items(), strict=True):
        clean = sweep.loc[sweep["noise"] == "none", column].mean()
        axis.axhline(clean, color="0.4", ls="--", lw=1.2, label="without noise")
        for name, marker in (("white", "o"), ("babble", "s")):
            some = sweep[sweep["noise"] == name]
            mean = some.groupby("snr_db")[column].mean()
            (line,) = axis.plot(mean.index, mean, marker=marker, ms=5, label=name)
            for _, own in some.groupby("person"):
                axis.plot(own["snr_db"], own[column], color=line.get_color(), lw=0.7, alpha=0.35)
        axis.invert_xaxis()
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("signal-to-noise ratio (dB)")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("correlation with the true motion")
    axes[0].legend(fontsize=8)
    return figure
