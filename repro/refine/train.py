"""Training of the memory-augmented GAN (Yi et al. 2020, section 3.4, Eq. 4 and 5)."""

import copy
import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from repro.errors import UserError
from repro.refine import losses
from repro.refine.checkpoint import Checkpoint, Progress, load_checkpoint, save_checkpoint
from repro.refine.discriminator import Discriminator
from repro.refine.generator import Generator, Refined
from repro.refine.pairs import Batch, PersonPairs, check_pairs, draw_batch
from repro.refine.refine import Refiner, empty_memory
from repro.refine.settings import RefineSettings
from repro.refine.spatial import spatial_encoder

_BANDS = 3
"""Bands of the Laplacian pyramid that the terms on detail look at."""


@dataclass(frozen=True)
class RefineHistory:
    """What a training run did.

    steps    done, of ``planned``
    seconds  spent in this and earlier runs of the same training
    losses   (steps,) float32 for each term: unweighted, plus "discriminator" and "triplet"
    """

    steps: int
    planned: int
    seconds: float
    losses: dict[str, np.ndarray]


def planned_steps(pairs: Sequence[PersonPairs], settings: RefineSettings) -> int:
    """``settings.steps``, or what ``settings.epochs`` come to."""
    frames = sum(len(p) for p in pairs)
    return settings.steps or settings.epochs * math.ceil(frames / settings.batch)


class _Trainer:
    """Networks and optimisers of one run."""

    def __init__(
        self,
        settings: RefineSettings,
        *,
        identity_dim: int,
        planned: int,
        device: str,
        seed: int,
        init: Refiner | None,
        resnet18_file: Path | None,
    ):
        self.settings, self.planned = settings, planned
        kind, _, index = device.partition(":")
        self.fabric = Fabric(
            accelerator=kind,
            devices=[int(index)] if index else 1,
            precision="bf16-mixed" if settings.precision == "bf16" else "32-true",
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.generator = Generator(settings, identity_dim=identity_dim)
            self.discriminator = Discriminator(settings)
            self.spatial = spatial_encoder(dim=settings.spatial_dim, resnet18_file=resnet18_file)
        self.memory = empty_memory(settings, identity_dim=identity_dim)
        if init is not None:
            self._start_from(init)
        self.average = copy.deepcopy(self.generator) if settings.average_decay else None
        lr = settings.lr if init is None else settings.fine_tune_lr
        betas = (settings.beta1, 0.999)
        learned = [p for p in self.spatial.parameters() if p.requires_grad]
        self.lr = lr
        adam = torch.optim.Adam
        g, g_opt = self.fabric.setup(
            self.generator, adam(self.generator.parameters(), lr, betas=betas)
        )
        d, d_opt = self.fabric.setup(
            self.discriminator, adam(self.discriminator.parameters(), lr, betas=betas)
        )
        self.run_generator, self.run_discriminator = g, d
        self.optimisers = {"generator": g_opt, "discriminator": d_opt}
        self.optimisers["spatial"] = adam(learned, lr)
        for module in (self.spatial, self.memory, self.average):
            if module is not None:
                module.to(self.fabric.device)

    def _start_from(self, init: Refiner) -> None:
        try:
            self.generator.load_state_dict(init.generator.state_dict())
            self.spatial = copy.deepcopy(init.spatial).train()
            self.memory.load_state_dict(init.memory.state_dict())
        except RuntimeError as error:
            raise UserError(
                "The refiner to start from has other sizes (ngf, levels, window, memory_slots, "
                "spatial_dim or identity network) than these settings."
            ) from error

    def modules(self) -> dict[str, nn.Module]:
        """All that a checkpoint holds."""
        found = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "spatial": self.spatial,
            "memory": self.memory,
        }
        return found if self.average is None else {**found, "average": self.average}

    def step(self, batch: Batch, index: int, noise: torch.Generator) -> dict[str, float]:
        """One update of the memory, then one of the GAN."""
        self._set_lr(index)
        terms = {"triplet": self._remember(batch, noise)} if self.settings.use_memory else {}
        identity = batch.identity if self.settings.use_memory else batch.identity * 0
        refined = self.run_generator(batch.window, identity, batch.editable)
        terms["discriminator"] = self._train_discriminator(batch, refined)
        terms |= self._train_generator(batch, refined)
        if self.average is not None:
            self._follow(index)
        return {name: float(value) for name, value in terms.items()}

    def _set_lr(self, index: int) -> None:
        start = self.settings.lr_decay_from * self.planned
        share = 1.0
        if index > start:
            share = (self.planned - index) / (self.planned - start)
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.lr * share

    def _remember(self, batch: Batch, noise: torch.Generator) -> Tensor:
        queries = self.spatial(batch.window[:, -3:])
        loss = self.memory.triplet_loss(queries, batch.identity)
        optimiser = self.optimisers["spatial"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        self.memory.update(queries.detach(), batch.identity, generator=noise)
        return loss.detach()

    def _judged(self, batch: Batch, logits: Tensor) -> Tensor | None:
        """Weights (B, 1, h, w) of the patches in the GAN loss."""
        if not self.settings.gan_inside_face:
            return None
        height, width = logits.shape[-2:]
        return nn.functional.adaptive_avg_pool2d(batch.editable * batch.face, (height, width))

    def _train_discriminator(self, batch: Batch, refined: Refined) -> Tensor:
        terms = []
        for frame, real in ((batch.real, True), (refined.image.detach(), False)):
            logits, _ = self.run_discriminator(batch.window, frame)
            weights = self._judged(batch, logits)
            terms.append(losses.gan_loss(logits, real=real, weights=weights))
        loss = torch.stack(terms).mean()
        optimiser = self.optimisers["discriminator"]
        optimiser.zero_grad()
        self.fabric.backward(loss)
        optimiser.step()
        return loss.detach()

    def _train_generator(self, batch: Batch, refined: Refined) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        terms = self._generator_terms(batch, refined)
        loss = torch.stack([weight * term for weight, term in terms.values()]).sum()
        optimiser = self.optimisers["generator"]
        optimiser.zero_grad()
        self.fabric.backward(loss)
        optimiser.step()
        self.discriminator.requires_grad_(True)
        return {name: term.detach() for name, (_, term) in terms.items()}

    def _generator_terms(self, batch: Batch, refined: Refined) -> dict[str, tuple[float, Tensor]]:
        """Each term of the generator's loss with its lambda."""
        s = self.settings
        logits, features = self.run_discriminator(batch.window, refined.image)
        judged = self._judged(batch, logits)
        pixels = None
        if s.weight_face != 1 or s.weight_detail != 1:
            pixels = torch.where(batch.face > 0, s.weight_face, 1.0)
            pixels = torch.where(batch.detail > 0, s.weight_detail, pixels)
        held = batch.editable if s.hold_outside_px is not None else None
        terms = {
            "gan": (s.lambda_gan, losses.gan_loss(logits, real=True, weights=judged)),
            "l1": (s.lambda_l1, losses.l1_loss(batch.real, refined.image, pixels)),
            "attention": (s.lambda_attention, losses.attention_loss(refined.attention, held)),
            "smoothness": (s.lambda_smooth, losses.smoothness_loss(refined.attention)),
        }
        if s.lambda_features:
            with torch.no_grad():
                _, real_features = self.run_discriminator(batch.window, batch.real)
            term = losses.feature_loss(real_features, features, held)
            terms["features"] = (s.lambda_features, term)
        if s.lambda_gradient or s.lambda_texture:
            shown = batch.face
            real, made = (
                losses.laplacian_bands(image, bands=_BANDS) for image in (batch.real, refined.image)
            )
            terms["gradient"] = (s.lambda_gradient, losses.gradient_loss(real, made, pixels))
            terms["texture"] = (s.lambda_texture, losses.texture_loss(real, made, shown))
        return terms

    @torch.no_grad()
    def _follow(self, index: int) -> None:
        """Move the running average; early on it follows fast."""
        decay = min(self.settings.average_decay, (1 + index) / (10 + index))
        pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
        for kept, new in pairs:
            kept.lerp_(new, 1 - decay)


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
    progress : called with (steps done, steps planned) after each step

    Raises
    ------
    UserError
        Unusable pairs, a refiner of other sizes, a foreign checkpoint, or a loss that is not a
        finite number.
    """
    identity_dim = check_pairs(pairs, settings)
    if init is not None and init.identity_name != identity_name:
        raise UserError(
            f"The refiner to start from knows '{init.identity_name}' features, but these are of "
            f"'{identity_name}'; use one identity network."
        )
    planned = planned_steps(pairs, settings)
    trainer = _Trainer(
        settings,
        identity_dim=identity_dim,
        planned=planned,
        device=device,
        seed=seed,
        init=init,
        resnet18_file=resnet18_file,
    )
    state = {"modules": trainer.modules(), "optimisers": trainer.optimisers}
    about = _about(pairs, settings, seed)
    done = Progress()
    if checkpoint is not None:
        done = load_checkpoint(checkpoint.path, about=about, **state)

    began = time.perf_counter() - done.seconds
    while done.step < planned:
        if settings.max_seconds is not None and done.seconds >= settings.max_seconds:
            break
        batch = draw_batch(pairs, settings, np.random.default_rng([seed, done.step]))
        noise = torch.Generator().manual_seed(seed * 1_000_003 + done.step)
        terms = trainer.step(batch.to(trainer.fabric.device), done.step, noise)
        _record(done, terms)
        done.seconds = time.perf_counter() - began
        if progress is not None:
            progress(done.step, planned)
        if checkpoint is not None and done.step % checkpoint.every == 0:
            save_checkpoint(checkpoint.path, done, about=about, **state)

    generator = trainer.generator if trainer.average is None else trainer.average
    refiner = Refiner(
        generator.eval(), trainer.spatial.eval(), trainer.memory.eval(), identity_name, settings
    )
    curves = {name: np.array(values, np.float32) for name, values in done.losses.items()}
    return refiner, RefineHistory(done.step, planned, done.seconds, curves)


def _record(done: Progress, terms: dict[str, float]) -> None:
    """Add a step's terms.

    Raises
    ------
    UserError
        One of them is not finite.
    """
    broken = [name for name, value in terms.items() if not math.isfinite(value)]
    if broken:
        raise UserError(
            f"Training of the refiner broke at step {done.step}: {', '.join(broken)} is not a "
            "finite number; lower lr, or use precision fp32."
        )
    for name, value in terms.items():
        done.losses.setdefault(name, []).append(value)
    done.step += 1


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
