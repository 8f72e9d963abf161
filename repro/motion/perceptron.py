"""A perceptron that hears single sound windows of very many voices.

Not the paper's. The networks of Eq. 1 see windows in a row, each of which costs them much; a
perceptron sees a hundred times as many in the same time, of as many voices as can be performed. It
stands beside the general network and shares its answer.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from repro.face.coefficients import EXPRESSION
from repro.motion.data import Example, varied
from repro.motion.settings import MotionSettings
from repro.training import train_steps

_BATCH = 256
_LEAST_SPREAD = 0.02
"""Of a standardised coefficient: what hardly moves is not blown up."""


class SpeechPerceptron(nn.Module):
    """MFCC windows -> expression, through two hidden layers; buffers mean, scale (64,)."""

    def __init__(self, settings: MotionSettings):
        super().__init__()
        inputs, units = settings.mfcc_frames * settings.mfcc_coefficients, settings.perceptron_units
        self.settings = settings
        self.layers = nn.Sequential(
            nn.Linear(inputs, units), nn.ReLU(),
            nn.Linear(units, units), nn.ReLU(),
            nn.Linear(units, EXPRESSION),
        )  # fmt: skip
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(EXPRESSION))
        self.register_buffer("scale", torch.ones(EXPRESSION))

    def forward(self, windows: Tensor) -> Tensor:
        """Expression (..., 64) of prepared windows (..., 28, 12)."""
        return self.layers(windows.flatten(-2)) * self.scale + self.mean

    def fit(
        self,
        clips: Sequence[Example],
        *,
        seed: int,
        device: str = "cpu",
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Learn from clips: prepared windows (T, 28, 12) and Motion of each."""
        sound = torch.from_numpy(np.concatenate([windows for windows, _ in clips]))
        expression = torch.from_numpy(np.concatenate([motion.expression for _, motion in clips]))
        self.mean.copy_(expression.mean(0))
        self.scale.copy_(expression.std(0).clamp(min=_LEAST_SPREAD))
        settings = self.settings

        def loss(rng: np.random.Generator) -> Tensor:
            chosen = torch.from_numpy(rng.integers(len(sound), size=_BATCH))
            heard = varied(sound[chosen][:, None], settings, rng)[:, 0].to(self.mean.device)
            error = (self(heard) - expression[chosen].to(self.mean.device)) / self.scale
            return error.square().mean()

        train_steps(
            self, loss, rate="motion.perceptron_lr", about=settings.model_dump_json(), seed=seed,
            device=device, steps=settings.perceptron_steps, lr=settings.perceptron_lr,
            progress=progress,
        )  # fmt: skip
        self.cpu().eval()
