"""One step of training the completion network (Song et al. 2020, Eq. 4)."""

import copy

import torch
from torch import Tensor, nn

from repro.edit import completion_losses as terms
from repro.edit.completion import Completer, CompletionNetwork, seeded_network
from repro.edit.completion_losses import PerceptualNetwork
from repro.edit.video_settings import EditVideoSettings
from repro.edit.windows import Windows
from repro.fabric import fabric_on
from repro.refine.discriminator import Discriminator
from repro.refine.losses import gradient_loss, l1_loss, laplacian_bands, texture_loss
from repro.refine.refine import in_bf16

_BANDS = 3
"""Bands of the Laplacian pyramid that the terms on detail look at."""


class CompletionTrainer:
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
        self.settings, self.planned, self.perceptual = settings, planned, perceptual
        self.fabric = fabric_on(device, bf16=in_bf16(settings.judge, torch.device(device)))
        self.network = seeded_network(settings, seed=seed)
        if init is not None:
            self.network.load_state_dict(init.network.state_dict())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.discriminator = Discriminator(settings.judge)
        self.average = copy.deepcopy(self.network) if settings.average_decay else None
        adam, betas = torch.optim.Adam, (settings.beta1, 0.999)
        self.run_network, network_adam = self.fabric.setup(
            self.network, adam(self.network.parameters(), settings.lr, betas=betas)
        )
        self.run_discriminator, discriminator_adam = self.fabric.setup(
            self.discriminator, adam(self.discriminator.parameters(), settings.lr, betas=betas)
        )
        self.optimisers = {"network": network_adam, "discriminator": discriminator_adam}
        for module in (self.average, perceptual.module if perceptual else None):
            if module is not None:
                module.to(self.fabric.device)

    def modules(self) -> dict[str, nn.Module]:
        """All that a checkpoint holds."""
        found: dict[str, nn.Module] = {
            "network": self.network,
            "discriminator": self.discriminator,
        }
        return found if self.average is None else found | {"average": self.average}

    @property
    def kept(self) -> CompletionNetwork:
        """The network that training gives if it ends now."""
        return self.network if self.average is None else self.average

    def finite(self) -> bool:
        """Whether all weights are numbers."""
        weights = [p for module in self.modules().values() for p in module.parameters()]
        return all(bool(torch.isfinite(p).all()) for p in weights)

    def step(self, batch: Windows, index: int, rng: torch.Generator) -> dict[str, float]:
        """One update of the discriminator, then one of the network; the unweighted terms."""
        start = self.settings.lr_decay_from * self.planned
        share = (self.planned - index) / (self.planned - start) if index > start else 1.0
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.settings.lr * share
        made = self._shown(self.run_network(batch.window), batch)
        adversarial = self._adversarial(index)
        found = self._train_discriminator(batch, made.detach(), rng) if adversarial else {}
        found |= self._train_network(batch, made, adversarial=adversarial)
        if self.average is not None:
            self._follow(index)
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
        self._update("discriminator", loss)
        return {name: value.detach() for name, value in found.items()}

    def _train_network(
        self, batch: Windows, made: Tensor, *, adversarial: bool
    ) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        weighted = self._terms(batch, made)
        if adversarial:
            logits, _ = self.run_discriminator(batch.condition, made)
            term = terms.adversarial_loss(logits, real=True)
            weighted["adversarial"] = (self.settings.lambda_adversarial, term)
        self._update("network", torch.stack([w * term for w, term in weighted.values()]).sum())
        self.discriminator.requires_grad_(True)
        return {name: term.detach() for name, (_, term) in weighted.items()}

    def _update(self, name: str, loss: Tensor) -> None:
        optimiser = self.optimisers[name]
        optimiser.zero_grad()
        self.fabric.backward(loss)
        optimiser.step()

    def _terms(self, batch: Windows, made: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Each term of the network's loss but the adversarial one, with its coefficient."""
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

    @torch.no_grad()
    def _follow(self, index: int) -> None:
        """Move the running average; early on it follows fast."""
        decay = min(self.settings.average_decay, (1 + index) / (10 + index))
        pairs = zip(self.kept.parameters(), self.network.parameters(), strict=True)
        for kept, new in pairs:
            kept.lerp_(new, 1 - decay)
