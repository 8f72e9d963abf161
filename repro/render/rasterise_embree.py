"""The oracle of rasterisers: embree's rays, one through the centre of every pixel.

Embree answers in float32 and knows no order between triangles at the same depth, so along edges
and between coincident triangles it may name a neighbour. For tests and benches.
"""

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from repro.face.camera import Camera
from repro.render.rasterise import NEAR_M, Raster, check_mesh, empty_raster, frame_of


def rasterise_embree(
    points: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    *,
    threads: int = 1,
    cull: bool = False,
) -> Raster:
    """As ``repro.render.rasterise.rasterise``; ``threads`` is not used."""
    points = np.asarray(points, np.float64)
    triangles = np.ascontiguousarray(triangles, np.int32)
    check_mesh(points, triangles)
    batch = points if points.ndim == 3 else points[None]
    raster = empty_raster(len(batch), camera)
    rays = pixel_rays(camera)
    for k, own in enumerate(batch):
        kept = np.flatnonzero(_drawable(own[triangles], cull))
        if len(kept):
            _cast(own, triangles[kept], kept, rays, frame_of(raster, k))
    return raster if points.ndim == 3 else frame_of(raster, 0)


def pixel_rays(camera: Camera) -> np.ndarray:
    """Directions (H * W, 3) of the rays through the pixels' centres; z is 1."""
    i, j = np.mgrid[: camera.height, : camera.width].reshape(2, -1)
    x, y = j + 0.5 - camera.cx, i + 0.5 - camera.cy
    return np.stack([x / camera.focal_px, y / camera.focal_px, np.ones(len(i))], 1)


def _drawable(corners: np.ndarray, cull: bool) -> np.ndarray:
    """Bool (F,): triangles (F, 3, 3) that have an area and, if culled, face the camera."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = (normal * corners[:, 0]).sum(1)
    sound = np.isfinite(corners).all((1, 2)) & normal.any(1)
    return sound & (away < 0) if cull else sound


def _cast(points, triangles, numbers, rays, raster: Raster) -> None:
    """Fill a raster of one image; ``numbers``: of the triangles."""
    scene = EmbreeScene()
    TriangleMesh(scene, points[triangles].astype(np.float32))
    start = (NEAR_M * rays).astype(np.float32)
    hit = scene.run(start, rays.astype(np.float32), query="INTERSECT", output=True)
    pixels = np.flatnonzero(hit["primID"] >= 0)
    v, w = hit["u"][pixels], hit["v"][pixels]
    raster.triangle.reshape(-1)[pixels] = numbers[hit["primID"][pixels]]
    raster.barycentric.reshape(-1, 3)[pixels] = np.stack([1 - v - w, v, w], 1)
    raster.depth.reshape(-1)[pixels] = NEAR_M + hit["tfar"][pixels]
