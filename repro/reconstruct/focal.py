"""What a clip's landmarks say of the camera's focal length."""

import numpy as np

from repro.face.camera import Camera
from repro.face.model import MorphableModel
from repro.reconstruct.fit import Landmarks, misfit
from repro.reconstruct.settings import ReconstructSettings

RATIOS = np.geomspace(0.4, 2.5, 7)
"""Focal lengths tried, over the usual one."""


def estimate_focal(
    landmarks: Landmarks, camera: Camera, model: MorphableModel, settings: ReconstructSettings
) -> Camera:
    """``camera``, whose focal length is the usual one, with the one that the clip tells of.

    The nearer a camera, the larger a nose beside its ears. The focal length is that for which the
    statistical face meets the landmarks best: the vertex of the parabola, over the logarithm,
    through the best of ``RATIOS`` and its neighbours. On twenty synthetic people, filmed with focal
    lengths near the usual one, it was off by 10 % (median) and tended to be short; that a camera
    is far cannot be seen, for beyond two metres faces look alike.
    """
    logs = np.log(RATIOS)
    errors = [misfit(landmarks, _with_focal(camera, r), model, settings) for r in RATIOS]
    best = int(np.clip(np.argmin(errors), 1, len(RATIOS) - 2))
    curve = np.polyfit(logs[best - 1 : best + 2], errors[best - 1 : best + 2], 2)
    vertex = -curve[1] / (2 * curve[0]) if curve[0] > 0 else logs[int(np.argmin(errors))]
    return _with_focal(camera, float(np.exp(np.clip(vertex, logs[0], logs[-1]))))


def _with_focal(camera: Camera, ratio: float) -> Camera:
    return Camera(camera.focal_px * ratio, camera.cx, camera.cy, camera.width, camera.height)
