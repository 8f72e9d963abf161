"""The videos of a study: groups of the same moment by several methods, from a folder or a CSV."""

import csv
from dataclasses import dataclass
from pathlib import Path

from repro.corpus.folder import VIDEO_SUFFIXES
from repro.errors import UserError

MOST_METHODS = 8
"""People cannot compare more at once."""

COLUMNS = ("group", "method", "video")


@dataclass(frozen=True)
class StudyVideos:
    """What is to be compared.

    videos    of each group, by name: the video of each method
    methods   that are compared, in the order of the tables
    original  the name under which each group's real video stands; None where there is none
    """

    videos: dict[str, dict[str, Path]]
    methods: tuple[str, ...]
    original: str | None


def read_videos(source: Path, *, original: str | None = None) -> StudyVideos:
    """Read what is to be compared.

    Parameters
    ----------
    source : a folder with a folder for each method, in which each group has a video of the same
        name (``ours/group_01.mp4``); or a CSV with the columns group, method, video (paths are
        relative to the CSV)
    original : the method that is the real video: shown beside the others, and not to be chosen

    Raises
    ------
    UserError
        No such source; a row or a video that cannot be used; a group that lacks a method; fewer
        than two methods or more than eight; no method by the name of ``original``.
    """
    source = Path(source)
    if source.is_dir():
        found = _folder(source)
    elif source.suffix.lower() == ".csv":
        found = _csv(source)
    else:
        raise UserError(f"'{source}' is neither a folder of methods nor a .csv of their videos.")
    names = list(dict.fromkeys(method for of_group in found.values() for method in of_group))
    for group, of_group in found.items():
        for method in names:
            if method not in of_group:
                raise UserError(f"Group '{group}' of '{source}' lacks a video of '{method}'.")
    if original is not None and original not in names:
        choices = ", ".join(names)
        raise UserError(f"'{source}' has no method '{original}' to show as original; {choices}.")
    methods = tuple(name for name in names if name != original)
    if not 2 <= len(methods) <= MOST_METHODS:
        raise UserError(
            f"'{source}' has {len(methods)} methods to compare ({', '.join(methods)}); "
            f"a study needs 2 to {MOST_METHODS}."
        )
    return StudyVideos(found, methods, original)


def _folder(source: Path) -> dict[str, dict[str, Path]]:
    found: dict[str, dict[str, Path]] = {}
    methods = [p for p in sorted(source.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    for method in methods:
        for path in sorted(method.iterdir()):
            if path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith("."):
                _add(found, path.stem, method.name, path)
    if not found:
        raise UserError(
            f"Folder '{source}' holds no videos; give one with a folder of videos for each method."
        )
    return dict(sorted(found.items()))


def _csv(source: Path) -> dict[str, dict[str, Path]]:
    found: dict[str, dict[str, Path]] = {}
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not {*COLUMNS} <= {*(rows.fieldnames or [])}:
                raise UserError(f"'{source}' must have the columns {', '.join(COLUMNS)}.")
            for row in rows:
                cells = [(row[name] or "").strip() for name in COLUMNS]
                if not all(cells):
                    empty = COLUMNS[cells.index("")]
                    raise UserError(f"'{source}', line {rows.line_num}: the {empty} is empty.")
                group, method, video = cells
                path = source.parent / video
                if not path.is_file():
                    raise UserError(f"'{source}', line {rows.line_num}: no such file '{video}'.")
                _add(found, group, method, path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV in UTF-8"
        raise UserError(f"'{source}' cannot be read ({reason}).") from error
    if not found:
        raise UserError(f"'{source}' has no rows; give one for each video.")
    return found


def _add(found: dict[str, dict[str, Path]], group: str, method: str, path: Path) -> None:
    of_group = found.setdefault(group, {})
    if method in of_group:
        raise UserError(
            f"Group '{group}' has two videos of '{method}': '{of_group[method]}' and '{path}'."
        )
    of_group[method] = path
