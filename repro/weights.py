"""Networks on disk: weights as .safetensors, what they are as .json beside them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from repro.errors import UserError
from repro.files import atomic_path, write_json


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a .safetensors file so that it is either whole or not there.

    Raises
    ------
    UserError
        The folder cannot be written.
    """
    kept = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    with atomic_path(path) as temporary:
        save_file(kept, temporary)


def save_weights(path: Path, tensors: Mapping[str, Tensor], about: dict[str, Any]) -> None:
    """Write ``path`` (.safetensors) and, beside it, ``about`` as .json.

    Raises
    ------
    UserError
        The folder cannot be written.
    """
    write_tensors(path, tensors)
    write_json(path.with_suffix(".json"), about)


@contextmanager
def saved_weights(path: Path, what: str) -> Iterator[tuple[dict[str, Tensor], dict[str, Any]]]:
    """What ``save_weights`` wrote: the tensors, and what they are.

    Parameters
    ----------
    what : what the file holds ("Translator"), for the sentence that says why it cannot be read

    Raises
    ------
    UserError
        A file is missing or damaged, or what the block makes of them fails: another version.
    """
    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        yield load_file(path), about
    except FileNotFoundError:
        raise UserError(f"{what} '{path}' does not exist; train it first.") from None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"{what} '{path}' cannot be read; train it again.") from error
