"""Shading a rasterised face under spherical-harmonics light (Yi et al. 2020, sections 3.1, 3.3).

``colour = albedo * irradiance(normal)``, with albedo and normal interpolated to every pixel and
the colour clipped to [0, 1]. Triangles that are not drawn (neck, ears, scalp) still hide what is
behind them.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numba
import numpy as np

from repro.face.camera import Camera
from repro.face.light import sh_basis
from repro.face.mesh import vertex_normals
from repro.face.model import MorphableModel
from repro.render.rasterise import Raster
from repro.render.rasterisers import rasteriser as rasteriser_of

if TYPE_CHECKING:
    from repro.render.texture import Texture


@dataclass(frozen=True)
class Rendering:
    """A picture of the face alone.

    image    (H, W, 3) float32  display RGB in [0, 1]; 0 where coverage is 0; not premultiplied
    coverage (H, W) float32     how much of the pixel the drawn face takes, in [0, 1]
    """

    image: np.ndarray
    coverage: np.ndarray


def render_face(
    model: MorphableModel,
    vertices: np.ndarray,
    albedo: np.ndarray,
    light: np.ndarray,
    camera: Camera,
    *,
    supersample: int = 1,
    visible: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    occlusion: np.ndarray | None = None,
    texture: "Texture | None" = None,
    threads: int = 1,
    rasteriser: str = "numba",
) -> Rendering:
    """Render one frame of a face (Yi et al. 2020, section 3.3, "Rendering").

    ``repro.render.region.drawn_region`` gives ``visible``, ``weight`` and ``occlusion`` for the
    facial part.

    Parameters
    ----------
    model : its triangles are drawn
    vertices : array (V, 3), metres, camera space
    albedo : array (V, 3), display RGB
    light : array (27,), see ``repro.face.light``
    camera : camera of the picture
    supersample : samples per pixel side; 2 smooths the edges with 4 samples a pixel
    visible : bool array (F,), triangles that are drawn; the others only hide; None draws all
    weight : array (V,), opacity in [0, 1], interpolated; None is 1
    occlusion : array (V,), factor of the light that arrives (mouth, eye corners); None is 1
    texture : detailed albedo at a frame's resolution, see ``repro.render.texture.frame_texture``;
        ``albedo`` shows where it is not trusted
    threads : bands of rows rasterised side by side
    rasteriser : one of ``repro.render.rasterisers``
    """
    if occlusion is not None:
        albedo = albedo * occlusion[:, None]
    fine = replace(
        camera,
        focal_px=camera.focal_px * supersample,
        cx=camera.cx * supersample,
        cy=camera.cy * supersample,
        width=camera.width * supersample,
        height=camera.height * supersample,
    )
    raster = rasteriser_of(rasteriser)(vertices, model.triangles, fine, threads=threads)
    return _render(
        raster,
        model.triangles,
        albedo,
        vertex_normals(vertices, model.triangles),
        light,
        visible=visible,
        weight=weight,
        texture=texture,
        supersample=supersample,
    )


def shade(
    raster: Raster,
    triangles: np.ndarray,
    albedo: np.ndarray,
    normals: np.ndarray,
    light: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Colour every covered pixel: albedo times irradiance (Yi et al. 2020, section 3.1).

    Parameters
    ----------
    raster : from ``rasterise``
    triangles : integer array (F, 3)
    albedo : array (V, 3), display RGB
    normals : array (V, 3), unit, camera axes
    light : array (27,)

    Returns
    -------
    image : (H, W, 3) float32 in [0, 1], 0 outside the mask
    mask : (H, W) bool
    """
    rendering = _render(raster, triangles, albedo, normals, light)
    return rendering.image, rendering.coverage > 0


def _render(
    raster,
    triangles,
    albedo,
    normals,
    light,
    *,
    visible=None,
    weight=None,
    texture=None,
    supersample=1,
) -> Rendering:
    """Shade a raster, each output pixel being the mean of supersample x supersample of its own."""
    height, width = (n // supersample for n in raster.triangle.shape)
    image = np.zeros((height, width, 3), np.float32)
    coverage = np.zeros((height, width), np.float32)
    if visible is None:
        visible = np.ones(len(triangles), bool)
    if weight is None:
        weight = np.ones(len(albedo), np.float32)
    if texture is None:
        picture = np.zeros((1, 1, 3), np.float32)
        place, trust = np.zeros((len(albedo), 2), np.float32), np.zeros(len(albedo), np.float32)
    else:
        picture, place, trust = texture.image, texture.place, texture.trust
    _shade(
        raster.triangle,
        raster.barycentric,
        np.ascontiguousarray(triangles, np.int32),
        np.ascontiguousarray(albedo, np.float32),
        np.ascontiguousarray(normals, np.float32),
        _polynomial(light),
        np.ascontiguousarray(visible, bool),
        np.ascontiguousarray(weight, np.float32),
        picture,
        place,
        trust,
        supersample,
        image,
        coverage,
    )
    return Rendering(image, coverage)


def _polynomial(light: np.ndarray) -> np.ndarray:
    """Factors (3, 9) of 1, y, z, x, xy, yz, zz, xz, xx - yy in the irradiance of each channel.

    The scale of each function is read off ``sh_basis`` at a point where it alone is 1.
    """
    points = [(0, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0), (1, 1, 0), (0, 1, 1)]
    points += [(0, 0, 0), (1, 0, 1), (1, 0, 0)]
    scale = np.diagonal(sh_basis(np.array(points, np.float64))).copy()
    scale[6] *= -1  # 3 zz - 1 is -1 at the origin
    factors = np.asarray(light, np.float64).reshape(3, 9) * scale
    factors[:, 0] -= factors[:, 6]
    factors[:, 6] *= 3
    return factors.astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _bilinear(picture, x, y, channel):
    """Value of a picture (H, W, 3) at a place in pixels (centres at 0.5), held at the edges."""
    height, width = picture.shape[0], picture.shape[1]
    x = min(max(x - np.float32(0.5), np.float32(0.0)), np.float32(width - 1))
    y = min(max(y - np.float32(0.5), np.float32(0.0)), np.float32(height - 1))
    j, i = min(int(x), width - 2), min(int(y), height - 2)
    fx, fy = x - np.float32(j), y - np.float32(i)
    above = picture[i, j, channel] * (1 - fx) + picture[i, j + 1, channel] * fx
    below = picture[i + 1, j, channel] * (1 - fx) + picture[i + 1, j + 1, channel] * fx
    return above * (1 - fy) + below * fy


@numba.njit(cache=True, nogil=True)
def _shade(
    triangle,
    barycentric,
    triangles,
    albedo,
    normals,
    polynomial,
    visible,
    weight,
    picture,
    place,
    trust,
    supersample,
    image,
    coverage,
):
    """Mean colour of each pixel's drawn samples, and the mean opacity of all its samples."""
    one, zero = np.float32(1.0), np.float32(0.0)
    share = one / np.float32(supersample * supersample)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            opacity = red = green = blue = zero
            for y in range(i * supersample, (i + 1) * supersample):
                for x in range(j * supersample, (j + 1) * supersample):
                    t = triangle[y, x]
                    if t < 0 or not visible[t]:
                        continue
                    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                    u, v, w = barycentric[y, x, 0], barycentric[y, x, 1], barycentric[y, x, 2]
                    alpha = u * weight[a] + v * weight[b] + w * weight[c]
                    if alpha <= zero:
                        continue
                    nx = u * normals[a, 0] + v * normals[b, 0] + w * normals[c, 0]
                    ny = u * normals[a, 1] + v * normals[b, 1] + w * normals[c, 1]
                    nz = u * normals[a, 2] + v * normals[b, 2] + w * normals[c, 2]
                    length = np.sqrt(nx * nx + ny * ny + nz * nz)
                    if length > zero:
                        nx, ny, nz = nx / length, ny / length, nz / length
                    opacity += alpha
                    sure = u * trust[a] + v * trust[b] + w * trust[c]
                    px = u * place[a, 0] + v * place[b, 0] + w * place[c, 0]
                    py = u * place[a, 1] + v * place[b, 1] + w * place[c, 1]
                    for k in range(3):
                        p = polynomial[k]
                        light = (
                            p[0]
                            + p[1] * ny
                            + p[2] * nz
                            + p[3] * nx
                            + p[4] * nx * ny
                            + p[5] * ny * nz
                            + p[6] * nz * nz
                            + p[7] * nx * nz
                            + p[8] * (nx * nx - ny * ny)
                        )
                        base = u * albedo[a, k] + v * albedo[b, k] + w * albedo[c, k]
                        if sure > zero:
                            base += sure * (_bilinear(picture, px, py, k) - base)
                        colour = alpha * min(one, max(zero, base * light))
                        if k == 0:
                            red += colour
                        elif k == 1:
                            green += colour
                        else:
                            blue += colour
            if opacity > zero:
                image[i, j, 0] = red / opacity
                image[i, j, 1] = green / opacity
                image[i, j, 2] = blue / opacity
                coverage[i, j] = min(one, opacity * share)
