"""Pictures of motion from sound (notebooks 03 and 04): lips over the sound, actions, faces."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from repro import FPS, SAMPLE_RATE
from repro.corpus.truth import Truth
from repro.face.model import MorphableModel
from repro.motion.motion import Motion
from repro.output import Label, write_labelled
from repro.reconstruct.track import FaceTrack
from repro.render.view import Studio, studio_camera, studio_pose

TRUE_COLOUR = "black"
SIDE_PX = 288
"""Width and height of each head of a ``mesh_video``."""
_CLOSING = ("p", "b", "m")


def lips_over_sound(
    audio: np.ndarray,
    gaps: Mapping[str, np.ndarray],
    *,
    first: int = 0,
    seconds: float = 6,
    truth: Truth | None = None,
) -> Figure:
    """The opening of lips over the sound that goes with it.

    Parameters
    ----------
    audio : (N,) of the whole clip, 16 kHz
    gaps : by name, (T,) from frame ``first`` of the clip on; the first is the true one
    truth : of the whole clip; where it says p, b or m is marked
    """
    begin = first / FPS
    shown = min(round(seconds * FPS), *(len(gap) for gap in gaps.values()))
    stop = begin + shown / FPS
    figure, axis = plt.subplots(figsize=(11, 3.2), layout="constrained")
    sound = np.asarray(audio)[round(begin * SAMPLE_RATE) : round(stop * SAMPLE_RATE)]
    beneath = axis.twinx()
    beneath.plot(begin + np.arange(len(sound)) / SAMPLE_RATE, sound, lw=0.3, color="0.75")
    beneath.set_yticks([])
    largest = 1.1 * max(float(np.abs(sound).max(initial=0)), 1e-6)
    beneath.set_ylim(-largest, largest)
    axis.set_zorder(beneath.get_zorder() + 1)
    axis.patch.set_visible(False)
    for k, (name, gap) in enumerate(gaps.items()):
        style = {"color": TRUE_COLOUR, "lw": 1.8} if k == 0 else {"lw": 1.3}
        axis.plot(begin + (np.arange(shown) + 0.5) / FPS, gap[:shown], label=name, **style)
    for symbol, (start, end) in zip(*_spoken(truth), strict=True):
        if symbol in _CLOSING and begin < (start + end) / 2 < stop:
            axis.axvspan(start, end, color="tab:red", alpha=0.15, lw=0)
    axis.set_xlim(begin, stop)
    axis.set_xlabel("seconds" + (" (p, b and m in red)" if truth is not None else ""))
    axis.set_ylabel("lip gap (% of pupil distance)")
    axis.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(gaps))
    return figure


def _spoken(truth: Truth | None) -> tuple[tuple[str, ...], np.ndarray]:
    return ((), np.empty((0, 2))) if truth is None else (truth.symbols, truth.times_s)


def lip_distributions(gaps: Mapping[str, np.ndarray]) -> Figure:
    """How often lips are how far open, and how fast they move; the first of ``gaps`` is true."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 2.8), layout="constrained")
    speeds = {name: np.abs(np.diff(gap)) for name, gap in gaps.items()}
    words = "lip gap (% of pupil distance)", "change of it from frame to frame"
    for axis, values, label in zip(axes, (gaps, speeds), words, strict=True):
        top = max(float(np.percentile(v, 99.5)) for v in values.values())
        bottom = min(float(v.min()) for v in values.values())
        for k, (name, v) in enumerate(values.items()):
            style = {"color": TRUE_COLOUR, "lw": 1.8} if k == 0 else {"lw": 1.3}
            edges = np.linspace(bottom, top, 24)
            share = np.histogram(np.clip(v, bottom, top), edges)[0] / len(v)
            axis.stairs(share, edges, label=name, **style)
        axis.set_xlabel(label)
        axis.set_ylabel("share of frames")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    return figure


def action_correlations(values: Mapping[str, Mapping[str, float]]) -> Figure:
    """Pearson's r of each speech-related action, a bar for each mapping."""
    actions = list(next(iter(values.values())))
    figure, axis = plt.subplots(figsize=(11, 3), layout="constrained")
    width = 0.8 / len(values)
    for k, (name, r) in enumerate(values.items()):
        places = np.arange(len(actions)) + (k - (len(values) - 1) / 2) * width
        mean = float(np.mean(list(r.values())))
        axis.bar(places, [r[a] for a in actions], width, label=f"{name}, mean {mean:.2f}")
    axis.set_xticks(range(len(actions)), actions, rotation=30, ha="right", fontsize=8)
    axis.set_ylabel("r with the truth")
    axis.grid(axis="y", alpha=0.3)
    axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=len(values))
    return figure


def mesh_video(
    path: Path,
    model: MorphableModel,
    track: FaceTrack,
    motions: Mapping[str, Motion],
    audio: np.ndarray,
    *,
    models: Mapping[str, str],
) -> Path:
    """Write a video of the bare, shaded mesh speaking, one head for each motion, with the sound.

    Parameters
    ----------
    path : the .mp4 to write
    track : whose face it is
    motions : by the name that stands above the head, (T frames) all; each head moves about its
        own mean pose, in the same place
    audio : (N,) from the first of those frames on
    models : what made the motions, for the label
    """
    frames = heads_side_by_side(model, track, motions)
    size = (SIDE_PX * len(motions), SIDE_PX)
    write_labelled(path, frames, size=size, audio=np.asarray(audio), label=Label(dict(models)))
    return path


def heads_side_by_side(
    model: MorphableModel, track: FaceTrack, motions: Mapping[str, Motion]
) -> Iterator[np.ndarray]:
    """The frames (H, W, 3) uint8 of ``mesh_video``."""
    studio, camera = Studio.of(model), studio_camera(SIDE_PX, zoom=0.98)
    poses = {name: studio_pose() + m.pose - m.pose.mean(0) for name, m in motions.items()}
    for t in range(min(len(motion) for motion in motions.values())):
        heads = []
        for name, motion in motions.items():
            head = studio.picture(
                track.vertices(model, motion.expression[t]), camera=camera, pose=poses[name][t]
            )
            heads.append(_named(head, name))
        yield np.concatenate(heads, axis=1)


def _named(picture: np.ndarray, name: str) -> np.ndarray:
    """The picture with a name at its top."""
    origin = (8, 20)
    cv2.putText(picture, name, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    return picture
