"""Pictures of notebook 12: speakers before and after, chosen frames, mouths painted anew."""

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from repro import FPS
from repro.corpus.performance import loudness
from repro.edit import masked
from repro.edit.completion import Completer
from repro.edit.heatmaps import heatmaps
from repro.edit.retiming import head_speed
from repro.edit.target import EditedTarget
from repro.edit.video import edited_frames
from repro.figures.basics import sheet
from repro.reconstruct.track import FaceTrack


def speakers(places: pd.DataFrame) -> Figure:
    """Figure 11 in form: seconds of sound, a colour for each voice, a panel for each method.

    Parameters
    ----------
    places : of one seed, ``study.edit_tables.EditStudy.tsne``
    """
    methods = places["method"].unique()
    figure, axes = plt.subplots(
        1, len(methods), figsize=(11, 4.6), squeeze=False, layout="constrained"
    )
    voices = sorted({speaker.split("/")[0] for speaker in places["speaker"]})
    for axis, method in zip(axes[0], methods, strict=True):
        some = places[places["method"] == method]
        for k, voice in enumerate(voices):
            own = some[some["speaker"].str.split("/").str[0] == voice]
            axis.scatter(own["x"], own["y"], s=9, color=plt.cm.tab20(k % 20), label=voice)
        axis.set_title({"BL": "MFCCs", "+IR": "after ID removal"}.get(method, method), fontsize=10)
        axis.set_xticks([])
        axis.set_yticks([])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), fontsize=7, ncols=8,
                  loc="outside lower center", markerscale=1.5)  # fmt: skip
    return figure


def retiming(sound: np.ndarray, edited: EditedTarget, track: FaceTrack) -> Figure:
    """Which target frames are shown to a sound (N,), over how loud it is and how the head moves."""
    t = np.arange(len(edited)) / FPS
    figure, axes = plt.subplots(2, 1, figsize=(11, 4), sharex=True, layout="constrained")
    axes[0].plot(t, edited.shown / FPS, color="tab:blue", lw=1.4)
    axes[0].set_ylabel("target shown (s)")
    axes[1].fill_between(t, loudness(sound, len(edited)), color="0.85", label="loudness")
    speed = head_speed(track.coefficients.pose)[edited.shown]
    axes[1].plot(t, speed, color="tab:orange", lw=1.2, label="head speed, of 0.5 rad/s")
    axes[1].set_ylim(0, 1)
    axes[1].set_xlabel("seconds of the sound")
    axes[1].legend(fontsize=8, ncols=2, loc="upper right")
    for axis in axes:
        axis.grid(alpha=0.3)
    return figure


def steps(
    frames: np.ndarray, edited: EditedTarget, completer: Completer, numbers: Sequence[int]
) -> Figure:
    """Some moments: the target's frame, hidden, its heat map, as painted, as blended.

    Parameters
    ----------
    frames : (M, H, W, 3) uint8, of the target
    numbers : which of the edited frames
    """
    settings, last = completer.settings, max(numbers)
    image = frames.shape[1:3]
    noise = masked.draw_noise(image, np.random.default_rng(0))
    begun = slice(0, last + 1)
    original, wanted = edited.original[begun], edited.wanted[begun]

    def shown() -> Iterable[np.ndarray]:
        return (np.asarray(frames[t]) for t in edited.shown[begun])

    rows: dict[str, list[np.ndarray]] = {
        name: [] for name in ("target", "hidden", "heat map", "painted", "blended")
    }
    painted = completer.complete(shown(), original, wanted)
    blended = edited_frames(shown(), original, wanted, completer, settings)
    for t, (own, made, whole) in enumerate(zip(shown(), painted, blended, strict=True)):
        if t not in numbers:
            continue
        mask = masked.rectangle_mask(made.rectangle, image)
        guides = torch.from_numpy(np.float32(wanted[t][masked.GUIDES]))[None]
        heat = heatmaps(guides, image, sigma_px=settings.heatmap_sigma_px)[0].numpy()
        pictures = own, masked.hidden(own, mask, noise), _grey(heat), made.frame, whole.frame
        for row, picture in zip(rows.values(), pictures, strict=True):
            row.append(picture)
    return sheet(rows, titles=[f"{t / FPS:.1f} s" for t in numbers])


def _grey(values: np.ndarray) -> np.ndarray:
    """A map in [0, 1] (H, W) as a picture (H, W, 3)."""
    return np.repeat(values.reshape(values.shape[-2:])[..., None], 3, axis=-1)
