"""Training of the 3D-aware generative network on many people (Chen et al. 2020, section 5)."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from repro.animate.animate import Animator
from repro.animate.footage import Footage
from repro.animate.settings import AnimateSettings
from repro.animate.trainer import Trainer
from repro.animate.views import Batch, draw_batch, match_costs, sample_of, stacked
from repro.checkpoint import Checkpoint, Progress
from repro.edit.completion_losses import PerceptualNetwork
from repro.errors import UserError
from repro.files import atomic_path
from repro.frames import evenly

LOOKED_AT = 8
"""Frames in a look, at most."""


@dataclass(frozen=True)
class History:
    """What a training run did.

    steps    done
    seconds  spent in this and earlier runs of the same training
    losses   float32 for each term of Eq. 8, unweighted, one number for each step that had it
    looks    (looks,) float32: "step", "l1", the mean difference of frames made of held-out people
             from the real ones, and "matched", that of the matched frames, both in grey levels of
             255; {} without held-out people
    """

    steps: int
    seconds: float
    losses: dict[str, np.ndarray]
    looks: dict[str, np.ndarray] = field(default_factory=dict)


def train_generator(
    people: Sequence[Footage],
    settings: AnimateSettings,
    *,
    seed: int,
    perceptual: PerceptualNetwork | None,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    sheets: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Animator, History]:
    """Train the network on these people.

    Each step draws its batch from a generator seeded by (seed, step), so a resumed run goes on
    exactly as an uninterrupted one.

    Parameters
    ----------
    people : the last ``settings.held_out_people`` are looked at, the others are learned from
    perceptual : the network of the perceptual term; None leaves the term out
    device : "cpu", "cuda" or "cuda:1"
    checkpoint : where the run's state is kept; if the file is there, the run resumes from it
    sheets : folder for a picture of the held-out people at each look
    progress : called with (steps done, steps planned) after each step

    Raises
    ------
    UserError
        Nobody to learn from, a person with a single frame, frames of another size, a foreign
        checkpoint, or a loss or weight that is not a finite number; then the checkpoint holds the
        last good state.
    """
    _check(people, settings)
    known = len(people) - settings.held_out_people
    learned, held_out = people[:known], _held_out(people[known:], settings)
    trainer = Trainer(settings, device=device, seed=seed, perceptual=perceptual)

    def step(index: int) -> dict[str, float]:
        batch = draw_batch(learned, settings, np.random.default_rng([seed, index]))
        return trainer.step(batch.to(trainer.fabric.device), index)

    done = trainer.train(
        step,
        what="the generative network",
        rate="animate.lr",
        about=_about(people, settings, seed, perceptual) if checkpoint is not None else "",
        checkpoint=checkpoint,
        look=None if held_out is None else partial(_look, trainer, held_out, sheets),
        look_every=settings.look_every,
        progress=progress,
    )
    name = perceptual.name if perceptual is not None else "none"
    animator = Animator(trainer.kept.cpu().eval(), settings, name, known)
    return animator, History(done.step, done.seconds, *done.curves())


def _check(people: Sequence[Footage], settings: AnimateSettings) -> None:
    if len(people) <= settings.held_out_people:
        raise UserError(
            f"There is nobody to train the generative network on: {len(people)} people, of whom "
            f"{settings.held_out_people} are held out; give more or lower animate.held_out_people."
        )
    for person in people:
        if person.size_px != settings.image_px:
            raise UserError(
                f"Footage of '{person.name}' is {person.size_px} px wide, not "
                f"{settings.image_px}; set animate.image_px alike for both."
            )
        if len(person) < 2:
            raise UserError(
                f"Footage of '{person.name}' has one frame; a reference and a target are needed."
            )


def _held_out(people: Sequence[Footage], settings: AnimateSettings) -> Batch | None:
    """The last frame of each held-out person, to be made from the ones before."""
    samples = []
    count = min([settings.references, *(len(person) - 1 for person in people)])
    for k in evenly(LOOKED_AT, len(people)) if people else ():
        target = len(people[k]) - 1
        references = people[k][evenly(count, target)]
        landmarks, pose = people[k].landmarks[target], people[k].pose[target]
        matched = int(match_costs(references, landmarks, pose, settings).argmin())
        samples.append(sample_of(references, people[k], target, matched, settings))
    return stacked(samples) if samples else None


@torch.inference_mode()
def _look(trainer: Trainer, held_out: Batch, sheets: Path | None, done: Progress) -> None:
    batch = held_out.to(trainer.fabric.device)
    made = trainer.kept(batch.references, batch.sketches, batch.views)
    seen: dict[str, float] = {}
    for name, shown in (("l1", made.frame), ("matched", batch.views.matched)):
        seen[name] = 255 * float((shown - batch.frame).abs().mean())
    done.record_look(seen)
    if sheets is not None:
        _save_sheet(sheets / f"step_{done.step:06d}.png", batch, made.frame)


def _save_sheet(path: Path, batch: Batch, made: torch.Tensor) -> None:
    """A PNG with a column for each frame.

    From above: the first reference, the wanted sketch, projected, matched, made and real frame.
    """
    views = batch.views
    sketch = views.sketch.expand(-1, 3, -1, -1)
    rows = (batch.references[:, 0], sketch, views.projected, views.matched, made, batch.frame)
    lines = [torch.cat(list(row.cpu()), dim=2) for row in rows]
    sheet = (torch.cat(lines, dim=1).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    with atomic_path(path) as temporary:
        cv2.imwrite(str(temporary), sheet[..., ::-1])


def _about(
    people: Sequence[Footage],
    settings: AnimateSettings,
    seed: int,
    perceptual: PerceptualNetwork | None,
) -> str:
    """A name for this run's settings, seed and data."""
    digest = hashlib.sha256(settings.model_dump_json().encode())
    digest.update(f"{seed} {perceptual.name if perceptual else None}".encode())
    for person in people:
        digest.update(person.name.encode())
        for array in (person.frames, person.landmarks, person.pose, person.vertices):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
