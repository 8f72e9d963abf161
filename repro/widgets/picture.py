"""What all views share: a picture that stands for the state, a frame slider, a line of time."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import ipywidgets as ui
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_DPI = 100
_CURSOR = (214, 39, 40)


class Pictured:
    """A view that is shown as one picture, drawn by ``render``; its controls only move it.

    Where no front end runs (a page, a notebook on a shelf), the picture stands in its place.
    """

    image: ui.Image
    render: Callable[[], np.ndarray]
    """Gives the picture (H, W, 3) uint8 of the present state."""

    def draw(self) -> None:
        """Show the present state."""
        self.image.value = png(self.render())

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if isinstance(bundle, dict):
            bundle["image/png"] = b64encode(self.image.value).decode("ascii")
        return bundle


class Scrubbed(Pictured, ui.VBox):
    """A view with a slider on the frames of a clip, and a button that plays them.

    ``frame`` is the slider; ``render`` draws the frame at its value.
    """

    def __init__(self, count: int, *, frame: int = 0, above: Sequence[ui.Widget] = ()) -> None:
        self.image = ui.Image(format="png", layout={"max_width": "100%"})
        self.frame = ui.IntSlider(
            value=frame, max=count - 1, description="frame", layout={"width": "640px"}
        )
        self.play = ui.Play(value=frame, max=count - 1, interval=100)
        ui.jslink((self.play, "value"), (self.frame, "value"))
        self.frame.observe(lambda _: self.draw(), "value")
        super().__init__([*above, self.image, ui.HBox([self.play, self.frame])])
        self.draw()

    def fit(self, count: int) -> None:
        """Go back to the first of another number of frames; nothing is drawn."""
        with self.frame.hold_trait_notifications(), self.play.hold_trait_notifications():
            self.frame.max = self.play.max = count - 1
            self.frame.value = self.play.value = 0


@dataclass(frozen=True)
class Timeline:
    """Curves over the frames of a clip, drawn once, on which a moving line costs little.

    picture   (H, W, 3) uint8
    start, stop  columns of the first and the last frame
    count     frames
    """

    picture: np.ndarray
    start: float
    stop: float
    count: int

    @classmethod
    def of(cls, figure: Figure, axis: Axes, *, seconds: float, count: int) -> "Timeline":
        """Draw a figure whose ``axis`` shows time from 0 to (at least) the last frame's."""
        picture = pixels(figure)  # after which the axis has its place
        start, stop = axis.transData.transform([(0, 0), (seconds, 0)])[:, 0]
        return cls(picture, float(start), float(stop), count)

    def at(self, t: int) -> np.ndarray:
        """The picture with a line at frame ``t``."""
        shown = self.picture.copy()
        column = self.start + (self.stop - self.start) * t / max(self.count - 1, 1)
        x = int(np.clip(round(column), 1, shown.shape[1] - 2))
        shown[:, x - 1 : x + 1] = (
            shown[:, x - 1 : x + 1] * 0.25 + 0.75 * np.array(_CURSOR)
        ).round()
        return shown


def pixels(figure: Figure) -> np.ndarray:
    """A figure as picture (H, W, 3) uint8, without pyplot, which would keep it."""
    figure.set_dpi(_DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def png(image: np.ndarray) -> bytes:
    """A picture (H, W, 3) uint8 as PNG, packed lightly: it is looked at once."""
    done, data = cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise RuntimeError("a picture could not be written as PNG")
    return data.tobytes()


def resized(image: np.ndarray, height: int) -> np.ndarray:
    """A picture (h, w, 3) uint8 at another height."""
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    way = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=way)


def beside(pictures: Sequence[np.ndarray], *, gap: int = 8) -> np.ndarray:
    """Pictures (h, w, 3) side by side on white, centred."""
    height = max(len(picture) for picture in pictures)
    parts: list[np.ndarray] = []
    for picture in pictures:
        spare = height - len(picture)
        room = ((spare // 2, spare - spare // 2), (0 if not parts else gap, 0), (0, 0))
        parts.append(np.pad(picture, room, constant_values=255))
    return np.concatenate(parts, axis=1)


def above(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures (h, w, 3) under each other on white, from the left."""
    width = max(picture.shape[1] for picture in pictures)
    rooms = [((0, 0), (0, width - picture.shape[1]), (0, 0)) for picture in pictures]
    return np.concatenate(
        [np.pad(p, room, constant_values=255) for p, room in zip(pictures, rooms, strict=True)]
    )
