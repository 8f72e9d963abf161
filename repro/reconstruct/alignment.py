"""The crop that the coefficient network sees, and the camera that its answers refer to.

The crop (Deng et al. 2019, section 3.1): eyes, tip of the nose and corners of the mouth tell place
and scale of the face (weak perspective, no rotation); the crop is the square of ``crop_m`` metres
about the face's centre, which is an axis-aligned square of the source image.

The network's camera looks straight at the crop's middle, with a focal length of 1015 / 224 of the
crop's side whatever filmed the picture: a crop tells neither where in the image it was taken nor
the true focal length. So the network answers

* angles: the head's rotation relative to the ray through the crop's middle,
* place: the face's centre in that camera, in metres,
* light: in that camera's axes,

and this module moves them to the clip's camera, of focal length f and principal point p in crop
pixels. The face's centre keeps its pixel and its size: z grows by the ratio of the focal lengths.
The rotation becomes R_ray R, where R_ray is the least rotation from the optical axis to the ray
through the crop's middle. Both are exactly undone by ``to_network``.
"""

import numpy as np
import torch
from torch import Tensor

from repro.face.camera import Crop
from repro.face.light import sh_basis
from repro.face.model import MEDIAPIPE_OF_68, MorphableModel

NETWORK_FOCAL = 1015 / 224
"""Focal length of the network's camera, in sides of the crop."""

_EYES = ((36, 39), (42, 45))
_NOSE_TIP, _MOUTH_CORNERS = 30, (48, 54)
"""Of the iBUG 68."""

_SPHERE_POINTS = 48


def face_centre(model: MorphableModel) -> np.ndarray:
    """The point (3,) in model space that stands in the crop's middle: the skin's mean."""
    weight = model.skin_mask[:, None]
    return ((model.mean * weight).sum(0) / weight.sum()).astype(np.float32)


def five_points(points68: np.ndarray) -> np.ndarray:
    """Eyes, tip of the nose, corners of the mouth (..., 5, D) of iBUG points (..., 68, D)."""
    eyes = [points68[..., list(corners), :].mean(-2) for corners in _EYES]
    others = [points68[..., k, :] for k in (_NOSE_TIP, *_MOUTH_CORNERS)]
    return np.stack([*eyes, *others], -2)


def aligned_crop(
    points: np.ndarray, model: MorphableModel, centre: np.ndarray, *, crop_m: float, size: int
) -> Crop:
    """The network's crop of one picture.

    Parameters
    ----------
    points : (478, 2) landmarks in the picture's pixels
    centre : (3,) metres, model space; it comes to stand in the crop's middle
    crop_m : side of the crop at the face, metres
    size : side in pixels
    """
    shape = five_points(model.mean[model.landmark68]) - centre
    seen = five_points(np.asarray(points, np.float64)[MEDIAPIPE_OF_68])
    design = np.column_stack([shape, np.ones(5)])
    affine = np.linalg.lstsq(design, seen, rcond=None)[0]  # 4, 2
    side = crop_m * np.linalg.norm(affine[:3], axis=0).mean()
    left, top = affine[3] - side / 2
    return Crop(float(left), float(top), float(side), size)


def ray_rotation(focal: Tensor, principal: Tensor, size: int) -> Tensor:
    """The least rotation (B, 3, 3) from the optical axis to the ray through the crop's middle.

    Parameters
    ----------
    focal : (B,) pixels of the crop
    principal : (B, 2) pixels of the crop, the camera's principal point
    size : side of the crop in pixels
    """
    slope = (size / 2 - principal) / focal[:, None]
    ray = torch.nn.functional.normalize(torch.cat([slope, torch.ones_like(focal)[:, None]], 1))
    x, y, z = ray.T
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, zero, x, zero, zero, y, -x, -y, zero], 1).reshape(-1, 3, 3)
    return torch.eye(3).to(ray) + cross + cross @ cross / (1 + z)[:, None, None]


def to_clip(
    rotation: Tensor, place: Tensor, focal: Tensor, principal: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """From the network's camera to the clip's; differentiable.

    Parameters
    ----------
    rotation : (B, 3, 3) of the head, place : (B, 3) of the face's centre in metres
    focal, principal, size : see ``ray_rotation``

    Returns
    -------
    rotation (B, 3, 3) and place (B, 3) in the clip's camera
    """
    slope = (size / 2 - principal) / focal[:, None]
    z = place[:, 2:] * (focal[:, None] / (NETWORK_FOCAL * size))
    moved = torch.cat([place[:, :2] + z * slope, z], 1)
    return ray_rotation(focal, principal, size) @ rotation, moved


def to_network(
    rotation: Tensor, place: Tensor, focal: Tensor, principal: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """From the clip's camera to the network's: undoes ``to_clip``."""
    slope = (size / 2 - principal) / focal[:, None]
    z = place[:, 2:]
    near = z * (NETWORK_FOCAL * size / focal[:, None])
    moved = torch.cat([place[:, :2] - z * slope, near], 1)
    return ray_rotation(focal, principal, size).transpose(1, 2) @ rotation, moved


def rotated_light(light: Tensor, rotation: Tensor) -> Tensor:
    """Light (B, 27) turned with rotations (B, 3, 3): its irradiance at R n is the old one at n.

    Exact: a rotation mixes the functions of each band among themselves, so nine numbers read off
    at points all over the sphere are enough to write the turned light in the same functions.
    """
    points = torch.as_tensor(_sphere(), dtype=light.dtype, device=light.device)
    mix = torch.linalg.pinv(sh_basis(points)) @ sh_basis(points @ rotation)  # B, 9, 9
    return (light.reshape(-1, 3, 9) @ mix.transpose(1, 2)).reshape(-1, 27)


def _sphere() -> np.ndarray:
    """Points (n, 3) spread evenly over the unit sphere (a Fibonacci lattice)."""
    k = np.arange(_SPHERE_POINTS) + 0.5
    z = 1 - 2 * k / _SPHERE_POINTS
    turn = np.pi * (1 + np.sqrt(5)) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], 1)
