"""Pictures of notebook 11: people's ways of moving the head, and frames made from references."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from repro import FPS
from repro.animate.animate import Animator
from repro.animate.drive import Wanted
from repro.animate.footage import Footage
from repro.animate.sketch import draw_sketch
from repro.animate.views import match_costs, view_of
from repro.evaluate.pose import ANGLES
from repro.figures.basics import sheet


def rhythms(motions: Mapping[str, Sequence[np.ndarray]]) -> Figure:
    """Figure 3b in form: a column for each person, a line for each clip (T, 6) of theirs."""
    figure, axes = plt.subplots(
        3, len(motions), figsize=(2.6 * len(motions) + 1, 5), sharex=True, sharey="row",
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for column, (name, clips) in zip(axes.T, motions.items(), strict=True):
        column[0].set_title(name, fontsize=9)
        for pose in clips:
            for k, axis in enumerate(column):
                axis.plot(np.arange(len(pose)) / FPS, np.rad2deg(pose[:, k]), lw=1.1)
                axis.grid(alpha=0.3)
        column[-1].set_xlabel("seconds", fontsize=8)
    for axis, angle in zip(axes[:, 0], ANGLES, strict=True):
        axis.set_ylabel(f"{angle} (degrees)", fontsize=8)
    return figure


def steps(
    animator: Animator,
    references: Footage,
    wanted: Wanted,
    numbers: Sequence[int],
    *,
    real: np.ndarray | None = None,
) -> Figure:
    """Some moments: the wanted landmarks, the projected mesh, the matched reference, what is made.

    Parameters
    ----------
    references : K frames of the person
    numbers : which of the wanted frames
    real : (T, S, S, 3) uint8, shown below where it is known
    """
    size, mesh, chosen = references.size_px, references.mesh(), list(numbers)
    landmarks, pose = wanted.landmarks[chosen], wanted.pose[chosen]
    nearest = match_costs(references, landmarks, pose, animator.settings).argmin(-1)
    projected = [
        view_of(references, mesh, *at, hide_mouth=animator.settings.hide_mouth).projected[0]
        for at in zip(landmarks, pose, nearest, strict=True)
    ]
    rows = {
        "landmarks": [_grey(draw_sketch(points, size)) for points in landmarks],
        "projected": [(255 * p).byte().permute(1, 2, 0).numpy() for p in projected],
        "matched": [references.frames[k] for k in nearest],
        "made": list(animator.animate(references, landmarks, pose)),
    }
    if real is not None:
        rows["real"] = list(real[chosen])
    return sheet(rows, titles=[f"{t / FPS:.2f} s" for t in chosen])


def _grey(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture[..., None], 3, axis=-1)
