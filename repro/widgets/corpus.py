"""Leafing through a corpus: people, clips, frames, what is said, and how the head moves."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import ipywidgets as ui
import numpy as np
from matplotlib.figure import Figure

from repro import FPS, SAMPLE_RATE
from repro.corpus.recording import Recording, Words
from repro.corpus.truth import Truth, truth_of
from repro.evaluate.pose import ANGLES
from repro.widgets.picture import Scrubbed, Timeline, beside, resized

_FRAME_PX = 320
LONGEST = 500
"""Frames of a clip that are held: what is shown of a longer one."""


class CorpusBrowser(Scrubbed):
    """One clip of a corpus at a time: its frames, sound, words and, where known, its motion.

    ``split``, ``person`` and ``clip`` choose; ``frame`` runs through the clip.
    """

    def __init__(self, recordings: Mapping[str, Sequence[Recording]]) -> None:
        self._splits = {name: list(some) for name, some in recordings.items() if some}
        if not self._splits:
            raise ValueError("there is no recording to browse")
        short = {"layout": {"width": "240px"}, "style": {"description_width": "50px"}}
        self.split = ui.Dropdown(options=list(self._splits), description="split", **short)
        self.person = ui.Dropdown(description="person", **short)
        self.clip = ui.Dropdown(description="clip", **short)
        self.words = ui.HTML()
        self._changing = False  # while the three are being made to agree, nothing is drawn
        self._offer_people()
        self._offer_clips()
        self._open()
        super().__init__(
            len(self._frames),
            frame=len(self._frames) // 2,
            above=[ui.HBox([self.split, self.person, self.clip]), self.words],
        )
        self.split.observe(lambda _: self._chosen(self._offer_people, self._offer_clips), "value")
        self.person.observe(lambda _: self._chosen(self._offer_clips), "value")
        self.clip.observe(lambda _: self._chosen(), "value")

    @property
    def recording(self) -> Recording:
        """What is shown."""
        return self._of_person()[self.clip.value]

    def render(self) -> np.ndarray:
        """The frame beside sound, words and curves, (H, W, 3) uint8."""
        t = self.frame.value
        self.words.value = transcript(self.recording.text, self._said, t / FPS)
        return beside([self._frames[t], self._timeline.at(t)])

    def _chosen(self, *offers) -> None:
        """Open what was chosen, after the lists that hang on it were filled anew."""
        if self._changing:
            return
        self._changing = True
        for offer in offers:
            offer()
        self._open()
        self.fit(len(self._frames))
        self._changing = False
        self.draw()

    def draw(self) -> None:
        """Show the present state, unless it is just being put together."""
        if not self._changing:
            super().draw()

    def _offer_people(self) -> None:
        _offer(self.person, dict.fromkeys(map(person_of, self._splits[self.split.value])))

    def _offer_clips(self) -> None:
        _offer(self.clip, self._of_person())

    def _of_person(self) -> dict[str, Recording]:
        some = self._splits[self.split.value]
        return {r.name: r for r in some if person_of(r) == self.person.value}

    def _open(self) -> None:
        recording = self.recording
        opened = recording.clip()
        self._frames = [resized(frame, _FRAME_PX) for frame in opened.read(0, LONGEST)]
        truth = truth_of(recording.video)
        self._said = recording.words if truth is None else _words(truth)
        sound = recording.sound() if opened.has_audio or recording.audio else np.zeros(0)
        self._timeline = _timeline(sound, truth, self._said, len(self._frames))


def corpus_browser(recordings: Mapping[str, Sequence[Recording]]) -> CorpusBrowser:
    """Leaf through a corpus: a split, a person, a clip, then its frames.

    Parameters
    ----------
    recordings : by split, such as ``pipeline.recordings`` gives; splits without any are left out

    Raises
    ------
    ValueError
        There is no recording at all.
    UserError
        A file that cannot be read.
    """
    return CorpusBrowser(recordings)


def _offer(choice: ui.Dropdown, names: Iterable[str]) -> None:
    """Give a choice new options, the first of which is taken."""
    options = tuple(names)
    if choice.options != options:
        choice.options = options
    choice.value = options[0]


def person_of(recording: Recording) -> str:
    """Who speaks: as the corpus says, or the name without its last number."""
    return recording.speaker or recording.name.rsplit("_", 1)[0]


def transcript(text: str, words: Words, time_s: float) -> str:
    """What is said as HTML, the word at a time in bold; only the text where times are unknown."""
    if not words:
        return escape(text or "(what is said is not known)")
    marked = [
        f"<b style='color:#d62728'>{escape(word)}</b>" if start <= time_s < end else escape(word)
        for word, start, end in words
    ]
    return " ".join(marked)


def _words(truth: Truth) -> Words:
    return tuple(
        (word, float(start), float(end))
        for word, (start, end) in zip(truth.words, truth.word_times_s, strict=True)
    )


def _timeline(sound: np.ndarray, truth: Truth | None, said: Words, count: int) -> Timeline:
    """Sound with its words; with a truth the lips' opening and the angles of the head."""
    last = (count - 1) / FPS
    figure = Figure(figsize=(8.2, 1.3 if truth is None else 3.2), layout="constrained")
    axes = figure.subplots(1 if truth is None else 3, 1, sharex=True, squeeze=False)[:, 0]
    shown = np.asarray(sound[: int((last + 1 / FPS) * SAMPLE_RATE)])
    axes[0].plot(np.arange(len(shown)) / SAMPLE_RATE, shown, lw=0.3, color="tab:blue")
    axes[0].set_ylabel("sound", fontsize=8)
    top = float(np.abs(shown).max(initial=0.1))
    axes[0].set_ylim(-1.1 * top, 1.9 * top)
    for k, (word, start, end) in enumerate(said):
        if end <= last:
            axes[0].text(
                (start + end) / 2, (1.15 + 0.4 * (k % 2)) * top, word, ha="center", fontsize=7
            )
    if truth is not None:
        time = np.arange(len(truth.lip_gap_m)) / FPS
        axes[1].plot(time, 1000 * truth.lip_gap_m, lw=1, color="tab:red")
        axes[1].set_ylabel("lip gap (mm)", fontsize=8)
        for i, angle in enumerate(ANGLES):
            axes[2].plot(time, np.degrees(truth.pose[:, i]), lw=1, label=angle)
        axes[2].set_ylabel("head (degrees)", fontsize=8)
        axes[2].legend(fontsize=7, ncols=3, loc="upper right")
    for axis in axes:
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
    axes[-1].set_xlim(0, max(last, 1 / FPS))
    axes[-1].set_xlabel("seconds", fontsize=8)
    return Timeline.of(figure, axes[-1], seconds=last, count=count)
