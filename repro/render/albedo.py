"""The detailed albedo: pixel colours divided by the light (Yi et al. 2020, section 3.3).

The low-frequency albedo is ``model.albedo(texture)``. The detailed one projects the mesh onto a
frame, gives each visible vertex its pixel's colour and divides by the irradiance there. Vertices
that the frame does not show take the colour of their mirror image on the other side of the face,
or else the low-frequency albedo, shifted in colour to meet the vertices around.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from repro.face.camera import Camera
from repro.face.light import irradiance
from repro.face.mesh import mesh_graph, vertex_normals
from repro.face.model import MorphableModel
from repro.render.rasterise import rasterise
from repro.render.region import part_names

SAMPLED_PARTS = ("skin", "left_eye", "right_eye")
"""Parts whose colour is read from the frame; lashes, teeth and tongue stay low-frequency."""

DARKEST_IRRADIANCE = 0.05
"""Less light than this says nothing about albedo."""

DEPTH_TOLERANCE_M = 0.002
"""A vertex this far behind the surface seen at its pixel still counts as on it."""

GRAZING_COS, FACING_COS = 0.25, 0.6
"""Trust in a pixel rises from 0 to 1 between these cosines of normal and line of sight."""

MIRROR_TOLERANCE_M = 0.003
"""How far a vertex of the mean face may lie from the mirror image of its twin."""

MIRROR_TRUST = 0.5
"""Trust in a colour taken from the other side of the face, of 1 for one seen face on."""

HOLD = 10.0
"""How firmly a vertex trusted by half keeps its own colour; each neighbour pulls with 1."""

LARGEST_LOG_RATIO = 1.5
"""Detailed and low-frequency albedo may differ by this much, as a natural logarithm."""


def most_neutral_frame(expression: np.ndarray, pose: np.ndarray) -> int:
    """The frame with the most neutral expression and the smallest rotation angles.

    Minimises the sum of the two norms, each in units of its own root mean square over the clip.

    Parameters
    ----------
    expression : array (T, 64)
    pose : array (T, 6), radians first
    """
    score = np.zeros(len(expression))
    for values in (np.asarray(expression), np.asarray(pose)[:, :3]):
        norm = np.linalg.norm(values, axis=1)
        score += norm / max(np.sqrt((norm**2).mean()), 1e-12)
    return int(score.argmin())


def detailed_albedo(
    frames: Sequence[np.ndarray],
    vertices: np.ndarray,
    camera: Camera,
    light: np.ndarray,
    model: MorphableModel,
    low_frequency: np.ndarray,
    *,
    best_frame: int,
    method: Literal["best", "average"] = "best",
) -> np.ndarray:
    """Albedo with the detail of the video (Yi et al. 2020, section 3.3).

    Parameters
    ----------
    frames : (T, H, W, 3) uint8 RGB, or a sequence of frames
    vertices : array (T, V, 3), metres, camera space
    camera : camera of the frames
    light : array (T, 27)
    model : its triangles, skin mask and mean face (for the mirror)
    low_frequency : array (V, 3), display RGB, for what is never seen
    best_frame : from ``most_neutral_frame``
    method : "best" is the paper's: that frame alone. "average" (beyond the paper) weighs all
        frames given by how squarely they show each vertex: steadier, less sharp.

    Returns
    -------
    (V, 3) float32, at least 0; above 1 where the light is too dark for the pixel
    """
    if method == "best":
        chosen: Iterable[int] = (best_frame,)
    elif method == "average":
        chosen = range(len(vertices))
    else:
        raise ValueError(f"method {method!r} is neither 'best' nor 'average'")
    total = np.zeros((len(low_frequency), 3))
    trust = np.zeros(len(low_frequency))
    for t in chosen:
        colour, weight = albedo_in_frame(frames[t], vertices[t], camera, light[t], model)
        total += weight[:, None] * colour
        trust = trust + weight
    seen = trust > 0
    colour = np.where(seen[:, None], total / np.where(seen, trust, 1)[:, None], 0)
    return fill_hidden(colour, np.minimum(trust, 1), model, low_frequency)


def albedo_in_frame(
    frame: np.ndarray,
    vertices: np.ndarray,
    camera: Camera,
    light: np.ndarray,
    model: MorphableModel,
) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (V, 3) of the vertices that a frame shows, and the trust (V,) in [0, 1] in each.

    Trust is 0 for hidden vertices, for those outside the frame or the face, and for other parts
    than ``SAMPLED_PARTS``.
    """
    normals = vertex_normals(vertices, model.triangles)
    row_column = camera.project(vertices).T[::-1] - 0.5  # to pixel centres at whole numbers
    pixels = np.stack(
        [
            map_coordinates(frame[..., k], row_column, np.float32, 1, mode="nearest")
            for k in range(3)
        ],
        axis=1,
    )
    arriving = irradiance(normals, np.asarray(light))
    colour = pixels / (255 * np.maximum(arriving, DARKEST_IRRADIANCE))
    sight = -vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    facing = ((normals * sight).sum(1) - GRAZING_COS) / (FACING_COS - GRAZING_COS)
    trust = np.clip(facing, 0, 1) * (arriving.min(1) > DARKEST_IRRADIANCE)
    trust *= visible_vertices(vertices, model.triangles, camera) & _sampled(model)
    return colour, trust


def sample_pixels(frame: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Colours (V, 3) float32 of an image (H, W, 3) at image points (V, 2), bilinearly."""
    rows_columns = xy.T[::-1] - 0.5  # pixel centres at whole numbers
    channels = [
        map_coordinates(channel, rows_columns, np.float32, order=1, mode="nearest")
        for channel in np.moveaxis(frame, -1, 0)
    ]
    return np.stack(channels, -1)


def visible_vertices(vertices: np.ndarray, triangles: np.ndarray, camera: Camera) -> np.ndarray:
    """Bool (V,): vertices in the image with nothing in front of them."""
    double = replace(
        camera,
        focal_px=2 * camera.focal_px,
        cx=2 * camera.cx,
        cy=2 * camera.cy,
        width=2 * camera.width,
        height=2 * camera.height,
    )
    raster = rasterise(vertices, triangles, double)
    shown = np.zeros(len(vertices), bool)
    shown[triangles[np.unique(raster.triangle[raster.triangle >= 0])]] = True
    with np.errstate(divide="ignore", invalid="ignore"):
        column, row = np.floor(double.project(vertices)).T
    inside = (column >= 0) & (column < double.width) & (row >= 0) & (row < double.height)
    shown &= inside & (vertices[:, 2] > 0)
    i, j = row[shown].astype(int), column[shown].astype(int)
    shown[shown] = vertices[shown, 2] <= raster.depth[i, j] + DEPTH_TOLERANCE_M
    return shown


def fill_hidden(
    colour: np.ndarray, trust: np.ndarray, model: MorphableModel, low_frequency: np.ndarray
) -> np.ndarray:
    """Complete an albedo known at some vertices.

    Hidden vertices take their mirror image's colour where that is seen. The logarithm of detailed
    over low-frequency albedo is then diffused over the mesh: it is held where trust is high,
    drawn where it is low, and free elsewhere. Patches of which nothing is seen stay low-frequency.

    Parameters
    ----------
    colour : array (V, 3); read where trust > 0
    trust : array (V,) in [0, 1]
    model : its triangles and mean face
    low_frequency : array (V, 3)

    Returns
    -------
    (V, 3) float32
    """
    twin = mirrored_vertices(model)
    borrow = (twin >= 0) & (trust[twin] * MIRROR_TRUST > trust)
    colour, trust = colour.copy(), trust.copy()
    colour[borrow], trust[borrow] = colour[twin[borrow]], MIRROR_TRUST * trust[twin[borrow]]
    base = np.maximum(low_frequency, 1e-3)
    known = trust > 0
    ratio = np.zeros_like(base, np.float64)
    ratio[known] = np.log(np.maximum(colour[known], 1e-3) / base[known])
    ratio = ratio.clip(-LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)

    hold = HOLD * trust / (1.001 - trust)  # 0 where hidden, thousands where seen face on
    smooth = spread_over_mesh(ratio, hold, model.triangles)
    return (base * np.exp(smooth)).astype(np.float32)


def spread_over_mesh(values: np.ndarray, hold: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Values (V, C) carried smoothly from the vertices that hold theirs over the others: (V, C).

    A vertex keeps its own with a weight ``hold`` (V,), and each neighbour's counts 1; patches in
    which nobody holds become 0.
    """
    graph = mesh_graph(triangles, len(values))
    laplacian = diags_array(graph.sum(1)) - graph
    return splu(csc_array(laplacian + diags_array(hold + 1e-6))).solve(hold[:, None] * values)


def mirrored_vertices(model: MorphableModel) -> np.ndarray:
    """Index (V,) of each vertex's twin across the mean face's middle plane, -1 without one."""
    tree = cKDTree(model.mean)
    distance, twin = tree.query(model.mean * np.array([-1, 1, 1], np.float32))
    return np.where(distance <= MIRROR_TOLERANCE_M, twin, -1)


def _sampled(model: MorphableModel) -> np.ndarray:
    """Bool (V,): vertices whose colour may be read from a frame."""
    names = part_names(model)
    sampled = np.zeros(len(model.mean), bool)
    sampled[model.triangles[np.isin(names, SAMPLED_PARTS)]] = True
    skin = np.zeros(len(model.mean), bool)
    skin[model.triangles[names == "skin"]] = True
    return sampled & (~skin | (np.asarray(model.skin_mask) > 0))
