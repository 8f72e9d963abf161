"""Which triangle each pixel sees: a z-buffer in numba (Yi et al. 2020, section 3.3).

A pixel belongs to the triangle nearest to the camera at the pixel's centre (j + 0.5, i + 0.5);
edges count as inside, and of triangles at the same depth the one with the lower index wins. Edge
functions are exact mirrors of each other across a shared edge, so a closed mesh has no pinholes.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from repro.face.camera import Camera

NEAR_M = 1e-6
"""Triangles with a vertex nearer to the camera plane than this are left out whole, in metres."""

SPAN_MARGIN_PX = 0.01
"""Pixels this close to an edge are still tested exactly."""


@dataclass(frozen=True)
class Raster:
    """What each pixel of an image sees.

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
    points : array (V, 3), metres, camera space
    triangles : integer array (F, 3), vertex indices
    camera : the camera whose image is filled; H and W are its height and width
    threads : bands of rows worked on side by side; the result does not depend on it
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
    _check(points, triangles)
    height, width = camera.height, camera.width
    inverse_depth = np.zeros((height, width), np.float64)
    triangle = np.full((height, width), -1, np.int32)
    barycentric = np.zeros((height, width, 3), np.float32)
    depth = np.empty((height, width), np.float32)

    image = np.empty((len(points), 2), np.float64)
    inverse = np.empty(len(points), np.float64)
    _project(points, camera.focal_px, camera.cx, camera.cy, image, inverse)

    outputs = (inverse_depth, triangle, barycentric, depth)

    def fill(band: int) -> None:
        top, bottom = band * height // threads, (band + 1) * height // threads
        _fill(image, inverse, triangles, top, bottom, cull, *outputs)

    if threads == 1:
        fill(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, range(threads)))
    return Raster(triangle, barycentric, depth)


def _check(points: np.ndarray, triangles: np.ndarray) -> None:
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"expected points (V, 3), got {points.shape}")
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(f"expected triangles (F, 3), got {triangles.shape}")
    if triangles.size and (triangles.min() < 0 or triangles.max() >= len(points)):
        raise ValueError(f"a triangle names a vertex outside 0..{len(points) - 1}")


@numba.njit(cache=True, nogil=True)
def _project(points, focal, cx, cy, image, inverse):
    """Image points and 1 / z; 1 / z = 0 marks a vertex that cannot be drawn."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        if z > NEAR_M and np.isfinite(x) and np.isfinite(y) and np.isfinite(z):
            q = 1.0 / z
            image[i, 0] = focal * x * q + cx
            image[i, 1] = focal * y * q + cy
            inverse[i] = q
        else:
            inverse[i] = 0.0


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
    image, inverse, triangles, top, bottom, cull, inverse_depth, triangle, barycentric, depth
):
    """The z-buffer for the rows top <= i < bottom."""
    width = triangle.shape[1]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        qa, qb, qc = inverse[a], inverse[b], inverse[c]
        if qa == 0.0 or qb == 0.0 or qc == 0.0:
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
