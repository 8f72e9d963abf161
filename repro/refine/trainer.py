"""One step of training the memory-augmented GAN (Yi et al. 2020, section 3.4, Eq. 4)."""

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from repro.adversarial import AdversarialTrainer
from repro.errors import UserError
from repro.fabric import fabric_on, in_bf16
from repro.refine import losses
from repro.refine.discriminator import Discriminator
from repro.refine.generator import Generator, Refined
from repro.refine.pairs import Batch
from repro.refine.refine import Refiner, empty_memory
from repro.refine.settings import RefineSettings
from repro.refine.spatial import spatial_encoder

_BANDS = 3
"""Bands of the Laplacian pyramid that the terms on detail look at."""


class Trainer(AdversarialTrainer[Generator]):
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
        self.settings = settings
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            generator = Generator(settings, identity_dim=identity_dim)
            discriminator = Discriminator(settings)
            self.spatial = spatial_encoder(dim=settings.spatial_dim, resnet18_file=resnet18_file)
        self.memory = empty_memory(settings, identity_dim=identity_dim)
        if init is not None:
            self._start_from(init, generator)
        self.best = copy.deepcopy(generator) if settings.patience else None
        lr = settings.lr if init is None else settings.fine_tune_lr
        super().__init__(
            generator,
            discriminator,
            fabric=fabric_on(device, bf16=in_bf16(settings.precision, device)),
            planned=planned,
            lr=lr,
            betas=(settings.beta1, 0.999),
            decay_from=settings.lr_decay_from,
            average_decay=settings.average_decay,
        )
        learned = [p for p in self.spatial.parameters() if p.requires_grad]
        self.optimisers["spatial"] = torch.optim.Adam(learned, lr)
        for module in (self.spatial, self.memory, self.best):
            if module is not None:
                module.to(self.fabric.device)

    def _start_from(self, init: Refiner, generator: Generator) -> None:
        try:
            generator.load_state_dict(init.generator.state_dict())
            self.spatial = copy.deepcopy(init.spatial).train()
            self.memory.load_state_dict(init.memory.state_dict())
        except RuntimeError as error:
            raise UserError(
                "The refiner to start from has other sizes (ngf, levels, window, memory_slots, "
                "spatial_dim or identity network) than these settings."
            ) from error

    def modules(self) -> dict[str, nn.Module]:
        """All that a checkpoint holds."""
        found = {**super().modules(), "spatial": self.spatial, "memory": self.memory}
        return found if self.best is None else {**found, "best": self.best}

    def mark_best(self) -> None:
        """Keep the present weights as the best so far."""
        if self.best is not None:
            self.best.load_state_dict(self.kept.state_dict())

    def step(self, batch: Batch, index: int, noise: torch.Generator) -> dict[str, float]:
        """One update of the memory, then one of the GAN."""
        self.set_rate(index)
        terms = self._remember(batch, noise) if self.settings.use_memory else {}
        identity = batch.identity if self.settings.use_memory else batch.identity * 0
        refined = self.run_generator(batch.window, identity, batch.editable)
        terms["discriminator"] = self._train_discriminator(batch, refined)
        terms |= self._train_generator(batch, refined)
        self.follow(index)
        return {name: float(value) for name, value in terms.items()}

    def _remember(self, batch: Batch, noise: torch.Generator) -> dict[str, Tensor]:
        """Update encoder, then memory: the triplet loss, the share of pairs that took a slot."""
        queries = self.spatial(batch.window[:, -3:])
        loss = self.memory.triplet_loss(queries, batch.identity)
        optimiser = self.optimisers["spatial"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        written = self.memory.update(queries.detach(), batch.identity, generator=noise)
        return {"triplet": loss.detach(), "replaced": torch.tensor(written.replaced).float().mean()}

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
        self.update("discriminator", loss)
        return loss.detach()

    def _train_generator(self, batch: Batch, refined: Refined) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        terms = self._generator_terms(batch, refined)
        self.update("generator", torch.stack([w * term for w, term in terms.values()]).sum())
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
