"""From coefficients to what can be compared: landmarks, vertices, colours; differentiable."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from repro.face.camera import Camera
from repro.face.light import irradiance
from repro.face.mesh import vertex_normals
from repro.face.model import MEDIAPIPE_OF_68, MorphableModel
from repro.reconstruct.alignment import ray_rotation, rotated_light
from repro.reconstruct.network import (
    EXPRESSION_PART,
    LIGHT_PART,
    TEXTURE_PART,
    clip_pose,
)
from repro.render.rasterise import rasterise

_EPSILON = 1e-9
_FACING = 0.2
"""Cosine between normal and view under which a vertex is not looked at."""
_HIDDEN_M = 0.004
"""A vertex this far behind the nearest surface at its pixel is hidden."""


class Views(NamedTuple):
    """Cameras of B aligned crops of ``size`` pixels: focal (B,), principal (B, 2)."""

    focal: Tensor
    principal: Tensor
    size: int

    def project(self, points: Tensor) -> Tensor:
        """Pixels (B, n, 2) of camera-space points (B, n, 3)."""
        slope = points[..., :2] / points[..., 2:]
        return self.focal[:, None, None] * slope + self.principal[:, None]

    def cameras(self) -> list[Camera]:
        """The same, one by one."""
        places = zip(self.focal.tolist(), self.principal.tolist(), strict=True)
        return [Camera(f, x, y, self.size, self.size) for f, (x, y) in places]


class Decoded(NamedTuple):
    """B faces in their clips' cameras.

    rotation (B, 3, 3); place (B, 3) of the face's centre; landmarks (B, L, 2) pixels;
    light (B, 27) in the clip's axes
    """

    rotation: Tensor
    place: Tensor
    landmarks: Tensor
    light: Tensor


class FaceDecoder(nn.Module):
    """A morphable model as tensors.

    ``points`` (L,) are the landmarks' numbers among the 478. A model on which few of these are
    known (Basel) is judged by its iBUG 68.
    """

    landmark_mean: Tensor
    landmark_basis: Tensor
    mean: Tensor
    basis: Tensor
    texture_mean: Tensor
    texture_basis: Tensor
    skin: Tensor
    triangles: Tensor

    def __init__(self, model: MorphableModel, centre: np.ndarray):
        super().__init__()
        self.model = model
        kept = np.nonzero(model.landmark_valid)[0]
        if len(kept) < len(MEDIAPIPE_OF_68):
            self.points = MEDIAPIPE_OF_68
            corners, weights = model.landmark68[:, None], np.ones((68, 1), np.float32)
        else:
            self.points = kept
            corners = model.triangles[model.landmark_triangles[kept]]
            weights = model.landmark_barycentrics[kept]
        # the vertex nearest to each landmark, whose normal tells which way the face looks there
        self._corner = corners[np.arange(len(corners)), weights.argmax(1)]

        def at(field: np.ndarray) -> np.ndarray:
            return np.einsum("...lkc,lk->...lc", field[..., corners, :], weights)

        shape = np.concatenate([model.identity_basis, model.expression_basis])
        self._keep("landmark_mean", at(model.mean) - centre)
        self._keep("landmark_basis", at(shape).reshape(len(shape), -1))
        self._keep("mean", model.mean - centre)
        self._keep("basis", shape.reshape(len(shape), -1))
        self._keep("texture_mean", model.texture_mean)
        self._keep("texture_basis", model.texture_basis.reshape(len(model.texture_basis), -1))
        self._keep("skin", model.skin_mask)
        triangles = torch.tensor(model.triangles, dtype=torch.int64)
        self.register_buffer("triangles", triangles, persistent=False)

    def _keep(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(name, torch.tensor(array, dtype=torch.float32), persistent=False)

    def pose(self, answers: Tensor, views: Views) -> Decoded:
        """The faces' pose, landmarks and light of the network's answers (B, 257)."""
        rotation, place = clip_pose(answers, *views)
        ray = ray_rotation(*views)
        shape = answers[:, : EXPRESSION_PART.stop] @ self.landmark_basis
        points = self.landmark_mean + shape.reshape(len(answers), -1, 3)
        seen = views.project(points @ rotation.transpose(1, 2) + place[:, None])
        light = rotated_light(answers[:, LIGHT_PART], ray)
        return Decoded(rotation, place, seen, light)

    def vertices(self, answers: Tensor, decoded: Decoded) -> Tensor:
        """Camera-space vertices (B, V, 3) in metres."""
        shape = self.mean + (answers[:, : EXPRESSION_PART.stop] @ self.basis).reshape(
            len(answers), -1, 3
        )
        return shape @ decoded.rotation.transpose(1, 2) + decoded.place[:, None]

    def albedo(self, answers: Tensor) -> Tensor:
        """Albedo (B, V, 3), unclipped."""
        change = answers[:, TEXTURE_PART] @ self.texture_basis
        return self.texture_mean + change.reshape(len(answers), -1, 3)

    def drawn(self, vertices: Tensor, albedo: Tensor, light: Tensor, views: Views):
        """What the faces look like, vertex by vertex.

        Normals and visibility are taken as they are: no gradient goes through them.

        Returns
        -------
        colours (B, V, 3), weights (B, V): the skin's weight where it is in view, and visible
        (B, L): whether the surface faces the camera at the landmarks
        """
        normals, visible, facing = [], [], []
        for points, camera in zip(vertices.detach().cpu().numpy(), views.cameras(), strict=True):
            normals.append(vertex_normals(points, self.model.triangles))
            visible.append(in_view(points, normals[-1], camera, self.model.triangles))
            view = -(points * normals[-1]).sum(1)
            facing.append(view[self._corner] > 0)
        n = torch.from_numpy(np.stack(normals)).to(vertices)
        weights = torch.from_numpy(np.stack(visible)).to(vertices) * self.skin
        seen = torch.from_numpy(np.stack(facing)).to(vertices)
        return albedo * irradiance(n, light), weights, seen

    def painted(self, images: Tensor, vertices: Tensor, colours: Tensor, views: Views) -> Tensor:
        """The faces drawn over their pictures, (B, 3, S, S).

        Which triangle a pixel sees comes from the z-buffer; where it lies on it, and so the
        colour, is differentiable in the vertices as well as in their colours.

        Parameters
        ----------
        images : (B, 3, S, S); vertices (B, V, 3) in camera space; colours (B, V, 3)
        """
        places, drawn = views.project(vertices), []
        cameras = views.cameras()
        for k, points in enumerate(vertices.detach().cpu().numpy()):
            seen = rasterise(points, self.model.triangles, cameras[k]).triangle
            row, column = (torch.from_numpy(i).to(images.device) for i in np.nonzero(seen >= 0))
            corners = self.triangles[torch.from_numpy(seen[seen >= 0]).to(images.device).long()]
            pixel = torch.stack([column, row], 1) + 0.5
            shares = _shares(pixel, places[k][corners])
            colour = (shares[..., None] * colours[k][corners]).sum(1)
            drawn.append(images[k].index_put((_CHANNELS, row, column), colour.T))
        return torch.stack(drawn)


_CHANNELS = torch.arange(3)[:, None]


def _shares(pixel: Tensor, corners: Tensor) -> Tensor:
    """Weights (n, 3), summing to 1, of the corners (n, 3, 2) of image triangles at (n, 2)."""

    def area(a: Tensor, b: Tensor) -> Tensor:
        return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]

    a, b, c = (corners[:, k] - pixel for k in range(3))
    parts = torch.stack([area(b, c), area(c, a), area(a, b)], 1)
    whole = parts.sum(1, keepdim=True)
    return parts / torch.where(whole.abs() < _EPSILON, _EPSILON, whole)


def in_view(
    points: np.ndarray, normals: np.ndarray, camera: Camera, triangles: np.ndarray
) -> np.ndarray:
    """Whether vertices (V, 3) face the camera, lie inside its image and nothing is before them.

    Returns
    -------
    (V,) float32, 0 or 1
    """
    view = -points / np.linalg.norm(points, axis=1, keepdims=True)
    facing = (normals * view).sum(1) > _FACING
    raster = rasterise(points, triangles, camera)
    column, row = np.floor(camera.project(points)).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < camera.width) & (row < camera.height)
    depth = raster.depth[np.clip(row, 0, camera.height - 1), np.clip(column, 0, camera.width - 1)]
    return (facing & inside & (points[:, 2] < depth + _HIDDEN_M)).astype(np.float32)
