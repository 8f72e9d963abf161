"""What trainings of a generator against a discriminator share: their loop, rates, weights kept."""

import copy
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from repro.checkpoint import Checkpoint, Progress, broken, load_checkpoint, save_checkpoint

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

    def train(
        self,
        step: Callable[[int], Mapping[str, float]],
        *,
        what: str,
        rate: str,
        about: str,
        checkpoint: Checkpoint | None = None,
        look: Callable[[Progress], None] | None = None,
        look_every: int = 1,
        over: Callable[[Progress], bool] = lambda done: False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Progress:
        """Make the steps that are left of those planned; what was done in all.

        Parameters
        ----------
        step : makes the step of that index; the terms of its loss
        what : is trained, and ``rate``, the setting of its learning rate; for messages
        about : what the training depends on; a checkpoint of another is refused
        checkpoint : where the state is kept; if the file is there, the training goes on from it
        look : at held-out frames, every ``look_every`` steps and at the end
        over : whether to stop before the last step
        progress : called with (steps done, steps planned) after each step

        Raises
        ------
        UserError
            A foreign checkpoint, or a loss or weight that is not a finite number; then the
            checkpoint holds the last good state.
        """
        done = Progress()
        if checkpoint is not None:
            done = load_checkpoint(checkpoint.path, about=about, **self.state)
        began = time.perf_counter() - done.seconds
        while done.step < self.planned and not over(done):
            bad = done.record(step(done.step))
            ended = done.step == self.planned
            saves = checkpoint is not None and (ended or done.step % checkpoint.every == 0)
            if not bad and saves and not self.finite():
                bad = ["a weight"]
            if bad:
                why = f"{', '.join(bad)} is not a finite number; lower {rate}, or use fp32"
                raise broken(what, why, done, checkpoint)
            done.seconds = time.perf_counter() - began
            if look is not None and (ended or done.step % look_every == 0):
                look(done)
            if checkpoint is not None and saves:
                save_checkpoint(checkpoint.path, done, about=about, **self.state)
            if progress is not None:
                progress(done.step, self.planned)
        return done

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
