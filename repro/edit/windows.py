"""What the completion network sees: masked frames and heat maps of a few moments, in one box."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from repro.edit import masked
from repro.edit.heatmaps import heatmaps
from repro.edit.video_settings import EditVideoSettings
from repro.errors import UserError
from repro.face.landmarks import inter_pupil_distance
from repro.refine.region import face_box

_BOX_STEP_PX = 16
"""``face_box`` rests on a grid this wide; the box must hold the mask wherever it lands."""


def check_mouths(landmarks: np.ndarray, name: str) -> None:
    """Refuse landmarks (T, 478, 2) that lack a mouth somewhere.

    Raises
    ------
    UserError
        Names the first such frame.
    """
    lost = np.flatnonzero(~np.isfinite(landmarks[:, masked.MOUTH_REGION]).all((1, 2)))
    if len(lost):
        raise UserError(
            f"Footage of '{name}': no mouth was found in frame {lost[0]}; "
            "leave out frames without a face."
        )


@dataclass(frozen=True)
class Footage:
    """Frames of one person to learn from.

    frames     (T, H, W, 3) uint8
    landmarks  (T, 478, 2) float32 pixels
    name       the person, for messages
    """

    frames: np.ndarray
    landmarks: np.ndarray
    name: str

    def __post_init__(self):
        if not len(self.frames) or len(self.frames) != len(self.landmarks):
            raise ValueError(
                f"footage of '{self.name}': {len(self.frames)} frames, "
                f"{len(self.landmarks)} sets of landmarks"
            )
        check_mouths(self.landmarks, self.name)

    def __len__(self) -> int:
        """Frames."""
        return len(self.frames)

    def __getitem__(self, frames: slice) -> "Footage":
        """The same person for some of the frames."""
        return Footage(self.frames[frames], self.landmarks[frames], self.name)

    @property
    def image(self) -> tuple[int, int]:
        """Height and width."""
        return self.frames.shape[1], self.frames.shape[2]


class Windows(NamedTuple):
    """B inputs of the generator, with what is wanted where it is known.

    window  (B, 4 F, h, w) float32: F masked frames in [0, 1], oldest first, then their heat maps
    frame   (B, 3, h, w) float32, the target frame, its mouth as it was
    mask    (B, 1, h, w) float32, 1 where what is made counts: the noise, or the whole frame
    lips    (B, 1, h, w) float32, 1 within the outer lips
    """

    window: Tensor
    frame: Tensor
    mask: Tensor
    lips: Tensor

    def to(self, device: torch.device) -> "Windows":
        """The same on a device."""
        return Windows(*(tensor.to(device) for tensor in self))

    @property
    def condition(self) -> Tensor:
        """(B, 6, h, w): the last heat map, as a grey picture, and the last masked frame."""
        frames = self.window.shape[1] // 4
        shown = self.window[:, 3 * frames - 3 : 3 * frames]
        return torch.cat([self.window[:, -1:].expand(-1, 3, -1, -1), shown], dim=1)


def box_size(
    original: np.ndarray, new: np.ndarray, image: tuple[int, int], settings: EditVideoSettings
) -> tuple[int, int]:
    """Height and width of the box in which these frames are worked on.

    With ``context`` the smallest that the U-Net can halve and that holds every mask; else the
    whole frame.

    Parameters
    ----------
    original, new : (T, 478, 2) pixels
    image : height and width of the frames

    Raises
    ------
    UserError
        The frames' sides cannot be halved as often as the network has levels.
    """
    step = 2**settings.levels
    if image[0] % step or image[1] % step:
        raise UserError(
            f"Frames of {image[1]} x {image[0]} px cannot be halved {settings.levels} times; "
            "lower edit_video.levels or reconstruct at another crop size."
        )
    if settings.context is None:
        return image
    pairs = zip(original, new, strict=True)
    rectangles = np.array(
        [masked.mouth_rectangle(a, b, margin=settings.mask_margin, image=image) for a, b in pairs]
    )
    reach = settings.context * float(np.median(inter_pupil_distance(original)))
    held = (rectangles[:, 2:] - rectangles[:, :2]).max(0)[::-1] + 2 * reach + _BOX_STEP_PX
    height, width = np.minimum(np.ceil(held / step).astype(int) * step, image)
    return int(height), int(width)


@dataclass(frozen=True)
class Moment:
    """One frame on its way into a window.

    frame      (H, W, 3) uint8
    rectangle  of the noise, as ``masked.mouth_rectangle`` gives it
    guides     (P, 2) float32 pixels, the points of the heat map: the new mouth
    """

    frame: np.ndarray
    rectangle: tuple[int, int, int, int]
    guides: np.ndarray


def moment(
    frame: np.ndarray, original: np.ndarray, new: np.ndarray, settings: EditVideoSettings
) -> Moment:
    """A frame whose mouth ``original`` (478, 2) is to become ``new`` (478, 2)."""
    image = frame.shape[:2]
    rectangle = masked.mouth_rectangle(original, new, margin=settings.mask_margin, image=image)
    return Moment(frame, rectangle, np.asarray(new[masked.GUIDES], np.float32))


def box_corner(at: Moment, size: tuple[int, int]) -> tuple[int, int]:
    """Top row and left column of the box about a moment's noise."""
    return face_box(masked.rectangle_mask(at.rectangle, at.frame.shape[:2]), size)


def assemble(
    moments: Sequence[Moment],
    corner: tuple[int, int],
    noise: np.ndarray,
    settings: EditVideoSettings,
) -> Windows:
    """The window (B = 1) that ends with the last of ``settings.window`` moments.

    Parameters
    ----------
    corner : top row and left column of the box, which has the noise's size
    noise : (h, w, 3) uint8
    """
    size = noise.shape[0], noise.shape[1]
    (top, left), image = corner, moments[-1].frame.shape[:2]
    box = np.s_[top : top + size[0], left : left + size[1]]
    masks = [masked.rectangle_mask(m.rectangle, image)[box] for m in moments]
    seen = list(zip(moments, masks, strict=True))[: settings.frames_in]
    frames = np.concatenate([masked.hidden(m.frame[box], k, noise) for m, k in seen], axis=-1)
    guides = np.stack([m.guides for m, _ in seen]) - np.array([left, top], np.float32)
    heat = heatmaps(torch.from_numpy(guides), size, sigma_px=settings.heatmap_sigma_px)
    wanted = np.ones_like(masks[-1]) if settings.whole_frame else masks[-1]
    return Windows(
        torch.cat([_planes(frames) / 255, heat])[None],
        _planes(moments[-1].frame[box])[None] / 255,
        _planes(wanted[..., None])[None],
        _planes(_lips(moments[-1].guides, image)[box][..., None])[None],
    )


def draw_windows(
    people: Sequence[Footage],
    size: tuple[int, int],
    settings: EditVideoSettings,
    rng: np.random.Generator,
) -> Windows:
    """``settings.batch`` samples: people drawn evenly, then a frame of each evenly."""
    drawn = []
    for _ in range(settings.batch):
        person = people[int(rng.integers(len(people)))]
        t = int(rng.integers(len(person)))
        other = int(rng.integers(len(person))) if settings.other_mouths else None
        jitter = rng.integers(-settings.box_jitter_px, settings.box_jitter_px + 1, 2)
        noise = masked.draw_noise(size, rng)
        drawn.append(window_of(person, t, noise, settings, other=other, jitter=jitter))
    return stacked(drawn)


def window_of(
    person: Footage,
    t: int,
    noise: np.ndarray,
    settings: EditVideoSettings,
    *,
    other: int | None = None,
    jitter: np.ndarray | tuple[int, int] = (0, 0),
) -> Windows:
    """The window (B = 1) that ends at frame ``t``, the mouth staying as it was.

    Parameters
    ----------
    other : a frame whose mouth the masks cover as well
    jitter : shift of the box, rows and columns
    """
    moments = []
    for back in range(settings.window - 1, -1, -1):
        points = person.landmarks[max(t - back, 0)]
        one = moment(person.frames[max(t - back, 0)], points, points, settings)
        if other is not None:
            elsewhere = masked.moved_onto(person.landmarks[other], points)
            covered = masked.mouth_rectangle(
                points, elsewhere, margin=settings.mask_margin, image=person.image
            )
            one = Moment(one.frame, covered, one.guides)
        moments.append(one)
    room = np.array(person.image) - noise.shape[:2]
    corner = np.clip(np.array(box_corner(moments[-1], noise.shape[:2])) + jitter, 0, room)
    return assemble(moments, (int(corner[0]), int(corner[1])), noise, settings)


def stacked(windows: Sequence[Windows]) -> Windows:
    """Several as one batch."""
    return Windows(*(torch.cat(tensors) for tensors in zip(*windows, strict=True)))


def _planes(image: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), np.float32))


def _lips(guides: np.ndarray, image: tuple[int, int]) -> np.ndarray:
    return masked.filled_hull(guides[: len(masked.LIPS)], image)
