"""The eSpeak NG library: text in, samples and timed events out.

The library keeps its state between calls (phases, flutter, random numbers), so that the same words
would never sound quite the same twice. It is therefore loaded afresh for each text and unloaded
after it, which takes about a millisecond and makes the output a function of the input.
"""

import _ctypes
import ctypes
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np

from repro.errors import UserError

_SYNCHRONOUS = 2
_PHONEMES, _IN_IPA, _DO_NOT_EXIT = 1, 2, 1 << 15
_RATE, _PITCH, _RANGE = 1, 3, 4
_BY_CHARACTER, _UTF8 = 1, 1
_END, _WORD, _PHONEME = 0, 1, 7

_loading = threading.Lock()


class _Identity(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("message", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class PhonemeMark:
    """A phoneme begins at a sample; ``symbol`` is IPA, empty for a pause."""

    sample: int
    symbol: str


@dataclass(frozen=True)
class WordMark:
    """A word, ``text[start:stop]``, begins at a sample."""

    sample: int
    start: int
    stop: int


def synthesise(
    text: str, *, voice: str, rate_wpm: int, pitch: int, pitch_range: int, seed: int
) -> tuple[np.ndarray, int, list[PhonemeMark | WordMark]]:
    """Samples (n,) int16, samples per second, and marks in order of time.

    A plosive's mark stands where its closure is released; the silence of the closure belongs to
    the phoneme before it. The echo that some variants add is taken off: a closure is silent.

    Raises
    ------
    UserError
        The library or its data cannot be loaded, or it knows no such voice.
    """
    blocks, marks = [], []

    @_Callback
    def collect(samples, count, events):
        if samples and count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        k = 0
        while events[k].type != _END:
            marks.extend(_mark(events[k]))
            k += 1
        return 0

    with _loaded() as (library, sample_rate):
        library.espeak_SetSynthCallback(collect)
        library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
        if library.espeak_SetVoiceByName(voice.encode()):
            raise UserError(f"eSpeak NG has no voice '{voice}'.")
        for parameter, value in ((_RATE, rate_wpm), (_PITCH, pitch), (_RANGE, pitch_range)):
            library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        size = ctypes.c_size_t(len(data) + 1)
        library.espeak_Synth(data, size, 0, _BY_CHARACTER, 0, _UTF8, None, None)
        library.espeak_Synchronize()
    samples = np.concatenate([np.zeros(0, np.int16), *blocks])
    return _without_echo(samples, sample_rate, voice), sample_rate, marks


def _without_echo(samples: np.ndarray, sample_rate: int, voice: str) -> np.ndarray:
    """Undo y[n] = x[n] + floor(level * y[n - delay] / 256), as the variant's file has it."""
    _, _, variant = voice.partition("+")
    if not variant:
        return samples
    file = Path(espeakng_loader.get_data_path()) / "voices" / "!v" / variant
    echo = re.search(r"^echo\s+(\d+)\s+(\d+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    if echo is None or int(echo[1]) * sample_rate // 1000 not in range(1, len(samples)):
        return samples
    delay = int(echo[1]) * sample_rate // 1000
    dry = samples.astype(np.int32)
    dry[delay:] -= (dry[:-delay] * int(echo[2])) >> 8
    return np.clip(dry, -32768, 32767).astype(np.int16)


def _mark(event: _Event) -> Iterator[PhonemeMark | WordMark]:
    if event.type == _PHONEME:
        symbol = event.id.string.decode("utf-8", "ignore")
        yield PhonemeMark(event.sample, symbol.replace(":", "ː"))
    elif event.type == _WORD:
        start = event.text_position - 1
        yield WordMark(event.sample, start, start + event.length)


@contextmanager
def _loaded() -> Iterator[tuple[ctypes.CDLL, int]]:
    folder = Path(espeakng_loader.get_data_path()).parent
    with _loading:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        try:
            sample_rate = library.espeak_Initialize(
                _SYNCHRONOUS, 0, str(folder).encode(), _PHONEMES | _IN_IPA | _DO_NOT_EXIT
            )
            if sample_rate <= 0:
                raise UserError(
                    f"eSpeak NG cannot read its data in '{folder}': install the package "
                    "espeakng-loader again, in a folder with a short path."
                )
            yield library, sample_rate
            library.espeak_Terminate()
        finally:
            _ctypes.dlclose(library._handle)
