"""Which triangle each pixel sees: a z-buffer in numba (Yi et al. 2020, section 3.3).

A pixel belongs to the triangle nearest to the camera at the pixel's centre (j + 0.5, i + 0.5);
edges count as inside, and of triangles at the same depth the one with the lower index wins. Edge
functions are exact mirrors of each other across a shared edge, so a closed mesh has no pinholes.
What lies nearer to the camera's plane than ``NEAR_M`` is cut off.

``repro.render.rasterisers`` has the others that keep to the same conventions.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numba
import numpy as np

from repro.face.camera import Camera

NEAR_M = 1e-3
"""Nothing nearer to the camera's plane than this is seen, in metres."""

SPAN_MARGIN_PX = 0.01
"""Pixels this close to an edge are still tested exactly."""


@dataclass(frozen=True)
class Raster:
    """What each pixel of an image, or of a batch of images (B, H, W), sees.

    triangle    (H, W) int32       index of the triangle, -1 where there is none
    barycentric (H, W, 3) float32  weights of its vertices on the surface (perspective-correct),
                                   summing to 1; zeros where there is no triangle
    depth       (H, W) float32     z in metres, infinity where there is no triangle
    """

    triangle: np.ndarray
    barycentric: np.ndarray
    depth: np.ndarray


def rasterise(
    points: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    *,
    threads: int = 1,
    cull: bool = False,
) -> Raster:
    """Find the nearest triangle at every pixel.

    Parameters
    ----------
    points : array (V, 3), metres, camera space; or (B, V, 3) for a batch, an image for each
    triangles : integer array (F, 3), vertex indices
    camera : the camera whose image is filled; H and W are its height and width
    threads : images, or bands of rows, worked on side by side; the result does not depend on it
    cull : leave out triangles whose outward side, ``cross(b - a, c - a)``, faces away

    Returns
    -------
    Raster

    Raises
    ------
    ValueError
        when the shapes are wrong or a triangle names a vertex that does not exist
    """
    points = np.ascontiguousarray(points, np.float64)
    triangles = np.ascontiguousarray(triangles, np.int32)
    check_mesh(points, triangles)
    batch = points if points.ndim == 3 else points[None]
    raster = empty_raster(len(batch), camera)
    inverse_depth = np.zeros(raster.depth.shape, np.float64)
    image = np.empty((*batch.shape[:2], 2), np.float64)
    inverse = np.empty(batch.shape[:2], np.float64)
    for k, own in enumerate(batch):
        _project(own, camera.focal_px, camera.cx, camera.cy, image[k], inverse[k])
    bands = -(-threads // max(len(batch), 1))

    def fill(task: tuple[int, int]) -> None:
        k, band = task
        top, bottom = band * camera.height // bands, (band + 1) * camera.height // bands
        _fill(
            batch[k], image[k], inverse[k], triangles, camera.focal_px, camera.cx, camera.cy,
            top, bottom, cull,
            inverse_depth[k], raster.triangle[k], raster.barycentric[k], raster.depth[k],
        )  # fmt: skip

    tasks = list(product(range(len(batch)), range(bands)))
    if threads == 1:
        for task in tasks:
            fill(task)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, tasks))
    return raster if points.ndim == 3 else frame_of(raster, 0)


def frame_of(raster: Raster, k: int) -> Raster:
    """One image of a batch."""
    return Raster(raster.triangle[k], raster.barycentric[k], raster.depth[k])


def empty_raster(count: int, camera: Camera) -> Raster:
    """``count`` images that see nothing."""
    shape = (count, camera.height, camera.width)
    return Raster(
        np.full(shape, -1, np.int32),
        np.zeros((*shape, 3), np.float32),
        np.full(shape, np.inf, np.float32),
    )


def check_mesh(points: np.ndarray, triangles: np.ndarray) -> None:
    """Refuse what is no mesh, or no batch of meshes, with a ValueError."""
    if points.ndim not in (2, 3) or points.shape[-1] != 3:
        raise ValueError(f"expected points (V, 3) or (B, V, 3), got {points.shape}")
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(f"expected triangles (F, 3), got {triangles.shape}")
    count = points.shape[-2]
    if triangles.size and (triangles.min() < 0 or triangles.max() >= count):
        raise ValueError(f"a triangle names a vertex outside 0..{count - 1}")


@numba.njit(cache=True, nogil=True)
def _project(points, focal, cx, cy, image, inverse):
    """Image points and 1 / z: 0 marks a vertex before the near plane, NaN one that is nowhere."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        if not (np.isfinite(x) and np.isfinite(y) and np.isfinite(z)):
            inverse[i] = np.nan
        elif z < NEAR_M:
            inverse[i] = 0.0
        else:
            q = 1.0 / z
            image[i, 0] = focal * x * q + cx
            image[i, 1] = focal * y * q + cy
            inverse[i] = q


@numba.njit(cache=True, nogil=True, inline="always")
def _span(px, py, qx, qy, sign, y, low, high):
    """Narrow the columns low..high of a row to the inner side of an edge, and a little more."""
    rise = sign * (qy - py)
    if rise != 0.0:
        crossing = px + (y - py) * ((qx - px) / (qy - py)) - 0.5
        if rise < 0.0:
            low = max(low, crossing - SPAN_MARGIN_PX)
        else:
            high = min(high, crossing + SPAN_MARGIN_PX)
    return low, high


@numba.njit(cache=True, nogil=True)
def _fill(
    points, image, inverse, triangles, focal, centre_x, centre_y, top, bottom, cull,
    inverse_depth, triangle, barycentric, depth,
):  # fmt: skip
    """The z-buffer for the rows top <= i < bottom."""
    width = triangle.shape[1]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        qa, qb, qc = inverse[a], inverse[b], inverse[c]
        if not qa * qb * qc > 0.0:
            if qa + qb + qc > 0.0:
                _fill_cut(
                    t, points[a], points[b], points[c], focal, centre_x, centre_y, top, bottom,
                    cull, inverse_depth, triangle, barycentric,
                )  # fmt: skip
            continue
        ay, by, cy = image[a, 1], image[b, 1], image[c, 1]
        first_row = max(np.ceil(min(ay, by, cy) - 0.5), float(top))
        last_row = min(np.floor(max(ay, by, cy) - 0.5), float(bottom - 1))
        if first_row > last_row:
            continue
        ax, bx, cx = image[a, 0], image[b, 0], image[c, 0]
        first_column = max(np.ceil(min(ax, bx, cx) - 0.5), 0.0)
        last_column = min(np.floor(max(ax, bx, cx) - 0.5), float(width - 1))
        if first_column > last_column:
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0 or (cull and area > 0.0):  # y points down: the front has area < 0
            continue
        sign = 1.0 if area > 0.0 else -1.0
        per_area = sign / area
        for i in range(int(first_row), int(last_row) + 1):
            y = i + 0.5
            low, high = _span(bx, by, cx, cy, sign, y, first_column, last_column)
            low, high = _span(cx, cy, ax, ay, sign, y, low, high)
            low, high = _span(ax, ay, bx, by, sign, y, low, high)
            if low > high:
                continue
            for j in range(int(np.ceil(low)), int(high) + 1):
                x = j + 0.5
                u = sign * ((bx - x) * (cy - y) - (by - y) * (cx - x))
                v = sign * ((cx - x) * (ay - y) - (cy - y) * (ax - x))
                w = sign * ((ax - x) * (by - y) - (ay - y) * (bx - x))
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                u, v, w = u * qa, v * qb, w * qc
                total = u + v + w
                q = total * per_area  # 1 / z, linear in the image
                if q > inverse_depth[i, j]:
                    inverse_depth[i, j] = q
                    triangle[i, j] = t
                    barycentric[i, j, 0] = u / total
                    barycentric[i, j, 1] = v / total
                    barycentric[i, j, 2] = w / total
    for i in range(top, bottom):
        for j in range(width):
            q = inverse_depth[i, j]
            depth[i, j] = 1.0 / q if q > 0.0 else np.inf


@numba.njit(cache=True, nogil=True)
def _fill_cut(
    t, a, b, c, focal, centre_x, centre_y, top, bottom, cull, inverse_depth, triangle, barycentric
):
    """One triangle that the near plane cuts: the ray of every pixel against it.

    The ray d meets it at z d with z = det(a, b, c) / (u + v + w), where u = d . (b x c) and so on.
    """
    bc, ca, ab = _cross(b, c), _cross(c, a), _cross(a, b)
    det = a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2]
    if det == 0.0 or (cull and det > 0.0):
        return
    for i in range(top, bottom):
        y = (i + 0.5 - centre_y) / focal
        for j in range(triangle.shape[1]):
            x = (j + 0.5 - centre_x) / focal
            u = (x * bc[0] + y * bc[1] + bc[2]) / det
            v = (x * ca[0] + y * ca[1] + ca[2]) / det
            w = (x * ab[0] + y * ab[1] + ab[2]) / det
            q = u + v + w  # 1 / z
            if u < 0.0 or v < 0.0 or w < 0.0 or q * NEAR_M > 1.0:
                continue
            if q > inverse_depth[i, j]:
                inverse_depth[i, j] = q
                triangle[i, j] = t
                barycentric[i, j, 0] = u / q
                barycentric[i, j, 1] = v / q
                barycentric[i, j, 2] = w / q


@numba.njit(cache=True, nogil=True, inline="always")
def _cross(p, q):
    return (
        p[1] * q[2] - p[2] * q[1],
        p[2] * q[0] - p[0] * q[2],
        p[0] * q[1] - p[1] * q[0],
    )
