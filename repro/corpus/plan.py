"""Who says what in the synthetic corpus: the list of its clips, from the settings alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repro import FPS
from repro.corpus.people import draw_person
from repro.corpus.settings import CorpusSettings
from repro.errors import UserError
from repro.speech.sentences import CARRIERS, SENTENCES, WORDS
from repro.speech.synthesis import DRIVING_VOICES

GENERAL, PERSONAL, TEST, STUDY, DRIVING = SPLITS = (
    "general",
    "personal",
    "test",
    "study",
    "driving",
)
"""Many people's short clips; the held-out people's long ones; other sentences of those; one very
long clip for the frame-count study; sound alone, of voices that nobody in the corpus has."""

WORD_FRAMES = 29
"""Length of a clip of one word, as in LRW: 1.16 s with the word in the middle."""


@dataclass(frozen=True)
class Entry:
    """A clip of the corpus and its files, which all share the name ``stem``.

    person   seed of the person; None for sound alone
    voice    of the speech
    word     the word in the middle of the clip; "" in clips of sentences
    seed     of all that differs between a person's clips
    """

    split: str
    person: int | None
    voice: str
    text: str
    word: str
    length_s: float
    seed: int
    stem: Path

    @property
    def name(self) -> str:
        """The clip's name without folder and suffix."""
        return self.stem.name

    @property
    def video(self) -> Path:
        """The clip's mp4."""
        return self.stem.with_suffix(".mp4")

    @property
    def truth(self) -> Path:
        """What made it (npz)."""
        return self.stem.with_suffix(".npz")

    @property
    def masks(self) -> Path:
        """The material of every pixel (mkv)."""
        return self.stem.with_suffix(".masks.mkv")

    @property
    def sound(self) -> Path:
        """The speech of a ``driving`` entry (wav)."""
        return self.stem.with_suffix(".wav")

    @property
    def note(self) -> Path:
        """The clip in words (json), written last: where it stands the clip is whole."""
        return self.stem.with_suffix(".json")


def plan(folder: Path, settings: CorpusSettings) -> tuple[Entry, ...]:
    """Every clip of a corpus: each person's together, then the driving voices'."""
    entries = []
    general = settings.people - settings.personal_people
    for k in range(settings.people):
        person = settings.seed * 1000 + k
        if k < general:
            lengths = [(GENERAL, settings.clip_s)] * settings.general_clips
        else:
            lengths = [(PERSONAL, settings.personal_s), (TEST, settings.test_s)]
            if k == general:
                lengths.append((STUDY, settings.study_s))
        lengths = [(split, length_s) for split, length_s in lengths if length_s > 0]
        for c, (split, length_s) in enumerate(lengths):
            entries.append(_entry(folder, split, person, c, length_s))
        if k < general:
            entries += [_word_entry(folder, person, c) for c in range(settings.word_clips)]
    for k in range(settings.driving_clips):
        entries.append(_driving_entry(folder, settings, k))
    return tuple(entries)


def share(entries: Sequence[Entry], part: int, parts: int) -> tuple[Entry, ...]:
    """One of several equal shares of a corpus, by length: neighbours in the plan stay together.

    Parameters
    ----------
    part : from 1 to ``parts``

    Raises
    ------
    UserError
        There is no such part.
    """
    if not 1 <= part <= parts:
        raise UserError(f"Share {part}/{parts} must be between 1/{parts} and {parts}/{parts}.")
    lengths = np.array([entry.length_s for entry in entries])
    middles = (np.cumsum(lengths) - lengths / 2) / max(lengths.sum(), 1e-9)
    taken = np.minimum((middles * parts).astype(int), parts - 1) == part - 1
    return tuple(entry for entry, mine in zip(entries, taken, strict=True) if mine)


def _seed(*name: object) -> int:
    """A number for a name; the same on every machine."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, name)).encode()).digest()[:4], "big")


def _entry(folder: Path, split: str, person: int, c: int, length_s: float) -> Entry:
    seed = _seed(person, c)
    return Entry(
        split, person, draw_person(person).voice, sentences(seed, length_s), "", length_s, seed,
        folder / f"{split}_{person:03d}_{c:02d}",
    )  # fmt: skip


def _word_entry(folder: Path, person: int, c: int) -> Entry:
    seed = _seed(person, "word", c)
    word = WORDS[(7 * person + c) % len(WORDS)]
    text = CARRIERS[seed % len(CARRIERS)].format(word)
    return Entry(
        GENERAL, person, draw_person(person).voice, text, word, WORD_FRAMES / FPS, seed,
        folder / f"{GENERAL}_{person:03d}_{word}-{c:03d}",
    )  # fmt: skip


def _driving_entry(folder: Path, settings: CorpusSettings, k: int) -> Entry:
    seed = _seed(settings.seed, "driving", k)
    voice = DRIVING_VOICES[k % len(DRIVING_VOICES)]
    return Entry(
        DRIVING, None, voice, sentences(seed, settings.driving_s), "", settings.driving_s, seed,
        folder / f"{DRIVING}_{k:03d}",
    )  # fmt: skip


def sentences(seed: int, length_s: float) -> str:
    """Sentences enough for a length, at 180 words a minute."""
    order = np.random.default_rng(seed).permutation(len(SENTENCES))
    words, chosen = 0, []
    for k in np.tile(order, 1 + int(length_s)):
        chosen.append(SENTENCES[k])
        words += len(SENTENCES[k].split())
        if words >= 3.0 * length_s:
            break
    return " ".join(chosen)
