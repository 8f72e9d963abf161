"""Synthetic speech whose phonemes are known to the sample: the ground truth of the open corpus."""

from dataclasses import dataclass

import numpy as np
import soxr

from repro import FPS, SAMPLE_RATE
from repro.errors import UserError
from repro.speech.espeak import PhonemeMark, WordMark, synthesise
from repro.speech.sentences import SENTENCES, WORDS

__all__ = ["PAUSE", "SENTENCES", "VOICES", "WORDS", "Phoneme", "Speech", "Word", "fitted", "speak"]

VOICES_LOW = (
    "en-us",
    "en-us+m1",
    "en-us+m2",
    "en-us+m3",
    "en-us+m6",
    "en-us+m7",
    "en-gb",
    "en-gb-x-rp",
    "en-gb-scotland",
)
VOICES_HIGH = (
    "en+f2",
    "en-us+f1",
    "en-us+f2",
    "en-us+f3",
    "en-us+f4",
    "en-us+f5",
    "en-us+linda",
)
DRIVING_VOICES = ("en-029", "en-us+Annie", "en-gb-x-rp+f4")
"""Kept for driving speech: no synthetic person has them."""
VOICES = VOICES_LOW + VOICES_HIGH + DRIVING_VOICES
"""Voices of men and of women, American, British, Scottish and Caribbean."""

PAUSE = "_"
"""The symbol of silence."""

_PLOSIVES = ("p", "b", "t", "d", "k", "ɡ")

_SILENCE = 100
"""Samples (of 32768) up to this are silence: the faintest sound, f, reaches 500."""

_CLOSURE_S = 0.008
"""Silence at the end of a phoneme that lasts longer than this is the closure of the next."""


@dataclass(frozen=True)
class Phoneme:
    """A sound of speech: IPA (with stress and length marks) or ``PAUSE``, from when to when."""

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Word:
    """A word as written in the text, from when to when."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """An utterance.

    audio     (N,) float32 in [-1, 1], mono 16 kHz
    phonemes  in order and without gaps, from 0 to the end of the audio, pauses included
    text      as given
    voice     one of ``VOICES``
    words     in order
    """

    audio: np.ndarray
    phonemes: tuple[Phoneme, ...]
    text: str
    voice: str
    words: tuple[Word, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the audio."""
        return len(self.audio) / SAMPLE_RATE


def speak(
    text: str,
    *,
    voice: str = "en-us",
    rate_wpm: int = 160,
    pitch: int = 50,
    pitch_range: int = 50,
    pad_s: float = 0.2,
    seed: int = 0,
) -> Speech:
    """Say a text. The same arguments give the same samples.

    Parameters
    ----------
    text : English
    voice : one of ``VOICES``
    rate_wpm : words per minute, 80 to 450
    pitch : 0 to 100; 50 is the voice's own
    pitch_range : liveliness of the intonation, 0 (flat) to 100
    pad_s : silence before and after
    seed : of the voice's breath noise

    Raises
    ------
    UserError
        No such voice, or nothing to say.
    """
    if voice not in VOICES:
        raise UserError(f"There is no voice '{voice}': choose one of {', '.join(VOICES)}.")
    for name, value, low, high in (
        ("rate_wpm", rate_wpm, 80, 450),
        ("pitch", pitch, 0, 100),
        ("pitch_range", pitch_range, 0, 100),
    ):
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}: it lies between {low} and {high}")
    samples, sample_rate, marks = synthesise(
        text,
        voice=_library_name(voice),
        rate_wpm=rate_wpm,
        pitch=pitch,
        pitch_range=pitch_range,
        seed=seed,
    )
    spans, words = _spans(samples, marks, closure=round(_CLOSURE_S * sample_rate))
    if all(symbol == PAUSE for symbol, _, _ in spans):
        raise UserError(f"There is nothing to say in the text '{text}': give it words.")
    sound = soxr.resample(samples / np.float32(32768), sample_rate, SAMPLE_RATE)
    pad = np.zeros(round(pad_s * SAMPLE_RATE), np.float32)
    audio = np.concatenate([pad, np.clip(sound, -1, 1), pad])
    pad_s, total_s = len(pad) / SAMPLE_RATE, len(audio) / SAMPLE_RATE
    phonemes = _padded(
        [(s, pad_s + a / sample_rate, pad_s + b / sample_rate) for s, a, b in spans], total_s
    )
    return Speech(
        audio=audio,
        phonemes=phonemes,
        text=text,
        voice=voice,
        words=tuple(
            Word(text[w.start : w.stop], pad_s + a / sample_rate, pad_s + b / sample_rate)
            for w, a, b in words
        ),
    )


def fitted(audio: np.ndarray, frames: int) -> np.ndarray:
    """Sound (N,) cut, or padded with silence, to the length of some frames."""
    result = np.zeros(frames * SAMPLE_RATE // FPS, np.float32)
    result[: len(audio)] = audio[: len(result)]
    return result


def _library_name(voice: str) -> str:
    """The library's own name of a voice: it knows en-gb as en."""
    language, plus, variant = voice.partition("+")
    return ("en" if language == "en-gb" else language) + plus + variant


def _spans(
    samples: np.ndarray, marks: list[PhonemeMark | WordMark], *, closure: int
) -> tuple[list[tuple[str, int, int]], list[tuple[WordMark, int, int]]]:
    """Phonemes and words with their first sample and the one after their last.

    A plosive begins with its closure, when the lips or the tongue are already shut: at its word's
    beginning if it is the first of it, and in any case where the phoneme before it falls silent.
    """
    sounds: list[tuple[str, int, WordMark | None]] = []
    word, first = None, False
    for mark in marks:
        if isinstance(mark, WordMark):
            word, first = mark, True
            continue
        start = mark.sample
        if word and first and mark.symbol.startswith(_PLOSIVES):
            start = min(start, word.sample)
        sounds.append((mark.symbol or PAUSE, start, word))
        first = first and not mark.symbol
    starts = [start for _, start, _ in sounds]
    ends = [*starts[1:], len(samples)]
    for k in range(len(sounds) - 1):
        silent = _silence_at_end(samples[starts[k] : ends[k]])
        if sounds[k][0] != PAUSE and silent > closure:
            ends[k] -= silent
            starts[k + 1] = ends[k]
    spans: list[tuple[str, int, int]] = []
    words: dict[WordMark, tuple[int, int]] = {}
    for (symbol, _, word), start, end in zip(sounds, starts, ends, strict=True):
        if end <= start:
            continue
        spans.append((symbol, start, end))
        if word is not None and symbol != PAUSE:
            words[word] = (words.get(word, (start,))[0], end)
    return spans, [(word, start, end) for word, (start, end) in words.items()]


def _silence_at_end(samples: np.ndarray) -> int:
    sounding = np.flatnonzero(np.abs(samples.astype(np.int32)) > _SILENCE)
    return len(samples) - 1 - int(sounding[-1]) if len(sounding) else 0


def _padded(spans: list[tuple[str, float, float]], total_s: float) -> tuple[Phoneme, ...]:
    """Phonemes from 0 to the end, with pauses that touch made one."""
    phonemes: list[Phoneme] = []
    spans = [(PAUSE, 0.0, spans[0][1]), *spans, (PAUSE, spans[-1][2], total_s)]
    for symbol, start_s, end_s in spans:
        if end_s <= start_s:
            continue
        if symbol == PAUSE and phonemes and phonemes[-1].symbol == PAUSE:
            start_s = phonemes.pop().start_s
        phonemes.append(Phoneme(symbol, start_s, end_s))
    return tuple(phonemes)
