"""Pictures that the notebooks show and keep: frame sheets, curves, overlays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from repro import FPS, SAMPLE_RATE
from repro.corpus.clip import Clip
from repro.corpus.truth import Truth
from repro.face import landmarks as lm
from repro.frames import evenly

_ANGLES = ("pitch", "yaw", "roll")


@dataclass(frozen=True)
class _Part:
    """Landmarks of a part of the face, the room about them of their extent, height over width."""

    points: np.ndarray
    margin: float
    height: float = 1


_PARTS = {
    "face": _Part(np.arange(lm.COUNT), 0.12),
    "mouth": _Part(lm.LIPS, 0.25),
    "eyes": _Part(lm.EYELIDS, 0.15, 0.5),
}


def sheet(
    rows: Mapping[str, Sequence[np.ndarray]],
    *,
    titles: Sequence[str] = (),
    captions: Mapping[str, Sequence[str]] | None = None,
    width_in: float = 11,
) -> Figure:
    """Rows of frames, each with its name.

    Parameters
    ----------
    rows : name -> frames (H, W, 3) uint8 or float in [0, 1]
    titles : of the columns
    captions : name of a row -> words above each of its frames, in place of the titles
    """
    above = {next(iter(rows)): titles, **(captions or {})}
    above = {name: words for name, words in above.items() if words}
    count = max(len(frames) for frames in rows.values())
    heights = [max(len(f) / f.shape[1] for f in frames) for frames in rows.values()]
    cell = (width_in - 0.25) / count
    figure, axes = plt.subplots(
        len(rows), count, figsize=(width_in, cell * sum(heights) + 0.25 * len(above) + 0.1),
        squeeze=False, height_ratios=heights, layout="constrained",
    )  # fmt: skip
    pads = {"w_pad": 0.01, "h_pad": 0.01, "wspace": 0.01, "hspace": 0.01}
    figure.get_layout_engine().set(**pads)  # type: ignore[union-attr]
    for line, (name, frames) in zip(axes, rows.items(), strict=True):
        words = above.get(name, ())
        for k, axis in enumerate(line):
            axis.set_xticks([])
            axis.set_yticks([])
            axis.spines[:].set_visible(False)
            if k < len(frames):
                axis.imshow(frames[k], vmin=0, vmax=1)
            if k < len(words):
                axis.set_title(words[k], fontsize=9)
        line[0].set_ylabel(name, fontsize=9)
    return figure


def stills(clip: Clip, count: int) -> list[np.ndarray]:
    """``count`` frames (H, W, 3) uint8 spread evenly over a clip, read once through."""
    wanted = set(evenly(count, clip.frames).tolist())
    return [frame for t, frame in enumerate(clip.read()) if t in wanted]


def speech(
    audio: np.ndarray, truth: Truth | None, mouths: Sequence[np.ndarray] = (), *, seconds: float = 3
) -> Figure:
    """Sound (N,) at 16 kHz; with a truth, its phonemes and the true opening of the lips.

    ``mouths``: pictures of the mouth, spread evenly over the ``seconds`` that are shown.
    """
    seconds = min(seconds, len(audio) / SAMPLE_RATE)
    heights = [0.8] * bool(mouths) + [1] + [1] * (truth is not None)
    figure, axes = plt.subplots(
        len(heights), 1, figsize=(11, 2 * len(heights)), sharex=True, squeeze=False,
        height_ratios=heights, layout="constrained",
    )  # fmt: skip
    shown = list(axes[:, 0])
    if mouths:
        strip = shown.pop(0)
        for k, mouth in enumerate(mouths):
            edges = seconds * np.array([k, k + 1]) / len(mouths)
            strip.imshow(mouth, extent=(*edges, 0, 1), aspect="auto")
        strip.set_yticks([])
    sound, *rest = shown
    sound.plot(np.arange(len(audio)) / SAMPLE_RATE, audio, lw=0.3)
    sound.set_ylabel("sound")
    if truth is not None:
        gap = 1000 * truth.lip_gap_m
        rest[0].plot(np.arange(len(gap)) / FPS, gap, lw=1.2)
        rest[0].set_ylabel("lip gap (mm)")
        for symbol, (start, end) in zip(truth.symbols, truth.times_s, strict=True):
            if (start + end) / 2 < seconds:
                sound.text((start + end) / 2, 0.9 * np.abs(audio).max(), symbol, ha="center")
            if symbol in ("p", "b", "m"):
                for axis in (sound, *rest):
                    axis.axvspan(start, end, color="tab:red", alpha=0.15, lw=0)
    axes[-1, 0].set_xlim(0, seconds)
    axes[-1, 0].set_xlabel("seconds (p, b and m in red)")
    return figure


def closeups(
    frames: Sequence[np.ndarray] | np.ndarray,
    landmarks: np.ndarray,
    at: Sequence[int] | np.ndarray,
    *,
    part: str,
    width_px: int = 160,
) -> list[np.ndarray]:
    """A part of the face in some frames, all of one scale and size.

    Parameters
    ----------
    frames : T frames (H, W, 3) uint8
    landmarks : (T, 478, 2) pixels of those frames
    at : numbers of frames
    part : "face" or "mouth", which are square, or "eyes", twice as wide as high

    Returns
    -------
    pictures (h, width_px, 3) uint8
    """
    points = landmarks[np.asarray(at)][:, _PARTS[part].points]
    low, high = points.min(1), points.max(1)
    width = (1 + 2 * _PARTS[part].margin) * float(np.max(high - low))
    size = width_px, round(_PARTS[part].height * width_px)
    scale = width_px / width
    pictures = []
    for t, centre in zip(at, (low + high) / 2, strict=True):
        shift = np.array(size) / 2 - scale * centre
        matrix = np.column_stack([scale * np.eye(2), shift + (scale - 1) / 2])
        picture = cv2.warpAffine(
            np.asarray(frames[t]), matrix, size,
            flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        pictures.append(picture)
    return pictures


def pose_styles(poses: Mapping[str, np.ndarray]) -> Figure:
    """How often each of several people's heads (T, 6) are at which pitch, yaw and roll."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 0.6 * len(poses) + 1.4), sharey=True,
                                layout="constrained")  # fmt: skip
    for i, (axis, angle) in enumerate(zip(axes, _ANGLES, strict=True)):
        axis.violinplot(
            [np.degrees(pose[:, i]) for pose in poses.values()], orientation="horizontal",
            showmedians=True, widths=0.9,
        )  # fmt: skip
        axis.set_xlabel(f"{angle} (degrees)")
        axis.grid(alpha=0.3)
    axes[0].set_yticks(np.arange(len(poses)) + 1, list(poses))
    return figure


def with_points(
    frame: np.ndarray, points: np.ndarray, *, colour: tuple[int, int, int] = (0, 255, 120)
) -> np.ndarray:
    """A copy of a frame (H, W, 3) uint8, at twice the size, with points (L, 2) drawn on it."""
    large = cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    for x, y in np.round(points * 2 * 16).astype(int):
        cv2.circle(large, (x, y), 20, colour, -1, cv2.LINE_AA, shift=4)
    return large


def pose_curves(poses: Mapping[str, np.ndarray], *, marks: np.ndarray | None = None) -> Figure:
    """Pitch, yaw and roll in degrees over time, for poses (T, 6) by name; ``marks``: key frames."""
    figure, axes = plt.subplots(3, 1, figsize=(10, 5), sharex=True, layout="constrained")
    for i, (axis, angle) in enumerate(zip(axes, _ANGLES, strict=True)):
        for name, pose in poses.items():
            degrees = np.degrees(pose[:, i])
            (line,) = axis.plot(np.arange(len(pose)) / FPS, degrees, label=name, lw=1.2)
            if marks is not None and name == next(iter(poses)):
                axis.plot(marks / FPS, degrees[marks], "o", ms=4, color=line.get_color())
        axis.set_ylabel(f"{angle} (degrees)")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    axes[-1].set_xlabel("seconds")
    return figure


def curves(
    lines: Mapping[str, np.ndarray],
    *,
    ylabel: str,
    xlabel: str = "seconds",
    step: float = 1 / FPS,
    logarithmic: bool = False,
) -> Figure:
    """Curves (n,) over a common axis, by name."""
    figure, axis = plt.subplots(figsize=(10, 2.6), layout="constrained")
    for name, values in lines.items():
        axis.plot(np.arange(len(values)) * step, values, label=name, lw=1.2)
    if logarithmic:
        axis.set_yscale("log")
    axis.set_xlabel(xlabel)
    axis.set_ylabel(ylabel)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return figure


def keep(figure: Figure, folder: Path, name: str) -> Path:
    """Save a figure as ``folder/name.png`` and return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return path
