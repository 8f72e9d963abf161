"""A training of one network, step by step, that goes on where it was cut off."""

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from repro.checkpoint import Checkpoint, Progress, load_checkpoint, save_checkpoint
from repro.errors import UserError
from repro.fabric import fabric_on

Draw = Callable[[np.random.Generator], Tensor]
"""Draws samples and gives the loss on them."""


def train_steps(
    network: nn.Module,
    loss: Draw,
    *,
    rate: str,
    about: str,
    steps: int,
    lr: float,
    seed: int,
    betas: tuple[float, float] = (0.9, 0.999),
    clip_norm: float | None = None,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[float]:
    """Adam, its rate falling to zero over the last half; the loss of every step.

    Parameters
    ----------
    network : trained where it is, then on ``device``
    rate : name of the profile's setting that ``lr`` comes from, for messages
    about : what the training depends on; a checkpoint of another is refused
    clip_norm : largest norm of a step's gradient
    checkpoint : where the state is kept; a training that was cut off goes on from there, with the
        same result

    Raises
    ------
    UserError
        The loss is no longer a number; a checkpoint of another training.
    """
    fabric = fabric_on(device)
    network.to(fabric.device).train()
    optimiser = torch.optim.Adam(network.parameters(), lr, betas=betas)
    modules: dict[str, nn.Module] = {"network": network}
    optimisers: dict[str, torch.optim.Optimizer] = {"adam": optimiser}
    about = hashlib.sha256(f"{about} {seed} {steps}".encode()).hexdigest()
    done = Progress()
    if checkpoint is not None:
        done = load_checkpoint(checkpoint.path, modules=modules, optimisers=optimisers, about=about)
    curve = done.losses.setdefault("loss", [])
    while done.step < steps:
        for group in optimiser.param_groups:
            group["lr"] = lr * min(1.0, 2 * (1 - done.step / steps))
        optimiser.zero_grad()
        value = loss(np.random.default_rng([seed, done.step]))
        fabric.backward(value)
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), clip_norm)
        optimiser.step()
        curve.append(float(value.detach()))
        if not np.isfinite(curve[-1]):
            raise UserError(
                f"Training broke at step {done.step}: its loss is not a finite number; "
                f"lower {rate}."
            )
        done.step += 1
        if progress is not None:
            progress(done.step, steps)
        if checkpoint is not None and (done.step % checkpoint.every == 0 or done.step == steps):
            save_checkpoint(
                checkpoint.path, done, modules=modules, optimisers=optimisers, about=about
            )
    return curve
