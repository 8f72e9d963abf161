"""Speech and motion of many further synthetic people, performed but not filmed.

Not the paper's. What a mouth does to which sound is learned from hours of many voices (LRW); a
synthetic corpus whose clips are filmed and reconstructed has minutes of a few. Sound and true
motion alone cost a hundredth of that.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from repro import FPS
from repro.corpus.people import Person, draw_person
from repro.corpus.performance import perform
from repro.corpus.plan import sentences
from repro.errors import UserError
from repro.motion.data import Example
from repro.motion.motion import Motion
from repro.motion.settings import MotionSettings
from repro.processes import side_by_side
from repro.speech.features import mfcc_windows
from repro.speech.synthesis import VOICES_HIGH, VOICES_LOW, Phoneme, fitted, speak

FIRST_PERSON = 30_000_000
"""Seeds from here on: nobody of any corpus, of the portraits or of the calibration."""

_NEXT_TAKE = 50_000_000
"""From the seed of what somebody says and does to that of what they say and do another time."""


@dataclass(frozen=True)
class Performed:
    """What somebody says and does over T frames.

    person    who
    audio     (N,) float32, mono 16 kHz
    windows   (T, 28, 12) float32, MFCCs
    motion    of T frames
    phonemes  with times in seconds
    """

    person: Person
    audio: np.ndarray
    windows: np.ndarray
    motion: Motion
    phonemes: tuple[Phoneme, ...]


def performed_clips(
    settings: MotionSettings,
    names: Sequence[str],
    *,
    seed: int,
    without: Collection[str] = (),
    workers: int = 1,
) -> Iterator[Example]:
    """A clip of ``performed_s`` of each of ``performed_people`` people.

    Parameters
    ----------
    names : of the 64 numbers of expression
    seed : of who they are and what they say; the same seed gives the same clips
    without : voices that are left out, so that they stay unheard
    workers : processes that perform side by side

    Raises
    ------
    UserError
        All voices that people have are left out.
    """
    if not {*VOICES_LOW, *VOICES_HIGH} - {*without}:
        raise UserError(
            "Every voice is held out, so nobody is left for motion.performed_people: "
            "set it to 0, or hold out fewer people (corpus.personal_people)."
        )
    numbers = islice(performers(seed, without=without), settings.performed_people)
    tasks = [(number, settings.performed_s, names) for number in numbers]
    for clip in side_by_side(performed, tasks, workers=workers):
        yield clip.windows, clip.motion


def performers(seed: int, *, without: Collection[str] = ()) -> Iterator[int]:
    """Numbers of people, for ``performed``; without end unless all voices are left out."""
    numbers = count(FIRST_PERSON + seed * 100_000)
    return (number for number in numbers if draw_person(number).voice not in without)


def performed(number: int, length_s: float, names: Sequence[str], *, take: int = 0) -> Performed:
    """What the person of a number says and does for so many seconds.

    ``take``: 0, 1, ... are other sentences and other motion of the same person, whose habits stay.
    """
    person = draw_person(number)
    seed = number + take * _NEXT_TAKE
    speech = speak(
        sentences(seed, length_s), voice=person.voice, rate_wpm=person.rate_wpm,
        pitch=person.pitch, seed=seed,
    )  # fmt: skip
    frames = round(length_s * FPS)
    audio = fitted(speech.audio, frames)
    acted = perform(audio, speech.phonemes, person, frames=frames, seed=seed, names=names)
    motion = Motion(acted.expression, acted.pose)
    return Performed(person, audio, mfcc_windows(audio, frames), motion, speech.phonemes)
