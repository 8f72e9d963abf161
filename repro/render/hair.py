"""The hair that a photo shows around the fitted head, as its thickness over the model's skin.

The model is bald. How far a person reaches beyond its outline says how thick the hair is there;
over the rest of the head, thickness runs on smoothly, to nothing at the face.
"""

import numpy as np
from scipy.ndimage import map_coordinates

from repro.face.camera import Camera
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose, rotation_matrix
from repro.render.albedo import spread_over_mesh
from repro.render.region import part_names

THICKEST_M = 0.07
"""Hair that reaches farther from the head is not followed."""

STEP_M = 0.001

OUTLINE_COS = 0.3
"""Thickness is read where the way outwards and the line of sight have at most this cosine."""

HOLD = 10.0
"""How firmly a thickness that was read is kept; each neighbour pulls with 1."""


def outward(vertices: np.ndarray, model: MorphableModel) -> np.ndarray:
    """Unit vectors (V, 3) away from the middle of the skull, and level below it."""
    scalp = vertices[np.asarray(model.scalp_mask) > 0.5]
    away = vertices - (scalp.min(0) + scalp.max(0)) / 2
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


def _wearing(model: MorphableModel) -> np.ndarray:
    """Bool (V,): skin that hair may cover or hang over: not the face, nor its cavities."""
    skin = np.zeros(len(model.mean), bool)
    skin[model.triangles[part_names(model) == "skin"]] = True
    return skin & (np.asarray(model.skin_mask) == 0) & (np.asarray(model.cavity_mask) == 0)
