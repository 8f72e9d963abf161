"""The landmarker's points put right by the picture, before a face is fitted to them.

The points stray from where the model has them by 2 to 3 % of the inter-pupil distance: more than
most sounds move a mouth, while true points would tell its motion to a twentieth (measured on
synthetic people). A small network sees the mouth and the face around the points and tells how far
each is off. It learns from synthetic people, whose true points are known
(``repro.reconstruct.correct_train``); the idea of landmarks that are dense and exact because they
are learned from rendered faces is that of Wood et al. 2022, "3D Face Reconstruction with Dense
Landmarks".
"""

import functools
import itertools
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, safe_open, save_file
from torch import Tensor, nn

from repro.face import landmarks as lm
from repro.face.camera import Camera, Crop
from repro.face.model import MorphableModel
from repro.files import atomic_path
from repro.reconstruct.alignment import aligned_crop, face_centre
from repro.reconstruct.calibration import features, in_order, open_calibration
from repro.reconstruct.crop import cut
from repro.reconstruct.head_frame import HeadFrame, head_frame
from repro.reconstruct.resnet import BasicBlock
from repro.reconstruct.start import start_pose

PICTURE_PX, PICTURE_M = 157, 0.266
"""The aligned picture that patches are cut from: its side in pixels, and in metres at the face."""
PATCH_PX = 64
SEEN_DIRECTIONS, OFFSET_DIRECTIONS = 160, 120
"""Directions in which features differ that are looked at, and in which points are moved."""

MOUTH_WIDTH, FACE_WIDTH = 1.6, 2.9
"""Of the patches, in inter-pupil distances."""
MOST_MOTION = 0.8
"""Of the lips' corrections in a clip of somebody speaking: see ``motion``. 95 of 100 synthetic
clips have less (0.4 to 0.8, median 0.6); six real ones have 1.1 to 1.7."""

_WIDTH, _HIDDEN = 16, 256
_BATCH = 64


class Patches(NamedTuple):
    """Upright pictures (T, px, px, 3) uint8 of mouth and face."""

    mouth: np.ndarray
    face: np.ndarray


class Corrector(nn.Module):
    """Patches and features -> how far every landmark is from its true place, in %.

    Two small residual trunks look at every frame; what is seen is split into the person's mean,
    which tells how this face is built, and what moves about it. What comes out is a combination of
    directions in which synthetic people's points are wrong.
    """

    seen_mean: Tensor
    seen_directions: Tensor
    offset_mean: Tensor
    offset_directions: Tensor

    def __init__(self, seen: int, landmarks: int):
        super().__init__()
        self.register_buffer("seen_mean", torch.zeros(seen))
        self.register_buffer("seen_directions", torch.zeros(seen, SEEN_DIRECTIONS))
        self.register_buffer("offset_mean", torch.zeros(2 * landmarks))
        self.register_buffer("offset_directions", torch.zeros(OFFSET_DIRECTIONS, 2 * landmarks))
        self.mouth, self.face = _trunk(_WIDTH), _trunk(_WIDTH)
        self.head = nn.Sequential(
            nn.Linear(2 * (SEEN_DIRECTIONS + 2 * 8 * _WIDTH), _HIDDEN), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(_HIDDEN, OFFSET_DIRECTIONS),
        )  # fmt: skip
        self.linear = nn.Linear(2 * SEEN_DIRECTIONS, OFFSET_DIRECTIONS)
        for parameter in (*self.head[-1].parameters(), *self.linear.parameters()):
            nn.init.zeros_(parameter)

    def look(self, mouth: Tensor, face: Tensor, seen: Tensor) -> Tensor:
        """What each of B frames shows, (B, K) float32.

        Parameters
        ----------
        mouth, face : (B, 3, 64, 64) float32 in [0, 1]
        seen : (B, F) float32, ``calibration.features``
        """
        known = (seen - self.seen_mean) @ self.seen_directions
        # Half the digits only to learn faster: not every processor is quick at them.
        with torch.autocast(seen.device.type, torch.bfloat16, enabled=self.training):
            looks = [
                trunk((picture - 0.5).contiguous(memory_format=torch.channels_last)).float()
                for trunk, picture in ((self.mouth, mouth), (self.face, face))
            ]
        return torch.cat([known, *looks], 1)

    def forward(self, looks: Tensor, usual: Tensor) -> Tensor:
        """Offsets (B, L, 2) in % of the inter-pupil distance, to be taken from the points.

        Parameters
        ----------
        looks : (B, K) float32, of ``look``
        usual : (B, K) or (1, K) float32, the mean look of the same person
        """
        moving, usual = looks - usual, usual.expand_as(looks)
        known = torch.cat([part[:, :SEEN_DIRECTIONS] for part in (moving, usual)], 1)
        said = self.head(torch.cat([moving, usual], 1)) + self.linear(known)
        return (self.offset_mean + said @ self.offset_directions).reshape(len(looks), -1, 2)

    def save(self, path: Path, *, model: str) -> None:
        """Write ``path`` (.safetensors) with half the digits; ``model``: hash of the face model."""
        arrays = {
            name: value.half() if value.is_floating_point() else value
            for name, value in self.state_dict().items()
        }
        with atomic_path(path) as part:
            save_file({n: a.contiguous() for n, a in arrays.items()}, part, {"model": model})

    @classmethod
    def load(cls, path: Path) -> tuple["Corrector", str]:
        """What ``save`` wrote, and the hash of its face model."""
        with safe_open(path, "pt") as stored:
            model = stored.metadata()["model"]
        arrays = load_file(path)
        made = cls(len(arrays["seen_mean"]), len(arrays["offset_mean"]) // 2)
        made.load_state_dict({
            n: a.float() if a.is_floating_point() else a for n, a in arrays.items()
        })  # fmt: skip
        return made.eval(), model


def _trunk(width: int) -> nn.Sequential:
    """Pictures (B, 3, 64, 64) -> (B, 8 width)."""
    blocks = [
        BasicBlock(width * before, width * after, 1 if before == after else 2)
        for before, after in ((1, 1), (1, 2), (2, 4), (4, 8))
    ]
    places = (PATCH_PX // 16) ** 2
    return nn.Sequential(
        nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), *blocks,
        nn.Flatten(), nn.Linear(8 * width * places, 8 * width), nn.ReLU(),
    )  # fmt: skip


@functools.cache
def open_corrector() -> tuple[Corrector, str]:
    """The corrector of the open model's landmarks, which the package carries."""
    path = files("repro.reconstruct").joinpath("data", "correction.safetensors")
    return Corrector.load(Path(str(path)))


def aligned_picture(
    frame: np.ndarray, points: np.ndarray, model: MorphableModel, centre: np.ndarray
) -> tuple[np.ndarray, Crop]:
    """The picture (157, 157, 3) uint8 of one face that patches are cut from, and where it lies.

    Faces of all sizes thus come to the sharpness of those that the corrector has learned from.
    """
    crop = aligned_crop(points, model, centre, crop_m=PICTURE_M, size=PICTURE_PX)
    return cut(frame, crop), crop


def patches(
    pictures: Iterable[np.ndarray],
    crops: Iterable[Crop],
    frame: HeadFrame,
    model: MorphableModel,
    *,
    margin_px: int = 0,
) -> Patches:
    """The patches of T aligned pictures, with ``margin_px`` more on every side."""
    px = PATCH_PX + 2 * margin_px
    wider = px / PATCH_PX
    seen = list(zip(pictures, crops, strict=True))
    parts = [
        np.stack([
            frame.patch(t, picture, crop, around, width=width * wider, px=px)
            for t, (picture, crop) in enumerate(seen)
        ])
        for around, width in (
            (lm.LIPS, MOUTH_WIDTH), (np.flatnonzero(model.landmark_valid), FACE_WIDTH)
        )
    ]  # fmt: skip
    return Patches(*parts)


def correct(
    frames: np.ndarray,
    points: np.ndarray,
    scores: np.ndarray,
    score_names: Sequence[str],
    camera: Camera,
    model: MorphableModel,
    trusted: np.ndarray,
) -> np.ndarray:
    """Landmarks (T, 478, 2) float32 where the picture says that they are, in pixels of ``camera``.

    Frames that are not trusted get the mean correction of those that are. Points that the open
    model does not have, and all points of another model, come back as they are.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8, which may lie on disk: read one batch at a time
    points : (T, 478, 2) pixels of ``camera``
    scores : (T, S), of the actions ``score_names``
    trusted : (T,) bool, at least one
    """
    corrector, made_for = open_corrector()
    if made_for != model.sha256:
        return points
    centre = face_centre(model)
    scores = in_order(scores, score_names, open_calibration().score_names.tolist())
    looked = (aligned_picture(f, p, model, centre) for f, p in zip(frames, points, strict=True))
    corrections = corrections_of(corrector, looked, points, scores, camera, model, trusted)
    return points.astype(np.float32) + believed(corrections, points, trusted)


def believed(corrections: np.ndarray, points: np.ndarray, trusted: np.ndarray) -> np.ndarray:
    """Of corrections (T, 478, 2) in pixels, what is kept: their mean, and a share of their motion.

    On pictures unlike those learned from (real ones), corrections waver. Up to ``MOST_MOTION``
    their motion is believed; beyond it noise is among it, and the share falls with the fourth
    power. At the 1.3 % of real clips that keeps 0.14 of it, near the 0.21 of the best linear
    estimate of a usual motion of 0.6 % amid noise (Wiener). Frames that are not ``trusted`` (T,)
    get the mean.
    """
    mean = corrections[trusted].mean(0)
    moving = corrections - mean
    seen = motion(corrections[trusted], points[trusted])
    share = 1.0 if seen <= MOST_MOTION else (MOST_MOTION / seen) ** 4
    return (mean + share * moving * trusted[:, None, None]).astype(np.float32)


def motion(corrections: np.ndarray, points: np.ndarray) -> float:
    """How far the lips' corrections (T, 478, 2) go about their mean, in % of the pupils' distance.

    The median over the frames and points of one clip with landmarks ``points`` (T, 478, 2).
    """
    moving = np.linalg.norm(corrections - corrections.mean(0), axis=-1)[:, lm.LIPS]
    return float(np.median(100 * moving / lm.inter_pupil_distance(points)[:, None]))


@torch.no_grad()
def corrections_of(
    corrector: Corrector,
    looked: Iterable[tuple[np.ndarray, Crop]],
    points: np.ndarray,
    scores: np.ndarray,
    camera: Camera,
    model: MorphableModel,
    trusted: np.ndarray,
) -> np.ndarray:
    """How far each point has to go, (T, 478, 2) pixels.

    Parameters
    ----------
    looked : T aligned pictures and their places
    scores : (T, 52) in the calibration's order
    trusted : (T,) bool, the frames whose mean is what the person usually looks like
    """
    pose = start_pose(model, points, camera)
    frame = head_frame(points, pose, camera, model)
    seen = torch.from_numpy(features(points, scores, pose, camera, model))
    looked = iter(looked)
    parts = [slice(start, start + _BATCH) for start in range(0, len(points), _BATCH)]
    looks = []
    for part in parts:
        pictures, crops = zip(*itertools.islice(looked, _BATCH), strict=True)
        mouth, face = (as_tensor(p) for p in patches(pictures, crops, frame.part(part), model))
        looks.append(corrector.look(mouth, face, seen[part]))
    usual = torch.cat(looks)[torch.from_numpy(trusted)].mean(0, keepdim=True)
    corrections = np.zeros(points.shape, np.float32)
    for part, look in zip(parts, looks, strict=True):
        offsets = corrector(look, usual).numpy()
        corrections[part, model.landmark_valid] = -frame.part(part).pixels(offsets)
    return corrections


def as_tensor(pictures: np.ndarray) -> Tensor:
    """(T, 3, px, px) float32 in [0, 1] of (T, px, px, 3) uint8."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
