"""Closed-form regressions of one person's expression on the sound.

Not the paper's. With the 300 frames that a person is learned from, they err less than a network.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from repro.face.coefficients import EXPRESSION

_RELIANCE = (8.0, 0.0)
"""Weights that a general mapping's answers may have beside the standardised sound, in a person's
ridge. Zero is for people whom it does not know, such as real ones if it learned from synthetic."""

_KERNEL_STRENGTH = 1.0
"""Ridge penalty of the kernel regression, beside kernels that are 1 at their centres."""


def fit_ridge(
    windows: np.ndarray, targets: np.ndarray, answers: np.ndarray | None = None
) -> np.ndarray:
    """Ridge regression, its strength chosen for each target by blocked cross-validation.

    Parameters
    ----------
    windows : (T, 28, 12), one clip
    targets : (T, K)
    answers : (T, 64) or None; what a general mapping makes of the windows, as further inputs.
        How far they are relied on is chosen with the strength

    Returns
    -------
    (28 * 12 + 1, K) float32, or (28 * 12 + 64 + 1, K): weights and, in the last row, the constant
    """
    x = windows.reshape(len(windows), -1).astype(np.float64)
    scales = [x.std(0) + 1e-6]
    if answers is not None:
        spread = np.full(answers.shape[1], np.sqrt(answers.var(0).mean()) + 1e-6)
        with np.errstate(divide="ignore"):
            scales = [np.concatenate([scales[0], spread / relied]) for relied in _RELIANCE]
        x = np.concatenate([x, answers], 1)
    y = np.asarray(targets, np.float64)
    strengths = np.geomspace(30, 30_000, 7)
    blocks = np.array_split(np.arange(len(x)), 5)
    errors = np.zeros((len(scales) * len(strengths), y.shape[1]))
    for block in blocks:
        rest = np.setdiff1d(np.arange(len(x)), block)
        for i, weights in enumerate(_ridges(x[rest], y[rest], scales, strengths)):
            fitted = x[block] @ weights[:-1] + weights[-1]
            errors[i] += ((fitted - y[block]) ** 2).sum(0)
    fits = np.stack(list(_ridges(x, y, scales, strengths)))  # strengths, inputs + 1, K
    return fits[errors.argmin(0), :, np.arange(y.shape[1])].T.astype(np.float32)


def _ridges(x: np.ndarray, y: np.ndarray, scales: Sequence[np.ndarray], strengths: np.ndarray):
    """Solutions (inputs + 1, K) for each scale and strength, on inputs over their scale."""
    mean, centre = x.mean(0), y.mean(0)
    for scale in scales:
        u, s, vt = np.linalg.svd((x - mean) / scale, full_matrices=False)
        projected = u.T @ (y - centre)
        for strength in strengths:
            weights = vt.T @ ((s / (s**2 + strength))[:, None] * projected) / scale[:, None]
            yield np.concatenate([weights, (centre - mean @ weights)[None]])


class KernelRidge(nn.Module):
    """Ridge regression with Gaussian kernels about the windows that a person is learned from.

    Lips do not follow the sound linearly. A kernel is as wide as two windows are apart (root mean
    square, over the standardised inputs).

    Buffers
    -------
    centres (N, inputs) standardised windows; mean, scale (inputs,) of the windows
    weights (N, 64), constant (64,)
    """

    def __init__(self, inputs: int, centres: int = 0):
        super().__init__()
        self.centres: Tensor
        self.mean: Tensor
        self.scale: Tensor
        self.weights: Tensor
        self.constant: Tensor
        self.register_buffer("centres", torch.zeros(centres, inputs))
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.register_buffer("weights", torch.zeros(centres, EXPRESSION))
        self.register_buffer("constant", torch.zeros(EXPRESSION))

    def forward(self, windows: Tensor) -> Tensor:
        """Expression (T, 64) of windows (T, 28, 12)."""
        return self._kernels(windows) @ self.weights + self.constant

    def _kernels(self, windows: Tensor) -> Tensor:
        """Kernels (T, N) of windows (T, 28, 12)."""
        x = (windows.flatten(-2) - self.mean) / self.scale
        return torch.exp(torch.cdist(x, self.centres).square() / (-4 * x.shape[-1]))

    @classmethod
    def fitted(cls, windows: np.ndarray, targets: np.ndarray) -> "KernelRidge":
        """The regression of targets (T, 64) on windows (T, 28, 12) of one clip."""
        x, y = torch.from_numpy(windows).flatten(-2), torch.from_numpy(targets)
        made = cls(x.shape[1], len(x))
        made.mean.copy_(x.mean(0))
        made.scale.copy_(x.std(0) + 1e-6)
        made.centres.copy_((x - made.mean) / made.scale)
        made.constant.copy_(y.mean(0))
        kernels = made._kernels(torch.from_numpy(windows)).double()
        held = kernels + _KERNEL_STRENGTH * torch.eye(len(x))
        made.weights.copy_(torch.linalg.solve(held, (y - made.constant).double()))
        return made
