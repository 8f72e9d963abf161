"""Pictures of the refinement: masks, the memory, training (notebook 06)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure

from repro.refine.inspect import Retrieval
from repro.refine.pairs import PersonPairs, batch_of
from repro.refine.refine import Refiner
from repro.refine.train import RefineHistory

_SMOOTHED = 20
"""Steps over which curves of a single step's batch are averaged."""


def masks(
    refiner: Refiner, pairs: PersonPairs, frames: Sequence[int]
) -> dict[str, list[np.ndarray]]:
    """Rows for ``figures.sheet``: rendered, attention, colour, refined, real (Eq. 3).

    In the box in which the networks work, with the identity features of the real frames.

    Parameters
    ----------
    frames : numbers of the pairs' frames

    Returns
    -------
    name -> a picture (h, w, 3) float32 in [0, 1] for each frame
    """
    batch = batch_of([(pairs, int(t)) for t in frames], refiner.settings)
    with torch.inference_mode():
        made = refiner.generator(batch.window, batch.identity, batch.editable)
    rows = {
        "rendered": batch.window[:, -3:],
        "attention": made.attention.expand_as(made.image),
        "colour": made.colour.clamp(0, 1),
        "refined": made.image,
        "real": batch.real,
    }
    return {name: list(images.permute(0, 2, 3, 1).numpy()) for name, images in rows.items()}


def training(histories: Mapping[str, RefineHistory]) -> Figure:
    """Losses, nearness to held-out frames and the memory's replacements of training runs.

    Left, every term of the loss over the steps; in the middle, what ``watch.Look`` saw (below one,
    refined frames are nearer than rendered ones); right, the share of pairs that took a slot.
    """
    figure, axes = plt.subplots(
        len(histories), 3, figsize=(11, 2.6 * len(histories)), squeeze=False,
        width_ratios=[2, 1, 1], layout="constrained",
    )  # fmt: skip
    for (loss, looks, memory), (name, history) in zip(axes, histories.items(), strict=True):
        for term, values in history.losses.items():
            if term != "replaced" and values.any():
                loss.plot(_running_mean(values), label=term, lw=1.1)
        loss.set_yscale("log")
        loss.set_ylabel(f"{name}: loss")
        loss.legend(fontsize=6, ncols=2)
        if history.looks:
            looks.plot(history.looks["step"], history.looks["l1"], "o-", ms=3, label="L1")
            looks.plot(history.looks["step"], history.looks["spread"], "o-", ms=3, label="spread")
            looks.axhline(1, color="0.6", lw=0.8)
            looks.legend(fontsize=7)
        looks.set_ylabel("held-out face, over rendered", fontsize=7)
        if "replaced" in history.losses:
            memory.plot(_running_mean(history.losses["replaced"]), lw=1.1)
        memory.set_ylim(-0.03, 1.03)
        memory.set_ylabel("share of pairs that took a slot", fontsize=7)
        for axis in (loss, looks, memory):
            axis.grid(alpha=0.3)
            axis.set_xlabel("step")
    return figure


def memory(found: Retrieval, names: Sequence[str]) -> Figure:
    """Whom the memory retrieves for frames of several clips; wrong answers are red.

    names : of the clips
    """
    who, cosine, of = found.who, found.cosine, found.shown
    figure, axis = plt.subplots(figsize=(11, 0.28 * len(who) + 0.9), layout="constrained")
    axis.imshow(who, cmap="tab20", vmin=0, vmax=19, aspect="auto", interpolation="nearest")
    for row, person in enumerate(of):
        for column in range(who.shape[1]):
            wrong = who[row, column] != person
            axis.text(column, row, f"{cosine[row, column]:.2f}", ha="center", va="center",
                      fontsize=6, color="red" if wrong else "black",
                      weight="bold" if wrong else "normal")  # fmt: skip
    axis.set_yticks(np.arange(len(names)), names, fontsize=7)
    axis.set_xlabel("frames of the clip, evenly spread; colour: who is retrieved; number: cosine")
    return figure


def _running_mean(values: np.ndarray) -> np.ndarray:
    """Mean (n,) of each value and up to ``_SMOOTHED - 1`` before it."""
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - _SMOOTHED, 0)
    return (total[stop] - total[start]) / (stop - start)
