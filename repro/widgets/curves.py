"""Pose and expression over time with the frame they belong to (Yi et al. 2020, section 3.1)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from repro import FPS
from repro.corpus.truth import Truth
from repro.evaluate.pose import ANGLES
from repro.face.model import MorphableModel
from repro.figures.reconstruction import ACTIONS
from repro.reconstruct.track import FaceTrack
from repro.widgets.picture import Scrubbed, Timeline, beside, resized

_ROW_IN = 0.8
_FRAME_PX = 320


class MotionScrubber(Scrubbed):
    """A frame of a clip beside curves; a line on them moves with the frame.

    ``frames`` is a sequence of (H, W, 3) uint8, ``panels`` curves (T,) by panel and name.
    """

    def __init__(
        self,
        frames: Sequence[np.ndarray] | np.ndarray,
        panels: Mapping[str, Mapping[str, np.ndarray]],
        *,
        frame: int = 0,
    ) -> None:
        for title, lines in panels.items():
            for name, values in lines.items():
                if len(values) != len(frames):
                    raise ValueError(
                        f"curve '{name}' of '{title}' has {len(values)} values for "
                        f"{len(frames)} frames"
                    )
        self._frames = frames
        self._timeline = _timeline(panels, len(frames))
        super().__init__(len(frames), frame=frame)

    def render(self) -> np.ndarray:
        """The frame and the curves, (H, W, 3) uint8."""
        t = self.frame.value
        return beside([resized(self._frames[t], _FRAME_PX), self._timeline.at(t)])


def motion_scrubber(
    frames: Sequence[np.ndarray] | np.ndarray,
    panels: Mapping[str, Mapping[str, np.ndarray]],
    *,
    frame: int = 0,
) -> MotionScrubber:
    """Scrub through a clip beside any curves of it.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8, or a sequence of frames
    panels : such as ``{"yaw (degrees)": {"real": (T,), "made": (T,)}}``; the first panel's curves
        name the colours
    frame : shown first, and where no front end runs

    Raises
    ------
    ValueError
        A curve that has not one value for each frame.
    """
    return MotionScrubber(frames, panels, frame=frame)


def track_scrubber(
    frames: Sequence[np.ndarray] | np.ndarray,
    track: FaceTrack,
    model: MorphableModel,
    *,
    truth: Truth | None = None,
    actions: Sequence[str] = ACTIONS[:4],
) -> MotionScrubber:
    """Scrub through a reconstructed clip beside its pose, some expressions, and their truth.

    It opens at the frame with the widest jaw.
    """
    known, names = track.coefficients, list(model.expression_names)
    panels: dict[str, dict[str, np.ndarray]] = {}
    for i, angle in enumerate(ANGLES):
        panels[f"{angle} (degrees)"] = _pair(
            np.degrees(known.pose[:, i]), None if truth is None else np.degrees(truth.pose[:, i])
        )
    for name in (action for action in actions if action in names):
        k = names.index(name)
        panels[name] = _pair(
            known.expression[:, k], None if truth is None else truth.expression[:, k]
        )
    widest = int(known.expression[:, names.index("jawOpen")].argmax()) if "jawOpen" in names else 0
    return MotionScrubber(frames, panels, frame=widest)


def _pair(fitted: np.ndarray, true: np.ndarray | None) -> dict[str, np.ndarray]:
    return {"fitted": fitted} | ({} if true is None else {"true": true[: len(fitted)]})


def _timeline(panels: Mapping[str, Mapping[str, np.ndarray]], count: int) -> Timeline:
    time = np.arange(count) / FPS
    figure = Figure(figsize=(8.2, _ROW_IN * len(panels) + 0.6), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (title, lines) in zip(axes, panels.items(), strict=True):
        for name, values in lines.items():
            axis.plot(time, values, lw=1.1, label=name)
        axis.set_ylabel(title, rotation=0, ha="right", va="center", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
    axes[-1].set_xlim(0, max(time[-1], 1 / FPS))
    axes[-1].set_xlabel("seconds", fontsize=8)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), fontsize=8)
    return Timeline.of(figure, axes[-1], seconds=float(time[-1]), count=count)
