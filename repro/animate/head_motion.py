"""Phi, the head motion learner (Chen et al. 2020, sections 3.3 and A.1, figure 12).

h^ = Phi(f(h_{1:tau}, x_{1:tau}), x): from some seconds of a person the encoder f makes the weights
and biases of one linear layer; the extrapolator makes features of any sound, and that layer turns
them into this person's motion. A discriminator looks at motion's mean and standard deviation.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from repro.animate.chunk_encoder import ChunkEncoder
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.face.coefficients import POSE

_DILATION = 2
_TOGETHER = 256
"""Frames of a sentence that are computed at once, and held in memory."""
_STEADY = 1e-4
"""Added to variances, so that standard deviations have a slope where nothing moves."""


class PersonLayer(NamedTuple):
    """One linear layer for each of B people: weight (B, 6, F), bias (B, 6)."""

    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """Motion (B, T, 6), in deviations, of features (B, T, F)."""
        return features @ self.weight.mT + self.bias[:, None]


class TemporalConvolutions(nn.Module):
    """Two 1-D convolutions over time, the second seeing every other frame; T stays."""

    def __init__(self, inputs: int, outputs: int, kernel: int):
        super().__init__()
        near, far = kernel // 2, _DILATION * (kernel // 2)
        self.reach = near + far
        self.layers = nn.Sequential(
            nn.Conv1d(inputs, outputs, kernel, padding=near),
            nn.ReLU(),
            nn.Conv1d(outputs, outputs, kernel, padding=far, dilation=_DILATION),
            nn.ReLU(),
        )

    def forward(self, values: Tensor) -> Tensor:
        """(B, T, outputs) of (B, T, inputs); beyond the ends there are zeros."""
        return self.layers(values.mT).mT


class MotionEncoder(nn.Module):
    """f: motion and sound of the same frames -> the person's layer.

    Frames are pooled to their means, their standard deviations, and the products of sound and
    motion, which tell how this head answers to sound; so a reference may have any length. The
    bias is learned as a difference from the reference's mean.
    """

    def __init__(self, settings: AnimateSpeechSettings):
        super().__init__()
        dim, self.feature = settings.reference_dim, settings.feature
        self.chunks = ChunkEncoder(settings)
        self.sound = nn.Sequential(nn.Linear(self.chunks.size, dim), nn.ReLU())
        self.together = TemporalConvolutions(dim + POSE, dim, settings.kernel)
        pooled = 2 * (dim + POSE) + dim * POSE
        self.perceptron = nn.Sequential(
            nn.Linear(pooled, settings.hidden),
            nn.ReLU(),
            nn.Linear(settings.hidden, POSE * (self.feature + 1)),
        )

    def forward(self, motion: Tensor, windows: Tensor) -> PersonLayer:
        """The layer of motion (B, M, 6), in deviations, and windows (B, M, R, C)."""
        sound = self.sound(self.chunks(windows))
        frames = torch.cat([self.together(torch.cat([sound, motion], -1)), motion], -1)
        means, deviations = moments(frames).chunk(2, -1)
        change = motion - motion.mean(1, keepdim=True)
        answers = (sound.mT @ change / motion.shape[1]).flatten(1)  # B, dim * 6
        made = self.perceptron(torch.cat([means, deviations, answers], -1))
        weight, bias = made.split([POSE * self.feature, POSE], -1)
        weight = weight.view(-1, POSE, self.feature) / self.feature**0.5
        return PersonLayer(weight, motion.mean(1) + bias)


class Extrapolator(nn.Module):
    """Sound -> features (B, T, ``feature``): 2-D convolutions, flattened, and temporal ones."""

    def __init__(self, settings: AnimateSpeechSettings):
        super().__init__()
        self.chunks = ChunkEncoder(settings)
        self.temporal = TemporalConvolutions(self.chunks.size, settings.feature, settings.kernel)

    def forward(self, windows: Tensor) -> Tensor:
        """Features (B, T, F) of windows (B, T, R, C)."""
        return self.temporal(self.chunks(windows))


class HeadMotionNetwork(nn.Module):
    """The encoder f and the extrapolator.

    Buffers
    -------
    mean, scale (6,) of the motion, radians and metres
    """

    def __init__(self, settings: AnimateSpeechSettings):
        super().__init__()
        self.settings = settings
        self.encoder = MotionEncoder(settings)
        self.extrapolator = Extrapolator(settings)
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(POSE))
        self.register_buffer("scale", torch.ones(POSE))

    @classmethod
    def untrained(cls, settings: AnimateSpeechSettings, *, seed: int) -> "HeadMotionNetwork":
        """With random weights drawn from ``seed``."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(settings)

    def set_scales(self, motion: Tensor, windows: Tensor) -> None:
        """Take means and spreads from poses (n, 6) and windows (m, R, C)."""
        self.mean.copy_(motion.mean(0))
        self.scale.copy_(motion.std(0) + 1e-6)
        for chunks in (self.encoder.chunks, self.extrapolator.chunks):
            chunks.set_scale(windows)

    def standardised(self, motion: Tensor) -> Tensor:
        """Motion (..., 6) in deviations."""
        return (motion - self.mean) / self.scale

    def person(self, motion: Tensor, windows: Tensor) -> PersonLayer:
        """f(h, x): the layers of people seen over M frames.

        Parameters
        ----------
        motion : (B, M, 6) radians and metres
        windows : (B, M, R, C) of the sound of the same frames
        """
        return self.encoder(self.standardised(motion), windows)

    def forward(self, motion: Tensor, heard: Tensor, windows: Tensor) -> Tensor:
        """Motion (B, T, 6), in deviations, of people who say something.

        Parameters
        ----------
        motion, heard : (B, M, 6) and (B, M, R, C) of the reference
        windows : (B, T, R, C) of what they say
        """
        return self.person(motion, heard)(self.extrapolator(windows))


class MotionJudge(nn.Module):
    """D: whether motion is real, told from its mean and standard deviation alone."""

    def __init__(self, settings: AnimateSpeechSettings):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * POSE, settings.judge_hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(settings.judge_hidden, settings.judge_hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(settings.judge_hidden, 1),
        )

    @classmethod
    def untrained(cls, settings: AnimateSpeechSettings, *, seed: int) -> "MotionJudge":
        """With random weights drawn from ``seed``."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(settings)

    def forward(self, motion: Tensor) -> Tensor:
        """Logits (B,), high for real, of motion (B, T, 6) in deviations."""
        return self.layers(moments(motion))[:, 0]


def moments(values: Tensor) -> Tensor:
    """Means, then standard deviations, over time: (B, 2 D) of (B, T, D)."""
    return torch.cat([values.mean(1), (values.var(1, correction=0) + _STEADY).sqrt()], -1)


@torch.inference_mode()
def extrapolate(
    network: HeadMotionNetwork, motion: np.ndarray, heard: np.ndarray, windows: np.ndarray
) -> np.ndarray:
    """Head motion (T, 6) float32, radians and metres, for a sound of any length.

    In memory are the features of some seconds at a time; the answer is that of all at once.

    Parameters
    ----------
    motion, heard : (M, 6) and (M, R, C), the person's poses and the sound of the same frames; the
        networks are trained on M = tau, and take more
    windows : (T, R, C) of the sound to move to

    Raises
    ------
    ValueError
        A reference whose motion and sound differ in length, or of fewer than two frames.
    """
    if len(motion) != len(heard) or len(motion) < 2:
        raise ValueError(
            f"a reference needs motion and sound of the same two frames or more, "
            f"got {len(motion)} and {len(heard)}"
        )
    network.eval()
    person = network.person(_batch_of_one(motion), _batch_of_one(heard))
    reach = network.extrapolator.temporal.reach
    parts = [np.empty((0, POSE), np.float32)]
    for first in range(0, len(windows), _TOGETHER):
        start, stop = max(0, first - reach), first + _TOGETHER + reach
        features = network.extrapolator(_batch_of_one(windows[start:stop]))
        wanted = features[:, first - start : first - start + _TOGETHER]
        parts.append((person(wanted)[0] * network.scale + network.mean).numpy())
    return np.concatenate(parts)


def _batch_of_one(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32))[None]
