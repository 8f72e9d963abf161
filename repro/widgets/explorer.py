"""Sliders on the 257 coefficients, and the face they make (Yi et al. 2020, section 3.1)."""

from collections.abc import Mapping

import ipywidgets as ui
import numpy as np

from repro.face.coefficients import Coefficients
from repro.face.model import MorphableModel
from repro.reconstruct.track import FaceTrack
from repro.render import view
from repro.widgets.picture import Pictured
from repro.widgets.slots import Slot, groups, search, slots

PAGE = 14
"""Sliders shown at a time: a browser slows down with all 257."""


class CoefficientExplorer(Pictured, ui.HBox):
    """A face, and sliders that move its coefficients.

    ``values``, (257,) float32 in the order of ``Coefficients.vectors``, is the state; sliders
    exist only for what is looked at: one page of a group, or of what a search found. Pose is
    relative to the studio camera that looks at the head (``repro.render.view``). Where no front
    end runs, the picture stands in the widget's place.
    """

    def __init__(
        self,
        model: MorphableModel,
        start: np.ndarray,
        *,
        track: FaceTrack | None,
        size_px: int,
        threads: int,
    ) -> None:
        self.slots = slots(model)
        self.values = np.array(start, np.float32)
        self._start = self.values.copy()
        self._live: dict[Slot, ui.FloatSlider] = {}
        self._following = False  # sliders follow the values, not the values the sliders
        self._groups = groups(self.slots)
        self._model, self._studio, self._track = model, view.Studio.of(model), track
        self._camera, self._threads = view.studio_camera(size_px), threads
        self._at_rest = view.studio_pose()
        self._offset = 0 if track is None else track.shape_offset

        self.image = ui.Image(format="png", width=384, height=384)
        self.words = ui.Text(placeholder="search: jaw, smile, yaw ...", continuous_update=True)
        self.group = ui.Dropdown(options=list(self._groups), description="")
        self.page = ui.BoundedIntText(value=1, min=1, max=1, layout=ui.Layout(width="64px"))
        self.pages = ui.Label()
        self.sliders = ui.VBox()
        self.reset_button = ui.Button(description="reset all", icon="undo")
        self.frame = None if track is None else _frame_slider(len(track))

        self.words.observe(self._on_choice, "value")
        self.group.observe(self._on_choice, "value")
        self.page.observe(self._on_page, "value")
        self.reset_button.on_click(lambda _: self.reset())
        if self.frame is not None:
            self.frame.observe(lambda change: self.show_frame(change["new"]), "value")
        left = [self.image] + ([] if self.frame is None else [self.frame])
        choice = ui.HBox([self.group, self.words])
        turning = ui.HBox([self.reset_button, ui.Label("page"), self.page, self.pages])
        super().__init__([ui.VBox(left), ui.VBox([choice, turning, self.sliders])])
        self._fill()
        self.draw()

    @property
    def shown(self) -> tuple[Slot, ...]:
        """All that the group or the search has found, whether on this page or not."""
        if self.words.value.strip():
            return search(self.slots, self.words.value)
        return self._groups[self.group.value]

    def render(self) -> np.ndarray:
        """The face of the present values, (size, size, 3) uint8."""
        c = Coefficients.from_vectors(self.values[None])
        return self._studio.picture(
            self._model.vertices(c.identity, c.expression[0]) + self._offset,
            self._model.albedo(c.texture),
            c.light[0],
            camera=self._camera,
            pose=self._at_rest + c.pose[0],
            threads=self._threads,
        )

    def set(self, values: Mapping[str, float]) -> None:
        """Move coefficients, given by name in their slot's unit, such as ``{"jawOpen": 0.5}``."""
        self.values = self._moved(values)
        self._refresh()

    def look(self, values: Mapping[str, float]) -> np.ndarray:
        """The picture (size, size, 3) uint8 that ``set`` would show; nothing is moved."""
        kept, self.values = self.values, self._moved(values)
        picture = self.render()
        self.values = kept
        return picture

    def reset(self) -> None:
        """Back to where it began."""
        self.values = self._start.copy()
        self._refresh()

    def show_frame(self, t: int) -> None:
        """Take expression, angles and light from a frame of the track; the person stays.

        Raises
        ------
        ValueError
            It was made without a track.
        """
        if self._track is None:
            raise ValueError("this explorer was made without a track")
        taken = _from_track(self._track, t)
        for slot in self.slots:
            if slot.group not in ("identity", "texture"):
                self.values[slot.index] = taken[slot.index]
        self._refresh()

    def _moved(self, values: Mapping[str, float]) -> np.ndarray:
        known = {slot.name: slot for slot in self.slots}
        moved = self.values.copy()
        for name, value in values.items():
            if name not in known:
                raise KeyError(f"no coefficient is called '{name}'")
            moved[known[name].index] = value / known[name].factor
        return moved

    def _on_choice(self, _) -> None:
        if self.page.value == 1:
            self._fill()
        else:
            self.page.value = 1  # whose observer fills

    def _on_page(self, _) -> None:
        self._fill()

    def _fill(self) -> None:
        """Put the sliders of this page in the place of those of the last one."""
        found = self.shown
        last = max(1, -(-len(found) // PAGE))
        self.page.max = last
        self.pages.value = f"of {last}, {len(found)} coefficients"
        first = PAGE * (self.page.value - 1)
        old = self.sliders.children
        self._live = {slot: self._slider(slot) for slot in found[first : first + PAGE]}
        self.sliders.children = list(self._live.values())
        for slider in old:
            slider.close()

    def _slider(self, slot: Slot) -> ui.FloatSlider:
        value = float(self.values[slot.index]) * slot.factor
        slider = ui.FloatSlider(
            value=value,
            min=min(slot.low, value),
            max=max(slot.high, value),
            step=(slot.high - slot.low) / 200,
            description=f"{slot.name} ({slot.unit})" if slot.unit else slot.name,
            style={"description_width": "160px"},
            layout={"width": "440px"},
            readout_format=".2f" if slot.high < 20 else ".0f",
        )
        slider.observe(lambda change: self._on_slider(slot, change["new"]), "value")
        return slider

    def _on_slider(self, slot: Slot, value: float) -> None:
        if not self._following:
            self.values[slot.index] = value / slot.factor
            self.draw()

    def _refresh(self) -> None:
        """Show values that were not set by the sliders."""
        self._following = True
        for slot, slider in self._live.items():
            slider.value = float(self.values[slot.index]) * slot.factor
        self._following = False
        self.draw()


def coefficient_explorer(
    model: MorphableModel,
    *,
    track: FaceTrack | None = None,
    frame: int = 0,
    size_px: int = 256,
    threads: int = 2,
) -> CoefficientExplorer:
    """Explore a model's coefficients, from the mean face or from a frame of a track.

    Parameters
    ----------
    model : the face model
    track : a person to start from; a slider then runs through the clip's frames
    frame : of the track
    size_px : side of the picture
    threads : of the rasteriser

    Examples
    --------
    >>> from repro.face.model import load_open_model
    >>> explorer = coefficient_explorer(load_open_model())
    >>> explorer.set({"jawOpen": 0.6, "yaw": 20})
    """
    if track is None:
        start = np.zeros(257, np.float32)
        start[227:254] = view.STUDIO
    else:
        start = _from_track(track, frame)
    explorer = CoefficientExplorer(model, start, track=track, size_px=size_px, threads=threads)
    if explorer.frame is not None:
        explorer.frame.value = frame
    return explorer


def _from_track(track: FaceTrack, t: int) -> np.ndarray:
    """Coefficients (257,) of a frame, the head turned as there but in the studio's place."""
    vector = track.coefficients[t : t + 1].vectors()[0]
    vector[254:] = 0
    return vector


def _frame_slider(count: int) -> ui.IntSlider:
    return ui.IntSlider(min=0, max=count - 1, description="frame", layout={"width": "384px"})
