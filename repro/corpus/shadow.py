"""Where light cannot reach: ambient occlusion of vertices and a key light's shadow map."""

from dataclasses import dataclass

import numpy as np

from repro.face.camera import Camera
from repro.render.rasterise import rasterise

FAR_M = 20.0
"""Distance of the stand-in for a light at infinity."""
_SKY_PX = 224
"""Side of the depth maps that tell ambient occlusion."""


@dataclass(frozen=True)
class LightView:
    """The scene as a distant light sees it.

    rotation (3, 3) camera space -> light space (z away from the light); centre (3,) metres;
    depth (S, S) float32, metres in light space from the centre, infinity where nothing stands;
    pixels_per_m (float)
    """

    rotation: np.ndarray
    centre: np.ndarray
    depth: np.ndarray
    pixels_per_m: float

    def locate(self, points: np.ndarray) -> np.ndarray:
        """Column, row (pixels) and depth (metres) of camera-space points (..., 3)."""
        seen = (points - self.centre) @ self.rotation.T
        scale = self.pixels_per_m * FAR_M / (FAR_M + seen[..., 2:])
        half = self.depth.shape[0] / 2
        return np.concatenate([seen[..., :2] * scale + half, seen[..., 2:]], -1)


def view_from(
    direction: np.ndarray,
    points: np.ndarray,
    triangles: np.ndarray,
    *,
    centre: np.ndarray,
    extent_m: float,
    size_px: int,
    threads: int = 1,
    cull: bool = False,
) -> LightView:
    """Draw the depth of a scene seen from a direction.

    Parameters
    ----------
    direction : (3,) unit vector towards the light
    points, triangles : (V, 3) metres camera space, (F, 3)
    centre : (3,) the middle of the view; extent_m : its side
    cull : leave out triangles that face away from the light
    """
    rotation = _looking_along(-np.asarray(direction))
    pixels_per_m = size_px / extent_m
    camera = Camera(pixels_per_m * FAR_M, size_px / 2, size_px / 2, size_px, size_px)
    moved = (points - centre) @ rotation.T + np.array([0, 0, FAR_M])
    depth = rasterise(moved, triangles, camera, threads=threads, cull=cull).depth
    return LightView(rotation, np.asarray(centre, float), depth - FAR_M, pixels_per_m)


def _looking_along(forward: np.ndarray) -> np.ndarray:
    """A rotation whose third row is ``forward``."""
    helper = np.array([0.0, 1.0, 0.0]) if abs(forward[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    right = np.cross(helper, forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def ambient_occlusion(
    points: np.ndarray,
    normals: np.ndarray,
    triangles: np.ndarray,
    *,
    directions: int = 48,
    extent_m: float = 0.75,
    bias_m: float = 0.003,
) -> np.ndarray:
    """Share (V,) float32 in [0, 1] of the sky, weighted by the cosine, that each vertex sees.

    The sky is the half of the sphere that a vertex' normal points to.

    Parameters
    ----------
    points, normals, triangles : (V, 3) metres, (V, 3) unit, (F, 3)
    directions : from all around, in which light is looked for
    extent_m : side of the view in each direction; beyond it all is lit as at its border
    bias_m : what hides a vertex is at least so far before it
    """
    centre = points.mean(0)
    seen = np.zeros(len(points))
    total = np.full(len(points), 1e-6)
    for direction in _sphere(directions):
        cosine = normals @ direction
        facing = cosine > 0.02
        view = view_from(
            direction, points, triangles, centre=centre, extent_m=extent_m, size_px=_SKY_PX
        )
        place = view.locate(points + 0.0015 * normals)
        column, row = np.clip(place[:, :2], 0, _SKY_PX - 1).astype(int).T
        lit = place[:, 2] < view.depth[row, column] + bias_m
        total += np.where(facing, cosine, 0)
        seen += np.where(facing & lit, cosine, 0)
    return (seen / total).astype(np.float32)


def _sphere(count: int) -> np.ndarray:
    """Evenly spread unit vectors (count, 3)."""
    k = np.arange(count) + 0.5
    height = 1 - 2 * k / count
    angle = np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), height, ring * np.sin(angle)], 1)
