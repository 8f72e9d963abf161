"""Gauss-Newton on a face over time: projections with their derivatives, and the banded solve.

The unknowns of a frame are its expression (64) and pose (6). Frames are tied to each other only
by smoothness, so that the normal equations of a clip are banded and solved exactly.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.linalg import solveh_banded

from repro.face.camera import Camera
from repro.face.coefficients import EXPRESSION, POSE
from repro.face.pose import rotation_matrix

UNKNOWNS = EXPRESSION + POSE


class Projection(NamedTuple):
    """Where points of the face are seen, and how that changes.

    xy      (T, L, 2) pixels
    by_model (T, L, 2, 3) derivative by the point's place in model space
    by_pose (T, L, 2, 6) derivative by pitch, yaw, roll, translation
    """

    xy: torch.Tensor
    by_model: torch.Tensor
    by_pose: torch.Tensor


def project(shape: torch.Tensor, pose: torch.Tensor, camera: Camera) -> Projection:
    """Project model-space points (T, L, 3) with pose (T, 6), with the derivatives."""
    rotation = rotation_matrix(pose[:, :3])
    turned = shape @ rotation.transpose(1, 2)
    seen = turned + pose[:, None, 3:]
    depth = seen[..., 2]
    by_camera = shape.new_zeros(*shape.shape[:2], 2, 3)
    by_camera[..., 0, 0] = by_camera[..., 1, 1] = camera.focal_px / depth
    by_camera[..., 2] = -camera.focal_px * seen[..., :2] / depth[..., None] ** 2
    axes = _axes(pose)
    turning = torch.cross(axes[:, None], turned[:, :, None].expand(-1, -1, 3, -1), dim=-1)
    by_pose = torch.cat([by_camera @ turning.transpose(2, 3), by_camera], -1)
    return Projection(camera.project(seen), by_camera @ rotation[:, None], by_pose)


def _axes(pose: torch.Tensor) -> torch.Tensor:
    """Axes (T, 3, 3) about which pitch, yaw and roll turn the head, in camera space."""
    cy, sy = pose[:, 1].cos(), pose[:, 1].sin()
    cr, sr = pose[:, 2].cos(), pose[:, 2].sin()
    nought = torch.zeros_like(cy)
    pitch = torch.stack([cr * cy, sr * cy, -sy], -1)
    yaw = torch.stack([-sr, cr, nought], -1)
    roll = torch.stack([nought, nought, nought + 1], -1)
    return torch.stack([pitch, yaw, roll], 1)


def by_unknowns(seen: Projection, basis: torch.Tensor) -> torch.Tensor:
    """Derivative (T, L, 2, 70) of points by expression and pose; ``basis`` (L, 3, 64)."""
    by_expression = torch.einsum("tlac,lck->tlak", seen.by_model, basis)
    return torch.cat([by_expression, seen.by_pose], -1)


class Normal(NamedTuple):
    """Normal equations of T frames: gram (T, n, n), and moment (T, n) = -J^T r."""

    gram: torch.Tensor
    moment: torch.Tensor

    def __add__(self, other: "Normal") -> "Normal":  # type: ignore[override]
        return Normal(self.gram + other.gram, self.moment + other.moment)


def normal(jacobian: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor) -> Normal:
    """Normal equations of residuals (T, m) with weight (T, m) and derivative (T, m, n)."""
    weighted = jacobian * weight[..., None]
    return Normal(
        weighted.transpose(1, 2) @ jacobian,
        -(weighted.transpose(1, 2) @ residual[..., None])[..., 0],
    )


def bend(x: torch.Tensor) -> torch.Tensor:
    """Second difference over time (T - 2, n)."""
    return x[2:] - 2 * x[1:-1] + x[:-2]


def solve_over_time(
    each: Normal, x: torch.Tensor, stiffness: torch.Tensor, free: torch.Tensor
) -> torch.Tensor:
    """The step (T, n) of Gauss-Newton for frames tied by their second difference.

    Parameters
    ----------
    each : normal equations of each frame by itself
    x : (T, n) where the frames are now
    stiffness : (n,) weight of the squared second difference of each unknown
    free : (T, n) bool, False for unknowns that stay (they lie on a bound)
    """
    frames, n = x.shape
    gram = each.gram.double().numpy().copy()
    pull = each.moment.double().numpy().copy()
    s = stiffness.double().numpy()
    own = np.zeros(frames)
    beside = np.zeros(frames)
    second = np.zeros(frames)
    own[:-2] += 1
    own[1:-1] += 4
    own[2:] += 1
    beside[:-2] -= 2
    beside[1:-1] -= 2
    second[:-2] += 1
    bent = bend(x.double()).numpy()
    force = np.zeros((frames, n))
    force[:-2] += bent
    force[1:-1] -= 2 * bent
    force[2:] += bent
    pull -= force * s
    diagonal = np.arange(n)
    gram[:, diagonal, diagonal] += own[:, None] * s
    open_ = free.numpy().astype(float)
    gram *= open_[:, :, None] * open_[:, None, :]
    gram[:, diagonal, diagonal] += (1 - open_) + 1e-9
    pull *= open_
    band = np.zeros((2 * n + 1, frames, n))
    for column in range(n):
        band[: n - column, :, column] = gram[:, column:, column].T
    band[n, :-1] = (beside[:-1, None] * s) * open_[:-1] * open_[1:]
    band[2 * n, :-2] = (second[:-2, None] * s) * open_[:-2] * open_[2:]
    step = solveh_banded(
        band.reshape(2 * n + 1, -1), pull.ravel(), lower=True, overwrite_ab=True, check_finite=False
    )
    return torch.from_numpy(step.reshape(frames, n)).to(x.dtype)
