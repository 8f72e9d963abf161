"""Times of the parts whose speed matters, each with its command: ``repro bench NAME``."""

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from repro import FPS
from repro.corpus.plan import GENERAL
from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic import make_corpus
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


def median_ms(
    work: Callable[[], object], *, runs: int = 100, warm_up: int = 10
) -> dict[str, float]:
    """Median, 10th and 90th percentile of a call's time in milliseconds.

    Parameters
    ----------
    work : what is timed; called ``warm_up`` times before
    runs : timed calls
    """
    for _ in range(warm_up):
        work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    low, high = np.percentile(times, [10, 90])
    return {
        "ms_median": round(statistics.median(times), 3),
        "ms_p10": round(float(low), 3),
        "ms_p90": round(float(high), 3),
        "runs": runs,
    }


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


def bench_corpus(*, runs: int = 100, threads: int = 1) -> dict[str, object]:
    """Making the synthetic corpus at 256 x 256 with two processes, their start included.

    Two people speak for ``runs`` x 12 frames each; before, for a quarter of it, which shows whether
    memory grows with a clip's length.

    Parameters
    ----------
    threads : in each process
    """
    made: dict[str, float] = {}
    for name, frames in (("short", 3 * runs), ("long", 12 * runs)):
        settings = CorpusSettings(
            people=3, personal_people=1, general_clips=1, clip_s=max(frames, FPS) / FPS,
            threads=threads,
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            corpus = make_corpus(Path(folder), settings, splits=(GENERAL,))
            seconds = time.perf_counter() - start
        count = sum(round(e.length_s * FPS) for e in corpus.split(GENERAL))
        made[f"{name}_frames"] = count
        made[f"{name}_frames_per_s"] = round(count / seconds, 1)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        made[f"{name}_process_peak_mib"] = round(peak)
    return {"bench": "corpus", "image_px": IMAGE_PX, "processes": 2, "threads": threads,
            **made, "machine": machine()}  # fmt: skip


BENCHES: dict[str, Callable[..., dict[str, object]]] = {
    "rasteriser": bench_rasteriser,
    "renderer": bench_renderer,
    "corpus": bench_corpus,
}


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
