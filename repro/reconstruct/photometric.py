"""Texture and light from pixel colours (Yi et al. 2020, section 3.1).

With the geometry known, colour = albedo * (SH basis . light) is linear in the light given the
albedo and linear in the texture coefficients given the light: alternating ridge regressions.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from repro.face.camera import Camera
from repro.face.light import irradiance, sh_basis
from repro.face.mesh import vertex_normals
from repro.face.model import MorphableModel

_ROUNDS = 6
_TEXTURE_RIDGE = 0.03
_LIGHT_RIDGE = 1e-3
_TINT_RIDGE = 2.0
_FACING = 0.25
"""Cosine between normal and view under which a vertex is not read."""
_FRAMES_FOR_TEXTURE = 24
_LIGHT_EVERY = 5
_OUTLIER = 0.08
"""Colour, of 1, by which a vertex may be missed before it counts for little."""


def vertex_colours(frame: np.ndarray, vertices: np.ndarray, camera: Camera) -> np.ndarray:
    """Colour (V, 3) float32 in [0, 1] of a frame (H, W, 3) uint8 where vertices (V, 3) project."""
    xy = (camera.project(vertices) - 0.5).astype(np.float32)  # to whole-number pixel centres
    sampled = cv2.remap(
        frame, xy[None, :, 0], xy[None, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return sampled[0].astype(np.float32) / 255


def facing(vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Cosine (V,) between outward normals and the direction to the camera."""
    view = -vertices / np.linalg.norm(vertices, axis=-1, keepdims=True)
    return (normals * view).sum(-1)


def fit_texture_and_light(
    frames: np.ndarray,
    posed: Callable[[int], np.ndarray],
    camera: Camera,
    model: MorphableModel,
) -> tuple[np.ndarray, np.ndarray]:
    """Texture (80,) of the clip and light (T, 27) of each frame, float32.

    Vertices whose colour the model does not explain (lashes, hair, highlights) lose weight. Light
    changes slowly, so it is fitted to every fifth frame and interpolated.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8
    posed : camera-space vertices (V, 3) of frame t
    """
    count = len(frames)
    lit = np.unique(np.append(np.arange(0, count, _LIGHT_EVERY), count - 1))
    chosen = lit[np.unique(np.linspace(0, len(lit) - 1, _FRAMES_FOR_TEXTURE).astype(int))]
    looks = [_look(frames[t], posed(t), camera, model) for t in chosen]
    texture = np.zeros(80, np.float32)
    for turn in range(_ROUNDS):
        albedo = model.albedo(texture)
        light = [_light(look, albedo) for look in looks]
        texture = _texture(list(zip(looks, light, strict=True)), model)
        if turn >= 1:
            albedo = model.albedo(texture)
            looks = [_trusted(look, albedo, one) for look, one in zip(looks, light, strict=True)]
    albedo = model.albedo(texture)
    fitted = np.stack([_light_of(frames[t], posed(t), albedo, camera, model) for t in lit])
    between = [np.interp(np.arange(count), lit, column) for column in fitted.T]
    return texture, _smooth(np.stack(between, 1))


def _light_of(
    frame: np.ndarray,
    vertices: np.ndarray,
    albedo: np.ndarray,
    camera: Camera,
    model: MorphableModel,
) -> np.ndarray:
    """Light (27,) of a frame by what of it the albedo explains."""
    look = _look(frame, vertices, camera, model)
    return _light(_trusted(look, albedo, _light(look, albedo)), albedo)


class _Look(NamedTuple):
    """What a frame shows of the skin, V vertices.

    colours (V, 3), normals (V, 3), weight (V,); sure (V,): the weight by geometry alone
    """

    colours: np.ndarray
    normals: np.ndarray
    weight: np.ndarray
    sure: np.ndarray


def _look(frame: np.ndarray, vertices: np.ndarray, camera: Camera, model: MorphableModel) -> _Look:
    normals = vertex_normals(vertices, model.triangles)
    cosine = facing(vertices, normals)
    weight = (np.where(cosine > _FACING, cosine, 0) * model.skin_mask).astype(np.float32)
    return _Look(vertex_colours(frame, vertices, camera), normals, weight, weight)


def _trusted(look: _Look, albedo: np.ndarray, light: np.ndarray) -> _Look:
    """The look with weights by how well each vertex' colour is explained (Geman-McClure)."""
    missed = np.abs(look.colours - albedo * irradiance(look.normals, light)).mean(1)
    trust = 1 / np.square(1 + np.square(missed / _OUTLIER))
    return look._replace(weight=(look.sure * trust).astype(np.float32))


def _light(look: _Look, albedo: np.ndarray) -> np.ndarray:
    """Light (27,) of one frame given the albedo: ridge regressions of nine unknowns.

    The colour of skin and that of the light cannot be told apart, so each channel is held near
    the light that explains the three together: white light, unless the frame says otherwise.
    """
    seen = look.weight > 0
    basis, w = sh_basis(look.normals[seen]), look.weight[seen]
    designs = basis[None] * albedo[seen].T[..., None]  # 3, n, 9
    grams = np.einsum("cni,n,cnj->cij", designs, w, designs)
    moments = np.einsum("cni,n,nc->ci", designs, w, look.colours[seen])
    strength = np.trace(grams.sum(0)) / 27
    white = np.linalg.solve(grams.sum(0) + 3 * _LIGHT_RIDGE * strength * np.eye(9), moments.sum(0))
    tint = _TINT_RIDGE * strength * np.eye(9)
    light = [
        np.linalg.solve(g + tint, m + tint @ white) for g, m in zip(grams, moments, strict=True)
    ]
    return np.array(light, np.float32).reshape(27)


def _texture(looks: list[tuple[_Look, np.ndarray]], model: MorphableModel) -> np.ndarray:
    """Texture (80,) given what several frames show, and the light in each."""
    v = len(model.texture_mean)
    weight_sum, target = np.zeros((v, 3), np.float32), np.zeros((v, 3), np.float32)
    for look, light in looks:
        shade = irradiance(look.normals, light)
        weight_sum += look.weight[:, None] * shade**2
        target += look.weight[:, None] * shade * look.colours
    w = np.sqrt(weight_sum)
    seen = w > 1e-3
    residual = np.divide(target, w, out=np.zeros_like(w), where=seen) - w * model.texture_mean
    design = (model.texture_basis * w * seen).reshape(80, -1)
    gram = design @ design.T
    ridge = _TEXTURE_RIDGE * np.trace(gram) / 80 * np.eye(80)
    solved = np.linalg.solve(gram + ridge, design @ (residual * seen).ravel())
    return np.clip(solved, -4, 4).astype(np.float32)


def _smooth(light: np.ndarray) -> np.ndarray:
    """Light (T, 27) smoothed over about half a second: it changes slowly, noise does not."""
    kernel = np.hanning(15)[1:-1]
    kernel /= kernel.sum()
    half = len(kernel) // 2
    padded = np.pad(light, ((half, half), (0, 0)), mode="edge")
    return np.stack([np.convolve(c, kernel, "valid") for c in padded.T], 1).astype(np.float32)
