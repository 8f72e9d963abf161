"""One step of training the head motion learner: squared error, and real against made motion."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from repro.adversarial import AdversarialTrainer
from repro.animate.head_motion import HeadMotionNetwork, MotionJudge
from repro.animate.speech_data import Talker
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.fabric import fabric_on


class MotionBatch(NamedTuple):
    """B people, each seen for tau frames and then saying something else over T frames.

    motion, heard    (B, tau, 6) radians and metres, (B, tau, R, C): the reference
    windows, answer  (B, T, R, C), (B, T, 6): the sound of another clip, and what the head did
    """

    motion: Tensor
    heard: Tensor
    windows: Tensor
    answer: Tensor

    def to(self, device: torch.device) -> "MotionBatch":
        """The same on another device."""
        return MotionBatch(*(part.to(device) for part in self))


def draw_motion(
    talkers: Sequence[Talker],
    settings: AnimateSpeechSettings,
    rng: np.random.Generator,
    *,
    scale: np.ndarray,
) -> MotionBatch:
    """A batch of people, each with a stretch of one clip as reference and of another as answer.

    ``scale``: deviations (6,) of motion, in which ``settings.motion_shift`` counts.
    """
    rows = []
    for number in rng.integers(len(talkers), size=settings.motion_batch):
        first, second = rng.permutation(len(talkers[number]))[:2]
        seen, said = talkers[number][first], talkers[number][second]
        start = rng.integers(len(seen) - settings.reference_frames + 1)
        reference = slice(start, start + settings.reference_frames)
        start = rng.integers(len(said) - settings.motion_frames + 1)
        wanted = slice(start, start + settings.motion_frames)
        elsewhere = (settings.motion_shift * scale * rng.normal(size=len(scale))).astype(np.float32)
        rows.append((seen.pose[reference] + elsewhere, seen.sound[reference],
                     said.sound[wanted], said.pose[wanted] + elsewhere))  # fmt: skip
    return MotionBatch(*(torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True)))


class HeadMotionTrainer(AdversarialTrainer[HeadMotionNetwork]):
    """Networks and optimisers of one run; rates fall to zero over the last half."""

    def __init__(self, network: HeadMotionNetwork, *, planned: int, device: str, seed: int):
        self.settings = network.settings
        super().__init__(
            network,
            MotionJudge.untrained(network.settings, seed=seed),
            fabric=fabric_on(device),
            planned=planned,
            lr=self.settings.lr,
            betas=self.settings.betas,
            decay_from=0.5,
        )
        network.train()

    def step(self, batch: MotionBatch, index: int) -> dict[str, float]:
        """One update of the discriminator, then one of the generator; the unweighted terms."""
        self.set_rate(index)
        made = self.run_generator(batch.motion, batch.heard, batch.windows)
        real = self.generator.standardised(batch.answer)
        found = {"error": (made - real).square().mean()}
        loss = found["error"]
        if self.settings.lambda_adversarial:
            found["discriminator"] = self._judged(real, made.detach())
            self.update("discriminator", found["discriminator"])
            self.discriminator.requires_grad_(False)
            found["adversarial"] = functional.softplus(-self.run_discriminator(made)).mean()
            loss = loss + self.settings.lambda_adversarial * found["adversarial"]
        self.update("generator", loss)
        self.discriminator.requires_grad_(True)
        return {name: float(value.detach()) for name, value in found.items()}

    def _judged(self, real: Tensor, made: Tensor) -> Tensor:
        """Cross-entropy of the discriminator's answers; log 2 for one that knows nothing."""
        logits = self.run_discriminator(real), self.run_discriminator(made)
        return (functional.softplus(-logits[0]) + functional.softplus(logits[1])).mean() / 2
