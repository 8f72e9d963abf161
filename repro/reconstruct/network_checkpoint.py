"""Coefficient networks, and the state of their training, on disk: .safetensors with a header."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from repro.errors import UserError
from repro.face.model import MorphableModel
from repro.files import atomic_path
from repro.reconstruct.network import CoefficientNetwork
from repro.reconstruct.network_settings import ReconstructNetworkSettings

_HEADER = "about"


@dataclass
class NetworkHistory:
    """What a training run did.

    steps, seconds  done, in this and earlier runs of the same training
    train           each term of the loss, weighted, and "total": means between two looks
    held_out        each error on the held-out people at every look, "total", and "step"
    best            step whose network was kept
    """

    steps: int = 0
    seconds: float = 0.0
    train: dict[str, list[float]] = field(default_factory=dict)
    held_out: dict[str, list[float]] = field(default_factory=dict)
    best: int = 0


def save_network(
    network: CoefficientNetwork, path: Path, model: MorphableModel, history: NetworkHistory
) -> None:
    """Write a network with its settings, the model that it speaks of and its history."""
    about = {
        "settings": network.settings.model_dump(),
        "model": model.name,
        "sha256": model.sha256,
        "history": asdict(history),
    }
    _write(network.state_dict(), about, path)


def load_network(path: Path, model: MorphableModel) -> tuple[CoefficientNetwork, NetworkHistory]:
    """Read what ``save_network`` wrote.

    Raises
    ------
    UserError
        The file is missing, damaged, or of a network for another model.
    """
    if not path.is_file():
        raise UserError(f"Network '{path}' does not exist; train it first.")
    try:
        tensors, about = _read(path)
        settings = ReconstructNetworkSettings(**about["settings"])
        with torch.random.fork_rng(devices=[]):
            network = CoefficientNetwork(settings, tensors["centre"].numpy())
        network.load_state_dict(tensors)
        history = NetworkHistory(**about["history"])
    except (SafetensorError, ValidationError, RuntimeError, KeyError, TypeError, ValueError) as e:
        raise UserError(f"Network '{path}' cannot be read; train it again.") from e
    if about["sha256"] != model.sha256:
        raise UserError(
            f"Network '{path}' speaks of the model '{about['model']}' in another version or of "
            f"another model than '{model.name}'; train it again."
        )
    return network.eval(), history


def save_run(
    path: Path,
    history: NetworkHistory,
    *,
    about: str,
    modules: dict[str, nn.Module],
    best: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write a training's state; only a run with the same ``about`` goes on from it."""
    tensors = {f"best/{name}": tensor for name, tensor in best.items()}
    for part, module in modules.items():
        tensors |= {f"{part}/{name}": tensor for name, tensor in module.state_dict().items()}
    for index, slots in optimiser.state_dict()["state"].items():
        tensors |= {f"adam/{index}/{key}": torch.as_tensor(v) for key, v in slots.items()}
    _write(tensors, {"about": about, "history": asdict(history)}, path)


def load_run(
    path: Path,
    *,
    about: str,
    modules: dict[str, nn.Module],
    optimiser: torch.optim.Optimizer,
) -> tuple[NetworkHistory, dict[str, Tensor]] | None:
    """Put a saved state back; its history and best weights, or None where there is no file.

    Raises
    ------
    UserError
        The file is damaged or of a run with other settings, seed or data.
    """
    if not path.is_file():
        return None
    advice = f"Checkpoint '{path}' {{}}; delete it or give another path."
    try:
        tensors, saved = _read(path)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(advice.format("is damaged")) from error
    if saved["about"] != about:
        raise UserError(advice.format("belongs to a run with other settings, seed or data"))
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = tensor
    for part, module in modules.items():
        module.load_state_dict(parts[part])
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in parts.get("adam", {}).items():
        index, _, key = name.partition("/")
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return NetworkHistory(**saved["history"]), parts["best"]


def _write(tensors: dict[str, Tensor], about: dict[str, Any], path: Path) -> None:
    kept = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    with atomic_path(path) as part:
        save_file(kept, part, metadata={_HEADER: json.dumps(about)})


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()[_HEADER])
        return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
