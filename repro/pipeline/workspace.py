"""Where the stages' results go, and with what they are made."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from repro.config import SYNTHETIC, Profile
from repro.errors import UserError
from repro.face.model import MorphableModel, load_open_model
from repro.files import write_json
from repro.store import Store, digest

_CURVES = "losses", "looks"


@dataclass(frozen=True)
class Workspace:
    """Where results go, and with which settings, seed and face model they are made.

    root     folder of this profile's results on this corpus
    profile  settings of every stage
    corpus   "synthetic", or a folder: a corpus that ``repro.corpus.readers`` knows, or videos
    seed     the one seed from which all others are drawn
    """

    root: Path
    profile: Profile
    corpus: str
    seed: int
    model: MorphableModel

    @classmethod
    def open(
        cls, root: Path | str, profile: Profile, *, corpus: str = SYNTHETIC, seed: int = 0
    ) -> "Workspace":
        """A workspace on the open face model.

        Raises
        ------
        UserError
            The folder cannot be written.
        """
        root = Path(root)
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"Folder '{root}' cannot be written ({error.strerror}).") from error
        return cls(root, profile, corpus, seed, load_open_model())

    @functools.cached_property
    def store(self) -> Store:
        """The stages made so far."""
        return Store(self.root / "stages")

    def stage(
        self, name: str, key: Mapping[str, object], make: Callable[[Path], None], *code: str
    ) -> Path:
        """The folder of a finished stage, made now where it is missing.

        ``code``: the parts of the package whose sources belong to the key.
        """
        return self.store.stage(name, {**key, "code": source_digest(*code)}, make)

    def is_made(self, name: str, key: Mapping[str, object], *code: str) -> bool:
        """Whether ``stage`` would find the stage finished."""
        return self.store.find(name, {**key, "code": source_digest(*code)}) is not None

    def checkpoint(self, name: str, key: Mapping[str, object], *code: str) -> Path:
        """Where a training of that stage keeps its state, to go on from if it is cut off."""
        path = self.root / "checkpoints" / f"{name}-{digest({**key, 'code': source_digest(*code)})}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def device(self) -> str:
        """``cuda`` where there is one, else ``cpu``."""
        return "cuda" if torch.cuda.is_available() else "cpu"


@functools.cache
def source_digest(*parts: str) -> str:
    """Hash of the sources and data of some parts of the package: ``"motion"``, ``"perform"``."""
    package = Path(__file__).parents[1]
    content = hashlib.sha256()
    for part in parts:
        folder = package / part
        own = [*package.glob(f"{part}.py"), *folder.glob("*.py"), *folder.glob("data/*")]
        for path in sorted(own):
            content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:20]


def save_curves(folder: Path, history: Any) -> None:
    """Write a training's history (a dataclass whose ``losses`` and ``looks`` are curves)."""
    curves = {kind: _plain(getattr(history, kind)) for kind in _CURVES}
    write_json(folder / "history.json", {**asdict(history), **curves})


def load_curves(folder: Path) -> dict[str, Any]:
    """The fields of what ``save_curves`` wrote."""
    about = json.loads((folder / "history.json").read_text())
    for kind in _CURVES:
        about[kind] = {name: np.array(values, np.float32) for name, values in about[kind].items()}
    return about


def _plain(curves: Mapping[str, np.ndarray]) -> dict[str, list[float | None]]:
    """For JSON, which has no nan."""
    return {
        name: [round(float(v), 6) if np.isfinite(v) else None for v in values]
        for name, values in curves.items()
    }


def counting(bar: tqdm) -> Callable[..., None]:
    """What a training calls with steps done and planned, and its loss, to move a bar."""

    def progress(done: int, planned: int, *loss: float) -> None:
        bar.total = planned
        if loss:
            bar.set_postfix_str(f"loss {loss[0]:.4f}", refresh=False)
        bar.update(done - bar.n)

    return progress
