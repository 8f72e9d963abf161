"""Pictures of notebook 08: what people chose (Table 1), what every method makes (Table 2)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from repro import FPS
from repro.study.ratings import Share


def chosen(questions: Mapping[str, Mapping[str, Share]]) -> Figure:
    """How often each method was chosen, in percent with its interval, a panel for each question."""
    figure, axes = plt.subplots(
        1, len(questions), figsize=(11, 2.6), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, (question, shares) in zip(axes[0], questions.items(), strict=True):
        values = np.array([s.percent for s in shares.values()])
        ends = np.array([s.bootstrap_percent or s.wilson_percent for s in shares.values()])
        reach = np.clip([values - ends[:, 0], ends[:, 1] - values], 0, None)
        axis.barh(list(shares), values, xerr=reach, color="tab:blue", alpha=0.7, capsize=3)
        axis.set_xlim(0, 100)
        axis.set_xlabel("chosen (%)")
        axis.set_title(question.replace("_", " "), fontsize=10)
        axis.grid(axis="x", alpha=0.3)
    axes[0, 0].invert_yaxis()
    return figure


def openings(gaps: Mapping[str, np.ndarray], *, real: str) -> Figure:
    """Opening of the lips (T,) over time, in % of the pupils' distance; the real one in black."""
    figure, axis = plt.subplots(figsize=(11, 2.8), layout="constrained")
    for name, gap in gaps.items():
        style = {"color": "black", "lw": 1.8} if name == real else {"lw": 1.1}
        axis.plot(np.arange(len(gap)) / FPS, gap, label=name, **style)
    axis.set_xlabel("seconds")
    axis.set_ylabel("lip gap (%)")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8, ncols=len(gaps), loc="upper center", bbox_to_anchor=(0.5, 1.18))
    return figure


def losses(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Training losses by network, smoothed, each in its own unit, over the share of its steps."""
    figure, axis = plt.subplots(figsize=(11, 2.6), layout="constrained")
    for name, values in curves.items():
        width = max(1, len(values) // 25)
        smooth = np.convolve(values, np.ones(width) / width, mode="valid")
        axis.plot(np.linspace(0, 100, len(smooth)), smooth, label=f"{name}, {len(values)} steps")
    axis.set_yscale("log")
    axis.set_xlabel("training (%)")
    axis.set_ylabel("loss")
    axis.grid(alpha=0.3)
    figure.legend(fontsize=8, loc="outside right upper")
    return figure
