"""The 3D-aware module: one frame as a mesh, seen in other poses (Chen et al. 2020, section 4.1).

The paper's mesh comes from a position-map network; here it is the reconstruction's face, whose
texture is the frame itself. A rigid head motion h is the package's pose: ``camera = R model + t``.
The paper's (R, T) leads the other way, from the camera to a canonical head:
``R_paper = R^-1``, ``T_paper = -R^-1 t``.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from repro.face.camera import Camera
from repro.face.mesh import vertex_normals
from repro.face.pose import rotation_matrix
from repro.render.rasterise import Raster, rasterise

_DEPTH_TOLERANCE_M = 0.008
"""What lies no farther than this behind the nearest surface of the frame is seen in it."""
_GRAZING_COS = 0.12
"""Surfaces seen flatter than this carry the colour of what is beside them, and count as hidden."""


@dataclass(frozen=True)
class Mesh:
    """A head as one frame shows it.

    vertices   (V, 3) float32, metres, camera space at that frame
    points     (68, 3) float32, metres, the landmarks in the same space
    triangles  (F, 3) int32
    frame      (S, S, 3) uint8, its texture
    pose       (6,) radians and metres, the frame's
    camera     of the frame's pixels
    """

    vertices: np.ndarray
    points: np.ndarray
    triangles: np.ndarray
    frame: np.ndarray
    pose: np.ndarray
    camera: Camera

    @cached_property
    def seen(self) -> Raster:
        """What the frame's own pixels see."""
        return rasterise(self.vertices, self.triangles, self.camera)

    @cached_property
    def facing(self) -> np.ndarray:
        """Cosine (V,) between the vertices' normals and the direction to the camera."""
        sight = -self.vertices / np.linalg.norm(self.vertices, axis=1, keepdims=True)
        return (vertex_normals(self.vertices, self.triangles) * sight).sum(1).astype(np.float32)


@dataclass(frozen=True)
class Projected:
    """A mesh seen in another pose.

    image      (S, S, 3) uint8, black where nothing is known
    coverage   (S, S) uint8, 255 where the frame shows what stands here, else 0
    landmarks  (68, 2) float32 pixels, the mesh's own in the new pose
    """

    image: np.ndarray
    coverage: np.ndarray
    landmarks: np.ndarray


def moved(points: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Chen et al. 2020, Eq. 1: where points of a rigid head are at another moment.

    Parameters
    ----------
    points : (..., 3) metres, camera space at pose ``before``
    before, after : (6,) radians and metres

    Returns
    -------
    (..., 3) metres, camera space at pose ``after``
    """
    first, second = (rotation_matrix(np.asarray(p, np.float64)[:3]) for p in (before, after))
    return (points - before[3:]) @ (second @ first.T).T + after[3:]


def project(mesh: Mesh, pose: np.ndarray) -> Projected:
    """The mesh as it looks with the head in another pose (6,) and with the expression it has.

    Each pixel finds its place on the surface, that place's pixel in the mesh's frame, and takes
    its colour. What the frame hides, or shows too flat, stays empty.
    """
    raster = rasterise(moved(mesh.vertices, mesh.pose, pose), mesh.triangles, mesh.camera)
    covered = raster.triangle >= 0
    corners = mesh.triangles[raster.triangle[covered]]
    weights = raster.barycentric[covered][..., None]
    source = (mesh.vertices[corners] * weights).sum(1)  # (n, 3) camera space at the frame
    facing = (mesh.facing[corners] * weights[..., 0]).sum(1)
    xy = mesh.camera.project(source).astype(np.float32)
    known = (facing > _GRAZING_COS) & _nearest(source, xy, mesh)
    place = np.full((*covered.shape, 2), -2, np.float32)  # outside of the frame
    place[covered] = np.where(known[:, None], xy - 0.5, -2)
    columns, rows = np.ascontiguousarray(place.transpose(2, 0, 1))
    image = np.asarray(cv2.remap(mesh.frame, columns, rows, cv2.INTER_LINEAR))
    coverage = np.zeros(covered.shape, np.uint8)
    coverage[covered] = 255 * known
    image[coverage == 0] = 0
    landmarks = mesh.camera.project(moved(mesh.points, mesh.pose, pose))
    return Projected(image, coverage, landmarks.astype(np.float32))


def _nearest(source: np.ndarray, xy: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Bool (n,): places within the frame with nothing in front of them there."""
    column, row = np.floor(xy).astype(int).T
    height, width = mesh.seen.depth.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    found = inside.copy()
    depth = mesh.seen.depth[row[inside], column[inside]]
    found[inside] = source[inside, 2] <= depth + _DEPTH_TOLERANCE_M
    return found


def matching_costs(wanted: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Chen et al. 2020, Eq. 2: squared distances of head motions.

    Parameters
    ----------
    wanted : (..., 6) poses, radians and metres
    references : (K, 6)

    Returns
    -------
    (..., K); the matched frame has the least
    """
    difference = np.asarray(wanted)[..., None, :] - np.asarray(references)
    return (difference**2).sum(-1)


def harder_match(costs: np.ndarray, rng: np.random.Generator) -> int:
    """Any of the references but the one with the least of the costs (K,); with one alone, it."""
    ranked = np.argsort(costs)
    return int(rng.choice(ranked[1:])) if len(ranked) > 1 else int(ranked[0])
