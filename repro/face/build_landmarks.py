"""Where MediaPipe's 478 points lie on the open face model: detected on renderings of it."""

from dataclasses import replace

import cv2
import numpy as np
from scipy.spatial import cKDTree

from repro.face import landmarks as lm
from repro.face.camera import Camera
from repro.face.light import ambient_light
from repro.face.mesh import mesh_graph, vertex_normals
from repro.face.model import PARTS, MorphableModel
from repro.face.pose import apply_pose
from repro.reconstruct.detect import detect_image
from repro.render.rasterise import rasterise
from repro.render.shade import shade

VIEWS = 40
"""Half of them with the jaw open, which tells the lips apart."""
_SIDE_PX = 512
_JAW_OPEN = 0.5
_DISTANCE_M = 0.75
_LARGEST_SPREAD_M = 0.006
_LARGEST_MISS_PX = 3.0

_TO_68 = (
    [162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389]
    + [71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305]
    + [33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380]
    + [61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87]
)
"""MediaPipe's point for each of the iBUG 68."""


def map_landmarks(model: MorphableModel, *, seed: int) -> MorphableModel:
    """Fill in the model's landmark fields."""
    rng = np.random.default_rng([seed, 3])
    jaw = model.expression_basis[model.expression_names.index("jawOpen")]
    closed = [_hits(model, rng, 0 * jaw, first=k == 0) for k in range(VIEWS // 2)]
    opened = [_hits(model, rng, _JAW_OPEN * jaw, first=k == 0) for k in range(VIEWS // 2)]
    hits = np.stack([h for h in (*closed, *opened) if h is not None])
    wide = model.mean + _JAW_OPEN * jaw
    places = _interpolate(wide, model.triangles, hits)
    middle = np.nanmedian(places, 0)
    spread = np.nanmedian(np.linalg.norm(places - middle, axis=-1), 0)
    seen = np.isfinite(places[..., 0]).mean(0)
    valid = (seen > 0.5) & (spread < _LARGEST_SPREAD_M)
    valid[np.r_[lm.LIPS, lm.EYELIDS, 468:478]] = True
    triangles, weights = _on_surface(model, wide, middle)
    lips = _lip_places(model, wide, closed, opened)
    for point, (triangle, weight) in lips.items():
        triangles[point], weights[point] = triangle, weight
    placed = (wide[model.triangles[triangles]] * weights[..., None]).sum(1)
    skin = model.part_vertices("skin")
    visible = skin[(model.cavity_mask[skin] == 0)]
    nearest = cKDTree(wide[visible]).query(placed[_TO_68])[1]
    return replace(
        model,
        landmark_triangles=triangles.astype(np.int32),
        landmark_barycentrics=weights.astype(np.float32),
        landmark_valid=valid,
        landmark68=visible[nearest].astype(np.int32),
    )


def _hits(model: MorphableModel, rng: np.random.Generator, jaw: np.ndarray, *, first: bool):
    """Triangle and two barycentrics (478, 3) under each detected point, NaN where there is none.

    The first view is the mean face seen straight; None where no face is found.
    """
    vary = 0.0 if first else 1.0
    identity = vary * rng.normal(0, 0.7, 80)
    texture = vary * rng.normal(0, 0.6, 80)
    turn = vary * rng.normal(0, 0.08, 3)
    shape = model.mean + np.tensordot(identity, model.identity_basis, 1) + jaw
    vertices = apply_pose(shape, np.array([*turn, 0, 0, _DISTANCE_M])).astype(np.float32)
    camera = Camera(_SIDE_PX * 2.35, _SIDE_PX / 2, _SIDE_PX / 2, _SIDE_PX, _SIDE_PX)
    light = ambient_light(0.8)
    light[[2, 11, 20]] = -0.25  # some from the front
    light[[1, 10, 19]] = 0.12  # some from above
    raster = rasterise(vertices, model.triangles, camera)
    normals = vertex_normals(vertices, model.triangles)
    image, mask = shade(raster, model.triangles, model.albedo(texture), normals, light)
    image[~mask] = 0.45
    smooth = cv2.GaussianBlur((image * 255).astype(np.uint8), (0, 0), 0.7)
    points = detect_image(smooth)
    if points is None:
        return None
    found = np.full((lm.COUNT, 3), np.nan)
    part = np.asarray(PARTS)[model.part]
    cavity = (model.cavity_mask[model.triangles] > 0).any(1)
    skin = (part == "skin") & ~cavity
    eyes = np.isin(part, ["left_eye", "right_eye"])
    iris = np.arange(lm.COUNT) >= lm.RIGHT_PUPIL
    for kind, of_kind in ((skin, ~iris), (eyes, iris)):
        rows, columns = np.nonzero((raster.triangle >= 0) & kind[np.maximum(raster.triangle, 0)])
        tree = cKDTree(np.stack([columns + 0.5, rows + 0.5], 1))
        distance, nearest = tree.query(points[of_kind])
        i, j = rows[nearest], columns[nearest]
        hit = np.stack([raster.triangle[i, j], *raster.barycentric[i, j, :2].T], 1).astype(float)
        hit[distance > _LARGEST_MISS_PX] = np.nan
        found[of_kind] = hit
    return found


def _interpolate(vertices: np.ndarray, triangles: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Places (..., 3) on a mesh of hits (..., 3); NaN stays NaN."""
    good = np.isfinite(hits[..., 0])
    corner = vertices[triangles[np.where(good, hits[..., 0], 0).astype(int)]]
    u, v = hits[..., 1], hits[..., 2]
    return (corner * np.stack([u, v, 1 - u - v], -1)[..., None]).sum(-2)


def _on_surface(
    model: MorphableModel, vertices: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest triangle (478,) and barycentrics (478, 3): irises on the eyes, the rest on skin."""
    from trimesh.triangles import closest_point, points_to_barycentric

    part = np.asarray(PARTS)[model.part]
    cavity = (model.cavity_mask[model.triangles] > 0).any(1)
    triangles, weights = np.zeros(len(places), int), np.zeros((len(places), 3))
    for point, at in enumerate(places):
        iris = point >= lm.RIGHT_PUPIL
        allowed = np.isin(part, ["left_eye", "right_eye"]) if iris else (part == "skin") & ~cavity
        candidates = np.nonzero(allowed)[0]
        corners = vertices[model.triangles[candidates]].astype(np.float64)
        near = np.argsort(np.linalg.norm(corners.mean(1) - at, axis=1))[:30]
        on = closest_point(corners[near], np.repeat(at[None], len(near), 0))
        best = np.linalg.norm(on - at, axis=1).argmin()
        triangles[point] = candidates[near[best]]
        weights[point] = points_to_barycentric(corners[near[best]][None], on[best][None])[0]
    return triangles, np.clip(weights, 0, 1) / np.clip(weights, 0, 1).sum(1, keepdims=True)


def _lip_places(model: MorphableModel, wide: np.ndarray, closed: list, opened: list) -> dict:
    """Inner-lip points: where one place of the lip serves the closed and the open mouth best.

    Seen closed, a point lies on the line between the lips; seen open, on the lip's inner edge.
    The place sought is the one on the right lip whose distances to both, in the image plane, are
    least.
    """
    jaw = np.linalg.norm(wide - model.mean, axis=1)
    rings = mesh_graph(model.triangles, len(model.mean))
    near_lips = rings @ (rings @ (rings @ model.lip_mask)) > 0
    skin = np.zeros(len(model.mean), bool)
    skin[model.part_vertices("skin")] = True
    lip_triangles = (near_lips & skin)[model.triangles].all(1)
    centre = np.full(3, 1 / 3)
    corner_like = np.array([[0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.2, 0.2, 0.6]])
    samples = np.vstack([centre, corner_like])
    candidates = np.repeat(np.nonzero(lip_triangles)[0], len(samples))
    weights = np.tile(samples, (lip_triangles.sum(), 1))

    def at(vertices: np.ndarray) -> np.ndarray:
        return (vertices[model.triangles[candidates]] * weights[..., None]).sum(1)

    lower = (jaw[model.triangles[candidates]] * weights).sum(1) > 0.25 * jaw.max()
    shut, gaping = at(model.mean), at(wide)
    seen_shut = _interpolate(
        model.mean, model.triangles, np.stack([h for h in closed if h is not None])
    )
    seen_open = _interpolate(wide, model.triangles, np.stack([h for h in opened if h is not None]))
    chosen = {}
    for pair in lm.INNER_LIP_PAIRS:
        for point, on_lower in zip(pair, (False, True), strict=True):
            cost = np.zeros(len(candidates))
            for place, seen in ((shut, seen_shut), (gaping, seen_open)):
                target = np.nanmedian(seen[:, point, :2], 0)
                cost += ((place[:, :2] - target) ** 2).sum(1)
            # Of places that look alike from the front, the foremost is the one seen.
            cost += 0.05 * (shut[:, 2] - shut[:, 2].min()) ** 2
            cost[lower != on_lower] = np.inf
            best = int(cost.argmin())
            chosen[int(point)] = (int(candidates[best]), weights[best])
    return chosen
