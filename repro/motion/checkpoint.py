"""Motion networks on disk: weights as .safetensors, settings and history as .json beside them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from repro.motion.mapping import MotionMapping
from repro.motion.regression import KernelRidge
from repro.motion.settings import MotionSettings
from repro.weights import save_weights, saved_weights


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


def save_mapping(mapping: MotionMapping, path: Path, history: MotionHistory) -> None:
    """Write ``path`` (.safetensors) and, beside it, settings and history as .json."""
    about = {
        "settings": mapping.settings.model_dump(),
        "members": len(mapping.networks),
        "history": asdict(history),
    }
    save_weights(path, mapping.state_dict(), about)


def load_mapping(path: Path) -> tuple[MotionMapping, MotionHistory]:
    """Read what ``save_mapping`` wrote.

    Raises
    ------
    UserError
        A file is missing, broken, or of another version.
    """
    with saved_weights(path, "Mapping") as (tensors, about):
        settings = MotionSettings(**about["settings"])
        with torch.random.fork_rng(devices=[]):
            mapping = MotionMapping.untrained(settings, seed=0, members=about["members"])
        if mapping.kernels is not None and "kernels.centres" in tensors:
            centres, inputs = tensors["kernels.centres"].shape
            mapping.kernels = KernelRidge(inputs, centres)
        mapping.load_state_dict(tensors)
        return mapping.eval(), MotionHistory(**about["history"])
