"""How fast faces are drawn: ``repro bench rasteriser`` and ``repro bench renderer``."""

import numpy as np

from repro.bench.timing import median_ms
from repro.face.camera import Camera
from repro.face.coefficients import EXPRESSION, IDENTITY
from repro.face.light import ambient_light
from repro.face.model import MorphableModel, load_open_model
from repro.face.pose import apply_pose
from repro.provenance import machine
from repro.render.rasterise import rasterise
from repro.render.shade import render_face

IMAGE_PX = 256
_FOCAL_OVER_IMAGE = 3.0
_DISTANCE_M = 1.05
"""Where a head fills the picture as in the crop that every stage works in."""


def bench_rasteriser(
    model: MorphableModel | None = None, *, runs: int = 100, threads: int = 1
) -> dict[str, object]:
    """The rasteriser on the face model at 256 x 256: ids, barycentrics and depth of a frame.

    Parameters
    ----------
    model : None takes the open one
    """
    model, points, camera = _scene(model)
    seen = rasterise(points, model.triangles, camera, threads=threads)
    return _record(
        "rasteriser",
        model,
        threads,
        median_ms(lambda: rasterise(points, model.triangles, camera, threads=threads), runs=runs),
        covered_px=int((seen.triangle >= 0).sum()),
    )


def bench_renderer(
    model: MorphableModel | None = None, *, runs: int = 100, threads: int = 1
) -> dict[str, object]:
    """A whole rendered frame at 256 x 256: normals, rasteriser and shading, one sample a pixel."""
    model, points, camera = _scene(model)
    light = ambient_light(1.0)

    def work() -> object:
        return render_face(model, points, model.texture_mean, light, camera, threads=threads)

    return _record("renderer", model, threads, median_ms(work, runs=runs))


def _scene(model: MorphableModel | None) -> tuple[MorphableModel, np.ndarray, Camera]:
    """The mean face, a little turned, before the camera of the crop: camera-space points (V, 3)."""
    model = model or load_open_model()
    neutral = model.vertices(np.zeros(IDENTITY, np.float32), np.zeros(EXPRESSION, np.float32))
    points = apply_pose(neutral, np.array([0.05, 0.2, 0.02, 0.0, 0.05, _DISTANCE_M], np.float32))
    half = IMAGE_PX / 2
    return model, points, Camera(_FOCAL_OVER_IMAGE * IMAGE_PX, half, half, IMAGE_PX, IMAGE_PX)


def _record(
    name: str, model: MorphableModel, threads: int, times: dict[str, float], **more: object
) -> dict[str, object]:
    return {
        "bench": name,
        "image_px": IMAGE_PX,
        "triangles": len(model.triangles),
        "vertices": len(model.mean),
        "threads": threads,
        **times,
        **more,
        "machine": machine(),
    }
