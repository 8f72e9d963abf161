"""One step of training the 3D-aware generative network (Chen et al. 2020, Eq. 8)."""

import copy

import torch
from torch import Tensor, nn

from repro.animate import losses
from repro.animate.generator import Generator, Made, seeded_generator
from repro.animate.settings import AnimateSettings
from repro.animate.views import Batch
from repro.edit.completion_losses import PerceptualNetwork, perceptual_loss
from repro.fabric import fabric_on
from repro.refine.losses import gradient_loss, l1_loss, laplacian_bands
from repro.refine.refine import in_bf16

_BANDS = 3
"""Bands of the Laplacian pyramid that the term on detail looks at."""


class Trainer:
    """Networks and optimisers of one run."""

    def __init__(
        self,
        settings: AnimateSettings,
        *,
        device: str,
        seed: int,
        perceptual: PerceptualNetwork | None,
    ):
        self.settings, self.perceptual = settings, perceptual
        self.fabric = fabric_on(device, bf16=in_bf16(settings.judge, torch.device(device)))
        self.generator = seeded_generator(settings, seed=seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.discriminators = losses.Discriminators(settings)
        self.average = copy.deepcopy(self.generator) if settings.average_decay else None
        adam, betas = torch.optim.Adam, (settings.beta1, 0.999)
        self.run_generator, generator_adam = self.fabric.setup(
            self.generator, adam(self.generator.parameters(), settings.lr, betas=betas)
        )
        self.run_discriminators, discriminators_adam = self.fabric.setup(
            self.discriminators, adam(self.discriminators.parameters(), settings.lr, betas=betas)
        )
        self.optimisers = {"generator": generator_adam, "discriminators": discriminators_adam}
        for module in (self.average, perceptual.module if perceptual else None):
            if module is not None:
                module.to(self.fabric.device)

    def modules(self) -> dict[str, nn.Module]:
        """All that a checkpoint holds."""
        found: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminators": self.discriminators,
        }
        return found if self.average is None else found | {"average": self.average}

    @property
    def kept(self) -> Generator:
        """The generator that training gives if it ends now."""
        return self.generator if self.average is None else self.average

    def finite(self) -> bool:
        """Whether all weights are numbers."""
        weights = [p for module in self.modules().values() for p in module.parameters()]
        return all(bool(torch.isfinite(p).all()) for p in weights)

    def step(self, batch: Batch, index: int) -> dict[str, float]:
        """One update of the discriminators, then one of the generator; the unweighted terms."""
        s = self.settings
        start = s.lr_decay_from * s.steps
        share = (s.steps - index) / (s.steps - start) if index > start else 1.0
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = s.lr * share
        made = self.run_generator(batch.references, batch.sketches, batch.views)
        adversarial = bool(s.lambda_gan) and index >= s.adversarial_from * s.steps
        found = self._train_discriminators(batch, made.frame.detach()) if adversarial else {}
        found |= self._train_generator(batch, made, adversarial=adversarial)
        if self.average is not None:
            self._follow(index)
        return {name: float(value) for name, value in found.items()}

    def _train_discriminators(self, batch: Batch, made: Tensor) -> dict[str, Tensor]:
        judged = [
            losses.gan_loss(self.run_discriminators(batch.views.sketch, frame), real=real)
            for frame, real in ((batch.frame, True), (made, False))
        ]
        loss = torch.stack(judged).mean()
        self._update("discriminators", loss)
        return {"discriminators": loss.detach()}

    def _train_generator(self, batch: Batch, made: Made, *, adversarial: bool) -> dict[str, Tensor]:
        self.discriminators.requires_grad_(False)
        weighted = self._terms(batch, made)
        if adversarial:
            weighted |= self._adversarial_terms(batch, made.frame)
        self._update("generator", torch.stack([w * term for w, term in weighted.values()]).sum())
        self.discriminators.requires_grad_(True)
        return {name: term.detach() for name, (_, term) in weighted.items()}

    def _update(self, name: str, loss: Tensor) -> None:
        optimiser = self.optimisers[name]
        optimiser.zero_grad()
        self.fabric.backward(loss)
        optimiser.step()

    def _adversarial_terms(self, batch: Batch, made: Tensor) -> dict[str, tuple[float, Tensor]]:
        s = self.settings
        verdicts = self.run_discriminators(batch.views.sketch, made)
        found = {"gan": (s.lambda_gan, losses.gan_loss(verdicts, real=True))}
        if s.lambda_features:
            with torch.no_grad():
                real = self.run_discriminators(batch.views.sketch, batch.frame)
            found["features"] = (s.lambda_features, losses.matching_loss(real, verdicts))
        return found

    def _terms(self, batch: Batch, made: Made) -> dict[str, tuple[float, Tensor]]:
        """Each term of the generator's loss but the adversarial ones, with its coefficient."""
        s, real = self.settings, batch.frame
        images = [made.matched] if made.projected is None else [made.matched, made.projected]
        term = torch.stack([losses.warping_loss(image, real) for image in images]).sum()
        found = {"warp": (s.lambda_warp, term)}
        if s.lambda_perceptual and self.perceptual is not None:
            term = perceptual_loss(self.perceptual, real, made.frame)
            found["perceptual"] = (s.lambda_perceptual, term)
        pixels = 1 + (s.weight_mouth - 1) * batch.mouth if s.weight_mouth != 1 else None
        if s.lambda_l1:
            found["l1"] = (s.lambda_l1, l1_loss(real, made.frame, pixels))
        if s.lambda_detail:
            wanted, shown = (laplacian_bands(image, bands=_BANDS) for image in (real, made.frame))
            found["detail"] = (s.lambda_detail, gradient_loss(wanted, shown, pixels))
        return found

    @torch.no_grad()
    def _follow(self, index: int) -> None:
        """Move the running average; early on it follows fast."""
        decay = min(self.settings.average_decay, (1 + index) / (10 + index))
        pairs = zip(self.kept.parameters(), self.generator.parameters(), strict=True)
        for kept, new in pairs:
            kept.lerp_(new, 1 - decay)
