"""A mapping from sound to motion: one network, or several whose motions are averaged."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from repro.face.coefficients import EXPRESSION
from repro.motion.network import MotionNetwork
from repro.motion.perceptron import SpeechPerceptron
from repro.motion.settings import MotionSettings

_RELIANCE = (8.0, 0.0)
"""Weights that a general mapping's answers may have beside the standardised sound, in a person's
ridge. Zero is for people whom it does not know, such as real ones if it learned from synthetic."""


class MotionMapping(nn.Module):
    """phi of Yi et al. 2020, section 3.2; general, or personal after fine-tuning.

    The paper's has one network. Beside the paper, a personal mapping may have several, and a
    share of a linear regression: with 300 frames to learn from, averages err less than each part.
    A general one may have a share of a perceptron, whose answer the personal linear regression
    then sees beside the sound, and which the person keeps as far as it is right about them.

    Buffers
    -------
    ridge (inputs + 1, 64), ridge_fitted ()
    answer_share ()      share of the perceptron's answer in the expression
    answer_offset (64,)  added to it: how a person's mean differs from everybody's
    """

    def __init__(self, networks: list[MotionNetwork], settings: MotionSettings):
        super().__init__()
        self.settings = settings
        self.networks = nn.ModuleList(networks)
        inputs = settings.mfcc_frames * settings.mfcc_coefficients
        inputs += EXPRESSION if settings.perceptron_units else 0
        rows = inputs + 1 if settings.ridge_share else 0
        self.perceptron = SpeechPerceptron(settings) if settings.perceptron_units else None
        self.register_buffer("ridge", torch.zeros(rows, EXPRESSION))
        self.register_buffer("ridge_fitted", torch.zeros((), dtype=torch.bool))
        self.answer_share: Tensor
        self.answer_offset: Tensor
        self.register_buffer("answer_share", torch.tensor(settings.perceptron_share))
        self.register_buffer("answer_offset", torch.zeros(EXPRESSION))

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

    def answers(self, windows: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """What perceptron and ridge say (T, 64) of windows (T, 28, 12); None where none is."""
        answer = None if self.perceptron is None else self.perceptron(windows)
        if not bool(self.ridge_fitted):
            return answer, None
        inputs = windows.flatten(-2)
        if answer is not None:
            inputs = torch.cat([inputs, answer], -1)
        return answer, inputs @ self.ridge[:-1] + self.ridge[-1]

    def mixed(self, expression: Tensor, answer: Tensor | None, linear: Tensor | None) -> Tensor:
        """The networks' expression (T, 64) with the shares of perceptron and ridge.

        The ridge's answer is smoothed over three frames: it knows nothing of its neighbours, and
        lips do not tremble.
        """
        if linear is not None:
            around = torch.cat([linear[:1], linear, linear[-1:]])
            calm = (around[:-2] + 2 * linear + around[2:]) / 4
            expression = torch.lerp(expression, calm, self.settings.ridge_share)
        if answer is not None:
            expression = torch.lerp(expression, answer + self.answer_offset, self.answer_share)
        return expression


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
