"""Shading of synthetic people, pixel by pixel: all that the method's own renderer cannot draw.

Linear light, a key lamp with cast shadow, ambient occlusion, skin with blotches, freckles, stubble
and sheen, eyes with iris and highlight, wet teeth and tongue, woven cloth, and hair as translucent
layers of strands. Every pattern is a function of the place on the mean face, so it stays with the
skin as the face moves.

All compiled functions but the noise stand in this one file, and the constants they use: numba's
cache only notices changes of the file that holds the function it stored.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from repro.corpus.noise import value_noise

SKIN, TONGUE, EYE, UPPER_TEETH, LOWER_TEETH, CLOTH, HAIR, LASH, FRAME = range(9)
"""Materials of triangles."""

LIP, CAVITY, SCALP, BEARD, FLUSH, AO, HEIGHT, DENSITY = range(8)
"""Columns of the marks of vertices; HEIGHT and DENSITY belong to hair and lashes."""

IRIS_M, PUPIL_M = 0.0061, 0.0023
WIDTH_M = 0.0078
"""Width of a front tooth."""
GREY = 0.36
"""Reflectance of grey hair."""
CREASES_LEFT_M, CREASES_TOP_M, CREASES_M = -0.080, -0.075, 0.0004
"""Where a map of creases begins, right of and below the middle of the eyes, and its cells."""
CREASE = 0.9
"""How far a crease's slope turns the normal."""
_MOST_LAYERS = 12
OPAQUE = 0.05
"""What shines through less than this is left out."""
BRIGHTEST = 2.5
"""Light beyond this is cut off, so that a spark does not outshine its pixel."""


@dataclass(frozen=True)
class Surface:
    """Vertices as the shader reads them, all (n, ...) float32.

    points, normals  camera space, metres and unit
    places           where on the mean face a vertex lies, metres (hair: strand coordinates)
    albedo           linear RGB
    marks            (n, 8), see the column names
    strands          unit direction of the hair, camera space; zero elsewhere
    gape             share of the light that enters the mouth, in [0, 1] (float)
    """

    points: np.ndarray
    normals: np.ndarray
    places: np.ndarray
    albedo: np.ndarray
    marks: np.ndarray
    strands: np.ndarray
    gape: float


@dataclass(frozen=True)
class Look:
    """A person's constants, as arrays for the compiled shader.

    eyes (2, 3) centres on the mean face; brow (8,) curve (x from, x to, y = a + b x + c x^2,
    half width, strength, depth limit z); iris, hair (3,) linear; traits (6,) freckles, beard,
    ageing, curl, grey, where in the noise their skin is; cloth (2, 3) linear; cut (int) index of
    the clothes; creases (n, m, 3) from ``complexion.creases``
    """

    eyes: np.ndarray
    brow: np.ndarray
    iris: np.ndarray
    hair: np.ndarray
    traits: np.ndarray
    cloth: np.ndarray
    cut: int
    creases: np.ndarray

    @property
    def constants(self) -> tuple:
        """All of it as the compiled functions take it."""
        return (
            self.eyes, self.brow, self.iris, self.hair, self.traits, self.cloth, self.cut,
            self.creases,
        )  # fmt: skip


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
    base,
    layers,
    windows,
    triangles,
    materials,
    surface: Surface,
    look: Look,
    lamp,
    view,
    table,
    room,
    *,
    supersample: int,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Shade, stack the layers, and average the samples of each pixel.

    Parameters
    ----------
    base : Raster of the solid meshes, at ``supersample`` times the image's size
    layers : Rasters of the translucent meshes (hair, lashes), in any order, each of a window of
        the base; windows : first row and column of each
    triangles, materials : for the base and for each layer in turn, (F, 3) and (F,)
    lamp : ``people.Lamp``; view : ``shadow.LightView`` of it
    table : from ``noise_table``; room : ``Backdrop``

    Returns
    -------
    image : (H, W, 3) float32 in [0, 1], display range
    mask : (H, W) uint8, 0 for the background or 1 + material, of each pixel's first sample
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
    vertices = (
        surface.points, surface.normals, surface.places, surface.albedo, surface.marks,
        surface.strands,
    )  # fmt: skip
    light = np.stack([lamp.direction, lamp.key, lamp.sky, lamp.ground, np.full(3, surface.gape)])
    light = light.astype(np.float32)
    place = np.concatenate([view.rotation.ravel(), view.centre, [view.pixels_per_m]])
    place = place.astype(np.float32)

    def fill(band: int) -> None:
        top, bottom = band * height // threads, (band + 1) * height // threads
        _fill(
            top, bottom, supersample, base.triangle, base.barycentric, base.depth, layered, ids,
            weights, depths, frames, starts, corners, kinds, vertices, light, place, view.depth,
            look.constants, table, room.linear, room.shown, image, mask,
        )  # fmt: skip

    if threads == 1:
        fill(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, range(threads)))
    return image, mask


def surface_albedo(
    triangles, materials, places, albedo, marks, look: Look, table, count: int
) -> np.ndarray:
    """Albedo (count, 3) float32, display range, of the first vertices, with all painted detail.

    Parameters
    ----------
    triangles, materials : of the solid meshes; a vertex is of its first triangle's material
    places, albedo, marks : as in ``Surface``
    """
    kinds = np.full(count, TONGUE, np.int8)
    for corner in range(3):
        own = triangles[:, corner] < count
        kinds[triangles[own, corner]] = materials[own]
    shown = np.empty((count, 3), np.float32)
    _paint(kinds, places, albedo, marks, look.constants, table, shown)
    return np.clip(shown, 0, 1) ** np.float32(1 / 2.2)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _paint(kinds, places, albedo, marks, person, table, shown):
    corner, weight = np.zeros((1, 3), np.int32), np.array([1.0, 0.0, 0.0])
    for i in range(len(shown)):
        corner[0, :] = i
        r, g, b = albedo[i, 0], albedo[i, 1], albedo[i, 2]
        cx, cy, cz = places[i, 0], places[i, 1], places[i, 2]
        if kinds[i] == SKIN:
            r, g, b, _, _, _, _, _ = _skin(
                r, g, b, cx, cy, cz, 0.0, 0.0, -1.0, marks, corner, 0, weight, person, table
            )
        elif kinds[i] == EYE:
            r, g, b = _eye(cx, cy, cz, person, table)
        shown[i, 0], shown[i, 1], shown[i, 2] = r, g, b


@numba.njit(cache=True, nogil=True, fastmath=True)
def _fill(
    top, bottom, samples, ids, weights, depths, layered, layer_ids, layer_weights, layer_depths,
    frames, starts, corners, kinds, vertices, light, place, shadow, person, table, room, backdrop,
    image, mask,
):  # fmt: skip
    """Rows top <= i < bottom of the image.

    A sample that sees the same material, or the same layers, as the one before takes its colour;
    under layers (hair), in eyes and on teeth at least every second one is shaded. The layers'
    rasters are joined end to end; ``frames`` (layers, 5) holds where each starts, its window's
    first row and column, its height and width.
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
                        hr, hg, hb, alpha, lit = _strand(
                            own, layer_weights[at[k]], corners, kinds, vertices, light, place,
                            shadow, lit, person, table,
                        )  # fmt: skip
                        cr += through * alpha * hr
                        cg += through * alpha * hg
                        cb += through * alpha * hb
                        through *= 1 - alpha
                        if through < 0.5 <= through / (1 - alpha + 1e-9):
                            front = kinds[own] + 1
                        if through < OPAQUE:
                            whole = 1 / (1 - through)
                            cr, cg, cb = whole * cr, whole * cg, whole * cb
                            break
                    if through >= OPAQUE:
                        if t >= 0:
                            hr, hg, hb = _solid(
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
                r += min(cr, BRIGHTEST)
                g += min(cg, BRIGHTEST)
                b += min(cb, BRIGHTEST)
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


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _is_bare(ids, y, x, samples):
    """Whether no sample of the pixel that begins at y, x sees a solid mesh."""
    for v in range(y, y + samples):
        for u in range(x, x + samples):
            if ids[v, u] >= 0:
                return False
    return True


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
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


_TONES = _tone(np.linspace(0, np.sqrt(BRIGHTEST), 4097) ** 2)
"""The display value over the square root of the light, on which it is nearly straight."""
_TONES_PER_ROOT = 4096 / np.sqrt(BRIGHTEST)


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _display(x):
    """``_tone`` read from its table; x at most ``BRIGHTEST``."""
    place = np.sqrt(max(x, 0.0)) * _TONES_PER_ROOT
    k = min(int(place), 4095)
    return _TONES[k] + (place - k) * (_TONES[k + 1] - _TONES[k])


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _mix3(a, corners, t, w):
    """A (n, 3) attribute at a point of triangle t."""
    p, q, s = corners[t, 0], corners[t, 1], corners[t, 2]
    return (
        w[0] * a[p, 0] + w[1] * a[q, 0] + w[2] * a[s, 0],
        w[0] * a[p, 1] + w[1] * a[q, 1] + w[2] * a[s, 1],
        w[0] * a[p, 2] + w[1] * a[q, 2] + w[2] * a[s, 2],
    )


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _mix1(a, column, corners, t, w):
    return (
        w[0] * a[corners[t, 0], column]
        + w[1] * a[corners[t, 1], column]
        + w[2] * a[corners[t, 2], column]
    )


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _unit(x, y, z):
    s = 1.0 / np.sqrt(x * x + y * y + z * z + 1e-20)
    return x * s, y * s, z * s


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _step(low, high, x):
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def _lit(px, py, pz, place, shadow, bias):
    """Share of the key light that reaches a point: 3 x 3 samples of the shadow map."""
    x, y, z = px - place[9], py - place[10], pz - place[11]
    size = shadow.shape[0]
    sx = place[0] * x + place[1] * y + place[2] * z
    sy = place[3] * x + place[4] * y + place[5] * z
    sz = place[6] * x + place[7] * y + place[8] * z
    scale = place[12] * 20.0 / (20.0 + sz)
    column, row = sx * scale + 0.5 * size - 0.5, sy * scale + 0.5 * size - 0.5
    c0, r0 = int(np.floor(column)) - 1, int(np.floor(row)) - 1
    fx, fy = column - np.floor(column), row - np.floor(row)
    if c0 < 0 or r0 < 0 or c0 + 3 >= size or r0 + 3 >= size:
        return 1.0
    near = 0
    for i in range(0, 4, 3):
        for j in range(0, 4, 3):
            near += shadow[r0 + i, c0 + j] + bias >= sz
    if near == 0 or near == 4:  # away from a shadow's edge
        return 0.25 * near
    total = 0.0
    for i in range(4):
        wy = (1 - fy) if i == 0 else (fy if i == 3 else 1.0)
        for j in range(4):
            wx = (1 - fx) if j == 0 else (fx if j == 3 else 1.0)
            if shadow[r0 + i, c0 + j] + bias >= sz:
                total += wx * wy
    return total / 9.0


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def _solid(t, w, corners, kinds, vertices, light, place, shadow, person, table):
    """Linear colour of a point of a solid mesh."""
    points, normals, places, albedos, marks, _ = vertices
    kind = kinds[t]
    px, py, pz = _mix3(points, corners, t, w)
    nx, ny, nz = _mix3(normals, corners, t, w)
    nx, ny, nz = _unit(nx, ny, nz)
    vx, vy, vz = _unit(-px, -py, -pz)
    if nx * vx + ny * vy + nz * vz < 0:
        nx, ny, nz = -nx, -ny, -nz
    cx, cy, cz = _mix3(places, corners, t, w)
    r, g, b = _mix3(albedos, corners, t, w)
    ao = _mix1(marks, 5, corners, t, w)
    gloss, power, wet = 0.0, 20.0, 0.0
    wrap = 0.0
    if kind == SKIN:
        r, g, b, gloss, wet, nx, ny, nz = _skin(
            r, g, b, cx, cy, cz, nx, ny, nz, marks, corners, t, w, person, table
        )
        ao *= 1 - 0.92 * _step(0.0, 1.0, _mix1(marks, 1, corners, t, w))
        wrap = 0.22
    elif kind == EYE:
        r, g, b = _eye(cx, cy, cz, person, table)
        ao = 0.25 + 0.75 * ao
        gloss, power = 2.4, 420.0
    elif kind == CLOTH:
        r, g, b = _cloth(cx, cy, cz, person, table)
    elif kind == FRAME:
        gloss, power = 0.5, 60.0
    else:
        gloss, power = 0.18, 60.0
        ao = _mix1(marks, 1, corners, t, w) * (0.12 + 0.88 * light[4, 0])
        wrap = 0.5
        if kind != TONGUE:  # teeth are few and coarse triangles: round their shading off
            nx, ny, nz = _unit(0.35 * nx, 0.35 * ny, 0.35 * nz - 1.0)
            gap = np.exp(-((((abs(cx) + 0.5 * WIDTH_M) % WIDTH_M) / WIDTH_M - 0.5) ** 2) * 180.0)
            ao *= 1 - 0.16 * gap
    nl = nx * light[0, 0] + ny * light[0, 1] + nz * light[0, 2]
    lit = 0.0
    if kind in (TONGUE, UPPER_TEETH, LOWER_TEETH):
        lit = ao
    elif nl > -wrap - 0.01:  # else it looks away from the lamp
        lit = _lit(px + 0.001 * nx, py + 0.001 * ny, pz + 0.001 * nz, place, shadow, 0.004)
    up = 0.5 - 0.5 * ny
    hx, hy, hz = _unit(light[0, 0] + vx, light[0, 1] + vy, light[0, 2] + vz)
    nh = max(nx * hx + ny * hy + nz * hz, 0.0)
    fresnel = (1 - max(nx * vx + ny * vy + nz * vz, 0.0)) ** 4
    sheen = 0.30 * min(gloss, 0.4) * fresnel * ao * up
    if kind == SKIN:
        tight = nh**26
        sheen += gloss * lit * (tight + wet * tight * (nh**24 - 1) + 0.5 * nh**9)
    elif gloss > 0:
        sheen += gloss * nh**power * lit
    key_r = max((nl + wrap) / (1 + wrap), 0.0) * (lit + wrap * 0.25 * (1 - lit))
    key_g = max((nl + 0.4 * wrap) / (1 + 0.4 * wrap), 0.0) * lit
    key_b = max((nl + 0.25 * wrap) / (1 + 0.25 * wrap), 0.0) * lit
    bounce = 0.10 * r * (1 - ao)  # light that comes back from neighbouring skin
    return (
        r * (light[1, 0] * key_r + ao * (light[3, 0] + (light[2, 0] - light[3, 0]) * up) + bounce)
        + sheen * light[1, 0],
        g * (light[1, 1] * key_g + ao * (light[3, 1] + (light[2, 1] - light[3, 1]) * up))
        + sheen * light[1, 1],
        b * (light[1, 2] * key_b + ao * (light[3, 2] + (light[2, 2] - light[3, 2]) * up))
        + sheen * light[1, 2],
    )


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def _skin(r, g, b, cx, cy, cz, nx, ny, nz, marks, corners, t, w, person, table):
    """Detailed colour, gloss, wetness and bumpy normal of skin, lips and the mouth's inside."""
    eyes, brow, _, hair, traits, _, _, creases = person
    lip = _mix1(marks, 0, corners, t, w)
    beard = _mix1(marks, 3, corners, t, w) * traits[1]
    flush = _mix1(marks, 4, corners, t, w)
    coarse = value_noise(table, cx * 130.0, cy * 130.0 + traits[5], cz * 130.0)
    middle = value_noise(table, cx * 420.0 + 7, cy * 420.0 + traits[5], cz * 420.0)
    fine = value_noise(table, cx * 850.0, cy * 850.0 + 3, cz * 850.0)
    melanin = 0.030 * coarse + 0.022 * middle + 0.018 * fine
    if traits[0] > 0:
        spots = value_noise(table, cx * 520.0, cy * 520.0, cz * 520.0 + traits[5])
        melanin += traits[0] * 0.5 * _step(1.15, 1.9, spots) * (0.35 + flush)
    old = traits[2] * traits[2]
    melanin += old * (0.22 * _step(1.1, 1.9, coarse + 0.3 * middle) + 0.03 * coarse)
    blood = 0.05 * coarse + (0.04 + 0.05 * traits[2]) * middle + 0.03 * flush
    deep, right, down = 0.0, 0.0, 0.0
    if cz < eyes[0, 2] + 0.03:
        deep, right, down = _crease(cx, cy - 0.5 * (eyes[0, 1] + eyes[1, 1]), creases)
        melanin += 0.16 * deep
        blood += 0.22 * deep
    if beard > 0.002:
        stubble = value_noise(table, cx * 900.0, cy * 700.0, cz * 900.0 + 11)
        melanin += beard * (0.55 + 0.38 * stubble)
    if lip > 0.02:
        lines = value_noise(table, cx * 900.0, cy * 120.0, cz * 200.0)
        blood += lip * 0.10 * lines
        melanin += lip * 0.05 * lines
    r *= np.exp(-0.6 * melanin - 0.12 * blood)
    g *= np.exp(-1.0 * melanin - 0.85 * blood)
    b *= np.exp(-1.4 * melanin - 0.75 * blood)
    grey = 0.24 * (0.3 * r + 0.6 * g + 0.1 * b)  # a camera's colours are less pure
    r, g, b = 0.76 * r + grey, 0.76 * g + grey, 0.76 * b + grey
    cover = _brow(cx, cy, cz, brow, table)
    grey = 0.6 * traits[4]  # brows grow grey later than hair
    r += cover * (0.75 * (hair[0] + grey * (GREY - hair[0])) - r)
    g += cover * (0.75 * (hair[1] + grey * (GREY - hair[1])) - g)
    b += cover * (0.75 * (hair[2] + grey * (GREY - hair[2])) - b)
    bump = 0.03 * (1 - lip)
    nx += bump * middle + CREASE * right
    ny += bump * 0.85 * fine + CREASE * down
    nx, ny, nz = _unit(nx, ny, nz)
    gloss = (0.085 + 0.02 * coarse + 0.11 * lip) * (1 - cover) * (1 - 0.6 * min(beard, 1.0))
    return r, g, b, gloss, lip, nx, ny, nz


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def _crease(right, down, creases):
    """Depth and slopes of the skin's lines at a place from the middle of the eyes."""
    column = (right - CREASES_LEFT_M) / CREASES_M
    row = (down - CREASES_TOP_M) / CREASES_M
    j, i = int(np.floor(column)), int(np.floor(row))
    if i < 0 or j < 0 or i + 1 >= creases.shape[0] or j + 1 >= creases.shape[1]:
        return 0.0, 0.0, 0.0
    u, v = column - j, row - i
    a, b, c, d = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
    return (
        a * creases[i, j, 0] + b * creases[i, j + 1, 0]
        + c * creases[i + 1, j, 0] + d * creases[i + 1, j + 1, 0],
        a * creases[i, j, 1] + b * creases[i, j + 1, 1]
        + c * creases[i + 1, j, 1] + d * creases[i + 1, j + 1, 1],
        a * creases[i, j, 2] + b * creases[i, j + 1, 2]
        + c * creases[i + 1, j, 2] + d * creases[i + 1, j + 1, 2],
    )  # fmt: skip


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def _brow(cx, cy, cz, brow, table):
    """How much (0 to 1) of a point the brow's hairs cover."""
    x = abs(cx)
    along = (x - brow[0]) / (brow[1] - brow[0])
    if along < -0.08 or along > 1.08 or cz > brow[7]:
        return 0.0
    away = cy - (brow[2] + brow[3] * x + brow[4] * x * x)
    half = brow[5] * (1 - 0.62 * max(along, 0.0))
    hairs = value_noise(table, x * 900.0 + 260.0 * away, cy * 330.0 + 40 * x, 5.0)
    edge = away / half + 0.22 * hairs
    cover = np.exp(-(edge**4)) * _step(-0.08, 0.10, along) * (1 - _step(0.85, 1.08, along))
    return min(max(brow[6] * cover * (0.68 + 0.42 * hairs), 0.0), 0.95)


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def _eye(cx, cy, cz, person, table):
    """Colour of the eye: pupil, iris with its dark rim, and a white that reddens to the corners."""
    eyes, _, iris, _, _, _, _, _ = person
    k = 0 if abs(cx - eyes[0, 0]) < abs(cx - eyes[1, 0]) else 1
    x, y, z = cx - eyes[k, 0], cy - eyes[k, 1], cz - eyes[k, 2]
    off = np.sqrt(x * x + y * y)
    if z > 0:
        off = 0.05
    angle = np.arctan2(y, x)
    fibre = value_noise(table, 4 * np.cos(angle) * 3, 4 * np.sin(angle) * 3, off * 500)
    veins = value_noise(table, cx * 300.0, cy * 700.0, cz * 300.0)
    redness = _step(0.006, 0.014, off)
    r = 0.50 * (1 - 0.10 * redness)
    g = 0.46 * (1 - 0.26 * redness - 0.05 * max(veins, 0.0))
    b = 0.445 * (1 - 0.28 * redness - 0.05 * max(veins, 0.0))
    inside = 1 - _step(IRIS_M - 0.0007, IRIS_M + 0.0004, off)
    rim = _step(IRIS_M - 0.0022, IRIS_M, off)
    glow = (1.0 + 0.30 * fibre + 0.5 * (1 - off / IRIS_M)) * (1 - 0.75 * rim)
    pupil = 1 - _step(PUPIL_M - 0.0004, PUPIL_M + 0.0004, off)
    r += inside * (iris[0] * glow * (1 - pupil) + 0.004 - r)
    g += inside * (iris[1] * glow * (1 - pupil) + 0.004 - g)
    b += inside * (iris[2] * glow * (1 - pupil) + 0.004 - b)
    lid = 1 - 0.60 * _step(0.0015, -0.0065, y)  # shadow of the upper lid and lashes
    return r * lid, g * lid, b * lid


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def _cloth(cx, cy, cz, person, table):
    """Woven cloth; a jacket shows the shirt between its lapels."""
    _, _, _, _, _, cloth, cut, _ = person
    k = 0
    x = abs(cx)
    crease = 1.0
    if cut == 1:
        edge = x - 0.030 - 0.36 * max(0.0, 0.33 - cy)
        k = 1 if edge < 0 and cz < 0.02 else 0
        crease = 1 - 0.45 * np.exp(-((edge / 0.004) ** 2)) * (1.0 if cz < 0.02 else 0.0)
    weave = value_noise(table, cx * 1600.0, cy * 1600.0, cz * 1600.0)
    folds = value_noise(table, cx * 24.0, cy * 15.0, cz * 24.0)
    shade = crease * (1 + 0.10 * weave + 0.14 * folds)
    return cloth[k, 0] * shade, cloth[k, 1] * shade, cloth[k, 2] * shade


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def _strand(t, w, corners, kinds, vertices, light, place, shadow, lit, person, table):
    """Linear colour and opacity of a point of a layer of hair or lashes, and its share of light.

    lit : found for a layer in front, which shares it; negative where there is none
    """
    points, normals, places, _, marks, strands = vertices
    cx, cy, cz = _mix3(places, corners, t, w)
    height = _mix1(marks, 6, corners, t, w)
    density = _mix1(marks, 7, corners, t, w)
    if kinds[t] == LASH:
        tuft = value_noise(table, cx * 2400.0, 2.0, cz * 900.0)
        alpha = density * min(max(1.25 + 0.5 * tuft - 1.7 * height, 0.0), 1.0)
        return 0.012, 0.010, 0.009, alpha, lit
    hair, curl, grey = person[3], person[4][3], person[4][4]
    if density < 0.03:
        return 0.0, 0.0, 0.0, 0.0, lit
    locks = value_noise(table, cx * 0.16, cy * 0.16, cz * 0.16)
    if curl > 0.6:
        cx += 2.5 * value_noise(table, cz * 0.55, cx * 0.2, 3.0)
        cy += 2.5 * value_noise(table, cz * 0.55, cy * 0.2, 9.0)
    fibre = value_noise(table, cx, cy, cz)
    finer = value_noise(table, cx * 2.3, cy * 2.3, cz * 1.7 + 17)
    grain = 0.6 * fibre + 0.45 * finer + 0.35 * locks
    alpha = _step(0.0, 0.30, density * 1.5 - 0.30 + 0.30 * grain * (1 - 0.4 * density))
    alpha *= _step(0.03, 0.22, density)
    alpha *= 1 - _step(0.1, 0.9, height * (0.75 + 0.5 * curl) - 0.40 - 0.30 * grain)
    if alpha < 0.004:
        return 0.0, 0.0, 0.0, 0.0, lit
    px, py, pz = _mix3(points, corners, t, w)
    nx, ny, nz = _mix3(normals, corners, t, w)
    nx, ny, nz = _unit(nx, ny, nz)
    vx, vy, vz = _unit(-px, -py, -pz)
    alpha *= _step(-0.05, 0.30, abs(nx * vx + ny * vy + nz * vz))
    tx, ty, tz = _mix3(strands, corners, t, w)
    tx, ty, tz = _unit(tx + 0.12 * nx * grain, ty + 0.12 * ny * grain, tz + 0.12 * nz * grain)
    lx, ly, lz = light[0, 0], light[0, 1], light[0, 2]
    nl = nx * lx + ny * ly + nz * lz
    if nl > -0.25 and lit < 0:
        lit = _lit(px, py, pz, place, shadow, 0.012)
    front = _step(-0.25, 0.6, nl) * max(lit, 0.0)
    white, shine = 0.0, 0.0
    if front > 0:
        tl = tx * lx + ty * ly + tz * lz
        hx, hy, hz = _unit(lx + vx, ly + vy, lz + vz)
        th = tx * hx + ty * hy + tz * hz
        ring = np.sqrt(max(1 - (th - 0.06) ** 2, 0.0))
        inner = np.sqrt(max(1 - (th + 0.10) ** 2, 0.0))
        white = 0.035 * ring**90 * front * (1 + 0.5 * finer)
        shine = (0.85 * np.sqrt(max(1 - tl * tl, 0.0)) + 0.55 * inner**22) * front
    deep = (0.30 + 0.70 * min(height * 1.2, 1.0)) * (1 + 0.30 * grain)
    ao = 0.25 + 0.75 * _mix1(marks, 5, corners, t, w)  # hair lets light through
    up = 0.5 - 0.5 * ny
    grey = min(max(grey + 1.2 * grey * (1 - grey) * (0.8 * fibre + finer), 0.0), 1.0)
    r = shine * light[1, 0] + ao * (light[3, 0] + (light[2, 0] - light[3, 0]) * up)
    g = shine * light[1, 1] + ao * (light[3, 1] + (light[2, 1] - light[3, 1]) * up)
    b = shine * light[1, 2] + ao * (light[3, 2] + (light[2, 2] - light[3, 2]) * up)
    r *= deep * (hair[0] + grey * (GREY - hair[0]))
    g *= deep * (hair[1] + grey * (GREY - hair[1]))
    b *= deep * (hair[2] + grey * (GREY - hair[2]))
    return r + white, g + white, b + white, alpha, lit
