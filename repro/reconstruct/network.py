"""The coefficient network: an aligned face -> 257 coefficients in one pass.

Yi et al. 2020, section 3.1, take it from Deng et al. 2019, "Accurate 3D Face Reconstruction with
Weakly-Supervised Learning": a ResNet with seven linear heads. What it sees and what its pose
refers to is written down in ``repro.reconstruct.alignment``.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from repro.fabric import channels_last
from repro.face.camera import Camera, Crop
from repro.face.coefficients import EXPRESSION, IDENTITY, SIZE, TEXTURE, Coefficients
from repro.face.light import ambient_light
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose, euler_angles, rotation_matrix
from repro.reconstruct.alignment import (
    NETWORK_FOCAL,
    aligned_crop,
    face_centre,
    ray_rotation,
    rotated_light,
    to_clip,
)
from repro.reconstruct.calibration import shift_of
from repro.reconstruct.confidence import trusted
from repro.reconstruct.crop import cut
from repro.reconstruct.detect import Detection
from repro.reconstruct.network_settings import ReconstructNetworkSettings
from repro.reconstruct.resnet import trunk
from repro.reconstruct.track import FaceTrack, residual

HEADS = (IDENTITY, EXPRESSION, TEXTURE, 3, 27, 2, 1)
"""Identity, expression, texture, angles, light, place across the image, place along the view."""

IDENTITY_PART, EXPRESSION_PART, TEXTURE_PART = slice(0, 80), slice(80, 144), slice(144, 224)
ANGLES_PART, LIGHT_PART, PLACE_PART = slice(224, 227), slice(227, 254), slice(254, 257)

_ACTIONS = 52
_SPREAD, _PLACE_SPREAD_M = 0.2, 0.05
"""Of expression, angles (radians) and light, and of the place, where no data tell it."""
_BATCH = 32


class CoefficientNetwork(nn.Module):
    """Trunk and heads; the parameters are named as in Deng et al.'s published PyTorch weights.

    What the heads say is multiplied by ``scale`` (257,) and added to ``mean`` (257,): the spread
    and mean of the coefficients learned from, or the change from another convention to ours.
    ``centre`` (3,) is the point in model space whose place the network tells.
    """

    mean: Tensor
    scale: Tensor
    centre: Tensor

    def __init__(self, settings: ReconstructNetworkSettings, centre: np.ndarray):
        super().__init__()
        self.settings = settings
        self.backbone = trunk(
            settings.block, settings.layers, width=settings.width, pooled=settings.pooled
        )
        channels_last(self.backbone)
        heads = [nn.Conv2d(self.backbone.dim, count, settings.pooled) for count in HEADS]
        self.final_layers = nn.ModuleList(heads)
        for parameter in self.final_layers.parameters():
            nn.init.zeros_(parameter)
        mean, scale = torch.zeros(SIZE), torch.ones(SIZE)
        mean[-1] = NETWORK_FOCAL * settings.crop_m
        mean[LIGHT_PART] = torch.from_numpy(ambient_light())
        for part in (EXPRESSION_PART, ANGLES_PART, LIGHT_PART):
            scale[part] = _SPREAD
        scale[PLACE_PART] = _PLACE_SPREAD_M
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.register_buffer("centre", torch.as_tensor(centre, dtype=torch.float32))

    @classmethod
    def untrained(
        cls, model: MorphableModel, settings: ReconstructNetworkSettings, *, seed: int
    ) -> "CoefficientNetwork":
        """A network with random weights that answers with the mean face."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(settings, face_centre(model))

    def forward(self, images: Tensor) -> Tensor:
        """Coefficients of aligned faces, in the network's own camera.

        Parameters
        ----------
        images : (B, 3, S, S) float32 in [0, 1], S = ``settings.input_px``

        Returns
        -------
        (B, 257) float32, as ``Coefficients.vectors``, but with the face's centre in place of the
        translation: see ``repro.reconstruct.alignment``
        """
        features = self.backbone(images.contiguous(memory_format=torch.channels_last))
        said = torch.cat([head(features).flatten(1) for head in self.final_layers], 1)
        return self.mean + self.scale * said.float()


def clip_pose(answers: Tensor, focal: Tensor, principal: Tensor, size: int):
    """Rotation (B, 3, 3) and place (B, 3) of the face's centre in the clip's camera.

    Parameters
    ----------
    answers : (B, 257) of the network
    focal, principal, size : see ``alignment.ray_rotation``
    """
    rotation = rotation_matrix(answers[:, ANGLES_PART])
    return to_clip(rotation, answers[:, PLACE_PART], focal, principal, size)


def to_camera(
    answers: Tensor, cameras: Sequence[Camera], centre: Tensor, model: MorphableModel
) -> np.ndarray:
    """The package's coefficients (B, 257) float32 of the network's answers.

    Parameters
    ----------
    answers : (B, 257) of the network
    cameras : B, of the clip, each in the pixels of its aligned crop
    centre : (3,) of the network
    """
    focal = torch.tensor([c.focal_px for c in cameras], dtype=torch.float64)
    principal = torch.tensor([(c.cx, c.cy) for c in cameras], dtype=torch.float64)
    size = cameras[0].width
    answers = answers.detach().cpu().double()
    rotation, place = clip_pose(answers, focal, principal, size)
    vectors = answers.clone()
    vectors[:, ANGLES_PART] = torch.from_numpy(euler_angles(rotation.numpy()))
    ray = ray_rotation(focal, principal, size)
    vectors[:, LIGHT_PART] = rotated_light(answers[:, LIGHT_PART], ray)
    vectors[:, PLACE_PART] = place - rotation @ centre.cpu().double()
    if "jawOpen" in model.expression_names:  # the open model's actions go from 0 to 1
        vectors[:, EXPRESSION_PART][:, :_ACTIONS].clamp_(0, 1)
    return vectors.float().numpy()


@torch.no_grad()
def predict(
    network: CoefficientNetwork,
    frames: Iterable[np.ndarray],
    points: np.ndarray,
    camera: Camera,
    model: MorphableModel,
) -> np.ndarray:
    """Coefficients of every frame by itself; ``predict_clip`` makes them one person's.

    Parameters
    ----------
    network : trained for ``model``
    frames : T pictures (H, W, 3) uint8 RGB, read one batch at a time
    points : (T, 478, 2) float32 landmarks in their pixels
    camera : of those pixels

    Returns
    -------
    (T, 257) float32, as ``Coefficients.vectors``: pose and light in ``camera``'s axes
    """
    device = next(network.parameters()).device
    settings, centre = network.settings, network.centre.cpu().numpy()
    was_training = network.training
    network.eval()
    done: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    cameras: list[Camera] = []

    def answer() -> None:
        images = torch.from_numpy(np.stack(faces)).to(device).permute(0, 3, 1, 2).float() / 255
        done.append(to_camera(network(images), cameras, network.centre, model))
        faces.clear()
        cameras.clear()

    for frame, seen in zip(frames, points, strict=True):
        crop = aligned_crop(seen, model, centre, crop_m=settings.crop_m, size=settings.input_px)
        faces.append(cut(frame, crop))
        cameras.append(camera.seen_through(crop))
        if len(faces) == _BATCH:
            answer()
    if faces:
        answer()
    network.train(was_training)
    return np.concatenate(done) if done else np.zeros((0, SIZE), np.float32)


def predict_clip(
    network: CoefficientNetwork,
    frames: Iterable[np.ndarray],
    points: np.ndarray,
    camera: Camera,
    model: MorphableModel,
) -> Coefficients:
    """Coefficients of one person's clip: identity and texture are their median over the frames.

    Parameters as ``predict``'s; at least one frame.
    """
    vectors = predict(network, frames, points, camera, model)
    for part in (IDENTITY_PART, TEXTURE_PART):
        vectors[:, part] = np.median(vectors[:, part], axis=0)
    return Coefficients.from_vectors(vectors)


def network_track(
    network: CoefficientNetwork,
    found: Detection,
    images: np.ndarray,
    camera: Camera,
    crop: Crop,
    model: MorphableModel,
) -> FaceTrack:
    """A clip's track from the network alone, in place of ``reconstruct.fit_track``.

    Parameters
    ----------
    found : landmarks in source pixels
    images : (T, S, S, 3) uint8, the clip's square crop
    camera : of its pixels
    crop : where it lies in the source
    """
    points = crop.to_crop(found.points).astype(np.float32)
    c = predict_clip(network, images, points, camera, model)
    shape = model.landmarks(model.vertices(c.identity, c.expression))
    sure, heads = trusted(found.confidence), apply_pose(shape, c.pose)
    apart = points - camera.project(heads)
    shift = shift_of(apart[sure], heads[sure], c.pose[sure], camera).astype(np.float32)
    return FaceTrack(
        landmarks=points,
        found=found.found,
        confidence=found.confidence,
        coefficients=c,
        shape_offset=np.zeros_like(model.mean),
        landmark_shift=shift,
        camera=camera,
        crop=crop,
        residual=residual(points, shape + shift, c.pose, camera)[:, model.landmark_valid],
        people=found.people,
    )
