"""What refinement makes of rendered frames, measured against the real ones (section 3.4).

PSNR is in dB, of the data range 255, the mean over the frames. Four regions:

head     the face mask's bounding box, widened by ``HEAD_MARGIN_PX``
face     the face mask
mouth    the box of the mouth, where the lips' landmarks lie in the real frame
outside  all but the face mask: nothing should change there
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from repro.evaluate.identity import csim, face_features
from repro.evaluate.image import psnr, sharpness, ssim
from repro.evaluate.landmarks import MOUTH_478, landmark_error
from repro.evaluate.perceptual import feature_distance
from repro.evaluate.steadiness import pixel_flicker
from repro.face import landmarks as lm
from repro.frames import evenly
from repro.reconstruct.landmarker import Follower
from repro.reconstruct.resnet import ResNet
from repro.refine.identity import IdentityNetwork

HEAD_MARGIN_PX = 8
MOUTH_MARGIN_PX = 4
CSIM_FRAMES = 20
"""Frames at which the identity network looks, spread evenly."""


@dataclass(frozen=True)
class Truth:
    """T real frames and where the face is in them.

    frames     T frames (H, W, 3) uint8
    masks      (T, H, W) bool, where the face was rendered
    landmarks  (T, 478, 2) float32, as detected in them; NaN where no face was found
    """

    frames: Sequence[np.ndarray]
    masks: np.ndarray
    landmarks: np.ndarray

    @classmethod
    def of(cls, frames: Sequence[np.ndarray], masks: Sequence[np.ndarray]) -> "Truth":
        """Find the landmarks of real frames."""
        return cls(frames, np.stack(masks) > 0, detected_landmarks(frames))


def detected_landmarks(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Landmarks (T, 478, 2) float32 of T frames (H, W, 3) uint8; NaN where no face was found."""
    missing = np.full((lm.COUNT, 2), np.nan, np.float32)
    with Follower() as follower:
        faces = [follower.find(np.ascontiguousarray(frame)) for frame in frames]
    return np.stack([missing if face is None else face.points for face in faces])


def refinement_scores(
    pictures: Mapping[str, Sequence[np.ndarray]],
    truth: Truth,
    *,
    identity: IdentityNetwork,
    trunk: ResNet | None = None,
) -> list[dict[str, object]]:
    """Several ways of making the same T frames, each measured against the real ones.

    Parameters
    ----------
    pictures : name -> T frames (H, W, 3) uint8
    identity : the network of CSIM; ``CSIM_FRAMES`` of the frames are looked at
    trunk : the network of ``evaluate.perceptual.feature_distance``; None leaves that out

    Returns
    -------
    for each name a row: ``frames``, the name; ``head_psnr``, ``face_psnr``, ``mouth_psnr``,
    ``outside_psnr``, the regions' PSNR (infinite where nothing differs); ``ssim`` of the head;
    ``csim``; ``feature_distance`` of the head; ``sharpness_ratio``, the variance of the Laplacian
    on the face over that of the real frames; ``flicker_ratio``, ``pixel_flicker`` on the face over
    that of the real frames; ``mouth_error_percent``, the mean distance of the mouth's landmarks
    from those in the real frame, % of the inter-pupil distance; ``undetected``, frames without a
    face, which that error leaves out
    """
    some = evenly(CSIM_FRAMES, len(truth.frames))
    real = np.stack([truth.frames[t] for t in some])
    known = face_features(identity, real, truth.landmarks[some])
    flicker = pixel_flicker(truth.frames, truth.masks)
    crisp = np.mean([sharpness(f, m) for f, m in zip(truth.frames, truth.masks, strict=True)])
    pupils = float(np.nanmedian(lm.inter_pupil_distance(truth.landmarks)))
    rows: list[dict[str, object]] = []
    for name, frames in pictures.items():
        found = detected_landmarks(frames)
        made = face_features(identity, [frames[t] for t in some], truth.landmarks[some])
        error = landmark_error(
            truth.landmarks, found, points=MOUTH_478, crop="crop", network="landmarker"
        )
        sharp = np.mean([sharpness(f, m) for f, m in zip(frames, truth.masks, strict=True)])
        rows.append({
            "frames": name,
            **_region_scores(frames, truth, trunk),
            "csim": csim(known, made, network=identity.name, crop="crop").value,
            "sharpness_ratio": float(sharp / crisp),
            "flicker_ratio": pixel_flicker(frames, truth.masks) / flicker,
            "mouth_error_percent": 100 * error.value / pupils,
            "undetected": error.undetected,
        })  # fmt: skip
    return rows


def _region_scores(
    frames: Sequence[np.ndarray], truth: Truth, trunk: ResNet | None
) -> dict[str, float]:
    """Means over the frames of what compares a picture's regions."""
    scores: dict[str, list[float]] = {}
    boxes = _mouth_boxes(truth.landmarks)
    for made, real, mask, mouth in zip(frames, truth.frames, truth.masks, boxes, strict=True):
        head = _head_box(mask)
        found = {
            "head_psnr": psnr(made[head], real[head]),
            "face_psnr": psnr(made, real, mask=mask),
            "mouth_psnr": psnr(made[mouth], real[mouth]),
            "outside_psnr": psnr(made, real, mask=~mask),
            "ssim": ssim(made[head], real[head]),
        }
        if trunk is not None:
            found["feature_distance"] = feature_distance(trunk, made[head], real[head])
        for name, value in found.items():
            scores.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in scores.items()}


def _head_box(mask: np.ndarray) -> tuple[slice, slice]:
    sides = []
    for axis in (1, 0):
        at = np.flatnonzero(mask.any(axis=axis))
        sides.append(slice(max(at[0] - HEAD_MARGIN_PX, 0), at[-1] + 1 + HEAD_MARGIN_PX))
    return sides[0], sides[1]


def _mouth_boxes(landmarks: np.ndarray) -> list[tuple[slice, slice]]:
    """The mouth's box in each frame; that of the frame before where no face was found."""
    lips = landmarks[:, lm.LIPS]
    low, high = lips.min(1) - MOUTH_MARGIN_PX, lips.max(1) + MOUTH_MARGIN_PX
    seen = np.isfinite(lips).all((1, 2))
    last = np.maximum.accumulate(np.where(seen, np.arange(len(seen)), seen.argmax()))
    corners = np.concatenate([low, high], 1)[last].clip(0).astype(int)
    return [np.s_[top:bottom, left:right] for left, top, right, bottom in corners]
