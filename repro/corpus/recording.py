"""Recordings: the videos of a corpus with what the corpus says of them, and choices among them."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from repro.corpus.clip import Clip, open_clip
from repro.corpus.sound import read_audio
from repro.errors import UserError

TRAIN, VAL, TEST = "train", "val", "test"

_T = TypeVar("_T")

Words = tuple[tuple[str, float, float], ...]
"""Words with their start and end in seconds of the clip."""


@dataclass(frozen=True)
class Recording:
    """A video file and what its corpus says of it; nothing is opened before it is asked for.

    video    the file
    audio    its sound, where the corpus has it in a file apart; None: the video's own
    speaker  who speaks; "" where the corpus does not say
    split    ``train``, ``val`` or ``test``
    text     what is said; "" where it is not known
    words    its words with their times, where the corpus has them
    """

    video: Path
    audio: Path | None = None
    speaker: str = ""
    split: str = TRAIN
    text: str = ""
    words: Words = ()

    @property
    def name(self) -> str:
        """The file's name without suffix, after the speaker's where it does not begin with it."""
        stem = self.video.stem
        return stem if stem.startswith(self.speaker) else f"{self.speaker}_{stem}"

    def clip(self, *, min_s: float = 0.0) -> Clip:
        """The video, opened; UserError as ``open_clip``."""
        return open_clip(self.video, min_s=min_s)

    def sound(self) -> np.ndarray:
        """The sound (N,) float32, mono 16 kHz; UserError as ``read_audio``."""
        return self.clip().audio() if self.audio is None else read_audio(self.audio, min_s=0.0)


def spread(recordings: Iterable[Recording], count: int) -> list[Recording]:
    """At most ``count`` recordings, evenly over the speakers and over what each has; by path.

    A speaker with fewer than an even share leaves the rest to the others. The same recordings
    always give the same choice.
    """
    by_speaker: dict[str, list[Recording]] = {}
    for recording in sorted(recordings, key=lambda r: r.video):
        by_speaker.setdefault(recording.speaker, []).append(recording)
    groups = sorted(_evenly(list(by_speaker.values()), count), key=len)
    chosen: list[Recording] = []
    for done, group in enumerate(groups):
        chosen += _evenly(group, (count - len(chosen)) // (len(groups) - done))
    return sorted(chosen, key=lambda r: r.video)


def _evenly(items: Sequence[_T], count: int) -> Sequence[_T]:
    """At most ``count`` of the items, at even distances."""
    if len(items) <= count:
        return items
    return [items[k * len(items) // count] for k in range(count)]


def usable(recordings: Iterable[Recording], *, min_s: float) -> list[tuple[Recording, Clip]]:
    """The recordings whose video can be read and lasts ``min_s``, each with its clip.

    The others are left out with a warning that says why.
    """
    opened = []
    for recording in recordings:
        try:
            opened.append((recording, recording.clip(min_s=min_s)))
        except UserError as error:
            warnings.warn(f"Left out: {error}", stacklevel=2)
    return opened
