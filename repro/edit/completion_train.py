"""Training of the completion network on one person's footage or on many people's (Table 3)."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from repro.checkpoint import Checkpoint, Progress
from repro.edit import masked
from repro.edit.completion import Completer, CompletionNetwork
from repro.edit.completion_losses import PerceptualNetwork
from repro.edit.completion_trainer import CompletionTrainer
from repro.edit.video_settings import EditVideoSettings
from repro.edit.windows import Footage, Windows, box_size, draw_windows, stacked, window_of
from repro.errors import UserError
from repro.files import atomic_path
from repro.refine.losses import l1_loss
from repro.refine.watch import LOOKED_AT


@dataclass(frozen=True)
class CompletionHistory:
    """What a training run did.

    steps    done
    seconds  spent in this and earlier runs of the same training
    losses   float32 for each term of Eq. 4, unweighted, one number for each step that had it
    looks    (looks,) float32: "step", and "l1", the mean difference of held-out frames from the
             real ones where the noise was, in grey levels of 255; {} without held-out frames
    """

    steps: int
    seconds: float
    losses: dict[str, np.ndarray]
    looks: dict[str, np.ndarray] = field(default_factory=dict)


def train_completion(
    people: Sequence[Footage],
    settings: EditVideoSettings,
    *,
    seed: int,
    perceptual: PerceptualNetwork | None,
    init: Completer | None = None,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    sheets: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Completer, CompletionHistory]:
    """Train a generator for these people.

    Each step draws its batch from a generator seeded by (seed, step), so a resumed run goes on
    exactly as an uninterrupted one.

    Parameters
    ----------
    people : whose frames have one size
    perceptual : the network of the perceptual term; None leaves the term out
    init : learned from others with networks of the same sizes, to go on from; None starts anew
    device : "cpu", "cuda" or "cuda:1"
    checkpoint : where the run's state is kept; if the file is there, the run resumes from it
    sheets : folder for a picture of the held-out frames at each look
    progress : called with (steps done, steps planned) after each step

    Raises
    ------
    UserError
        No people, frames of unusable or different sizes, a foreign checkpoint, or a loss or
        weight that is not a finite number; then the checkpoint holds the last good state.
    """
    size = _common_size(people, settings)
    learned, held_out = _split_off(people, size, settings)
    frames = sum(len(person) for person in learned)
    planned = settings.steps or settings.epochs * math.ceil(frames / settings.batch)
    trainer = CompletionTrainer(
        settings, planned=planned, device=device, seed=seed, perceptual=perceptual, init=init
    )

    def step(index: int) -> dict[str, float]:
        batch = draw_windows(learned, size, settings, np.random.default_rng([seed, index]))
        noise = torch.Generator().manual_seed(seed * 1_000_003 + index)
        return trainer.step(batch.to(trainer.fabric.device), index, noise)

    done = trainer.train(
        step,
        what="the completion",
        rate="edit_video.lr",
        about=_about(people, settings, seed, perceptual, init),
        checkpoint=checkpoint,
        look=None if held_out is None else partial(_look, trainer, held_out, sheets),
        look_every=settings.look_every,
        progress=progress,
    )
    completer = Completer(
        trainer.kept.cpu().eval(),
        settings,
        perceptual.name if perceptual is not None else "none",
        tuple(person.name for person in people),
    )
    return completer, CompletionHistory(done.step, done.seconds, *done.curves())


def _common_size(people: Sequence[Footage], settings: EditVideoSettings) -> tuple[int, int]:
    """The box that holds everybody's masks."""
    if not people:
        raise UserError("There is no footage to train the completion on; give at least one clip.")
    images = {person.image for person in people}
    if len(images) > 1:
        raise UserError(
            f"Footage of several sizes is mixed ({sorted(images)}); reconstruct at one crop size."
        )
    points = np.concatenate([person.landmarks for person in people])
    others = points
    if settings.other_mouths:
        others = np.concatenate([_widest_mouths(person.landmarks) for person in people])
    return box_size(points, others, images.pop(), settings)


def _widest_mouths(landmarks: np.ndarray) -> np.ndarray:
    """For each frame the mouth whose chin hangs lowest in the clip, moved there: (T, 478, 2)."""
    height = np.ptp(landmarks[:, masked.MOUTH_REGION, 1], axis=1)
    widest = landmarks[int(height.argmax())]
    return np.stack([masked.moved_onto(widest, target) for target in landmarks])


def _split_off(
    people: Sequence[Footage], size: tuple[int, int], settings: EditVideoSettings
) -> tuple[list[Footage], Windows | None]:
    """What is learned from, and held-out windows to look at, spread over the people."""
    ends = [len(p) - int(len(p) * settings.held_out_share) for p in people]
    held = [(p, t) for p, end in zip(people, ends, strict=True) for t in range(end, len(p))]
    learned = [p[:end] for p, end in zip(people, ends, strict=True)]
    if not held:
        return learned, None
    at = np.unique(np.linspace(0, len(held) - 1, LOOKED_AT).round().astype(int))
    noise = masked.draw_noise(size, np.random.default_rng(0))
    return learned, stacked([window_of(p, t, noise, settings) for p, t in (held[k] for k in at)])


@torch.inference_mode()
def _look(
    trainer: CompletionTrainer, held_out: Windows, sheets: Path | None, done: Progress
) -> None:
    batch = held_out.to(trainer.fabric.device)
    made = _painted(trainer.kept, batch)
    seen = {"l1": 127.5 * float(l1_loss(batch.frame, made, batch.mask))}
    done.record_look(seen)
    if sheets is not None:
        _save_sheet(sheets / f"step_{done.step:06d}.png", batch, made)


def _painted(network: CompletionNetwork, batch: Windows) -> torch.Tensor:
    return torch.lerp(batch.frame, network(batch.window), batch.mask)


def _save_sheet(path: Path, batch: Windows, made: torch.Tensor) -> None:
    """A PNG with a row each of heat maps, masked, completed and real frames."""
    heat, shown = batch.condition[:, :3], batch.condition[:, 3:]
    lines = [torch.cat(list(row.cpu()), dim=2) for row in (heat, shown, made, batch.frame)]
    sheet = (torch.cat(lines, dim=1).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    with atomic_path(path) as temporary:
        cv2.imwrite(str(temporary), sheet[..., ::-1])


def _about(
    people: Sequence[Footage],
    settings: EditVideoSettings,
    seed: int,
    perceptual: PerceptualNetwork | None,
    init: Completer | None,
) -> str:
    """A name for this run's settings, seed and data, and for what it goes on from."""
    digest = hashlib.sha256(settings.model_dump_json().encode())
    for weight in init.network.parameters() if init else ():
        digest.update(weight.detach().cpu().numpy().tobytes())
    digest.update(f"{seed} {perceptual.name if perceptual else None}".encode())
    for person in people:
        digest.update(person.name.encode())
        for array in (person.frames, person.landmarks):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
