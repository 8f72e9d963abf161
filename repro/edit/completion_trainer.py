"""One step of training the completion network (Song et al. 2020, Eq. 4)."""

import torch
from torch import Tensor

from repro.adversarial import AdversarialTrainer
from repro.edit import completion_losses as terms
from repro.edit.completion import Completer, CompletionNetwork, seeded_network
from repro.edit.completion_losses import PerceptualNetwork
from repro.edit.video_settings import EditVideoSettings
from repro.edit.windows import Windows
from repro.fabric import fabric_on, in_bf16
from repro.refine.discriminator import Discriminator
from repro.refine.losses import gradient_loss, l1_loss, laplacian_bands, texture_loss

_BANDS = 3
"""Bands of the Laplacian pyramid that the terms on detail look at."""


class CompletionTrainer(AdversarialTrainer[CompletionNetwork]):
    """Networks and optimisers of one run."""

    def __init__(
        self,
        settings: EditVideoSettings,
        *,
        planned: int,
        device: str,
        seed: int,
        perceptual: PerceptualNetwork | None,
        init: Completer | None = None,
    ):
        self.settings, self.perceptual = settings, perceptual
        generator = seeded_network(settings, seed=seed)
        if init is not None:
            generator.load_state_dict(init.network.state_dict())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            discriminator = Discriminator(settings.judge)
        super().__init__(
            generator,
            discriminator,
            fabric=fabric_on(device, bf16=in_bf16(settings.precision, device)),
            planned=planned,
            lr=settings.lr,
            betas=(settings.beta1, 0.999),
            decay_from=settings.lr_decay_from,
            average_decay=settings.average_decay,
        )
        if perceptual is not None:
            perceptual.module.to(self.fabric.device)

    def step(self, batch: Windows, index: int, rng: torch.Generator) -> dict[str, float]:
        """One update of the discriminator, then one of the generator; the unweighted terms."""
        self.set_rate(index)
        made = self._shown(self.run_generator(batch.window), batch)
        adversarial = self._adversarial(index)
        found = self._train_discriminator(batch, made.detach(), rng) if adversarial else {}
        found |= self._train_generator(batch, made, adversarial=adversarial)
        self.follow(index)
        return {name: float(value) for name, value in found.items()}

    def _adversarial(self, index: int) -> bool:
        """Whether the discriminator takes part in a step."""
        s = self.settings
        return s.lambda_adversarial > 0 and index >= s.adversarial_from * self.planned

    def _shown(self, made: Tensor, batch: Windows) -> Tensor:
        if not self.settings.keep_outside:
            return made
        return batch.mask * made + (1 - batch.mask) * batch.frame

    def _train_discriminator(
        self, batch: Windows, made: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        s = self.settings
        judged = [
            terms.adversarial_loss(self.run_discriminator(batch.condition, frame)[0], real=real)
            for frame, real in ((batch.frame, True), (made, False))
        ]
        found = {"discriminator": torch.stack(judged).mean()}
        loss = found["discriminator"]
        if s.lambda_penalty:
            mix = torch.rand(len(made), generator=rng).to(made.device)
            with torch.autocast(made.device.type, enabled=False):
                found["penalty"] = terms.gradient_penalty(
                    lambda frame: self.discriminator(batch.condition, frame)[0],
                    batch.frame,
                    made,
                    mix,
                )
            loss = loss + s.lambda_penalty * found["penalty"]
        self.update("discriminator", loss)
        return {name: value.detach() for name, value in found.items()}

    def _train_generator(
        self, batch: Windows, made: Tensor, *, adversarial: bool
    ) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        weighted = self._terms(batch, made)
        if adversarial:
            logits, _ = self.run_discriminator(batch.condition, made)
            term = terms.adversarial_loss(logits, real=True)
            weighted["adversarial"] = (self.settings.lambda_adversarial, term)
        self.update("generator", torch.stack([w * term for w, term in weighted.values()]).sum())
        self.discriminator.requires_grad_(True)
        return {name: term.detach() for name, (_, term) in weighted.items()}

    def _terms(self, batch: Windows, made: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Each term of the generator's loss but the adversarial one, with its coefficient."""
        s, real = self.settings, batch.frame
        pixels = None
        if s.keep_outside or s.weight_lips != 1:
            pixels = torch.where(batch.lips > 0, s.weight_lips, 1.0)
            pixels = pixels * batch.mask if s.keep_outside else pixels
        found = {"l1": (s.lambda_l1, l1_loss(real, made, pixels))}
        if s.lambda_perceptual and self.perceptual is not None:
            term = terms.perceptual_loss(self.perceptual, real, made)
            found["perceptual"] = (s.lambda_perceptual, term)
        if s.lambda_variation:
            found["variation"] = (s.lambda_variation, terms.variation_loss(made))
        if s.lambda_gradient or s.lambda_texture:
            wanted, shown = (laplacian_bands(image, bands=_BANDS) for image in (real, made))
            found["gradient"] = (s.lambda_gradient, gradient_loss(wanted, shown, pixels))
            found["texture"] = (s.lambda_texture, texture_loss(wanted, shown, pixels))
        return found
