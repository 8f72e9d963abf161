"""Public clips: short recordings of real people in public research repositories, to be fetched.

They are listed in ``data/public_clips.toml`` with their commits and hashes, and never shipped.
"""

import shutil
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import pooch

from repro.corpus.folder import VIDEO_SUFFIXES
from repro.corpus.recording import TEST, Recording
from repro.errors import UserError
from repro.files import atomic_path
from repro.store import file_hash

COMMAND = "repro assets fetch clips"


@dataclass(frozen=True)
class PublicClip:
    """A video or sound file that a public repository ships.

    name        of the file here
    repository  owner/name on GitHub
    commit      40 hexadecimal digits
    path        of the file there
    sha256      of its content
    note        what it is
    """

    name: str
    repository: str
    commit: str
    path: str
    sha256: str
    note: str

    @property
    def url(self) -> str:
        """The file's raw address."""
        return (
            f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{quote(self.path)}"
        )

    def is_at(self, path: Path) -> bool:
        """Whether a path holds this very file."""
        return path.is_file() and file_hash(path) == self.sha256


def public_clips() -> tuple[PublicClip, ...]:
    """The clips that are listed."""
    text = (files("repro.corpus") / "data" / "public_clips.toml").read_text(encoding="utf-8")
    return tuple(PublicClip(**row) for row in tomllib.loads(text)["clip"])


def fetch_clips(to: Path, *, source: Path | None = None) -> list[Path]:
    """Get the public clips; files that are there and right are left as they are.

    Parameters
    ----------
    to : the folder for them
    source : a folder that holds some of them under the same names, which are copied; None
        downloads all from their repositories

    Returns
    -------
    the files, in the order of the list

    Raises
    ------
    UserError
        A file that is not the known one; a source without any; a download that fails; a folder
        that cannot be written.
    """
    wanted = public_clips()
    if source is not None:
        wanted = tuple(clip for clip in wanted if (source / clip.name).is_file())
        if not wanted:
            raise UserError(
                f"Folder '{source}' holds none of the public clips, such as "
                f"'{public_clips()[0].name}'."
            )
    for clip in wanted:
        if not clip.is_at(to / clip.name):
            _download(clip, to) if source is None else _copy(clip, source, to)
    return [to / clip.name for clip in wanted]


def _copy(clip: PublicClip, source: Path, to: Path) -> None:
    if not clip.is_at(source / clip.name):
        raise UserError(
            f"'{source / clip.name}' is not the known file (its SHA-256 differs): "
            f"take it from {clip.url}."
        )
    with atomic_path(to / clip.name) as temporary:
        shutil.copyfile(source / clip.name, temporary)


def _download(clip: PublicClip, to: Path) -> None:
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(clip.url, f"sha256:{clip.sha256}", clip.name, to, progressbar=True)
    except ValueError as error:
        raise UserError(
            f"'{clip.url}' is not the known file (its SHA-256 differs): nothing was kept."
        ) from error
    except OSError as error:
        raise UserError(
            f"'{clip.url}' cannot be fetched into '{to}' ({type(error).__name__}): see to the "
            f"connection and the folder, or copy the clips at hand with `{COMMAND} --from FOLDER`."
        ) from error


def read_public_clips(folder: Path | str) -> tuple[Recording, ...]:
    """The videos among the public clips in a folder, by path: all for testing, each a speaker.

    Raises
    ------
    UserError
        There is none.
    """
    names = sorted(clip.name for clip in public_clips())
    videos = [Path(folder) / name for name in names if Path(name).suffix in VIDEO_SUFFIXES]
    found = tuple(Recording(v, speaker=v.stem, split=TEST) for v in videos if v.is_file())
    if not found:
        raise UserError(f"Folder '{folder}' holds none of the public clips: run `{COMMAND}`.")
    return found
