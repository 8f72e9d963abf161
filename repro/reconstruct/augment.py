"""Batches of faces as the network sees them, shifted, turned and degraded while it learns."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from repro.face.pose import rotation_matrix
from repro.reconstruct.alignment import rotated_light
from repro.reconstruct.decoder import Views
from repro.reconstruct.network import ANGLES_PART, LIGHT_PART, PLACE_PART
from repro.reconstruct.network_settings import ReconstructNetworkSettings
from repro.reconstruct.samples import Samples

_GAIN, _CHANNEL_GAIN = 0.2, 0.06
_BLUR_PX = (0.4, 1.4)
_NOISE = 0.04
_QUALITY = (25, 85)
_GREY_SHARE = 1 / 3


class Batch(NamedTuple):
    """B faces and what is known of them, in the cameras of their crops.

    images     (B, 3, S, S) float32 in [0, 1]
    views      their cameras
    landmarks  (B, 478, 2) pixels
    labelled   (B,) bool; what follows is the truth of these and means nothing for the others
    vectors    (B, 257), of which identity, expression and texture are read
    rotation   (B, 3, 3), place (B, 3): of the head and of the face's centre in the clip's axes
    light      (B, 27) in the clip's axes
    coloured   (B,) bool, False for grey pictures
    """

    images: Tensor
    views: Views
    landmarks: Tensor
    labelled: Tensor
    vectors: Tensor
    rotation: Tensor
    place: Tensor
    light: Tensor
    coloured: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        moved = {name: part.to(device) for name, part in self._asdict().items() if name != "views"}
        views = Views(self.views.focal.to(device), self.views.principal.to(device), self.views.size)
        return Batch(views=views, **moved)

    def only(self, which: Tensor) -> "Batch":
        """The faces for which ``which`` (B,) bool is True."""
        views = Views(self.views.focal[which], self.views.principal[which], self.views.size)
        parts = {name: part[which] for name, part in self._asdict().items() if name != "views"}
        return Batch(views=views, **parts)


@dataclass(frozen=True)
class Change:
    """What is done to a picture.

    shift   (2,) pixels of the network's crop; zoom, a factor; turn, radians, clockwise
    gain    (3,) on the colours
    """

    shift: np.ndarray
    zoom: float
    turn: float
    gain: np.ndarray

    def affine(self, stored_px: int, size: int) -> np.ndarray:
        """(2, 3): points of the crop from those of the stored picture, whose middle stays."""
        c, s = self.zoom * np.cos(self.turn), self.zoom * np.sin(self.turn)
        linear = np.array([[c, -s], [s, c]])
        move = size / 2 + self.shift - linear @ np.full(2, stored_px / 2)
        return np.column_stack([linear, move])


NO_CHANGE = Change(np.zeros(2), 1.0, 0.0, np.ones(3))


def draw_change(settings: ReconstructNetworkSettings, rng: np.random.Generator) -> Change:
    """A random change within the settings' bounds."""
    shift = rng.uniform(-1, 1, 2) * settings.shift * settings.input_px
    zoom = np.exp(rng.uniform(-1, 1) * np.log1p(settings.zoom))
    turn = np.deg2rad(settings.rotation_deg) * rng.uniform(-1, 1)
    gain = np.exp(rng.uniform(-_GAIN, _GAIN) + rng.uniform(-1, 1, 3) * _CHANNEL_GAIN)
    return Change(shift, float(zoom), float(turn), gain)


def make_batch(
    samples: Samples,
    chosen: np.ndarray,
    settings: ReconstructNetworkSettings,
    centre: np.ndarray,
    rng: np.random.Generator | None,
) -> Batch:
    """Some of the faces as the network sees them; as they are where ``rng`` is None.

    A similarity of the picture is again a pinhole's picture: the scene turned about the optical
    axis, with another focal length and principal point. So pose, light and camera follow exactly.
    A gain on the colours is one on the light.

    Parameters
    ----------
    chosen : (B,) indices
    centre : (3,) of the network
    """
    size, some = settings.input_px, samples[chosen]
    stored = some.images.shape[1]
    changes = [NO_CHANGE if rng is None else draw_change(settings, rng) for _ in chosen]
    images, grey = [], []
    maps = np.stack([change.affine(stored, size) for change in changes])
    for image, change, affine in zip(some.images, changes, maps, strict=True):
        face = warped(image, affine, size)
        if rng is not None:
            face, is_grey = _degraded(face, change.gain, settings.degrade, rng)
            grey.append(is_grey)
        images.append(face)
    linear, move = maps[:, :, :2], maps[:, :, 2]

    def moved(points: np.ndarray) -> np.ndarray:
        return points @ linear.transpose(0, 2, 1) + move[:, None]

    turns = rotation_matrix(np.array([(0, 0, change.turn) for change in changes]))
    rotation = rotation_matrix(some.vectors[:, ANGLES_PART].astype(np.float64))
    place = rotation @ centre + some.vectors[:, PLACE_PART]
    gains = np.repeat(np.stack([change.gain for change in changes]), 9, axis=1)
    light = torch.from_numpy(some.vectors[:, LIGHT_PART] * gains)
    zoom = np.array([change.zoom for change in changes])
    return Batch(
        images=torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255,
        views=Views(
            torch.from_numpy(some.focal * zoom).float(),
            torch.from_numpy(moved(some.principal[:, None])[:, 0]).float(),
            size,
        ),
        landmarks=torch.from_numpy(moved(some.landmarks)).float(),
        labelled=torch.from_numpy(some.labelled),
        vectors=torch.from_numpy(some.vectors),
        rotation=torch.from_numpy(turns @ rotation).float(),
        place=torch.from_numpy((turns @ place[..., None])[..., 0]).float(),
        light=rotated_light(light, torch.from_numpy(turns)).float(),
        coloured=~torch.tensor(grey) if grey else torch.ones(len(chosen), dtype=torch.bool),
    )


def warped(image: np.ndarray, affine: np.ndarray, size: int) -> np.ndarray:
    """Picture (size, size, 3) whose points are ``affine`` (2, 3) of those of (H, W, 3)."""
    half = np.full(2, 0.5)  # OpenCV's pixel centres are whole numbers
    shift = affine[:, :2] @ half + affine[:, 2] - half
    matrix = np.column_stack([affine[:, :2], shift])
    return cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _degraded(
    image: np.ndarray, gain: np.ndarray, often: float, rng: np.random.Generator
) -> tuple[np.ndarray, bool]:
    """The picture with its colours changed and, sometimes, blurred, noisy, compressed or grey."""
    face: np.ndarray = image.astype(np.float32) * gain.astype(np.float32)
    blur, noisy, compressed, grey = rng.random(4) < np.array([1, 1, 1, _GREY_SHARE]) * often
    if blur:
        face = cv2.GaussianBlur(face, (0, 0), rng.uniform(*_BLUR_PX))
    if noisy:
        face += 255 * rng.uniform(0, _NOISE) * rng.standard_normal(face.shape, np.float32)
    if grey:
        face = np.repeat(face.mean(-1, keepdims=True), 3, -1)
    out = np.clip(face + 0.5, 0, 255).astype(np.uint8)
    if compressed:
        quality = int(rng.integers(*_QUALITY))
        code = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        out = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return out, bool(grey)
