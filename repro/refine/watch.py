"""Looks at held-out frames during training: how near they are, how alike, and a sheet of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor

from repro.fabric import in_bf16
from repro.files import atomic_path
from repro.frames import evenly
from repro.refine.generator import Generator, Refined
from repro.refine.pairs import Batch, PersonPairs, batch_of
from repro.refine.settings import RefineSettings

LOOKED_AT = 8
"""Frames in a look, at most."""

COLLAPSED = 0.2
"""A spread below this is a collapse."""

_STILL = 2 / 255
"""Rendered frames that differ by less, on average, tell nothing about the spread."""


@dataclass(frozen=True)
class Look:
    """What a generator makes of the held-out frames.

    l1      mean difference from the real frames on the face, over that of the rendered ones:
            below one, refinement helps
    spread  mean difference between the refined frames on the face, over that between the rendered
            ones: near zero where the generator paints one picture whatever it is given (mode
            collapse); nan where the rendered frames hardly differ
    """

    l1: float
    spread: float

    @property
    def collapsed(self) -> bool:
        """Whether the refined frames are all alike though the rendered ones are not."""
        return self.spread < COLLAPSED


def split_off(
    pairs: Sequence[PersonPairs], settings: RefineSettings
) -> tuple[list[PersonPairs], Batch | None]:
    """What is learned from, and held-out frames to look at, spread over the people.

    Of each person the last ``held_out_share`` of the frames is held out; where that is less than
    a frame of everybody's, nothing is.
    """
    ends = [len(p) - int(len(p) * settings.held_out_share) for p in pairs]
    held = [(p, t) for p, end in zip(pairs, ends, strict=True) for t in range(end, len(p))]
    learned = [p[:end] for p, end in zip(pairs, ends, strict=True)]
    if not held:
        return learned, None
    at = evenly(LOOKED_AT, len(held))
    return learned, batch_of([held[k] for k in at], settings)


@torch.inference_mode()
def look(generator: Generator, held_out: Batch, settings: RefineSettings) -> tuple[Look, Refined]:
    """Refine the held-out frames, with the identity features of their own."""
    identity = held_out.identity if settings.use_memory else held_out.identity * 0
    low = in_bf16(settings.precision, identity.device)
    with torch.autocast(identity.device.type, dtype=torch.bfloat16, enabled=low):
        refined = generator(held_out.window, identity, held_out.editable)
    image, rendered, face = refined.image, held_out.window[:, -3:], held_out.face
    l1 = _difference(image, held_out.real, face) / _difference(rendered, held_out.real, face)
    given, made = _spread(rendered, face), _spread(image, face)
    return Look(l1, made / given if given > _STILL else math.nan), refined


def _difference(a: Tensor, b: Tensor, face: Tensor) -> float:
    return float(((a - b).abs() * face).sum() / face.sum().clamp(min=1)) + 1e-8


def _spread(images: Tensor, face: Tensor) -> float:
    """Mean difference of each image from the next where both show a face."""
    if len(images) < 2:
        return 0.0
    return _difference(images[1:], images[:-1], face[1:] * face[:-1])


def save_sheet(path: Path, held_out: Batch, refined: Refined) -> None:
    """A PNG with a row each of rendered, attention, colour, refined and real frames."""
    attention = refined.attention.expand_as(refined.image)
    rows = (held_out.window[:, -3:], attention, refined.colour, refined.image, held_out.real)
    lines = [torch.cat(list(row.float().cpu()), dim=2) for row in rows]
    sheet = (torch.cat(lines, dim=1).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    with atomic_path(path) as temporary:
        cv2.imwrite(str(temporary), sheet[..., ::-1])
