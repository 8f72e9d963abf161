"""What the generative network sees of a wanted frame, and the batches that it is trained on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from repro.animate.footage import Footage
from repro.animate.settings import AnimateSettings
from repro.animate.sketch import draw_sketch, mouth_area, mouth_opening
from repro.animate.unproject import Mesh, harder_match, matching_costs, project


class Views(NamedTuple):
    """B wanted frames; pictures (B, 3, S, S), sketches and coverage (B, 1, S, S), all in [0, 1].

    sketch            of the wanted landmarks
    projected         the mesh in the wanted pose; coverage: 1 where it shows something
    projected_sketch  of its landmarks there, which have its expression
    matched           the reference whose head motion is near the wanted one; matched_sketch: its
    """

    sketch: Tensor
    projected: Tensor
    coverage: Tensor
    projected_sketch: Tensor
    matched: Tensor
    matched_sketch: Tensor

    def to(self, device: torch.device) -> "Views":
        """The same on a device."""
        return Views(*(tensor.to(device) for tensor in self))


class Batch(NamedTuple):
    """B samples to learn from.

    references  (B, K, 3, S, S) in [0, 1]
    sketches    (B, K, 1, S, S), of their landmarks
    views       of the target frames
    frame       (B, 3, S, S), the target frames
    mouth       (B, 1, S, S), 1 about the lips
    """

    references: Tensor
    sketches: Tensor
    views: Views
    frame: Tensor
    mouth: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        moved = {name: getattr(self, name).to(device) for name in self._fields}
        return Batch(**moved)


def match_costs(
    references: Footage, landmarks: np.ndarray, pose: np.ndarray, settings: AnimateSettings
) -> np.ndarray:
    """How badly each of K references would do as the matched frame: Eq. 2, and the mouth's opening.

    Parameters
    ----------
    landmarks, pose : (..., 68, 2) pixels and (..., 6), wanted

    Returns
    -------
    (..., K)
    """
    wanted, theirs = mouth_opening(landmarks), mouth_opening(references.landmarks)
    apart = wanted[..., None] - theirs
    return matching_costs(pose, references.pose) + settings.match_mouth * apart**2


def view_of(
    references: Footage,
    mesh: Mesh,
    landmarks: np.ndarray,
    pose: np.ndarray,
    matched: int,
    *,
    hide_mouth: bool = False,
) -> Views:
    """The network's view (B = 1) of one wanted frame.

    Parameters
    ----------
    references : K frames of the person
    mesh : from the most visible of them
    landmarks, pose : (68, 2) pixels and (6,), wanted
    matched : which of the references
    hide_mouth : nothing of the mesh is known where its mouth is, or is to be
    """
    size = references.size_px
    shown = project(mesh, pose)
    if hide_mouth:
        known = 1 - np.maximum(mouth_area(shown.landmarks, size), mouth_area(landmarks, size))
        known = known.astype(np.uint8)
        shown = replace(
            shown, image=shown.image * known[..., None], coverage=shown.coverage * known
        )
    pictures = (
        draw_sketch(landmarks, size),
        shown.image,
        shown.coverage,
        draw_sketch(shown.landmarks, size),
        references.frames[matched],
        draw_sketch(references.landmarks[matched], size),
    )
    return Views(*(planes(picture)[None] for picture in pictures))


def reference_planes(references: Footage) -> tuple[Tensor, Tensor]:
    """Frames (1, K, 3, S, S) and sketches (1, K, 1, S, S) of the references, in [0, 1]."""
    size = references.size_px
    sketches = [planes(draw_sketch(points, size)) for points in references.landmarks]
    frames = [planes(frame) for frame in references.frames]
    return torch.stack(frames)[None], torch.stack(sketches)[None]


def draw_batch(
    people: Sequence[Footage], settings: AnimateSettings, rng: np.random.Generator
) -> Batch:
    """``settings.batch`` samples: people drawn evenly, then a target and its K references."""
    drawn = [people[int(k)] for k in rng.integers(len(people), size=settings.batch)]
    wanted = int(rng.choice(settings.references_drawn))
    count = min(wanted, settings.tau - 1, *(len(person) - 1 for person in drawn))
    samples = []
    for person in drawn:
        target = int(rng.integers(len(person)))
        others = _stretch(person, target, settings, rng)
        references = person[rng.choice(others, count, replace=False)]
        costs = match_costs(references, person.landmarks[target], person.pose[target], settings)
        hard = rng.random() < settings.harder_match
        matched = harder_match(costs, rng) if hard else int(costs.argmin())
        sample = sample_of(references, person, target, matched, settings)
        samples.append(_varied(sample, settings, rng))
    return stacked(samples)


def sample_of(
    references: Footage, person: Footage, target: int, matched: int, settings: AnimateSettings
) -> Batch:
    """One sample (B = 1): a frame of the person, to be made from these references."""
    view = view_of(
        references, references.mesh(), person.landmarks[target], person.pose[target], matched,
        hide_mouth=settings.hide_mouth,
    )  # fmt: skip
    area = mouth_area(person.landmarks[target], person.size_px)
    return Batch(
        *reference_planes(references),
        view,
        planes(person.frames[target])[None],
        torch.from_numpy(area)[None, None],
    )


def stacked(samples: Sequence[Batch]) -> Batch:
    """Several with the same number of references as one."""
    return Batch(
        torch.cat([s.references for s in samples]),
        torch.cat([s.sketches for s in samples]),
        joined([s.views for s in samples]),
        torch.cat([s.frame for s in samples]),
        torch.cat([s.mouth for s in samples]),
    )


def joined(views: Sequence[Views]) -> Views:
    """Several as one."""
    return Views(*(torch.cat(tensors) for tensors in zip(*views, strict=True)))


def planes(picture: np.ndarray) -> Tensor:
    """A picture (S, S, 3) or (S, S) uint8 as (3 or 1, S, S) float32 in [0, 1]."""
    channels = picture[..., None] if picture.ndim == 2 else picture
    return torch.from_numpy(np.ascontiguousarray(channels.transpose(2, 0, 1))).float() / 255


def _stretch(
    person: Footage, target: int, settings: AnimateSettings, rng: np.random.Generator
) -> np.ndarray:
    """Frames beside the target among which references are drawn: of a stretch of tau frames."""
    start = int(rng.integers(max(len(person) - settings.tau, 0) + 1))
    frames = np.arange(start, min(start + settings.tau, len(person)))
    return frames[frames != target]


def _varied(sample: Batch, settings: AnimateSettings, rng: np.random.Generator) -> Batch:
    """The sample mirrored or not, and in other colours, if the settings say so."""
    if settings.colour_jitter:
        reach = settings.colour_jitter
        gain = torch.from_numpy(rng.uniform(1 - reach, 1 + reach, (3, 1, 1)).astype(np.float32))
        views = sample.views._replace(
            projected=(sample.views.projected * gain).clamp(0, 1),
            matched=(sample.views.matched * gain).clamp(0, 1),
        )
        sample = sample._replace(
            references=(sample.references * gain).clamp(0, 1),
            views=views,
            frame=(sample.frame * gain).clamp(0, 1),
        )
    if settings.mirrored and rng.random() < 0.5:
        sample = Batch(
            sample.references.flip(-1),
            sample.sketches.flip(-1),
            Views(*(tensor.flip(-1) for tensor in sample.views)),
            sample.frame.flip(-1),
            sample.mouth.flip(-1),
        )
    return sample
