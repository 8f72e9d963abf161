"""pytorch3d's rasteriser under this package's conventions: on a GPU too, and differentiable.

pytorch3d is optional and comes without wheels for most machines; this module alone imports it.
It works in float32: along edges it may name a neighbouring triangle.
"""

from dataclasses import dataclass

import numpy as np
import torch
from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
from pytorch3d.structures import Meshes

from repro.face.camera import Camera
from repro.render.rasterise import NEAR_M, Raster, check_mesh, frame_of


@dataclass(frozen=True)
class TensorRaster:
    """``Raster`` of a batch as tensors on the points' device.

    triangle (B, H, W) int64; barycentric (B, H, W, 3) and depth (B, H, W) carry gradients
    """

    triangle: torch.Tensor
    barycentric: torch.Tensor
    depth: torch.Tensor


def rasterise_pytorch3d(
    points: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    *,
    threads: int = 1,
    cull: bool = False,
) -> Raster:
    """As ``repro.render.rasterise.rasterise``, on a GPU where there is one."""
    points = np.asarray(points, np.float32)
    triangles = np.asarray(triangles)
    check_mesh(points, triangles)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch = torch.from_numpy(points if points.ndim == 3 else points[None]).to(device)
    with torch.no_grad():
        seen = rasterise_tensors(batch, torch.from_numpy(triangles).to(device), camera, cull=cull)
    raster = Raster(
        seen.triangle.cpu().numpy().astype(np.int32),
        seen.barycentric.cpu().numpy(),
        seen.depth.cpu().numpy(),
    )
    return raster if points.ndim == 3 else frame_of(raster, 0)


def rasterise_tensors(
    points: torch.Tensor, triangles: torch.Tensor, camera: Camera, *, cull: bool = False
) -> TensorRaster:
    """The nearest triangle at every pixel; weights and depth are differentiable in the points.

    Parameters
    ----------
    points : (B, V, 3) float32, metres, camera space
    triangles : (F, 3) integers
    camera : of every image of the batch
    cull : leave out triangles that face away
    """
    count, faces = len(points), len(triangles)
    meshes = Meshes(_normalised(points, camera), triangles.expand(count, faces, 3).long())
    cut = bool((points[..., 2] < NEAR_M).any())
    numbers, depth, weights, _ = rasterize_meshes(
        meshes,
        (camera.height, camera.width),
        faces_per_pixel=1,
        perspective_correct=True,
        cull_backfaces=cull,
        z_clip_value=NEAR_M if cut else None,
    )
    triangle, seen = numbers[..., 0], numbers[..., 0] >= 0
    first = faces * torch.arange(count, device=points.device)[:, None, None]
    return TensorRaster(
        torch.where(seen, triangle - first, -1),
        torch.where(seen[..., None], weights[..., 0, :], 0.0),
        torch.where(seen, depth[..., 0], torch.inf),
    )


def _normalised(points: torch.Tensor, camera: Camera) -> torch.Tensor:
    """Points as pytorch3d wants them: x left, y up, 1 at the shorter side's edge; z stays."""
    z = points[..., 2]
    z = torch.where(z.abs() < 1e-9, torch.full_like(z, 1e-9), z)
    half = min(camera.width, camera.height) / 2
    x = camera.focal_px * points[..., 0] / z + (camera.cx - camera.width / 2)
    y = camera.focal_px * points[..., 1] / z + (camera.cy - camera.height / 2)
    return torch.stack([-x / half, -y / half, z], -1)
