"""The state of a training run in one file, so that it can go on exactly where it stopped."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from repro.errors import UserError


@dataclass(frozen=True)
class Checkpoint:
    """Where checkpoints go, and how often they are written (steps)."""

    path: Path
    every: int = 500


LOOKS = "looks/"
"""Before the names of curves with a number for each look, among those of the losses."""


@dataclass
class Progress:
    """How far a training run has come.

    losses: one number per step for each term, and per look for each name that ``LOOKS`` begins
    """

    step: int = 0
    seconds: float = 0.0
    losses: dict[str, list[float]] = field(default_factory=dict)

    def record(self, terms: Mapping[str, float]) -> list[str]:
        """Count a step and keep its terms; the names of those that are not finite.

        Where there are any, nothing is kept.
        """
        bad = [name for name, value in terms.items() if not math.isfinite(value)]
        if not bad:
            for name, value in terms.items():
                self.losses.setdefault(name, []).append(value)
            self.step += 1
        return bad

    def record_look(self, seen: Mapping[str, float]) -> None:
        """Keep what a look at held-out frames saw, and at which step."""
        for name, value in {"step": self.step, **seen}.items():
            self.losses.setdefault(f"{LOOKS}{name}", []).append(float(value))

    def curves(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Terms of the loss, one number per step, and what was looked at, one per look; float32."""
        every = {name: np.array(values, np.float32) for name, values in self.losses.items()}
        looks = {n.removeprefix(LOOKS): v for n, v in every.items() if n.startswith(LOOKS)}
        return {n: v for n, v in every.items() if not n.startswith(LOOKS)}, looks


def broken(what: str, why: str, done: Progress, checkpoint: Checkpoint | None) -> UserError:
    """That a training cannot go on, and where its last good state is kept."""
    kept = ""
    if checkpoint is not None and checkpoint.path.exists():
        kept = f" The last good state is in '{checkpoint.path}'."
    return UserError(f"Training of {what} broke after step {done.step}: {why}.{kept}")


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {
        f"{index}.{key}": torch.as_tensor(value)
        for index, slots in state.items()
        for key, value in slots.items()
    }


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:  # fused Adam takes both to lie alike in memory
            tensor = torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def save_checkpoint(
    path: Path,
    progress: Progress,
    *,
    modules: dict[str, nn.Module],
    optimisers: dict[str, torch.optim.Optimizer],
    about: str,
) -> None:
    """Write the run's state to a temporary file beside ``path`` and move it there.

    ``about`` names settings, seed and data; only a run of the same will resume from it.
    """
    tensors = {
        f"module/{name}/{key}": tensor
        for name, module in modules.items()
        for key, tensor in module.state_dict().items()
    }
    tensors |= {
        f"optimiser/{name}/{key}": tensor
        for name, optimiser in optimisers.items()
        for key, tensor in _optimiser_tensors(optimiser).items()
    }
    tensors |= {
        f"loss/{name}": torch.tensor(values, dtype=torch.float64)
        for name, values in progress.losses.items()
    }
    kept = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    state = {"step": progress.step, "seconds": progress.seconds, "about": about}
    temporary = path.with_name(path.name + ".tmp")
    save_file(kept, temporary, metadata={"state": json.dumps(state)})
    os.replace(temporary, path)


def load_checkpoint(
    path: Path,
    *,
    modules: dict[str, nn.Module],
    optimisers: dict[str, torch.optim.Optimizer],
    about: str,
) -> Progress:
    """Put a saved state into modules and optimisers, and tell how far it had come.

    A missing file is a fresh start.

    Raises
    ------
    UserError
        The file is damaged or belongs to a run with other settings, seed or data.
    """
    if not path.exists():
        return Progress()
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"Checkpoint '{path}' is damaged ({error}); delete it.") from error
    if state["about"] != about:
        raise UserError(
            f"Checkpoint '{path}' belongs to a run with other settings, seed or data; delete it "
            "or give another path."
        )

    def part(kind: str, name: str) -> dict[str, Tensor]:
        start = f"{kind}/{name}/"
        return {key[len(start) :]: v for key, v in tensors.items() if key.startswith(start)}

    for name, module in modules.items():
        module.load_state_dict(part("module", name))
    for name, optimiser in optimisers.items():
        _restore_optimiser(optimiser, part("optimiser", name))
    losses = {k[5:]: v.tolist() for k, v in tensors.items() if k.startswith("loss/")}
    return Progress(step=state["step"], seconds=state["seconds"], losses=losses)
