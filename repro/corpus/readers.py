"""Readers of the corpora that talking faces are trained and measured on, as they are unpacked.

A reader lists a corpus without opening its videos; what stands in text files beside them is
read. ``read_recordings`` tells the corpus by how its folder is laid out.
"""

import re
from collections.abc import Callable
from pathlib import Path

from repro.corpus.recording import TEST, TRAIN, VAL, Recording
from repro.corpus.transcripts import (
    CREMAD_SENTENCES,
    grid_sentence,
    grid_words,
    lrs3_words,
    lrw_words,
    read_transcript,
    timit_sentence,
)
from repro.errors import UserError

TCDTIMIT_TEST = frozenset({
    "28M", "55F", "25M", "56M", "49F", "44F", "33F", "09F", "18M", "54M", "45F", "36F", "34M",
    "15F", "58F", "08F", "41M",
})  # fmt: skip
"""Volunteers that the authors of TCD-TIMIT set apart for speaker-independent tests."""

GRID_TEST = frozenset({"s1", "s2", "s20", "s22"})
"""GRID's speakers that LipNet (Assael et al. 2016) and most after it test unseen."""

CREMAD_TEST_EVERY = 5
"""Every fifth actor of CREMA-D is for testing."""

_NUMBER = "[0-9]" * 5
_COMMAND = "[blps][bgrw][abiw][a-z][z1-9][anps]"
_LAYOUTS = {
    "lrw": (f"*/{{split}}/*_{_NUMBER}.mp4", f"lipread_mp4/*/{{split}}/*_{_NUMBER}.mp4"),
    "voxceleb2": ("{part}mp4/id[0-9]*/*/*.mp4",),
    "tcdtimit": ("{group}/*/Clips/*cam/*.mp4", "{group}/*/*cam/*.mp4"),
    "grid": (f"s[0-9]*/{{media}}{_COMMAND}.mpg",),
    "lrs3": (f"{{set}}/*/{_NUMBER}.mp4",),
    "cremad": ("VideoFlash/*.flv",),
}
"""Where the videos of each corpus stand: patterns for ``Path.glob``, with choices to spell out."""

_CHOICES = {
    "{split}": (TRAIN, VAL, TEST),
    "{part}": ("dev/", "test/", ""),
    "{group}": ("volunteers", "lipspeakers"),
    "{media}": ("", "video/", "video/mpg_6000/"),
    "{set}": ("pretrain", "trainval", "test"),
}

_EXAMPLES = {
    "lrw": "ABOUT/train/ABOUT_00001.mp4",
    "voxceleb2": "dev/mp4/id00012/21Uxsk56VDQ/00001.mp4",
    "tcdtimit": "volunteers/03F/Clips/straightcam/si1201.mp4",
    "grid": "s1/bbaf2n.mpg",
    "lrs3": "trainval/0af00UcTOSc/50001.mp4",
    "cremad": "VideoFlash/1001_DFA_ANG_XX.flv",
}


# The corpora


def read_lrw(folder: Path | str) -> tuple[Recording, ...]:
    """LRW, BBC clips of 29 frames around one of 500 words (Chung and Zisserman 2016).

    ``[lipread_mp4/]WORD/{train,val,test}/WORD_00001.mp4``, and beside it ``WORD_00001.txt`` with
    the word's duration. Speakers are not labelled.
    https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html

    Raises
    ------
    UserError
        The folder is not laid out so, or a text file is malformed.
    """
    recordings = []
    for video in _videos(folder, "lrw"):
        word, split = video.parts[-3:-1]
        beside = video.with_suffix(".txt")
        words = lrw_words(word, read_transcript(beside), beside) if beside.is_file() else ()
        recordings.append(Recording(video, split=split, text=word, words=words))
    return tuple(recordings)


def read_voxceleb2(folder: Path | str) -> tuple[Recording, ...]:
    """VoxCeleb2, interviews of celebrities (Chung, Nagrani and Zisserman 2018).

    ``{dev,test}/mp4/id00012/21Uxsk56VDQ/00001.mp4`` with the sound in
    ``{dev,test}/aac/id00012/21Uxsk56VDQ/00001.m4a``; or the same without ``dev`` or ``test``, as
    the test archive unpacks: then the folder's own name tells whether it is the test part.
    https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox2.html

    Raises
    ------
    UserError
        The folder is not laid out so.
    """
    recordings = []
    for video in _videos(folder, "voxceleb2"):
        part = video.parents[3]  # above mp4/id00012/21Uxsk56VDQ
        audio = part / "aac" / video.relative_to(part / "mp4").with_suffix(".m4a")
        split = TEST if TEST in (part.name, part.resolve().name) else TRAIN
        recordings.append(Recording(video, _if_there(audio), video.parts[-3], split))
    return tuple(recordings)


def read_tcdtimit(folder: Path | str, *, camera: str = "straightcam") -> tuple[Recording, ...]:
    """TCD-TIMIT, 59 volunteers and 3 lipspeakers who read sentences (Harte and Gillen 2015).

    ``volunteers/03F/[Clips/]straightcam/si1201.mp4`` with the sound (``.wav``) and the sentence
    (``.txt``) beside it, where they are there; ``lipspeakers/Lipspkr1/...`` likewise.
    The test split is the authors' speaker-independent one. https://sigmedia.tcd.ie/

    Parameters
    ----------
    camera : ``straightcam`` or ``30degcam``

    Raises
    ------
    UserError
        The folder is not laid out so, or has no clip of that camera.
    """
    recordings = []
    for video in _videos(folder, "tcdtimit"):
        if video.parent.name != camera:
            continue
        above = video.parents[1]
        speaker = above.parent.name if above.name == "Clips" else above.name
        beside = video.with_suffix(".txt")
        recordings.append(
            Recording(
                video,
                _if_there(video.with_suffix(".wav")),
                speaker,
                TEST if speaker in TCDTIMIT_TEST else TRAIN,
                timit_sentence(read_transcript(beside)) if beside.is_file() else "",
            )
        )
    if not recordings:
        raise UserError(f"Folder '{folder}' holds no clip of TCD-TIMIT's camera '{camera}'.")
    return tuple(recordings)


def read_grid(folder: Path | str) -> tuple[Recording, ...]:
    """GRID, 34 speakers of 1000 command sentences each (Cooke et al. 2006).

    ``s1/bbaf2n.mpg``, ``s1/video/bbaf2n.mpg`` or ``s1/video/mpg_6000/bbaf2n.mpg`` (the best there
    is of a sentence is taken); sound in ``s1/bbaf2n.wav``, ``s1/audio/bbaf2n.wav`` or
    ``audio_25k/s1/bbaf2n.wav``; words in ``s1/align/bbaf2n.align``, or ``s1/bbaf2n.align`` in
    ``align`` or ``alignments``. https://zenodo.org/records/3625687

    Raises
    ------
    UserError
        The folder is not laid out so, or an alignment is malformed.
    """
    root = Path(folder)
    best: dict[tuple[str, str], Path] = {}
    for video in _videos(folder, "grid"):
        key = video.relative_to(root).parts[0], video.stem
        if key not in best or len(video.parts) > len(best[key].parts):
            best[key] = video
    recordings = []
    for (speaker, name), video in best.items():
        own = root / speaker
        audio = _first(*(f / f"{name}.wav" for f in (own, own / "audio",
                                                     root / "audio_25k" / speaker)))  # fmt: skip
        align = _first(*(f / f"{name}.align" for f in (own / "align", root / "align" / speaker,
                                                       root / "alignments" / speaker)))  # fmt: skip
        words = grid_words(read_transcript(align), align) if align else ()
        text = " ".join(word for word, _, _ in words) or grid_sentence(name)
        split = TEST if speaker in GRID_TEST else TRAIN
        recordings.append(Recording(video, audio, speaker, split, text, words))
    return tuple(sorted(recordings, key=lambda r: r.video))


def read_lrs3(folder: Path | str) -> tuple[Recording, ...]:
    """LRS3-TED, sentences of TED talks (Afouras, Chung and Zisserman 2018).

    ``{pretrain,trainval,test}/VIDEO/00001.mp4`` and beside it ``00001.txt`` with the text and,
    where it has them, the words' times. A talk's id stands for its speaker; ``pretrain`` and
    ``trainval`` are for training.
    https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrs3.html

    Raises
    ------
    UserError
        The folder is not laid out so, or a text file is malformed.
    """
    recordings = []
    for video in _videos(folder, "lrs3"):
        part, talk = video.parts[-3:-1]
        beside = video.with_suffix(".txt")
        text, words = lrs3_words(read_transcript(beside), beside) if beside.is_file() else ("", ())
        split = TEST if part == TEST else TRAIN
        recordings.append(Recording(video, None, talk, split, text, words))
    return tuple(recordings)


def read_cremad(folder: Path | str) -> tuple[Recording, ...]:
    """CREMA-D, 91 actors of 12 sentences in six emotions (Cao et al. 2014).

    ``VideoFlash/1001_DFA_ANG_XX.flv`` with the sound in ``AudioWAV/1001_DFA_ANG_XX.wav``: actor,
    sentence, emotion, level. The corpus has no split: every fifth actor of those there, in the
    order of their numbers, is for testing. https://github.com/CheyneyComputerScience/CREMA-D

    Raises
    ------
    UserError
        The folder is not laid out so, or a video has another name.
    """
    videos = _videos(folder, "cremad")
    for video in videos:
        if not re.fullmatch(r"\d{4}_[A-Z]{3}_[A-Z]{3}_[A-Z]{1,2}", video.stem):
            raise UserError(f"'{video}' is not named like CREMA-D's videos: 1001_DFA_ANG_XX.flv.")
    actors = sorted({video.stem[:4] for video in videos})
    held_out = set(actors[CREMAD_TEST_EVERY - 1 :: CREMAD_TEST_EVERY])
    recordings = []
    for video in videos:
        actor, sentence, _, _ = video.stem.split("_")
        audio = _if_there(video.parents[1] / "AudioWAV" / f"{video.stem}.wav")
        split = TEST if actor in held_out else TRAIN
        text = CREMAD_SENTENCES.get(sentence, "")
        recordings.append(Recording(video, audio, actor, split, text))
    return tuple(recordings)


READERS: dict[str, Callable[[Path | str], tuple[Recording, ...]]] = {
    "lrw": read_lrw,
    "voxceleb2": read_voxceleb2,
    "tcdtimit": read_tcdtimit,
    "grid": read_grid,
    "lrs3": read_lrs3,
    "cremad": read_cremad,
}


# Any of them


def recognise(folder: Path | str) -> str | None:
    """The name in ``READERS`` of the corpus that a folder is laid out like; None for no known."""
    folder = Path(folder)
    for name in READERS:
        if any(next(folder.glob(pattern), None) for pattern in _patterns(name)):
            return name
    return None


def read_recordings(folder: Path | str) -> tuple[Recording, ...]:
    """The recordings of whichever corpus the folder holds.

    Raises
    ------
    UserError
        No known layout, or what the corpus' own reader raises.
    """
    name = recognise(folder)
    if name is None:
        raise UserError(
            f"Folder '{folder}' is not laid out like a corpus that is known: {', '.join(READERS)}."
        )
    return READERS[name](folder)


def _patterns(name: str) -> list[str]:
    """The layout's patterns with each choice spelt out, as ``Path.glob`` takes them."""
    patterns = list(_LAYOUTS[name])
    for mark, choices in _CHOICES.items():
        patterns = [
            pattern.replace(mark, choice)
            for pattern in patterns
            for choice in (choices if mark in pattern else ("",))
        ]
    return patterns


def _videos(folder: Path | str, name: str) -> list[Path]:
    """The corpus' videos by path; UserError where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"No such folder: '{folder}'.")
    found = {video for pattern in _patterns(name) for video in folder.glob(pattern)}
    videos = sorted(video for video in found if not video.name.startswith("."))
    if not videos:
        raise UserError(
            f"Folder '{folder}' is not laid out like '{name}': it has no file like "
            f"{_EXAMPLES[name]}."
        )
    return videos


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _first(*paths: Path) -> Path | None:
    """The first of some files that is there."""
    return next((path for path in paths if path.is_file()), None)
