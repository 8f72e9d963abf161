"""What trainings of a generator against a discriminator share: optimisers, rates, weights kept."""

import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Network = TypeVar("Network", bound=nn.Module)


class AdversarialTrainer(Generic[Network]):
    """A generator and its discriminator, an optimiser of each, the generator's running average.

    Parameters
    ----------
    fabric : where and how exactly they run
    planned : steps
    lr, betas : of Adam, for both
    decay_from : share of the steps from which the rate falls to zero
    average_decay : of the running average of the generator's weights; None keeps none
    """

    def __init__(
        self,
        generator: Network,
        discriminator: nn.Module,
        *,
        fabric: "Fabric",
        planned: int,
        lr: float,
        betas: tuple[float, float],
        decay_from: float,
        average_decay: float | None = None,
    ):
        self.generator, self.discriminator = generator, discriminator
        self.fabric, self.planned = fabric, planned
        self._lr, self._decay_from, self._average_decay = lr, decay_from, average_decay
        self.average = copy.deepcopy(generator) if average_decay else None
        adam = partial(torch.optim.Adam, lr=lr, betas=betas, fused=True)  # a tenth of a step saved
        self.run_generator, generator_adam = fabric.setup(generator, adam(generator.parameters()))
        self.run_discriminator, discriminator_adam = fabric.setup(
            discriminator, adam(discriminator.parameters())
        )
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "generator": generator_adam,
            "discriminator": discriminator_adam,
        }
        if self.average is not None:
            self.average.to(fabric.device)

    def modules(self) -> dict[str, nn.Module]:
        """All that a checkpoint holds."""
        found: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        return found if self.average is None else {**found, "average": self.average}

    @property
    def state(self) -> dict[str, dict[str, Any]]:
        """Modules and optimisers, as ``save_checkpoint`` and ``load_checkpoint`` take them."""
        return {"modules": self.modules(), "optimisers": self.optimisers}

    @property
    def kept(self) -> Network:
        """The generator that training gives if it ends now."""
        return self.generator if self.average is None else self.average

    def finite(self) -> bool:
        """Whether all weights are numbers."""
        weights = [p for module in self.modules().values() for p in module.parameters()]
        return all(bool(torch.isfinite(p).all()) for p in weights)

    def set_rate(self, index: int) -> None:
        """The learning rate of a step, counted from 0."""
        start = self._decay_from * self.planned
        share = (self.planned - index) / (self.planned - start) if index > start else 1.0
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self._lr * share

    def update(self, name: str, loss: Tensor) -> None:
        """One step of the optimiser of that name."""
        optimiser = self.optimisers[name]
        optimiser.zero_grad()
        self.fabric.backward(loss)
        optimiser.step()

    @torch.no_grad()
    def follow(self, index: int) -> None:
        """Move the running average after a step; early on it follows fast."""
        if self.average is None or self._average_decay is None:
            return
        decay = min(self._average_decay, (1 + index) / (10 + index))
        pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
        for kept, new in pairs:
            kept.lerp_(new, 1 - decay)
