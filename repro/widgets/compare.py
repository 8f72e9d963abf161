"""Two or four videos of the same moments side by side, in step, over their curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import ipywidgets as ui
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from repro import FPS
from repro.widgets.picture import Pictured, pixels

_CURSOR = (200, 30, 30)
_COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:purple")
"""Of the curves, and of the names above the pictures."""
_GAP_PX, _NAME_PX = 4, 20


@dataclass(frozen=True)
class Take:
    """One way of making the same T moments.

    name    as it is chosen by
    frames  (T, H, W, 3) uint8, of the same size in all takes
    curves  (T,) by name; the same names in all takes
    """

    name: str
    frames: np.ndarray
    curves: Mapping[str, np.ndarray]


class Comparison(Pictured, ui.VBox):
    """Videos side by side, one frame of all at a time, and where in their curves that is.

    ``places`` are the choices of what stands where; ``frame`` is the moment. Where no front end
    runs, the picture stands in the widget's place.
    """

    def __init__(self, takes: Sequence[Take], shown: Sequence[str], *, side_px: int) -> None:
        self._takes = {take.name: take for take in takes}
        self._side = side_px
        names = list(self._takes)
        count = min(len(take.frames) for take in takes)
        self.number = ui.ToggleButtons(
            options=[n for n in (2, 4) if n <= max(2, len(names))],
            description="show",
            style={"button_width": "48px"},
        )
        self.number.value = len(shown)
        self.places = [
            ui.Dropdown(options=names, value=name, layout={"width": "210px"})
            for name in (*shown, *_others(names, shown))[: max(self.number.options)]
        ]
        self.play = ui.Play(min=0, max=count - 1, interval=1000 // FPS)
        self.frame = ui.IntSlider(
            min=0, max=count - 1, description="frame", layout={"width": "480px"}
        )
        ui.jslink((self.play, "value"), (self.frame, "value"))
        self.image = ui.Image(format="png")
        self.chosen = ui.HBox(layout={"flex_flow": "row wrap"})
        super().__init__([self.number, self.chosen, ui.HBox([self.play, self.frame]), self.image])
        for place in self.places:
            place.observe(lambda _: self._lay_out(), "value")
        self.number.observe(lambda _: self._lay_out(), "value")
        self.frame.observe(lambda _: self.draw(), "value")
        self._lay_out()

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of what stands side by side."""
        return tuple(place.value for place in self.places[: self.number.value])

    def render(self) -> np.ndarray:
        """The picture of the present moment, (H, W, 3) uint8: the videos above their curves."""
        t = self.frame.value
        faces = [
            _named(_fitted(self._takes[name].frames[t], self._side), name, colour)
            for name, colour in zip(self.shown, _COLOURS, strict=False)
        ]
        strip = np.concatenate(faces, axis=1)
        below = self._curves.copy()
        for top, bottom, left, right in self._axes:
            last = max(self.frame.max, 1)
            column = round(left + (right - left) * t / last)
            below[top:bottom, max(column - 1, 0) : column + 1] = _CURSOR
        return np.concatenate([strip, below])

    def _lay_out(self) -> None:
        """Draw the curves of what is shown now, once for all of its frames."""
        self.chosen.children = self.places[: self.number.value]
        width = len(self.shown) * (self._side + _GAP_PX)
        shown = [self._takes[name] for name in self.shown]
        self._curves, self._axes = _drawn_curves(shown, width, self.frame.max + 1)
        self.draw()


def compare(
    takes: Sequence[Take], *, shown: Sequence[str] = (), frame: int = 0, side_px: int = 240
) -> Comparison:
    """Compare takes frame by frame.

    Parameters
    ----------
    takes : two or more, with frames of one size and curves of the same names
    shown : the two or four to begin with; by default the first ones
    frame : the moment to begin with
    side_px : height of each picture

    Raises
    ------
    ValueError
        Fewer than two takes, takes that do not fit together, or other than two or four shown.
    """
    if len(takes) < 2:
        raise ValueError("a comparison needs at least two takes")
    for take in takes[1:]:
        first = takes[0]
        if take.frames.shape[1:] != first.frames.shape[1:] or set(take.curves) != set(first.curves):
            raise ValueError(f"'{take.name}' has other frames or curves than '{first.name}'")
    shown = tuple(shown) or tuple(take.name for take in takes[: 4 if len(takes) >= 4 else 2])
    if len(shown) not in (2, 4):
        raise ValueError(f"two or four can be shown, not {len(shown)}")
    view = Comparison(takes, shown, side_px=side_px)
    view.frame.value = frame
    return view


def _others(names: Sequence[str], shown: Sequence[str]) -> list[str]:
    """What could stand in the other places: those not shown yet, then all again."""
    return [name for name in names if name not in shown] + list(names)


def _fitted(frame: np.ndarray, side: int) -> np.ndarray:
    shrinks = frame.shape[0] > side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(np.asarray(frame), (side, side), interpolation=method)


def _named(face: np.ndarray, name: str, colour: str) -> np.ndarray:
    """The picture with its name above it, and a gap at its right."""
    padded = cv2.copyMakeBorder(
        face, _NAME_PX, 0, 0, _GAP_PX, cv2.BORDER_CONSTANT, value=(255,) * 3
    )
    rgb = [round(255 * part) for part in to_rgb(colour)]
    place, font = (2, _NAME_PX - 6), cv2.FONT_HERSHEY_SIMPLEX
    return cv2.putText(padded, name, place, font, 0.45, rgb, 1, cv2.LINE_AA)


def _drawn_curves(
    takes: Sequence[Take], width_px: int, count: int
) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """A picture (h, width, 3) uint8 of the takes' curves, and the box of each axis in it.

    A box is top, bottom, left, right, in pixels, of the first to the last of ``count`` frames.
    """
    dpi, names = 100, list(takes[0].curves)
    figure = Figure(
        figsize=(width_px / dpi, 1.15 * len(names) + 0.3), dpi=dpi, layout="constrained"
    )
    axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for axis, name in zip(axes, names, strict=True):
        for take, colour in zip(takes, _COLOURS, strict=False):
            axis.plot(np.arange(count) / FPS, take.curves[name][:count], lw=1.2, color=colour)
        axis.set_ylabel(name, fontsize=7)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
        axis.set_xlim(0, max(count - 1, 1) / FPS)
    axes[-1].set_xlabel("seconds", fontsize=7)
    picture = pixels(figure)
    height = picture.shape[0]
    boxes = [axis.get_window_extent() for axis in axes]
    places = [
        (round(height - box.y1), round(height - box.y0), round(box.x0), round(box.x1))
        for box in boxes
    ]
    fitted = cv2.copyMakeBorder(
        picture, 0, 0, 0, max(width_px - picture.shape[1], 0), cv2.BORDER_CONSTANT,
        value=(255,) * 3,
    )  # fmt: skip
    return fitted[:, :width_px], places
