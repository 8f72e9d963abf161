"""A mapping from sound to motion: one network, or several whose motions are averaged."""

import torch
from torch import Tensor, nn

from repro.face.coefficients import EXPRESSION
from repro.motion.network import MotionNetwork
from repro.motion.perceptron import SpeechPerceptron
from repro.motion.regression import KernelRidge
from repro.motion.settings import MotionSettings


class MotionMapping(nn.Module):
    """phi of Yi et al. 2020, section 3.2; general, or personal after fine-tuning.

    The paper's has one network. Beside the paper, a personal mapping may have several, and a
    share of closed-form regressions (``repro.motion.regression``): with 300 frames to learn from,
    averages err less than each part. A general one may have a share of a perceptron, whose answer
    the personal linear regression then sees beside the sound, and which the person keeps as far as
    it is right about them.

    Buffers
    -------
    ridge (inputs + 1, 64), ridge_fitted ()
    answer_share ()      share of the perceptron's answer in the expression
    answer_offset (64,)  added to it: part of how a person's mean differs from everybody's
    """

    def __init__(self, networks: list[MotionNetwork], settings: MotionSettings):
        super().__init__()
        self.settings = settings
        self.networks = nn.ModuleList(networks)
        sound = settings.mfcc_frames * settings.mfcc_coefficients
        inputs = sound + (EXPRESSION if settings.perceptron_units else 0)
        rows = inputs + 1 if settings.ridge_share else 0
        self.perceptron = SpeechPerceptron(settings) if settings.perceptron_units else None
        self.register_buffer("ridge", torch.zeros(rows, EXPRESSION))
        self.register_buffer("ridge_fitted", torch.zeros((), dtype=torch.bool))
        self.kernels = KernelRidge(sound) if settings.kernel_share else None
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
        """What perceptron and regressions say (T, 64) of windows (T, 28, 12); None where none."""
        answer = None if self.perceptron is None else self.perceptron(windows)
        if not bool(self.ridge_fitted):
            return answer, None
        inputs = windows.flatten(-2)
        if answer is not None:
            inputs = torch.cat([inputs, answer], -1)
        regressed = inputs @ self.ridge[:-1] + self.ridge[-1]
        if self.kernels is not None:
            regressed = torch.lerp(regressed, self.kernels(windows), self.settings.kernel_share)
        return answer, regressed

    def mixed(self, expression: Tensor, answer: Tensor | None, regressed: Tensor | None) -> Tensor:
        """The networks' expression (T, 64) with the shares of perceptron and regressions.

        The regressions are smoothed over three frames: they know nothing of their neighbours, and
        lips do not tremble.
        """
        if regressed is not None:
            around = torch.cat([regressed[:1], regressed, regressed[-1:]])
            calm = (around[:-2] + 2 * regressed + around[2:]) / 4
            expression = torch.lerp(expression, calm, self.settings.ridge_share)
        if answer is not None:
            expression = torch.lerp(expression, answer + self.answer_offset, self.answer_share)
        return expression
