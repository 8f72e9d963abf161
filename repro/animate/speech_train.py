"""Training of the learners of expression and head motion (Chen et al. 2020, section 3)."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from repro.animate.expression import ExpressionNetwork
from repro.animate.head_motion import HeadMotionNetwork
from repro.animate.head_motion_trainer import HeadMotionTrainer, draw_motion
from repro.animate.landmark_pca import LANDMARKS, LandmarkPca
from repro.animate.speech_data import Talker
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.checkpoint import Checkpoint, Progress, broken, load_checkpoint, save_checkpoint
from repro.errors import UserError
from repro.training import train_steps
from repro.weights import save_weights, saved_weights

_MM = 1000.0
_MOST = 200_000
"""Frames that the PCA and the scales are taken from, spread over all."""
_RATE = "animate_speech.lr"

Learner = TypeVar("Learner", ExpressionNetwork, HeadMotionNetwork)


@dataclass(frozen=True)
class SpeechHistory:
    """What a training did: for each term of its loss, one number per step.

    Of the expression: ``error``, the landmarks' mean squared distance, mm^2. Of head motion:
    ``error``, the mean squared error in deviations, and where a discriminator takes part its loss
    (``discriminator``) and the network's (``adversarial``), both unweighted.
    """

    losses: dict[str, list[float]]


def train_expression(
    talkers: Sequence[Talker],
    settings: AnimateSpeechSettings,
    *,
    seed: int,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ExpressionNetwork, SpeechHistory]:
    """Train Psi on people's speech in noise, from a reference frame of theirs that is drawn.

    The error is that of the PCA's components (section A.2), each weighed by its deviation: so it is
    the landmarks' own, as far as twenty components tell them.

    Parameters
    ----------
    checkpoint : as ``repro.training.train_steps``

    Raises
    ------
    UserError
        Nobody to learn from; the loss is no longer a number; a checkpoint of another training.
    """
    _need(talkers, frames=1, clips=1)
    every = _every([clip.landmarks for clips in talkers for clip in clips])
    pca = LandmarkPca.fit(every, settings.components)
    components = [[pca.components_of(clip.landmarks) for clip in clips] for clips in talkers]
    network = ExpressionNetwork.untrained(settings, seed=seed)
    network.set_pca(pca)
    network.chunks.set_scale(_sounds(talkers))

    def draw(rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Windows (B, R, C), references (B, K) and displacements (B, K)."""
        rows = []
        for number in rng.integers(len(talkers), size=size):
            clips, own = talkers[number], components[number]
            said, other = rng.integers(len(clips), size=2)
            frame, reference = rng.integers(len(clips[said])), rng.integers(len(clips[other]))
            rows.append((clips[said].noisy[frame], own[other][reference],
                         own[said][frame] - own[other][reference]))  # fmt: skip
        windows, references, answers = (
            torch.from_numpy(np.stack(part)).to(network.pca_scale.device)
            for part in zip(*rows, strict=True)
        )
        return windows, references, answers

    answers = draw(np.random.default_rng([seed, settings.expression_steps]), 2048)[2]
    network.answer_mean.copy_(answers.mean(0))
    network.answer_scale.copy_(answers.std(0) + 1e-3)

    def loss(rng: np.random.Generator) -> Tensor:
        windows, references, answers = draw(rng, settings.expression_batch)
        error = (network(windows, references) - answers) * network.pca_scale * _MM
        return error.square().sum(1).mean() / LANDMARKS

    losses = train_steps(
        network, loss, rate=_RATE, about=_about("expression", talkers, settings),
        steps=settings.expression_steps, lr=settings.lr, betas=settings.betas, seed=seed,
        device=device, checkpoint=checkpoint, progress=progress,
    )  # fmt: skip
    return network.cpu().eval(), SpeechHistory({"error": losses})


def train_head_motion(
    talkers: Sequence[Talker],
    settings: AnimateSpeechSettings,
    *,
    seed: int,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[HeadMotionNetwork, SpeechHistory]:
    """Train Phi and its discriminator.

    The reference is of another clip than what is extrapolated, so that the person's way of moving
    is learned and not how the last frames went on. Each step draws from a generator seeded by
    (seed, step): a resumed run goes on exactly as an uninterrupted one.

    Parameters
    ----------
    talkers : each with two clips or more, as long as ``reference_frames`` and ``motion_frames``
    device : "cpu", "cuda" or "cuda:1"
    checkpoint : where the run's state is kept; if the file is there, the run resumes from it
    progress : called with (steps done, steps planned) after each step

    Raises
    ------
    UserError
        Nobody to learn from, or clips that are too few or too short; a foreign checkpoint; a loss
        that is not a finite number.
    """
    _need(talkers, frames=max(settings.reference_frames, settings.motion_frames), clips=2)
    network = HeadMotionNetwork.untrained(settings, seed=seed)
    every = _every([clip.pose for clips in talkers for clip in clips])
    network.set_scales(torch.from_numpy(every), _sounds(talkers))
    planned = settings.motion_steps
    trainer = HeadMotionTrainer(network, planned=planned, device=device, seed=seed)
    about = f"{_about('head motion', talkers, settings)} {seed}"
    about = hashlib.sha256(about.encode()).hexdigest()
    state, done = trainer.state, Progress()
    if checkpoint is not None:
        done = load_checkpoint(checkpoint.path, about=about, **state)
    scale = network.scale.cpu().numpy()
    while done.step < planned:
        rng = np.random.default_rng([seed, done.step])
        batch = draw_motion(talkers, settings, rng, scale=scale)
        bad = done.record(trainer.step(batch.to(trainer.fabric.device), done.step))
        if bad:
            why = f"{', '.join(bad)} is not a finite number; lower {_RATE}"
            raise broken("the head's motion", why, done, checkpoint)
        if progress is not None:
            progress(done.step, planned)
        if checkpoint is not None and (done.step % checkpoint.every == 0 or done.step == planned):
            save_checkpoint(checkpoint.path, done, about=about, **state)
    return network.cpu().eval(), SpeechHistory(done.losses)


def _need(talkers: Sequence[Talker], *, frames: int, clips: int) -> None:
    if not talkers:
        raise UserError("There is nobody to learn from; set animate_speech.people.")
    for talker in talkers:
        if len(talker) < clips:
            raise UserError(
                f"'{talker[0].name}' has {len(talker)} clip: head motion is learned from {clips} "
                "of each person; give another."
            )
        for clip in talker:
            if len(clip) < frames:
                raise UserError(
                    f"Clip '{clip.name}' has {len(clip)} frames, fewer than the {frames} that are "
                    "learned from at once; raise animate_speech.person_s."
                )


def _every(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Frames of all clips, at most ``_MOST``."""
    step = math.ceil(sum(map(len, parts)) / _MOST)
    return np.concatenate([part[::step] for part in parts])


def _sounds(talkers: Sequence[Talker]) -> Tensor:
    """Windows (n, R, C) that show what sound is like: one a second, of 200 people or fewer."""
    some = talkers[:: math.ceil(len(talkers) / 200)]
    return torch.from_numpy(np.concatenate([clip.sound[::25] for clips in some for clip in clips]))


def _about(what: str, talkers: Sequence[Talker], settings: AnimateSpeechSettings) -> str:
    """A name for a training's settings and data."""
    digest = hashlib.sha256(f"{what} {settings.model_dump_json()}".encode())
    for clip in (clip for clips in talkers for clip in clips):
        digest.update(clip.name.encode())
        digest.update(np.ascontiguousarray(clip.pose).data)
        digest.update(np.ascontiguousarray(clip.landmarks).data)
    return digest.hexdigest()


def save_learner(network: Learner, path: Path, history: SpeechHistory) -> None:
    """Write ``path`` (.safetensors) and, beside it, settings and history as .json."""
    about = {"settings": network.settings.model_dump(mode="json"), "history": asdict(history)}
    save_weights(path, network.state_dict(), about)


def load_learner(kind: type[Learner], path: Path) -> tuple[Learner, SpeechHistory]:
    """Read what ``save_learner`` wrote of a network of this kind.

    Raises
    ------
    UserError
        A file is missing, broken, of another version, or of the other kind.
    """
    with saved_weights(path, kind.__name__) as (tensors, about):
        network = kind.untrained(AnimateSpeechSettings(**about["settings"]), seed=0)
        network.load_state_dict(tensors)
        return network.eval(), SpeechHistory(**about["history"])
