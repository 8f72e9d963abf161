"""The hair that a photo shows, put on the fitted head, which is bald.

How far a person reaches beyond the head's outline says how thick the hair is there; over the rest
of the head, thickness runs on smoothly, to nothing at the face. The strands of the largest patch of
hair in the photo are repeated where the photo shows none.
"""

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates

from repro.face.camera import Camera
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose, rotation_matrix
from repro.render.albedo import spread_over_mesh
from repro.render.rasterise import rasterise
from repro.render.region import part_names
from repro.render.texture import Texture

THICKEST_M = 0.07
"""Hair that reaches farther from the head is not followed."""

STEP_M = 0.001

OUTLINE_COS = 0.3
"""Thickness is read where the way outwards and the line of sight have at most this cosine."""

HOLD = 10.0
"""How firmly a thickness that was read is kept; each neighbour pulls with 1."""


PLAIN = 0.5
"""What the pictures of strands hold where they change nothing, so that they can brighten."""

STRONGEST = 1.8
"""Strands make their surroundings at most this many times as bright, or as dark."""

SMALLEST_PATCH_PX = 4


def outward(vertices: np.ndarray, model: MorphableModel) -> np.ndarray:
    """Unit vectors (V, 3) away from the middle of the skull, and level below it."""
    away = _from_skull(vertices, model)
    away[:, 1] = np.minimum(away[:, 1], 0)
    return away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)


def with_hair(
    vertices: np.ndarray,
    pose: np.ndarray,
    model: MorphableModel,
    camera: Camera,
    *,
    person: np.ndarray,
    head: np.ndarray,
    chin_row: float,
) -> np.ndarray:
    """The fitted head with the hair of a photo: vertices (V, 3), model space, moved outwards.

    Parameters
    ----------
    vertices : (V, 3), model space
    pose : (6,) in the photo
    person : (H, W), more than 0.5 where the photo shows the person
    head : (H, W) bool, where it shows the fitted head
    chin_row : below it are neck and shoulders, which tell nothing
    """
    away = outward(vertices, model)
    wearing = _wearing(model)
    start, way = apply_pose(vertices, pose), away @ rotation_matrix(np.asarray(pose[:3])).T
    sight = start / np.linalg.norm(start, axis=1, keepdims=True)
    read = wearing & (np.abs((way * sight).sum(1)) < OUTLINE_COS)
    read &= camera.project(start)[:, 1] < chin_row
    lengths = np.arange(0, THICKEST_M, STEP_M)
    points = start[read, None] + lengths[:, None] * way[read, None]
    x, y = np.moveaxis(camera.project(points.reshape(-1, 3)).reshape(*points.shape[:2], 2), -1, 0)
    place = np.stack([y, x]) - 0.5
    on_head = map_coordinates(head.astype(np.float32), place, order=0, mode="nearest") > 0
    theirs = map_coordinates(person.astype(np.float32), place, order=0, mode="nearest") > 0.5
    reached = np.logical_and.accumulate(on_head | theirs, axis=1)
    thickness = np.zeros(len(vertices))
    thickness[read] = STEP_M * (reached & ~on_head).sum(1)
    hold = HOLD * (read | ~wearing)
    thickness = spread_over_mesh(thickness[:, None], hold, model.triangles)[:, 0]
    return (vertices + thickness[:, None] * away).astype(np.float32)


def strands(
    picture: np.ndarray,
    person: np.ndarray,
    trust: np.ndarray,
    vertices: np.ndarray,
    pose: np.ndarray,
    model: MorphableModel,
    camera: Camera,
) -> Texture:
    """What hair looks like close up: a texture to multiply a smooth colour by, over ``PLAIN``.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    person : (H, W), more than 0.5 where the photo shows the person
    trust : (V,) in [0, 1], how far the photo itself shows a vertex: there strands are left out
    vertices : (V, 3), model space, with hair
    pose : (6,) in the photo
    """
    posed, scalp = apply_pose(vertices, pose), np.asarray(model.scalp_mask)
    raster = rasterise(posed, model.triangles, camera)
    grows = (scalp[model.triangles[raster.triangle]] * raster.barycentric).sum(-1)
    deep = distance_transform_edt((grows > 0.9) & (person > 0.5))
    i, j = np.unravel_index(deep.argmax(), deep.shape)
    half = int(deep[i, j] / np.sqrt(2))
    if half < SMALLEST_PATCH_PX:
        nothing = np.full((2, 2, 3), PLAIN, np.float32)
        return Texture(nothing, np.zeros((len(vertices), 2), np.float32), np.zeros_like(scalp))
    patch = picture[i - half : i + half, j - half : j + half].astype(np.float32) + 1
    ratio = np.clip(patch / cv2.GaussianBlur(patch, (0, 0), half / 3), 1 / STRONGEST, STRONGEST)
    # Unrolled about the skull: left and right across, from the crown downwards.
    away = _from_skull(vertices, model)
    radius = np.linalg.norm(away, axis=1)
    around = np.arctan2(away[:, 0], -away[:, 2])
    down = np.arccos(np.clip(-away[:, 1] / np.maximum(radius, 1e-6), -1, 1))
    px = camera.focal_px * radius[scalp > 0.5].mean() / posed[:, 2].mean()  # of one radian
    across, below = int(np.ceil(np.pi * px)), int(np.ceil(np.pi * px))
    tiled = np.pad(ratio, ((0, below), (across, across), (0, 0)), "symmetric")
    place = np.stack([px * around + across, px * down], 1)
    return Texture(
        (PLAIN * tiled).astype(np.float32),
        place.astype(np.float32),
        (scalp * (1 - trust)).astype(np.float32),
    )


def _from_skull(vertices: np.ndarray, model: MorphableModel) -> np.ndarray:
    """Vectors (V, 3) from the middle of the skull."""
    scalp = vertices[np.asarray(model.scalp_mask) > 0.5]
    return vertices - (scalp.min(0) + scalp.max(0)) / 2


def _wearing(model: MorphableModel) -> np.ndarray:
    """Bool (V,): skin that hair may cover or hang over: not the face, nor its cavities."""
    skin = np.zeros(len(model.mean), bool)
    skin[model.triangles[part_names(model) == "skin"]] = True
    return skin & (np.asarray(model.skin_mask) == 0) & (np.asarray(model.cavity_mask) == 0)
