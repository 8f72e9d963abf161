"""Training data of the refinement: rendered frames beside the real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from repro.errors import UserError
from repro.refine.region import edge_fade, editable_region, face_box
from repro.refine.settings import RefineSettings


@dataclass(frozen=True)
class PersonPairs:
    """Rendered and real frames of one person; each rendering stands over its own frame.

    rendered   (T, H, W, 3) uint8
    real       (T, H, W, 3) uint8
    face_mask  (T, H, W)    bool or uint8, nonzero where the face was rendered
    detail     (T, K, 4)    int, boxes of mouth and eyes: left, top, right, bottom in pixels
    identity   (T, D)       float32, identity features of the real frames
    name       the person, for messages
    """

    rendered: np.ndarray
    real: np.ndarray
    face_mask: np.ndarray
    detail: np.ndarray
    identity: np.ndarray
    name: str

    def __post_init__(self):
        t, h, w = self.face_mask.shape
        expected = {
            "rendered": (t, h, w, 3),
            "real": (t, h, w, 3),
            "detail": (t, *self.detail.shape[1:2], 4),
            "identity": (t, self.identity.shape[-1]),
        }
        for field, shape in expected.items():
            if getattr(self, field).shape != shape:
                found = getattr(self, field).shape
                raise ValueError(f"pairs of '{self.name}': {field} is {found}, expected {shape}")
        if t == 0:
            raise ValueError(f"pairs of '{self.name}': no frames")

    def __len__(self) -> int:
        """Frames."""
        return len(self.real)

    def __getitem__(self, frames: slice | np.ndarray) -> "PersonPairs":
        """The same person for some of the frames."""
        return PersonPairs(
            self.rendered[frames],
            self.real[frames],
            self.face_mask[frames],
            self.detail[frames],
            self.identity[frames],
            self.name,
        )


class Batch(NamedTuple):
    """B training samples, images in [0, 1] float32.

    window    (B, 9, H, W) rendered frames t-2, t-1, t
    real      (B, 3, H, W)
    face      (B, 1, H, W) 1 on the face
    detail    (B, 1, H, W) 1 in the boxes of mouth and eyes
    editable  (B, 1, H, W) where the generator may change the frame
    identity  (B, D)
    """

    window: Tensor
    real: Tensor
    face: Tensor
    detail: Tensor
    editable: Tensor
    identity: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(tensor.to(device) for tensor in self))


def to_tensor(image: np.ndarray) -> Tensor:
    """(C, H, W) float32 in [0, 1] of a uint8 image (H, W, C)."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255


def editable_in_box(
    mask: np.ndarray, corner: tuple[int, int], settings: RefineSettings
) -> np.ndarray:
    """What the generator may change in the box at ``corner``: (h, w) float32 in [0, 1].

    mask (H, W), nonzero where the face was rendered.
    """
    size = settings.box_px
    editable = edge_fade(corner, size, mask.shape)
    if settings.hold_outside_px is not None:
        whole = editable_region(
            mask, margin_px=settings.hold_outside_px, feather_px=settings.hold_feather_px
        )
        top, left = corner
        editable = editable * whole[top : top + size[0], left : left + size[1]]
    return editable


def check_pairs(pairs: Sequence[PersonPairs], settings: RefineSettings) -> int:
    """Size D of the identity features, which all people must share.

    Raises
    ------
    UserError
        No people, frames of another size than the settings', or mixed identity networks.
    """
    if not pairs:
        raise UserError("There are no frames to train the refinement on; give at least one clip.")
    sizes = {p.identity.shape[1] for p in pairs}
    if len(sizes) > 1:
        raise UserError(
            f"Identity features of {sorted(sizes)} numbers are mixed; use one identity network."
        )
    for p in pairs:
        if p.real.shape[1:3] != (settings.image_px, settings.image_px):
            found = f"{p.real.shape[2]} x {p.real.shape[1]}"
            raise UserError(
                f"Frames of '{p.name}' are {found} px, but the refinement's image_px is "
                f"{settings.image_px}; reconstruct at that crop size or change image_px."
            )
    return sizes.pop()


def draw_batch(
    pairs: Sequence[PersonPairs], settings: RefineSettings, rng: np.random.Generator
) -> Batch:
    """``settings.batch`` samples: people drawn evenly, then a frame of each evenly."""
    samples = []
    for _ in range(settings.batch):
        person = pairs[int(rng.integers(len(pairs)))]
        t = int(rng.integers(len(person)))
        samples.append(_sample(person, t, settings, _jittered(person, t, settings, rng)))
    return _stacked(samples)


def batch_of(frames: Sequence[tuple[PersonPairs, int]], settings: RefineSettings) -> Batch:
    """Given frames of people, each box where ``region.face_box`` puts it."""
    return _stacked([_sample(p, t, settings, _corner(p, t, settings)) for p, t in frames])


def _stacked(samples: Sequence[tuple[Tensor, ...]]) -> Batch:
    return Batch(*(torch.stack(tensors) for tensors in zip(*samples, strict=True)))


def _corner(person: PersonPairs, t: int, settings: RefineSettings) -> tuple[int, int]:
    return face_box(person.face_mask[t] > 0, settings.box_px)


def _jittered(
    person: PersonPairs, t: int, settings: RefineSettings, rng: np.random.Generator
) -> tuple[int, int]:
    jitter = rng.integers(-settings.crop_jitter_px, settings.crop_jitter_px + 1, 2)
    room = settings.image_px - np.array(settings.box_px)
    top, left = np.clip(np.array(_corner(person, t, settings)) + jitter, 0, room)
    return int(top), int(left)


def _sample(
    person: PersonPairs, t: int, settings: RefineSettings, corner: tuple[int, int]
) -> tuple[Tensor, ...]:
    mask = person.face_mask[t] > 0
    (top, left), size = corner, settings.box_px
    box = np.s_[top : top + size[0], left : left + size[1]]

    frames = [max(t - back, 0) for back in range(settings.window - 1, -1, -1)]
    window = np.concatenate([person.rendered[k][box] for k in frames], axis=-1)
    detail = np.zeros(mask.shape, np.float32)
    for x0, y0, x1, y1 in np.clip(person.detail[t], 0, settings.image_px).astype(int):
        detail[y0:y1, x0:x1] = 1
    planes = (
        np.ascontiguousarray(plane, np.float32)[None]
        for plane in (
            mask[box],
            detail[box],
            editable_in_box(mask, corner, settings),
        )
    )
    return (
        to_tensor(window),
        to_tensor(person.real[t][box]),
        *(torch.from_numpy(p) for p in planes),
        torch.tensor(person.identity[t], dtype=torch.float32),
    )
