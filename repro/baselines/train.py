"""Training of the earlier systems, and their files."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from repro.baselines.atvg import Atvg
from repro.baselines.faces import Drawn, FaceClip, PointClip, draw_frames
from repro.baselines.settings import BaselineSettings
from repro.baselines.you_said_that import YouSaidThat
from repro.checkpoint import Checkpoint
from repro.errors import UserError
from repro.training import Draw, train_steps
from repro.weights import save_weights, saved_weights


@dataclass(frozen=True)
class BaselineHistory:
    """What a training did: the loss of every step, by network."""

    losses: dict[str, list[float]] = field(default_factory=dict)


def train_you_said_that(
    clips: Sequence[FaceClip],
    settings: BaselineSettings,
    *,
    seed: int,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[YouSaidThat, BaselineHistory]:
    """Train You Said That on clips of many people.

    Parameters
    ----------
    checkpoint : where the state is kept; a training that was cut off goes on from there, with the
        same result

    Raises
    ------
    UserError
        No clips; a checkpoint of another training.
    """
    _check(clips, settings)
    network = _seeded(lambda: YouSaidThat(settings), seed)

    def loss(rng: np.random.Generator) -> Tensor:
        return network.loss(_on(draw_frames(clips, settings.batch, rng), device))

    losses = _train(network, loss, settings.steps, settings, seed=seed, device=device,
                    checkpoint=checkpoint, progress=progress)  # fmt: skip
    return network.cpu().eval(), BaselineHistory({"picture": losses})


def train_atvg(
    clips: Sequence[FaceClip],
    settings: BaselineSettings,
    *,
    seed: int,
    performed: Sequence[PointClip] = (),
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Atvg, BaselineHistory]:
    """Train both networks of ATVG on clips of many people, each with the true landmarks.

    Other parameters and errors as ``train_you_said_that``.

    Parameters
    ----------
    performed : further people without pictures, who teach what landmarks do to which sound
    """
    _check(clips, settings)
    network = _seeded(lambda: Atvg(settings), seed)
    spoken: list[PointClip] = [*clips, *performed]
    network.shapes.fit([clip.landmarks for clip in spoken])
    network.shapes.to(device)
    sequences = [clip for clip in spoken if len(clip) >= settings.window_frames]

    def landmark_loss(rng: np.random.Generator) -> Tensor:
        return network.landmark_loss(sequences, settings.batch, rng)

    def picture_loss(rng: np.random.Generator) -> Tensor:
        return network.picture.loss(_on(draw_frames(clips, settings.batch, rng), device))

    losses = {}
    for name, part, loss, steps in (
        ("landmarks", network.landmarks, landmark_loss, settings.landmark_steps),
        ("picture", network.picture, picture_loss, settings.steps),
    ):
        state = None
        if checkpoint is not None:
            path = checkpoint.path.with_name(f"{checkpoint.path.name}-{name}")
            state = Checkpoint(path, checkpoint.every)
        losses[name] = _train(part, loss, steps, settings, seed=seed, device=device,
                              checkpoint=state, progress=progress)  # fmt: skip
    return network.cpu().eval(), BaselineHistory(losses)


def _check(clips: Sequence[FaceClip], settings: BaselineSettings) -> None:
    if not clips or max(map(len, clips)) < settings.window_frames:
        raise UserError(
            f"The baselines need general clips of at least {settings.window_frames} frames; "
            "add clips to the corpus."
        )


def _seeded(make: Callable[[], nn.Module], seed: int):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _on(drawn: Drawn, device: str) -> Drawn:
    return Drawn(*(getattr(drawn, name).to(device) for name in Drawn.__dataclass_fields__))


def _train(
    network: nn.Module, loss: Draw, steps: int, settings: BaselineSettings, *, seed: int, **run
) -> list[float]:
    """``train_steps`` with the settings' optimiser; ``run``: device, checkpoint, progress."""
    return train_steps(
        network, loss, rate="baselines.lr", about=settings.model_dump_json(), steps=steps,
        lr=settings.lr, betas=(0.5, 0.999), seed=seed, **run,
    )  # fmt: skip


def save_baseline(
    network: nn.Module, path: Path, settings: BaselineSettings, history: BaselineHistory
) -> None:
    """Write ``path`` (.safetensors) and, beside it, settings and history as .json."""
    about = {"settings": settings.model_dump(mode="json"), "history": asdict(history)}
    save_weights(path, network.state_dict(), about)


def load_baseline(kind: type[YouSaidThat] | type[Atvg], path: Path):
    """Read what ``save_baseline`` wrote: the network, ready to speak, and its history.

    Raises
    ------
    UserError
        A file is missing, damaged, or of another version.
    """
    with saved_weights(path, "Baseline") as (tensors, about):
        network = _seeded(lambda: kind(BaselineSettings(**about["settings"])), 0)
        network.load_state_dict(tensors)
        return network.eval(), BaselineHistory(**about["history"])
