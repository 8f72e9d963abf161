"""Finished stages on disk, each under the hash of what it was made from.

A stage is a folder. It is built under a temporary name and renamed when it is complete, so a run
that was cut off at any moment leaves no half-made stage and the next run goes on from there.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel

from repro.errors import UserError

KEY_FILE = "key.json"
"""The file in each stage's folder that says what it was made from."""


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits.

    Raises
    ------
    UserError
        The file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"File '{path}' cannot be read ({error.strerror}).") from error


def canonical(key: Mapping[str, object]) -> str:
    """The one JSON text of a key: sorted names, settings models spelt out.

    Raises
    ------
    TypeError
        A value is neither plain JSON, a tuple nor a settings model. Give files by ``file_hash``.
    ValueError
        A number is NaN or infinite.
    """
    return json.dumps(key, sort_keys=True, allow_nan=False, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"a stage's key cannot hold a {type(value).__name__}: {value!r}")


def digest(key: Mapping[str, object]) -> str:
    """The first 20 hexadecimal digits of the SHA-256 of a key's canonical JSON."""
    return hashlib.sha256(canonical(key).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Store:
    """A folder of finished stages: ``root/<name>/<digest of the key>/``."""

    root: Path

    def folder(self, name: str, key: Mapping[str, object], *, version: int = 1) -> Path:
        """Where the stage of this name and key stands, whether it is made yet or not."""
        return self.root / name / digest({**key, "_version": version})

    def find(self, name: str, key: Mapping[str, object], *, version: int = 1) -> Path | None:
        """The finished stage's folder, or None where it has not been made."""
        folder = self.folder(name, key, version=version)
        return folder if folder.is_dir() else None

    def stage(
        self,
        name: str,
        key: Mapping[str, object],
        make: Callable[[Path], None],
        *,
        version: int = 1,
    ) -> Path:
        """The finished stage's folder, made now if it is not there.

        Parameters
        ----------
        name : the stage, for people: the folder's first level
        key : everything the result depends on: settings, seeds, hashes of input files, digests
            of earlier stages
        make : fills the empty folder it is given; what it raises comes through, and leaves nothing
        version : to be raised when the stage's code changes what it makes

        Raises
        ------
        UserError
            The store cannot be written.

        Notes
        -----
        Another process that is making the same stage is waited for, and its result taken.
        """
        folder = self.folder(name, key, version=version)
        if folder.is_dir():
            return folder
        locks = self.root / ".locks"
        try:
            locks.mkdir(parents=True, exist_ok=True)
            folder.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise UserError(
                f"Folder '{self.root}' cannot be written ({error.strerror})."
            ) from error
        with FileLock(locks / f"{name}-{folder.name}.lock"):
            if not folder.is_dir():
                _build(folder, {**key, "_version": version}, make)
        return folder


def _build(folder: Path, key: Mapping[str, object], make: Callable[[Path], None]) -> None:
    """Make the folder under another name, then rename it; the caller holds its lock."""
    making = folder.with_name(f".making-{folder.name}")
    if making.exists():  # left by a process that was killed
        shutil.rmtree(making)
    making.mkdir()
    try:
        make(making)
        readable = json.dumps(json.loads(canonical(key)), indent=2, ensure_ascii=False)
        (making / KEY_FILE).write_text(readable + "\n", encoding="utf-8")
        making.rename(folder)
    finally:
        if making.exists():
            shutil.rmtree(making)
