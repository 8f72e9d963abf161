"""What corpora write beside their videos: words and their times.

Each function takes a file's text and, for its messages, the file's path. Times are seconds of
the clip. Whatever stands in a file, nothing but UserError comes out.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

from repro.corpus.recording import Words
from repro.errors import UserError

LRW_S = 29 / 25
"""Every clip of LRW has 29 frames, with its word in the middle."""

GRID_HZ = 25_000
"""Times of GRID's alignments count samples at this rate."""

_GRID_PLACES = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    {"z": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six",
     "7": "seven", "8": "eight", "9": "nine"},
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)  # fmt: skip
"""What each letter of a GRID file's name stands for; no sentence has the letter w."""

_GRID_SILENCE = {"sil", "sp"}

_LRS3_TABLE = ["WORD", "START", "END", "ASDSCORE"]

CREMAD_SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}


def read_transcript(path: Path) -> str:
    """A file's text; bytes that are not UTF-8 become question marks.

    Raises
    ------
    UserError
        It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"File '{path}' cannot be read ({error.strerror}).") from error


def lrw_words(word: str, text: str, path: Path) -> Words:
    """The one word of an LRW clip: it stands in the middle and lasts what ``Duration:`` says.

    Raises
    ------
    UserError
        No ``Duration:`` of a number of seconds.
    """
    for number, line in _lines(text):
        key, _, value = line.partition(":")
        if key.strip() == "Duration":
            length_s = _time(value.replace("seconds", ""), path, number)
            return ((word, max(0.0, (LRW_S - length_s) / 2), min(LRW_S, (LRW_S + length_s) / 2)),)
    raise UserError(f"'{path}' has no line 'Duration: ... seconds', as LRW's files have.")


def grid_words(text: str, path: Path) -> Words:
    """The words of a GRID alignment, lines such as ``23750 29500 bin``; silences are left out.

    Raises
    ------
    UserError
        A line of another form.
    """
    words = []
    for number, line in _lines(text):
        fields = line.split()
        if len(fields) != 3:
            raise _malformed(path, number, "START END WORD")
        start, end = (_time(field, path, number) / GRID_HZ for field in fields[:2])
        words.append((fields[2], *_span(start, end, path, number)))
    return tuple(entry for entry in words if entry[0] not in _GRID_SILENCE)


def grid_sentence(name: str) -> str:
    """The sentence of a GRID file's name: ``bbaf2n`` is "bin blue at f two now"; else ""."""
    if len(name) != len(_GRID_PLACES):
        return ""
    words = [place.get(letter, "") for place, letter in zip(_GRID_PLACES, name, strict=True)]
    return " ".join(words) if all(words) else ""


def lrs3_words(text: str, path: Path) -> tuple[str, Words]:
    """Text and words of an LRS3 file; words have times only where it has the table of them.

    Raises
    ------
    UserError
        No line ``Text:``, or a line of the table that is not WORD START END ASDSCORE.
    """
    said, words, in_table = None, [], False
    for number, line in _lines(text):
        fields = line.split()
        if in_table:
            if len(fields) != len(_LRS3_TABLE):
                raise _malformed(path, number, " ".join(_LRS3_TABLE))
            start, end = (_time(field, path, number) for field in fields[1:3])
            words.append((fields[0], *_span(start, end, path, number)))
        elif fields == _LRS3_TABLE:
            in_table = True
        elif said is None and line.startswith("Text:"):
            said = " ".join(fields)[len("Text:") :].strip()
    if said is None:
        raise UserError(f"'{path}' has no line 'Text: ...', as LRS3's files have.")
    return said, tuple(words)


def timit_sentence(text: str) -> str:
    """The sentence of a TCD-TIMIT file: its one line, without TIMIT's two sample numbers.

    A file of several lines lists sounds, not words, and gives "".
    """
    lines = [line for _, line in _lines(text)]
    return re.sub(r"^\d+\s+\d+\s+", "", lines[0]) if len(lines) == 1 else ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, stripped, with their numbers from 1."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.strip()


def _time(text: str, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UserError(f"'{path}', line {line}: '{text.strip()}' is not a time.")
    return value


def _span(start: float, end: float, path: Path, line: int) -> tuple[float, float]:
    if end < start:
        raise UserError(f"'{path}', line {line}: the word ends before it starts.")
    return start, end


def _malformed(path: Path, line: int, form: str) -> UserError:
    return UserError(f"'{path}', line {line} is not of the form '{form}'.")
