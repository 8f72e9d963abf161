"""Training of the memory-augmented GAN (Yi et al. 2020, section 3.4, Eq. 4 and 5)."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from repro.checkpoint import LOOKS, Checkpoint, Progress, broken
from repro.errors import UserError
from repro.refine.pairs import Batch, PersonPairs, check_pairs, draw_batch
from repro.refine.refine import Refiner
from repro.refine.settings import RefineSettings
from repro.refine.trainer import Trainer
from repro.refine.watch import look, save_sheet, split_off

_WHAT = "the refiner"


@dataclass(frozen=True)
class RefineHistory:
    """What a training run did.

    steps    done, of ``planned``
    seconds  spent in this and earlier runs of the same training
    losses   (steps,) float32 for each term: unweighted, plus "discriminator", "triplet" and
             "replaced", the share of the step's pairs that took a slot of the memory
    looks    (looks,) float32: "step", and the fields of ``watch.Look``; {} without held-out frames
    """

    steps: int
    planned: int
    seconds: float
    losses: dict[str, np.ndarray]
    looks: dict[str, np.ndarray] = field(default_factory=dict)


def planned_steps(pairs: Sequence[PersonPairs], settings: RefineSettings) -> int:
    """``settings.steps``, or what ``settings.epochs`` come to."""
    frames = sum(len(p) for p in pairs)
    return settings.steps or settings.epochs * math.ceil(frames / settings.batch)


def train_refiner(
    pairs: Sequence[PersonPairs],
    settings: RefineSettings,
    *,
    seed: int,
    identity_name: str = "unnamed",
    init: Refiner | None = None,
    device: str = "cpu",
    resnet18_file: Path | None = None,
    checkpoint: Checkpoint | None = None,
    sheets: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Refiner, RefineHistory]:
    """Train on pairs of one person or of many, from scratch or from another refiner.

    The memory is updated before each step of the GAN (the paper's footnote 3). Each step draws
    its batch from a generator seeded by (seed, step), so a resumed run goes on exactly as an
    uninterrupted one.

    Parameters
    ----------
    pairs : whose frames are ``settings.image_px`` square
    identity_name : the network that computed the pairs' identity features
    init : refiner to fine-tune, with ``settings.fine_tune_lr``
    device : "cpu", "cuda" or "cuda:1"
    resnet18_file : ImageNet weights of the spatial trunk; None takes the stand-in
    checkpoint : where to save the run's state; if the file is there, the run resumes from it
    sheets : folder for a picture of the held-out frames at each look (``watch.save_sheet``)
    progress : called with (steps done, steps planned) after each step

    Raises
    ------
    UserError
        Unusable pairs, a refiner of other sizes, a foreign checkpoint, a loss or weight that is
        not a finite number, or a generator that has collapsed. Then the checkpoint holds the last
        good state.
    """
    identity_dim = check_pairs(pairs, settings)
    if init is not None and init.identity_name != identity_name:
        raise UserError(
            f"The refiner to start from knows '{init.identity_name}' features, but these are of "
            f"'{identity_name}'; use one identity network."
        )
    learned, held_out = split_off(pairs, settings)
    planned = planned_steps(learned, settings)
    trainer = Trainer(
        settings,
        identity_dim=identity_dim,
        planned=planned,
        device=device,
        seed=seed,
        init=init,
        resnet18_file=resnet18_file,
    )

    def step(index: int) -> dict[str, float]:
        batch = draw_batch(learned, settings, np.random.default_rng([seed, index]))
        noise = torch.Generator().manual_seed(seed * 1_000_003 + index)
        return trainer.step(batch.to(trainer.fabric.device), index, noise)

    seen = None
    if held_out is not None:
        seen = partial(_look, trainer, held_out.to(trainer.fabric.device), sheets, checkpoint)
    done = trainer.train(
        step,
        what=_WHAT,
        rate="refine.lr",
        about=_about(pairs, settings, seed),
        checkpoint=checkpoint,
        look=seen,
        look_every=settings.look_every,
        over=lambda done: _over(done, settings),
        progress=progress,
    )
    stopped_early = _stalled(done, settings) and trainer.best is not None
    generator = trainer.best if stopped_early else trainer.kept
    refiner = Refiner(
        generator.eval(), trainer.spatial.eval(), trainer.memory.eval(), identity_name, settings
    )
    return refiner, RefineHistory(done.step, planned, done.seconds, *done.curves())


def _over(done: Progress, settings: RefineSettings) -> bool:
    """Whether training ends before its last step."""
    out_of_time = settings.max_seconds is not None and done.seconds >= settings.max_seconds
    return out_of_time or _stalled(done, settings)


def _stalled(done: Progress, settings: RefineSettings) -> bool:
    """Whether the last ``patience`` looks were no nearer than one before them."""
    nearness = done.losses.get(f"{LOOKS}l1", [])
    if settings.patience is None or not nearness:
        return False
    return len(nearness) - 1 - int(np.argmin(nearness)) >= settings.patience


def _look(
    trainer: Trainer,
    held_out: Batch,
    sheets: Path | None,
    checkpoint: Checkpoint | None,
    done: Progress,
) -> None:
    seen, refined = look(trainer.kept, held_out, trainer.settings)
    if sheets is not None:
        save_sheet(sheets / f"step_{done.step:06d}.png", held_out, refined)
    if seen.collapsed:
        why = (
            f"the refined frames are all alike (mode collapse: their spread is {seen.spread:.2f} "
            "of the rendered frames'); lower refine.lr or lambda_gan, or raise lambda_l1"
        )
        raise broken(_WHAT, why, done, checkpoint)
    before = done.losses.get(f"{LOOKS}l1", [])
    if seen.l1 < min(before, default=math.inf):
        trainer.mark_best()
    done.record_look(asdict(seen))


def _about(pairs: Sequence[PersonPairs], settings: RefineSettings, seed: int) -> str:
    """A name for this run's settings (but its time limit), seed and data."""
    digest = hashlib.sha256()
    digest.update(settings.model_copy(update={"max_seconds": None}).model_dump_json().encode())
    digest.update(str(seed).encode())
    for person in pairs:
        digest.update(person.name.encode())
        for array in (person.rendered, person.real, person.face_mask, person.identity):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
