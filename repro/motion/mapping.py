"""A mapping from sound to motion: one network, or several whose motions are averaged."""

import numpy as np
import torch
from torch import Tensor, nn

from repro.face.coefficients import EXPRESSION
from repro.motion.network import MotionNetwork
from repro.motion.settings import MotionSettings


class MotionMapping(nn.Module):
    """phi of Yi et al. 2020, section 3.2; general, or personal after fine-tuning.

    The paper's has one network. Beside the paper, a personal mapping may have several, and a
    share of a linear regression: with 300 frames to learn from, averages err less than each part.
    """

    def __init__(self, networks: list[MotionNetwork], settings: MotionSettings):
        super().__init__()
        self.settings = settings
        self.networks = nn.ModuleList(networks)
        inputs = settings.mfcc_frames * settings.mfcc_coefficients
        rows = inputs + 1 if settings.ridge_share else 0
        self.register_buffer("ridge", torch.zeros(rows, EXPRESSION))
        self.register_buffer("ridge_fitted", torch.zeros((), dtype=torch.bool))

    @classmethod
    def untrained(cls, settings: MotionSettings, *, seed: int, members: int = 1):
        """A mapping with random weights drawn from ``seed``."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls([MotionNetwork(settings) for _ in range(members)], settings)

    @property
    def members(self) -> list[MotionNetwork]:
        """The networks."""
        return [network for network in self.networks if isinstance(network, MotionNetwork)]

    @property
    def pose_mean(self) -> Tensor:
        """The person's mean pose (6,), zero before fine-tuning."""
        return self.members[0].pose_mean

    def with_ridge(self, expression: Tensor, windows: Tensor) -> Tensor:
        """Mix the linear regression's share into the networks' expression (..., 64)."""
        if not bool(self.ridge_fitted):
            return expression
        linear = windows.flatten(-2) @ self.ridge[:-1] + self.ridge[-1]
        share = self.settings.ridge_share
        return (1 - share) * expression + share * linear


def fit_ridge(windows: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Ridge regression, its strength chosen for each target by blocked cross-validation.

    Parameters
    ----------
    windows : (T, 28, 12), one clip
    targets : (T, K)

    Returns
    -------
    (28 * 12 + 1, K) float32: weights and, in the last row, the constant
    """
    x = windows.reshape(len(windows), -1).astype(np.float64)
    y = np.asarray(targets, np.float64)
    strengths = np.geomspace(30, 30_000, 7)
    blocks = np.array_split(np.arange(len(x)), 5)
    errors = np.zeros((len(strengths), y.shape[1]))
    for block in blocks:
        rest = np.setdiff1d(np.arange(len(x)), block)
        for i, weights in enumerate(_ridges(x[rest], y[rest], strengths)):
            fitted = x[block] @ weights[:-1] + weights[-1]
            errors[i] += ((fitted - y[block]) ** 2).sum(0)
    fits = np.stack(list(_ridges(x, y, strengths)))  # strengths, inputs + 1, K
    return fits[errors.argmin(0), :, np.arange(y.shape[1])].T.astype(np.float32)


def _ridges(x: np.ndarray, y: np.ndarray, strengths):
    """Solutions (inputs + 1, K) for each strength, on standardised inputs."""
    mean, scale, centre = x.mean(0), x.std(0) + 1e-6, y.mean(0)
    u, s, vt = np.linalg.svd((x - mean) / scale, full_matrices=False)
    projected = u.T @ (y - centre)
    for strength in strengths:
        weights = vt.T @ ((s / (s**2 + strength))[:, None] * projected) / scale[:, None]
        yield np.concatenate([weights, (centre - mean @ weights)[None]])
