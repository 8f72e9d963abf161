"""How fast faces are drawn: ``repro bench render``."""

from dataclasses import dataclass

import numpy as np

from repro.bench.timing import median_ms
from repro.face.camera import Camera
from repro.face.coefficients import EXPRESSION, IDENTITY
from repro.face.light import ambient_light
from repro.face.model import MorphableModel, load_open_model
from repro.face.pose import apply_pose
from repro.provenance import machine
from repro.render.rasterisers import installed, rasteriser
from repro.render.shade import render_face

FINE_TRIANGLES = 70_000
"""Triangles of the fine mesh: as many as the Basel model's."""

SLOW_RUNS = 5
"""Timed calls of the rasterisers that take seconds, at most."""

_FOCAL_OVER_IMAGE = 3.0
_DISTANCE_M = 1.05
"""Where a head fills the picture as in the crop that every stage works in."""


def bench_render(
    model: MorphableModel | None = None, *, runs: int = 100, threads: int = 2
) -> dict[str, object]:
    """Times of the rasterisers and of shaded frames, measured one after the other.

    Parameters
    ----------
    model : None takes the open one
    threads : of the rows that use several; the others use one

    Returns
    -------
    "times": a row for each measurement, "geometry" being ids, weights and depth, and "shaded" a
    frame of ``render_face`` with its normals; "times_numba": how many times as long the other
    rasterisers take for the same picture.
    """
    model = model or load_open_model()
    coarse, fine = _mean_head(model), _subdivided(_mean_head(model), FINE_TRIANGLES)
    rows: list[dict[str, object]] = []
    times_numba: dict[str, float] = {}
    for mesh, size in ((coarse, 256), (coarse, 512), (fine, 256), (fine, 512)):
        rows += [_geometry("numba", mesh, size, n, runs) for n in sorted({1, threads})]
    for name in ("embree", "pytorch3d"):
        if installed(name):
            for mesh, ours in ((coarse, rows[0]), (fine, rows[-2 * len({1, threads})])):
                slow = name == "pytorch3d"
                rows.append(_geometry(name, mesh, 256, 1, min(runs, SLOW_RUNS) if slow else runs))
                what = f"{name}, {len(mesh.triangles)} triangles"
                times_numba[what] = round(_median(rows[-1]) / _median(ours), 1)
    for size, samples, n in ((256, 1, 1), (256, 2, 1), (256, 2, threads), (512, 1, 1)):
        rows.append(_shaded(model, size, samples, n, runs))
    return {
        "bench": "render",
        "times": rows,
        "times_numba": times_numba,
        "machine": machine(),
    }


@dataclass(frozen=True)
class _Mesh:
    """points (V, 3) float32, camera space; triangles (F, 3) int32."""

    points: np.ndarray
    triangles: np.ndarray


def _mean_head(model: MorphableModel) -> _Mesh:
    """The mean face, a little turned, before the camera of the crop."""
    neutral = model.vertices(np.zeros(IDENTITY, np.float32), np.zeros(EXPRESSION, np.float32))
    pose = np.array([0.05, 0.2, 0.02, 0.0, 0.05, _DISTANCE_M], np.float32)
    return _Mesh(apply_pose(neutral, pose), model.triangles)


def _subdivided(mesh: _Mesh, count: int) -> _Mesh:
    """The same surface with ``count`` triangles or one more, at least four for each one.

    Every triangle is cut into four at its edges' middles, then some into three at their own.
    """
    points, (a, b, c) = mesh.points, mesh.triangles.T
    pairs = np.sort(np.concatenate([[a, b], [b, c], [c, a]], 1).T, 1)
    edges, number = np.unique(pairs, axis=0, return_inverse=True)
    ab, bc, ca = number.reshape(3, -1) + len(points)
    points = np.concatenate([points, points[edges].mean(1)])
    four = np.concatenate([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]], 1).T
    cut = four[: max(0, -(-(count - len(four)) // 2))]
    middle = np.arange(len(cut)) + len(points)
    x, y, z = cut.T
    three = np.concatenate([[x, y, middle], [y, z, middle], [z, x, middle]], 1).T
    return _Mesh(
        np.concatenate([points, points[cut].mean(1)]).astype(np.float32),
        np.concatenate([four[len(cut) :], three]).astype(np.int32),
    )


def _camera(size_px: int) -> Camera:
    return Camera(_FOCAL_OVER_IMAGE * size_px, size_px / 2, size_px / 2, size_px, size_px)


def _geometry(name: str, mesh: _Mesh, size: int, threads: int, runs: int) -> dict[str, object]:
    draw, camera = rasteriser(name), _camera(size)

    def work():
        return draw(mesh.points, mesh.triangles, camera, threads=threads)

    about = {"what": "geometry", "rasteriser": name, "image_px": size, "threads": threads}
    covered = int((work().triangle >= 0).sum())
    times = median_ms(work, runs=runs, warm_up=min(10, runs))
    return {**about, "triangles": len(mesh.triangles), "covered_px": covered, **times}


def _shaded(
    model: MorphableModel, size: int, samples: int, threads: int, runs: int
) -> dict[str, object]:
    head, light, camera = _mean_head(model), ambient_light(1.0), _camera(size)

    def work() -> object:
        return render_face(
            model, head.points, model.texture_mean, light, camera,
            supersample=samples, threads=threads,
        )  # fmt: skip

    about = {"what": "shaded", "rasteriser": "numba", "image_px": size, "threads": threads}
    about |= {"samples_per_pixel": samples**2, "triangles": len(head.triangles)}
    return {**about, **median_ms(work, runs=runs, warm_up=min(10, runs))}


def _median(row: dict[str, object]) -> float:
    return float(row["ms_median"])  # type: ignore[arg-type]
