"""A corpus that is any folder of videos."""

import warnings
from pathlib import Path

from repro.corpus.clip import Clip, open_clip
from repro.errors import UserError

VIDEO_SUFFIXES = frozenset({
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".ogv", ".ts", ".vob", ".webm", ".wmv",
})  # fmt: skip


def folder_corpus(path: Path | str, *, min_s: float = 0.0) -> list[Clip]:
    """Every video in a folder and the folders in it, sorted by path; hidden files are left out.

    Files without a video's suffix are passed over. A video that cannot be read, or is shorter
    than ``min_s`` seconds, is left out with a warning that says why: one bad file does not stop a
    corpus.

    Raises
    ------
    UserError
        No such folder; not a folder; no video in it that can be read.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"No such folder: '{path}'.")
    if not path.is_dir():
        raise UserError(f"'{path}' is a file: give the folder that holds the videos.")
    clips = []
    for file in sorted(path.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if hidden or file.suffix.lower() not in VIDEO_SUFFIXES or not file.is_file():
            continue
        try:
            clips.append(open_clip(file, min_s=min_s))
        except UserError as error:
            warnings.warn(f"Left out: {error}", stacklevel=2)
    if not clips:
        raise UserError(f"The folder '{path}' holds no video that can be read.")
    return clips
