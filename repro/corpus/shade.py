"""Shading of synthetic people, pixel by pixel: all that the method's own renderer cannot draw.

Here the samples of a pixel and the layers over it are put together, in linear light, and shown as
display values. The colour of a sample comes from ``shade_light``.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from repro.corpus.people import Lamp
from repro.corpus.shade_code import stored
from repro.corpus.shade_light import solid_colour, strand_colour
from repro.corpus.shade_surface import EYE, LOWER_TEETH, Look, Surface
from repro.corpus.shadow import LightView
from repro.render.rasterise import Raster

_MOST_LAYERS = 12
_OPAQUE = 0.05
"""What shines through less than this is left out."""
_BRIGHTEST = 2.5
"""Light beyond this is cut off, so that a spark does not outshine its pixel."""


@dataclass(frozen=True)
class Backdrop:
    """What stands behind a person, (H, W, 3) float32: linear light, and as the picture shows it."""

    linear: np.ndarray
    shown: np.ndarray

    @classmethod
    def of(cls, linear: np.ndarray) -> "Backdrop":
        """A background, its display values worked out once for all frames."""
        return cls(linear, _tone(linear).astype(np.float32))


def shade_image(
    base: Raster,
    layers: Sequence[Raster],
    windows: Sequence[np.ndarray],
    triangles: Sequence[np.ndarray],
    materials: Sequence[np.ndarray],
    surface: Surface,
    look: Look,
    lamp: Lamp,
    view: LightView,
    table: np.ndarray,
    room: Backdrop,
    *,
    supersample: int,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Shade, stack the layers, and average the samples of each pixel.

    Parameters
    ----------
    base : of the solid meshes, at ``supersample`` times the image's size
    layers : of the translucent meshes (hair, lashes), in any order, each of a window of the base;
        windows : (2,) first row and column of each
    triangles, materials : for the base and for each layer in turn, (F, 3) and (F,)
    view : of the key light of ``lamp``
    table : from ``noise_table``
    room : gives the image its size
    threads : bands of rows worked on side by side; the result does not depend on it

    Returns
    -------
    image : (H, W, 3) float32 in [0, 1], display range
    mask : (H, W) uint8, 0 for the background or 1 + material, of each pixel's first sample (of
        hair and lashes where they hide more than half of what is behind)

    Raises
    ------
    ValueError
        More layers than the compiled code has room for.
    """
    height, width = room.linear.shape[:2]
    image = np.empty((height, width, 3), np.float32)
    mask = np.empty((height, width), np.uint8)
    if len(layers) > _MOST_LAYERS:
        raise ValueError(f"at most {_MOST_LAYERS} layers, got {len(layers)}")
    ids = np.concatenate([layer.triangle.ravel() for layer in layers])
    weights = np.concatenate([layer.barycentric.reshape(-1, 3) for layer in layers])
    depths = np.concatenate([layer.depth.ravel() for layer in layers])
    sizes = np.array([layer.triangle.shape for layer in layers])
    firsts = np.cumsum(np.r_[0, sizes.prod(1)[:-1]])
    frames = np.column_stack([firsts, windows, sizes]).astype(np.int64)
    layered = np.zeros((height, width), np.bool_)
    _mark_layered(ids, frames, supersample, layered)
    starts = np.cumsum([0] + [len(t) for t in triangles]).astype(np.int64)
    corners = np.concatenate(triangles).astype(np.int32)
    kinds = np.concatenate(materials).astype(np.int8)
    light = np.stack([lamp.direction, lamp.key, lamp.sky, lamp.ground, np.full(3, surface.gape)])
    light = light.astype(np.float32)
    place = np.concatenate([view.rotation.ravel(), view.centre, [view.pixels_per_m]])
    place = place.astype(np.float32)

    def fill(band: int) -> None:
        top, bottom = band * height // threads, (band + 1) * height // threads
        _fill(
            top, bottom, supersample, base.triangle, base.barycentric, base.depth, layered, ids,
            weights, depths, frames, starts, corners, kinds, surface.vertices, light, place,
            view.depth, look.constants, table, room.linear, room.shown, image, mask,
        )  # fmt: skip

    if threads == 1:
        fill(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, range(threads)))
    return image, mask


@stored
def _fill(
    top, bottom, samples, ids, weights, depths, layered, layer_ids, layer_weights, layer_depths,
    frames, starts, corners, kinds, vertices, light, place, shadow, person, table, room, backdrop,
    image, mask,
):  # fmt: skip
    """Rows top <= i < bottom of the image.

    A sample that sees the same material behind the same layers as the one before takes its colour;
    under layers (hair), in eyes and on teeth at least every second one is shaded. The layers'
    rasters are joined end to end; ``frames`` (layers, 5) holds where each starts, its window's
    first row and column, its height and width. Other arguments: see ``shade_light``.
    """
    order, at = np.empty(_MOST_LAYERS, np.int64), np.empty(_MOST_LAYERS, np.int64)
    board, black = _chequered(samples)
    share = 1.0 / len(board)
    for i in range(top, bottom):
        for j in range(image.shape[1]):
            if not layered[i, j] and _is_bare(ids, i * samples, j * samples, samples):
                image[i, j, 0] = backdrop[i, j, 0]
                image[i, j, 1] = backdrop[i, j, 1]
                image[i, j, 2] = backdrop[i, j, 2]
                mask[i, j] = 0
                continue
            r, g, b = 0.0, 0.0, 0.0
            shaded, cr, cg, cb = -1, 0.0, 0.0, 0.0
            lit = -1.0
            for turn in range(len(board)):
                y, x = i * samples + board[turn, 0], j * samples + board[turn, 1]
                t = ids[y, x]
                n, seen = 0, 0
                if layered[i, j]:
                    n, seen = _sort_layers(
                        layer_ids, layer_depths, frames, depths[y, x], y, x, order, at
                    )
                seen = 16 * seen + (kinds[t] + 1 if t >= 0 else 0)
                fine = seen >= 16 or (EYE + 1 <= seen <= LOWER_TEETH + 1)
                if seen != shaded or (fine and turn < black):
                    shaded = seen
                    cr, cg, cb, through = 0.0, 0.0, 0.0, 1.0
                    front = kinds[t] + 1 if t >= 0 else 0
                    for k in range(n - 1, -1, -1):  # nearest first, until nothing shines through
                        own = starts[order[k] + 1] + layer_ids[at[k]]
                        hr, hg, hb, alpha, lit = strand_colour(
                            own, layer_weights[at[k]], corners, kinds, vertices, light, place,
                            shadow, lit, person, table,
                        )  # fmt: skip
                        cr += through * alpha * hr
                        cg += through * alpha * hg
                        cb += through * alpha * hb
                        through *= 1 - alpha
                        if through < 0.5 <= through / (1 - alpha + 1e-9):
                            front = kinds[own] + 1
                        if through < _OPAQUE:
                            whole = 1 / (1 - through)
                            cr, cg, cb = whole * cr, whole * cg, whole * cb
                            break
                    if through >= _OPAQUE:
                        if t >= 0:
                            hr, hg, hb = solid_colour(
                                t, weights[y, x], corners, kinds, vertices, light, place, shadow,
                                person, table,
                            )  # fmt: skip
                        else:
                            hr, hg, hb = room[i, j, 0], room[i, j, 1], room[i, j, 2]
                        cr += through * hr
                        cg += through * hg
                        cb += through * hb
                    if turn == 0:
                        mask[i, j] = front
                r += min(cr, _BRIGHTEST)
                g += min(cg, _BRIGHTEST)
                b += min(cb, _BRIGHTEST)
            image[i, j, 0] = _display(r * share)
            image[i, j, 1] = _display(g * share)
            image[i, j, 2] = _display(b * share)


@numba.njit(cache=True, nogil=True)
def _chequered(samples):
    """Rows and columns (samples^2, 2) of a pixel's samples, and how many of them, the first ones,
    are on the black squares of a chequered board.
    """
    board, n = np.empty((samples * samples, 2), np.int64), 0
    for colour in range(2):
        for k in range(samples * samples):
            if (k // samples + k % samples) % 2 == colour:
                board[n, 0], board[n, 1] = k // samples, k % samples
                n += 1
    return board, (samples * samples + 1) // 2


@numba.njit(cache=True, nogil=True)
def _mark_layered(layer_ids, frames, samples, layered):
    """Set what pixels (H, W) any layer touches."""
    for layer in range(frames.shape[0]):
        at = frames[layer, 0]
        for v in range(frames[layer, 3]):
            row = (v + frames[layer, 1]) // samples
            for u in range(frames[layer, 4]):
                if layer_ids[at] >= 0:
                    layered[row, (u + frames[layer, 2]) // samples] = True
                at += 1


@numba.njit(nogil=True, fastmath=True, inline="always")
def _is_bare(ids, y, x, samples):
    """Whether no sample of the pixel that begins at y, x sees a solid mesh."""
    for v in range(y, y + samples):
        for u in range(x, x + samples):
            if ids[v, u] >= 0:
                return False
    return True


@numba.njit(nogil=True, fastmath=True, inline="always")
def _sort_layers(layer_ids, layer_depths, frames, solid, y, x, order, at):
    """Layers in front of the solid surface, farthest first; returns how many, and which as bits."""
    n, seen = 0, 0
    for layer in range(frames.shape[0]):
        v, u = y - frames[layer, 1], x - frames[layer, 2]
        if v < 0 or u < 0 or v >= frames[layer, 3] or u >= frames[layer, 4]:
            continue
        here = frames[layer, 0] + v * frames[layer, 4] + u
        if layer_ids[here] < 0:
            continue
        d = layer_depths[here]
        if d < solid + 0.0012:
            k = n
            while k > 0 and layer_depths[at[k - 1]] < d:
                order[k], at[k] = order[k - 1], at[k - 1]
                k -= 1
            order[k], at[k] = layer, here
            n += 1
            seen += 1 << layer
    return n, seen


def _tone(x: np.ndarray) -> np.ndarray:
    """Linear light -> display value, with a soft shoulder above 0.7."""
    x = np.maximum(x, 0.0)
    x = np.where(x > 0.7, 0.7 + 0.3 * (1.0 - np.exp(-(x - 0.7) / 0.3)), x)
    return x ** (1 / 2.2)


_TONES = _tone(np.linspace(0, np.sqrt(_BRIGHTEST), 4097) ** 2)
"""The display value over the square root of the light, on which it is nearly straight."""
_TONES_PER_ROOT = 4096 / np.sqrt(_BRIGHTEST)


@numba.njit(nogil=True, fastmath=True, inline="always")
def _display(x):
    """``_tone`` read from its table; x at most ``_BRIGHTEST``."""
    place = np.sqrt(max(x, 0.0)) * _TONES_PER_ROOT
    k = min(int(place), 4095)
    return _TONES[k] + (place - k) * (_TONES[k + 1] - _TONES[k])
