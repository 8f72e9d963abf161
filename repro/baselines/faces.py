"""Clips as the earlier systems see them: a square about the face that rests within a clip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from repro.baselines.settings import BaselineSettings
from repro.face.camera import Crop
from repro.motion.data import normalise_voice
from repro.reconstruct.crop import cut
from repro.refine.pairs import to_tensor


@dataclass(frozen=True)
class PointClip:
    """What one person says, and where the face's points go with it.

    windows    (T, 28, 12) float32, MFCCs
    landmarks  (T, 478, 2) float32, pixels
    """

    windows: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        """Frames."""
        return len(self.windows)


@dataclass(frozen=True)
class FaceClip(PointClip):
    """A clip of one person; its landmarks are in pixels of the square.

    pictures   (T, S, S, 3) uint8, the face's square; may be memory-mapped
    crop       that square in the clip's frames
    """

    pictures: np.ndarray
    crop: Crop


def face_crop(points: np.ndarray, settings: BaselineSettings) -> Crop:
    """The square about a face, from its landmarks (478, 2) in one frame."""
    low, high = points.min(0), points.max(0)
    side = settings.face_margin * float((high - low).max())
    left, top = (low + high) / 2 - side / 2
    return Crop(float(left), float(top), side, settings.image_px)


def face_pictures(frames: np.ndarray, crop: Crop) -> np.ndarray:
    """The face in frames (T, H, W, 3) uint8: (T, S, S, 3) uint8."""
    return np.stack([cut(np.asarray(frame), crop) for frame in frames])


def face_clip(
    pictures: np.ndarray,
    crop: Crop,
    points: np.ndarray,
    windows: np.ndarray,
    settings: BaselineSettings,
) -> FaceClip:
    """A clip of a face.

    Parameters
    ----------
    pictures : (T, S, S, 3) uint8, what ``crop`` shows
    points : (T, 478, 2) landmarks, pixels of the frames that were cut
    windows : (T, 28, 12) MFCCs
    """
    spoken = point_clip(windows, crop.to_crop(points), settings)
    return FaceClip(spoken.windows, spoken.landmarks, pictures, crop)


def point_clip(windows: np.ndarray, points: np.ndarray, settings: BaselineSettings) -> PointClip:
    """What was said (T, 28, 12), as the settings have it heard, and the points (T, 478, 2)."""
    heard = normalise_voice(windows) if settings.normalise_voice else windows
    return PointClip(heard, points.astype(np.float32))


@dataclass(frozen=True)
class Drawn:
    """Training samples, B frames each with another frame of its clip as the reference.

    reference, target            (B, 3, S, S) float32 in [0, 1]
    windows                      (B, 28, 12) float32, the sound of the target
    reference_points, target_points  (B, 478, 2) float32, pixels
    """

    reference: Tensor
    target: Tensor
    windows: Tensor
    reference_points: Tensor
    target_points: Tensor


def draw_frames(clips: Sequence[FaceClip], batch: int, rng: np.random.Generator) -> Drawn:
    """``batch`` samples: a clip drawn evenly, then two of its frames."""
    picked: list[tuple[FaceClip, int, int]] = []
    for _ in range(batch):
        clip = clips[int(rng.integers(len(clips)))]
        r, t = rng.integers(len(clip), size=2)
        picked.append((clip, int(r), int(t)))
    return Drawn(
        torch.stack([to_tensor(clip.pictures[r]) for clip, r, _ in picked]),
        torch.stack([to_tensor(clip.pictures[t]) for clip, _, t in picked]),
        torch.from_numpy(np.stack([clip.windows[t] for clip, _, t in picked])),
        torch.from_numpy(np.stack([clip.landmarks[r] for clip, r, _ in picked])),
        torch.from_numpy(np.stack([clip.landmarks[t] for clip, _, t in picked])),
    )


def to_pictures(images: Tensor) -> np.ndarray:
    """Pictures (B, S, S, 3) uint8 of images (B, 3, S, S) about [0, 1]."""
    whole = (images.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    return whole.permute(0, 2, 3, 1).cpu().numpy()
