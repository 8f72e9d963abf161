"""Regression in closed form from random features of the sound (Rahimi and Recht 2007).

Not the paper's. In the seconds in which the networks of Eq. 1 see a batch once, this solves for
what many voices have in common: it stands beside the general network and shares its answer.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from repro.face.coefficients import EXPRESSION
from repro.motion.data import Example
from repro.motion.settings import MotionSettings

_WHITENING = 0.25
"""Power of the variance by which a principal component is divided: half way to white."""
_OFFSET_SD = 0.7
_STRENGTH = 0.1
"""Of the ridge, in the features' mean variance."""


class FeatureRegression(nn.Module):
    """MFCC windows -> expression: principal components, random half-spaces, a linear map.

    Buffers, for n features of d components
    -------
    mean (336,), projection (336, d)
    directions (d, n), offsets (n,)
    weights (n + d, 64), constant (64,)
    """

    def __init__(self, settings: MotionSettings):
        super().__init__()
        inputs = settings.mfcc_frames * settings.mfcc_coefficients
        d, n = settings.feature_components, settings.features
        self.mean: Tensor
        self.projection: Tensor
        self.directions: Tensor
        self.offsets: Tensor
        self.weights: Tensor
        self.constant: Tensor
        for name, shape in (
            ("mean", (inputs,)), ("projection", (inputs, d)), ("directions", (d, n)),
            ("offsets", (n,)), ("weights", (n + d, EXPRESSION)), ("constant", (EXPRESSION,)),
        ):  # fmt: skip
            self.register_buffer(name, torch.zeros(shape))

    def features(self, windows: Tensor) -> Tensor:
        """Features (..., n + d) of prepared windows (..., 28, 12)."""
        z = (windows.flatten(-2) - self.mean) @ self.projection
        halves = torch.relu(z @ self.directions + self.offsets)
        return torch.cat([halves, z * z.shape[-1] ** 0.5], -1)

    def forward(self, windows: Tensor) -> Tensor:
        """Expression (..., 64) of prepared windows (..., 28, 12)."""
        return self.features(windows) @ self.weights + self.constant

    @torch.no_grad()
    def fit(self, clips: Sequence[Example], *, seed: int) -> None:
        """Learn from clips: prepared windows (T, 28, 12) and Motion of each."""
        windows = torch.from_numpy(np.concatenate([w for w, _ in clips]))
        targets = torch.from_numpy(np.concatenate([m.expression for _, m in clips]))
        flat = windows.flatten(1)  # T, inputs
        self.mean.copy_(flat.mean(0))
        centred = flat - self.mean
        variance, axes = torch.linalg.eigh(centred.T @ centred / len(flat))
        d, n = self.directions.shape
        scaled = axes[:, -d:] * variance[-d:].clamp(min=1e-6) ** -_WHITENING
        self.projection.copy_(scaled / (centred @ scaled).square().sum(1).mean().sqrt())
        rng = np.random.default_rng([seed, n])
        directions = rng.normal(0, np.sqrt(2), (d, n)).astype(np.float32)
        self.directions.copy_(torch.from_numpy(directions))
        self.offsets.copy_(torch.from_numpy(rng.normal(0, _OFFSET_SD, n).astype(np.float32)))
        features = self.features(windows)
        middle, mean = features.mean(0), targets.mean(0)
        features = features - middle
        gram = (features.T @ features).double()
        gram.diagonal().add_(_STRENGTH * gram.diagonal().mean())
        weights = torch.linalg.solve(gram, (features.T @ (targets - mean)).double())
        self.weights.copy_(weights)
        self.constant.copy_(mean - middle @ self.weights)
