"""What the memory answers to each frame (Yi et al. 2020, section 3.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ipywidgets as ui
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from repro import FPS
from repro.widgets.picture import Scrubbed, Timeline, above, beside, pixels, resized

UNKNOWN = "nobody known"
SAME_PERSON = 0.8
"""Least cosine of a slot's identity with a person's mean feature for the slot to be theirs."""
_FRAME_PX = 240
_GREY = (0.6, 0.6, 0.6, 1.0)


@dataclass(frozen=True)
class Memory:
    """What a memory holds, and what is asked of it, as plain arrays.

    keys     (M, S) float32, spatial features of the slots
    values   (M, D) float32, their identity features
    used     (M,) bool, slots that were written
    """

    keys: np.ndarray
    values: np.ndarray
    used: np.ndarray

    def nearest(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The slots (T, k) whose keys are nearest to queries (T, S), and their cosines (T, k).

        Nearest first; k is ``count`` or the number of used slots, if that is smaller.
        """
        known = np.flatnonzero(self.used)
        cosines = _unit(queries) @ _unit(self.keys[known]).T
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        return known[order], np.take_along_axis(cosines, order, axis=1)

    def owners(self, people: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whose identity each slot holds, (M,) str: the nearest person's, or ``UNKNOWN``.

        ``people``: identity features (D,), or (n, D) of which the mean is taken, by name.
        """
        names = np.array([*people, UNKNOWN])
        if not people:
            return np.full(len(self.values), UNKNOWN)
        means = np.stack([np.atleast_2d(feature).mean(0) for feature in people.values()])
        cosines = _unit(self.values) @ _unit(means).T
        best = np.where(cosines.max(1) >= SAME_PERSON, cosines.argmax(1), len(people))
        return names[np.where(self.used, best, len(people))]


class MemoryInspector(Scrubbed):
    """A frame, the slots nearest to it with their owners, and who is remembered over time."""

    def __init__(
        self,
        frames: Sequence[np.ndarray] | np.ndarray,
        queries: np.ndarray,
        memory: Memory,
        *,
        people: Mapping[str, np.ndarray],
        portraits: Mapping[str, np.ndarray],
        nearest: int,
    ) -> None:
        if len(queries) != len(frames):
            raise ValueError(f"{len(queries)} queries were given for {len(frames)} frames")
        if not memory.used.any():
            raise ValueError("the memory is empty: no slot was written")
        self._frames, self._portraits = frames, dict(portraits)
        self.slots, self.cosines = memory.nearest(queries, nearest)
        self.owners = memory.owners(people)
        names = [*people, UNKNOWN]
        palette = mpl.colormaps["tab20"]
        colours = {name: palette(k % 20) for k, name in enumerate(people)}
        self._colours = {**colours, UNKNOWN: _GREY}
        self.remembered = self.owners[self.slots[:, 0]]
        self._names = [name for name in names if (self.remembered == name).any()]
        self._timeline = self._over_time()
        self.words = ui.HTML()
        super().__init__(len(frames), above=[self.words])

    def render(self) -> np.ndarray:
        """The frame, whom it calls up, its nearest slots, and the timeline, (H, W, 3) uint8."""
        t = self.frame.value
        slots, owner = self.slots[t], self.remembered[t]
        self.words.value = (
            f"frame {t}: slot {slots[0]} of {len(self.owners)}, "
            f"cosine {self.cosines[t, 0]:.3f}, {owner}"
        )
        parts = [resized(np.asarray(self._frames[t]), _FRAME_PX), self._bars(t)]
        if owner in self._portraits:
            parts.append(resized(self._portraits[owner], _FRAME_PX))
        return above([beside(parts), self._timeline.at(t)])

    def _bars(self, t: int) -> np.ndarray:
        """The nearest slots' cosines, in the colours of their owners."""
        slots, cosines = self.slots[t], self.cosines[t]
        figure = Figure(figsize=(4.4, _FRAME_PX / 100), layout="constrained")
        axis = figure.subplots()
        rows = np.arange(len(slots))
        colours = [self._colours[self.owners[slot]] for slot in slots]
        axis.barh(rows, cosines, color=colours, height=0.75)
        axis.set_yticks(rows, [f"{slot}  {self.owners[slot]}" for slot in slots], fontsize=8)
        axis.invert_yaxis()
        axis.set_xlim(min(0.0, float(self.cosines.min())), 1)
        axis.set_xlabel("cosine of query and key", fontsize=8)
        axis.set_title(f"nearest slots to frame {t}", fontsize=9)
        axis.tick_params(labelsize=8)
        return pixels(figure)

    def _over_time(self) -> Timeline:
        count = len(self._frames)
        time = np.arange(count) / FPS
        figure = Figure(figsize=(9.6, 2.3), layout="constrained")
        axis, band = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        axis.plot(time, self.cosines[:, 0], lw=1, color="black")
        axis.set_ylabel("cosine of the\nnearest key", fontsize=8)
        axis.grid(alpha=0.3)
        for name in self._names:
            of = self.remembered == name
            band.bar(time[of], 1, width=1 / FPS, color=self._colours[name], lw=0)
        band.set_yticks([])
        band.set_ylabel("identity", fontsize=8)
        band.set_ylim(0, 1)
        band.set_xlim(0, max(time[-1], 1 / FPS))
        band.set_xlabel("seconds", fontsize=8)
        patches = [Patch(color=self._colours[name], label=name) for name in self._names]
        figure.legend(handles=patches, loc="outside upper center", ncols=6, fontsize=8)
        for one in (axis, band):
            one.tick_params(labelsize=7)
        return Timeline.of(figure, band, seconds=float(time[-1]), count=count)


def memory_inspector(
    frames: Sequence[np.ndarray] | np.ndarray,
    queries: np.ndarray,
    *,
    keys: np.ndarray,
    values: np.ndarray,
    used: np.ndarray | None = None,
    people: Mapping[str, np.ndarray] | None = None,
    portraits: Mapping[str, np.ndarray] | None = None,
    nearest: int = 6,
) -> MemoryInspector:
    """See which slot of the memory each frame calls up, and whose identity stands there.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8, or a sequence: the rendered frames that ask
    queries : (T, S) float, their spatial features
    keys, values, used : (M, S), (M, D) and (M,) of ``IdentityMemory``; all slots are used where
        ``used`` is None
    people : identity feature (D,), or several (n, D), of everyone the memory may know, by name; a
        slot belongs to the nearest, where the cosine is at least ``SAME_PERSON``
    portraits : a picture (h, w, 3) uint8 of each, by the same names
    nearest : slots shown for a frame

    Raises
    ------
    ValueError
        Another number of queries than frames, or an empty memory.
    """
    every = np.ones(len(keys), bool) if used is None else np.asarray(used, bool)
    memory = Memory(np.asarray(keys), np.asarray(values), every)
    return MemoryInspector(
        frames,
        np.asarray(queries),
        memory,
        people=people or {},
        portraits=portraits or {},
        nearest=nearest,
    )


def _unit(features: np.ndarray) -> np.ndarray:
    """Rows of length 1; rows of zeros stay."""
    length = np.linalg.norm(features, axis=-1, keepdims=True)
    return features / np.where(length > 0, length, 1)
