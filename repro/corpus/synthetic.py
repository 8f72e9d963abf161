"""The synthetic corpus: people of the face model who speak, filmed, with exact ground truth.

Every clip is an mp4 with sound, an npz with all that made it (``truth.Truth``), an mkv with the
material of every pixel, and a json to read; of a driving voice, a wav and a json. The same settings
give the same clips again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro import __version__
from repro.corpus.plan import SPLITS, Entry, plan, share
from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic_clip import make_clip
from repro.errors import UserError
from repro.files import write_json
from repro.processes import side_by_side

_INDEX = "corpus.json"
_FREE = {"people", "personal_people", "general_clips", "word_clips", "driving_clips"}
"""Settings that may change from run to run: clips that are there stay as they are."""
_SPEED = {"workers", "threads"}
"""Settings that change no clip."""

Progress = Callable[[int, int, str], None]
"""Called after every clip: clips done, clips planned, name of the clip."""


@dataclass(frozen=True)
class Corpus:
    """A synthetic corpus on disk; ``entries`` are planned, and made by ``make_corpus``."""

    folder: Path
    settings: CorpusSettings
    entries: tuple[Entry, ...]

    def split(self, name: str) -> tuple[Entry, ...]:
        """The entries of one of ``plan.SPLITS``."""
        return tuple(e for e in self.entries if e.split == name)


def make_corpus(
    folder: Path,
    settings: CorpusSettings,
    *,
    splits: Sequence[str] = SPLITS,
    part: tuple[int, int] = (1, 1),
    progress: Progress | None = None,
) -> Corpus:
    """Make every clip of some splits that is not there yet, with ``settings.workers`` processes.

    Parameters
    ----------
    part : which share of them, of how many: machines with a common folder make a share each

    Raises
    ------
    UserError
        The folder holds a corpus made with other settings, or cannot be written; or there is no
        such share.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Folder '{folder}' cannot be written ({error.strerror}).") from error
    corpus = Corpus(folder, settings, plan(folder, settings))
    wanted = share([e for e in corpus.entries if e.split in splits], *part)
    _keep_settings(folder, settings)
    missing = [e for e in wanted if not e.note.is_file()]
    done = len(wanted) - len(missing)
    tasks = [(entry, settings) for entry in missing]
    for name in side_by_side(_make, tasks, workers=settings.workers):
        done += 1
        if progress is not None:
            progress(done, len(wanted), name)
    return corpus


def load_corpus(folder: Path) -> Corpus:
    """The corpus whose settings stand in a folder.

    Raises
    ------
    UserError
        There is none.
    """
    folder = Path(folder)
    index = folder / _INDEX
    if not index.is_file():
        raise UserError(f"Folder '{folder}' holds no synthetic corpus; make it first.")
    settings = CorpusSettings(**json.loads(index.read_text())["settings"])
    return Corpus(folder, settings, plan(folder, settings))


def _make(entry: Entry, settings: CorpusSettings) -> str:
    """Make one clip; gives its name."""
    make_clip(entry, settings)
    return entry.name


def _keep_settings(folder: Path, settings: CorpusSettings) -> None:
    """Write the settings down; a later run may not change what clips that are there look like."""
    index = folder / _INDEX
    if index.is_file():
        have = json.loads(index.read_text())["settings"]
        for key, value in settings.model_dump(exclude=_FREE | _SPEED).items():
            if have.get(key) != value:
                raise UserError(
                    f"Folder '{folder}' holds clips made with {key}={have.get(key)}, not {value}; "
                    "choose another folder or delete it."
                )
        if have == settings.model_dump():
            return
    write_json(index, {"settings": settings.model_dump(), "version": __version__})
