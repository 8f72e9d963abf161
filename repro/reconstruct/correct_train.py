"""Training of the corrector (``repro.reconstruct.correct``) on synthetic people."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as nnf

from repro.fabric import channels_last
from repro.face import landmarks as lm
from repro.face.model import MorphableModel
from repro.reconstruct.correct import (
    FACE_WIDTH,
    MOUTH_WIDTH,
    OFFSET_DIRECTIONS,
    PATCH_PX,
    SEEN_DIRECTIONS,
    Corrector,
    Patches,
    as_tensor,
)

MARGIN_PX = 4
"""Of the patches learned from, on every side: room to shift them."""

_PEOPLE, _FRAMES = 10, 7
"""In a batch: so many people, so many frames of each."""
_LR, _FURTHER_LR, _WEIGHT_DECAY, _CLIP_NORM = 2e-3, 1e-3, 0.05, 5.0
_MOUTH_WEIGHT = 4.0
_LEAST_SPREAD = 1e-3
"""Of a direction, over the widest one's: of few frames the last ones are nothing but rounding."""


class Lessons(NamedTuple):
    """N frames of many people, with what the landmarker does wrong in them.

    patches   with a margin of ``MARGIN_PX``
    seen      (N, F) float32, ``calibration.features`` of the landmarker's points
    offsets   (N, L, 2) float32, from the true points to the landmarker's, %
    person    (N,) int64, at least ``_FRAMES`` frames of each
    """

    patches: Patches
    seen: np.ndarray
    offsets: np.ndarray
    person: np.ndarray


def train_corrector(
    lessons: Lessons,
    model: MorphableModel,
    *,
    steps: int,
    seed: int,
    start: Corrector | None = None,
    progress: Callable[[float], None] | None = None,
) -> Corrector:
    """Learn the landmarker's faults.

    The loss is the mean distance of the corrected points from the true ones, once as it is and
    once about each person's mean: how a mouth moves counts, not only where it is.

    Parameters
    ----------
    start : one that has learned already, to go on from; it is changed
    progress : called after every step with its loss
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if start is None:
            corrector, lr = Corrector(lessons.seen.shape[1], lessons.offsets.shape[1]), _LR
            _set_directions(corrector, lessons)
        else:
            corrector, lr = start, _FURTHER_LR
        return _train(corrector, lessons, model, steps, lr, np.random.default_rng(seed), progress)


def _train(
    corrector: Corrector,
    lessons: Lessons,
    model: MorphableModel,
    steps: int,
    lr: float,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None,
) -> Corrector:
    channels_last(corrector.train())
    weight = torch.ones(lessons.offsets.shape[1])
    weight[np.isin(np.flatnonzero(model.landmark_valid), lm.LIPS)] = _MOUTH_WEIGHT
    weight = weight / weight.mean()
    frames = {p: np.flatnonzero(lessons.person == p) for p in np.unique(lessons.person)}
    people = np.array([p for p, own in frames.items() if len(own) >= _FRAMES])
    truth = torch.from_numpy(lessons.offsets)
    adam = torch.optim.AdamW(corrector.parameters(), lr, weight_decay=_WEIGHT_DECAY)
    for step in range(steps):
        for group in adam.param_groups:
            rise, fall = min(1, (step + 1) / 100), 0.5 * (1 + np.cos(np.pi * step / steps))
            group["lr"] = lr * rise * fall
        drawn = rng.choice(people, min(_PEOPLE, len(people)), replace=False)
        chosen = np.concatenate([rng.choice(frames[p], _FRAMES, replace=False) for p in drawn])
        looks = corrector.look(*_batch(lessons, chosen, rng))
        wrong = corrector(looks, _usual(looks, rng).repeat_interleave(_FRAMES, 0)) - truth[chosen]
        moving = wrong - _mean_of_each(wrong).repeat_interleave(_FRAMES, 0)
        loss = _length(wrong, weight) + _length(moving, weight)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(corrector.parameters(), _CLIP_NORM)
        adam.step()
        if progress is not None:
            progress(float(loss.detach()))
    return corrector.eval()


def _mean_of_each(values: Tensor) -> Tensor:
    """Means (P, ...) of a batch's P people."""
    return values.unflatten(0, (-1, _FRAMES)).mean(1)


def _usual(looks: Tensor, rng: np.random.Generator) -> Tensor:
    """The mean look (P, K) of each of P people over a few frames, sometimes only one.

    So that a clip in which the head hardly turns is nothing new.
    """
    people = len(looks) // _FRAMES
    counted = rng.random((people, _FRAMES)) < rng.random((people, 1))
    counted[np.arange(people), rng.integers(0, _FRAMES, people)] = True
    weight = torch.from_numpy(counted / counted.sum(1, keepdims=True)).float()
    return (looks.unflatten(0, (-1, _FRAMES)) * weight[..., None]).sum(1)


def _length(offsets: Tensor, weight: Tensor) -> Tensor:
    return ((offsets.square().sum(-1) + 0.01).sqrt() * weight).mean()


def _set_directions(corrector: Corrector, lessons: Lessons) -> None:
    """The directions in which features and faults differ most, in units of their spread."""
    for values, count, name in (
        (lessons.seen, SEEN_DIRECTIONS, "seen"),
        (lessons.offsets.reshape(len(lessons.offsets), -1), OFFSET_DIRECTIONS, "offset"),
    ):
        about = values - values.mean(0)
        found = np.linalg.svd(about[:: 1 + len(about) // 3000], full_matrices=False)[2][:count]
        spread = (about @ found.T).std(0)[:, None]
        spread = np.maximum(spread, _LEAST_SPREAD * spread.max())
        directions = getattr(corrector, f"{name}_directions")
        made = (found / spread).T if name == "seen" else found * spread
        columns = slice(0, len(found))  # of few frames there are fewer directions
        part = directions[:, columns] if name == "seen" else directions[columns]
        part.copy_(torch.from_numpy(made))
        getattr(corrector, f"{name}_mean").copy_(torch.from_numpy(values.mean(0)))


def _batch(
    lessons: Lessons, chosen: np.ndarray, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Patches and features of some frames, ``_FRAMES`` of each person, moved, relit and degraded.

    Mouth and face are moved together.
    """
    count = len(chosen)
    moved = rng.integers(-2, 3, (count, 2)) * MOUTH_WIDTH / PATCH_PX  # inter-pupil distances
    pictures, seen = [], lessons.seen[chosen].copy()
    for stored, width in zip(lessons.patches, (MOUTH_WIDTH, FACE_WIDTH), strict=True):
        steps = np.rint(moved * PATCH_PX / width).astype(int) + MARGIN_PX
        cut = [
            picture[y : y + PATCH_PX, x : x + PATCH_PX]
            for picture, (x, y) in zip(stored[chosen], steps, strict=True)
        ]
        pictures.append(as_tensor(np.stack(cut)))
    points = seen[:, : 2 * lessons.offsets.shape[1]].reshape(count, -1, 2)
    points -= (100 * moved[:, None]).astype(np.float32)
    # A camera's light, focus and noise stay what they are.
    people = (count // _FRAMES, 1, 1, 1)
    light, tint = rng.standard_normal(people), rng.standard_normal((people[0], 3, 1, 1))
    gain, blurred, grey, noise = (
        np.repeat(drawn, _FRAMES, 0)
        for drawn in (
            1 + 0.2 * light + 0.06 * tint,
            rng.random(people) < 0.3,
            rng.random(people) < 0.15,
            0.03 * rng.random(people),
        )
    )
    made = []
    for picture in pictures:
        lit = picture * torch.from_numpy(gain).float()
        soft = nnf.avg_pool2d(nnf.pad(lit, (1, 1, 1, 1), mode="replicate"), 3, 1)
        lit = torch.where(torch.from_numpy(blurred), soft, lit)
        lit = torch.where(torch.from_numpy(grey), lit.mean(1, keepdim=True), lit)
        made.append(lit + torch.from_numpy(noise).float() * torch.randn_like(lit))
    return made[0], made[1], torch.from_numpy(seen)
