"""HS and the histogram under it: what bins, range and stretch of time make of Eq. 6."""

from collections.abc import Mapping

import ipywidgets as ui
import numpy as np
from matplotlib.figure import Figure

from repro import FPS
from repro.evaluate.pose import (
    ANGLES,
    BINS,
    RANGE_RAD,
    convention,
    head_pose_similarity,
    head_pose_similarity_by_axis,
)
from repro.widgets.picture import Pictured, pixels

_REAL, _MADE = "0.35", "tab:blue"


class HistogramBrush(Pictured, ui.VBox):
    """Histograms of two heads' angles, whose bins, range and stretch of time can be moved.

    ``real``, (T, 3) radians, and ``made``, (M, 3) by name. ``bins``, ``reach`` (degrees) and
    ``stretch`` (seconds, cut from both) are sliders; ``score`` is HS as they stand.
    """

    def __init__(self, real: np.ndarray, made: Mapping[str, np.ndarray]) -> None:
        self._real, self._made = np.asarray(real), {k: np.asarray(v) for k, v in made.items()}
        longest = max(len(self._real), *(len(v) for v in self._made.values())) / FPS
        wide = {"layout": {"width": "420px"}, "style": {"description_width": "120px"}}
        self.kind = ui.Dropdown(options=list(self._made), description="held against")
        self.bins = ui.IntSlider(value=BINS, min=2, max=240, description="bins", **wide)
        self.reach = ui.IntSlider(
            value=round(float(np.rad2deg(RANGE_RAD[1]))), min=2, max=90,
            description="range, ± degrees", **wide,
        )  # fmt: skip
        self.stretch = ui.FloatRangeSlider(
            value=(0, longest), max=longest, step=1 / FPS, description="seconds",
            readout_format=".1f", **wide,
        )  # fmt: skip
        self.image = ui.Image(format="png", layout={"max_width": "100%"})
        for control in (self.kind, self.bins, self.reach, self.stretch):
            control.observe(lambda _: self.draw(), "value")
        controls = [ui.HBox([self.kind, self.stretch]), ui.HBox([self.bins, self.reach])]
        super().__init__([*controls, self.image])
        self.draw()

    @property
    def chosen(self) -> tuple[np.ndarray, np.ndarray]:
        """Angles of the real and the made head in the stretch; never without a frame."""
        first, last = (round(s * FPS) for s in self.stretch.value)
        return tuple(_cut(x, first, last) for x in (self._real, self._made[self.kind.value]))  # type: ignore[return-value]

    @property
    def score(self) -> dict[str, float]:
        """``hs``, that of each angle, and the bins and range that belong to it."""
        real, made = self.chosen
        limits = {"bins": self.bins.value, "range_rad": self._range}
        by_angle = head_pose_similarity_by_axis(real, made, **limits)
        hs = head_pose_similarity(real, made, **limits)
        return {"hs": hs, **by_angle, **convention(**limits)}

    @property
    def _range(self) -> tuple[float, float]:
        half = float(np.deg2rad(self.reach.value))
        return -half, half

    def render(self) -> np.ndarray:
        """Histograms with their HS, and the angles over time, (H, W, 3) uint8."""
        real, made = self.chosen
        score = self.score
        edges = np.linspace(-self.reach.value, self.reach.value, self.bins.value + 1)
        figure = Figure(figsize=(11, 4.6), layout="constrained")
        axes = figure.subplots(2, 3, height_ratios=(3, 2))
        for i, angle in enumerate(ANGLES):
            upper, lower = axes[:, i]
            upper.stairs(_shares(real[:, i], edges), edges, fill=True, color="0.78", label="real")
            upper.stairs(_shares(made[:, i], edges), edges, color=_MADE, label=self.kind.value)
            upper.set_title(f"{angle}: HS {score[angle]:.3f}", fontsize=10)
            upper.set_xlabel("degrees", fontsize=8)
            self._over_time(lower, i)
        axes[0, 0].set_ylabel("share of frames", fontsize=8)
        axes[0, 0].legend(fontsize=7)
        axes[1, 0].set_ylabel("degrees", fontsize=8)
        for axis in axes.flat:
            axis.tick_params(labelsize=7)
            axis.grid(alpha=0.3)
        figure.suptitle(
            f"HS {score['hs']:.3f}   ({self.bins.value} bins over ±{self.reach.value} degrees, "
            f"{len(real)} real frames, {len(made)} made)",
            fontsize=11,
        )
        return pixels(figure)

    def _over_time(self, axis, i: int) -> None:
        real, made = (np.degrees(x[:, i]) for x in (self._real, self._made[self.kind.value]))
        for degrees, colour in ((real, _REAL), (made, _MADE)):
            axis.plot(np.arange(len(degrees)) / FPS, degrees, color=colour, lw=1)
        axis.axvspan(*self.stretch.value, color="tab:orange", alpha=0.15, lw=0)
        for edge in (-self.reach.value, self.reach.value):
            axis.axhline(edge, color="tab:red", ls=":", lw=1)
        low, high = min(real.min(), made.min()), max(real.max(), made.max())
        room = 0.1 * max(high - low, 1)
        axis.set_ylim(low - room, high + room)
        axis.set_xlabel("seconds", fontsize=8)


def histogram_brush(real: np.ndarray, made: Mapping[str, np.ndarray]) -> HistogramBrush:
    """See what HS (Eq. 6) owes to its histogram and to the stretch of time it is taken over.

    Parameters
    ----------
    real : (T, 3) pitch, yaw, roll in radians, at 25 fps
    made : (M, 3) by name, each to be held against ``real``

    Examples
    --------
    >>> import numpy as np
    >>> brush = histogram_brush(np.zeros((50, 3)), {"turned": np.full((50, 3), 0.1)})
    >>> brush.reach.value = 10
    """
    return HistogramBrush(real, made)


def _cut(angles: np.ndarray, first: int, last: int) -> np.ndarray:
    """Frames ``first`` to ``last``, at least the nearest one."""
    first = min(first, len(angles) - 1)
    return angles[first : max(last, first + 1)]


def _shares(radians: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of the frames in each bin; angles beyond count in the outermost, as in HS."""
    degrees = np.degrees(radians).clip(edges[0], edges[-1] - 1e-6)
    return np.histogram(degrees, edges)[0] / len(degrees)
