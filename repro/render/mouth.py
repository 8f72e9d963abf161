"""The colour of a person's teeth and tongue, read from the frames that show them.

Not the paper's, whose model has no inside of the mouth. The open model's teeth have the colour of
teeth in plain light; in a video lips and cheeks shade them, and lip colour shows between them.
"""

import cv2
import numpy as np

from repro.face.landmarks import lip_gap
from repro.face.mesh import vertex_normals
from repro.face.model import MorphableModel
from repro.reconstruct.track import FaceTrack
from repro.render.rasterise import rasterise
from repro.render.region import FaceRegion, part_names
from repro.render.shade import shade

COLOURED_TOGETHER = (("upper_teeth", "lower_teeth"), ("tongue",))
"""Parts of the mouth that share one gain."""

OPEN_FRAMES = 16
"""How many frames, those with the widest open mouths, are looked at."""

FEWEST_PIXELS = 60
"""With fewer pixels of a part in all of them, its colour stays."""


def seen_mouth_albedo(
    model: MorphableModel,
    track: FaceTrack,
    frames: np.ndarray,
    albedo: np.ndarray,
    region: FaceRegion,
) -> np.ndarray:
    """Albedo (V, 3) float32 whose teeth and tongue are as bright and as tinted as in the frames.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8, the first of the track
    albedo : (V, 3) display RGB
    """
    expression = track.coefficients.expression[: len(frames)]
    opening = lip_gap(track.shape_landmarks(model, expression))
    inside = albedo * region.occlusion[:, None]
    widest = np.argsort(-opening)[:OPEN_FRAMES]
    names = part_names(model)
    groups = [np.isin(names, parts) for parts in COLOURED_TOGETHER]
    seen: list[list[np.ndarray]] = [[] for _ in groups]
    drawn: list[list[np.ndarray]] = [[] for _ in groups]
    for t in widest:
        vertices = track.posed(model, expression[t], track.coefficients.pose[t])
        light = track.coefficients.light[t]
        raster = rasterise(vertices, model.triangles, track.camera)
        normals = vertex_normals(vertices, model.triangles)
        image, _ = shade(raster, model.triangles, inside, normals, light)
        for group, real, made in zip(groups, seen, drawn, strict=True):
            shown = (raster.triangle >= 0) & group[raster.triangle]
            core = cv2.erode(shown.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
            real.append(np.asarray(frames[t])[core] / 255)
            made.append(image[core])
    result = np.array(albedo, np.float32)
    for group, real, made in zip(groups, seen, drawn, strict=True):
        if sum(map(len, real)) < FEWEST_PIXELS:
            continue
        gain = np.concatenate(real).mean(0) / (np.concatenate(made).mean(0) + 1e-3)
        vertices_of = np.unique(model.triangles[group])
        result[vertices_of] = np.clip(result[vertices_of] * gain.clip(0.1, 3), 0, 1)
    return result
