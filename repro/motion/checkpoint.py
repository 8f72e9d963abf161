"""Motion networks on disk: weights as .safetensors, settings and history as .json beside them."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from repro.errors import UserError
from repro.motion.mapping import MotionMapping
from repro.motion.settings import MotionSettings


@dataclass(frozen=True)
class MotionHistory:
    """What a training run did.

    epochs    done
    steps     done
    seconds   spent in this and earlier runs of the same training
    train     for each term of Eq. 2, its mean over every epoch's batches
    held_out  the same on held-out windows; empty lists without them
    best      epoch whose weights were kept (the last one without held-out windows)
    """

    epochs: int
    steps: int
    seconds: float
    train: dict[str, list[float]]
    held_out: dict[str, list[float]]
    best: int


def write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write a .safetensors file in one move."""
    part = path.with_name(path.name + ".tmp")
    save_file({k: v.contiguous().cpu() for k, v in tensors.items()}, part)
    os.replace(part, path)


def write_json(value: dict, path: Path) -> None:
    """Write a .json file in one move."""
    part = path.with_name(path.name + ".tmp")
    part.write_text(json.dumps(value, indent=2) + "\n")
    os.replace(part, path)


def save_mapping(mapping: MotionMapping, path: Path, history: MotionHistory) -> None:
    """Write ``path`` (.safetensors) and, beside it, settings and history as .json."""
    write_tensors(mapping.state_dict(), path)
    about = {
        "settings": mapping.settings.model_dump(),
        "members": len(mapping.networks),
        "history": asdict(history),
    }
    write_json(about, path.with_suffix(".json"))


def load_mapping(path: Path) -> tuple[MotionMapping, MotionHistory]:
    """Read what ``save_mapping`` wrote.

    Raises
    ------
    UserError
        A file is missing, broken, or of another version.
    """
    try:
        about = json.loads(path.with_suffix(".json").read_text())
        settings = MotionSettings(**about["settings"])
        with torch.random.fork_rng(devices=[]):
            mapping = MotionMapping.untrained(settings, seed=0, members=about["members"])
        mapping.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise UserError(f"'{error.filename or path}' does not exist; train the mapping.") from None
    except (SafetensorError, ValidationError, RuntimeError, KeyError, ValueError) as error:
        raise UserError(f"Mapping '{path}' cannot be read; train it again.") from error
    return mapping.eval(), MotionHistory(**about["history"])
