"""One step of training the 3D-aware generative network (Chen et al. 2020, Eq. 8)."""

import torch
from torch import Tensor

from repro.adversarial import AdversarialTrainer
from repro.animate import losses
from repro.animate.generator import Generator, Made, seeded_generator
from repro.animate.settings import AnimateSettings
from repro.animate.views import Batch
from repro.edit.completion_losses import PerceptualNetwork, perceptual_loss
from repro.fabric import fabric_on, in_bf16
from repro.refine.losses import gradient_loss, l1_loss, laplacian_bands

_BANDS = 3
"""Bands of the Laplacian pyramid that the term on detail looks at."""


class Trainer(AdversarialTrainer[Generator]):
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
        generator = seeded_generator(settings, seed=seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            discriminators = losses.Discriminators(settings)
        super().__init__(
            generator,
            discriminators,
            fabric=fabric_on(device, bf16=in_bf16(settings.precision, device)),
            planned=settings.steps,
            lr=settings.lr,
            betas=(settings.beta1, 0.999),
            decay_from=settings.lr_decay_from,
            average_decay=settings.average_decay,
        )
        if perceptual is not None:
            perceptual.module.to(self.fabric.device)

    def step(self, batch: Batch, index: int) -> dict[str, float]:
        """One update of the discriminators, then one of the generator; the unweighted terms."""
        s = self.settings
        self.set_rate(index)
        made = self.run_generator(batch.references, batch.sketches, batch.views)
        adversarial = bool(s.lambda_gan) and index >= s.adversarial_from * s.steps
        found = self._train_discriminator(batch, made.frame.detach()) if adversarial else {}
        found |= self._train_generator(batch, made, adversarial=adversarial)
        self.follow(index)
        return {name: float(value) for name, value in found.items()}

    def _train_discriminator(self, batch: Batch, made: Tensor) -> dict[str, Tensor]:
        judged = [
            losses.gan_loss(self.run_discriminator(batch.views.sketch, frame), real=real)
            for frame, real in ((batch.frame, True), (made, False))
        ]
        loss = torch.stack(judged).mean()
        self.update("discriminator", loss)
        return {"discriminator": loss.detach()}

    def _train_generator(self, batch: Batch, made: Made, *, adversarial: bool) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        weighted = self._terms(batch, made)
        if adversarial:
            weighted |= self._adversarial_terms(batch, made.frame)
        self.update("generator", torch.stack([w * term for w, term in weighted.values()]).sum())
        self.discriminator.requires_grad_(True)
        return {name: term.detach() for name, (_, term) in weighted.items()}

    def _adversarial_terms(self, batch: Batch, made: Tensor) -> dict[str, tuple[float, Tensor]]:
        s = self.settings
        verdicts = self.run_discriminator(batch.views.sketch, made)
        found = {"gan": (s.lambda_gan, losses.gan_loss(verdicts, real=True))}
        if s.lambda_features:
            with torch.no_grad():
                real = self.run_discriminator(batch.views.sketch, batch.frame)
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
