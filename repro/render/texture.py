"""The detailed albedo at the resolution of its frame (Yi et al. 2020, section 3.3).

The paper gives each vertex of a mesh of 36,000 the colour of its pixel. The open model has a
seventh as many, so the frame itself becomes the texture: each vertex remembers where it stood in
the frame with the most neutral expression, and a rendered pixel looks its albedo up there. Where
that frame says little, the per-vertex albedo takes over.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from repro.face.camera import Camera
from repro.face.light import irradiance
from repro.face.mesh import mesh_graph, vertex_normals
from repro.face.model import MorphableModel
from repro.render.albedo import DARKEST_IRRADIANCE, albedo_in_frame
from repro.render.rasterise import rasterise


@dataclass(frozen=True)
class Texture:
    """One frame's albedo and where the vertices stand in it.

    image (H, W, 3) float32  albedo of every pixel, display RGB divided by the irradiance
    place (V, 2) float32     pixel position (x, y) of each vertex
    trust (V,) float32       in [0, 1]: 0 where the per-vertex albedo is to be used instead
    """

    image: np.ndarray
    place: np.ndarray
    trust: np.ndarray


def frame_texture(
    frame: np.ndarray,
    vertices: np.ndarray,
    camera: Camera,
    light: np.ndarray,
    model: MorphableModel,
) -> Texture:
    """Take the albedo of a frame (H, W, 3) uint8 in which the vertices (V, 3) are known.

    Parameters
    ----------
    vertices : metres, camera space
    light : array (27,) of that frame
    """
    _, trust = albedo_in_frame(frame, vertices, camera, light, model)
    # A vertex beside a hidden one would drag a hidden place into its triangles.
    graph = mesh_graph(model.triangles, len(trust))
    hidden_beside = graph @ (trust <= 0).astype(np.float32) > 0
    trust = np.where(hidden_beside, np.minimum(trust, 0.3), trust)
    arriving = irradiance(vertex_normals(vertices, model.triangles), np.asarray(light))
    raster = rasterise(vertices, model.triangles, camera)
    covered = raster.triangle >= 0
    corners = model.triangles[raster.triangle[covered]]
    lit = np.zeros((*covered.shape, 3), np.float32)
    lit[covered] = (arriving[corners] * raster.barycentric[covered][..., None]).sum(1)
    rows, columns = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    lit = np.maximum(lit[rows, columns], DARKEST_IRRADIANCE)
    return Texture(
        (frame / 255 / lit).astype(np.float32),
        camera.project(vertices).astype(np.float32),
        trust.astype(np.float32),
    )
