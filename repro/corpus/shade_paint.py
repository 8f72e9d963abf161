"""The colour of a point of a person without light on it: all that is painted on the meshes.

Skin with blotches, freckles, stubble and creases, brows, eyes with iris and veins, woven cloth.
Every pattern is a function of the place on the mean face, so it stays with the skin as the face
moves.
"""

import numba
import numpy as np

from repro.corpus.noise import value_noise
from repro.corpus.shade_code import stored
from repro.corpus.shade_surface import (
    BEARD,
    CREASES_LEFT_M,
    CREASES_M,
    CREASES_TOP_M,
    EYE,
    FLUSH,
    GREY,
    LIP,
    SKIN,
    TONGUE,
    Look,
    mix1,
    step,
    unit,
)

_IRIS_M, _PUPIL_M = 0.0061, 0.0023
"""Radii."""
_CREASE = 0.9
"""How far a crease's slope turns the normal."""


def surface_albedo(
    triangles, materials, places, albedo, marks, look: Look, table, count: int
) -> np.ndarray:
    """Albedo (count, 3) float32, display range, of the first vertices, with all painted detail.

    Parameters
    ----------
    triangles, materials : (F, 3) and (F,), of the solid meshes; what is in none of them (lashes)
        keeps its plain albedo
    places, albedo, marks : as in ``Surface``
    table : from ``noise_table``
    """
    kinds = np.full(count, TONGUE, np.int8)
    for corner in range(3):
        own = triangles[:, corner] < count
        kinds[triangles[own, corner]] = materials[own]
    shown = np.empty((count, 3), np.float32)
    _paint(kinds, places, albedo, marks, look.constants, table, shown)
    return np.clip(shown, 0, 1) ** np.float32(1 / 2.2)


@stored
def _paint(kinds, places, albedo, marks, person, table, shown):
    """Fill ``shown`` (n, 3) with the colours of the first n vertices, linear."""
    corner, weight = np.zeros((1, 3), np.int32), np.array([1.0, 0.0, 0.0])
    for i in range(len(shown)):
        corner[0, :] = i
        r, g, b = albedo[i, 0], albedo[i, 1], albedo[i, 2]
        cx, cy, cz = places[i, 0], places[i, 1], places[i, 2]
        if kinds[i] == SKIN:
            r, g, b, _, _, _, _, _ = skin_detail(
                r, g, b, cx, cy, cz, 0.0, 0.0, -1.0, marks, corner, 0, weight, person, table
            )
        elif kinds[i] == EYE:
            r, g, b = eye_colour(cx, cy, cz, person, table)
        shown[i, 0], shown[i, 1], shown[i, 2] = r, g, b


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def skin_detail(r, g, b, cx, cy, cz, nx, ny, nz, marks, corners, t, w, person, table):
    """Skin, lips and the mouth's inside at a point of triangle t, where the albedo is r, g, b.

    cx, cy, cz : the place on the mean face; nx, ny, nz : the smooth normal; person : from
    ``Look.constants``

    Returns the colour r, g, b, gloss, wetness, and the bumpy unit normal.
    """
    eyes, brow, _, hair, traits, _, _, creases = person
    lip = mix1(marks, LIP, corners, t, w)
    beard = mix1(marks, BEARD, corners, t, w) * traits[1]
    flush = mix1(marks, FLUSH, corners, t, w)
    coarse = value_noise(table, cx * 130.0, cy * 130.0 + traits[5], cz * 130.0)
    middle = value_noise(table, cx * 420.0 + 7, cy * 420.0 + traits[5], cz * 420.0)
    fine = value_noise(table, cx * 850.0, cy * 850.0 + 3, cz * 850.0)
    melanin = 0.030 * coarse + 0.022 * middle + 0.018 * fine
    if traits[0] > 0:
        spots = value_noise(table, cx * 520.0, cy * 520.0, cz * 520.0 + traits[5])
        melanin += traits[0] * 0.5 * step(1.15, 1.9, spots) * (0.35 + flush)
    old = traits[2] * traits[2]
    melanin += old * (0.22 * step(1.1, 1.9, coarse + 0.3 * middle) + 0.03 * coarse)
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
    nx += bump * middle + _CREASE * right
    ny += bump * 0.85 * fine + _CREASE * down
    nx, ny, nz = unit(nx, ny, nz)
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
    cover = np.exp(-(edge**4)) * step(-0.08, 0.10, along) * (1 - step(0.85, 1.08, along))
    return min(max(brow[6] * cover * (0.68 + 0.42 * hairs), 0.0), 0.95)


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def eye_colour(cx, cy, cz, person, table):
    """Colour of the eye: pupil, iris with its dark rim, a white that reddens to the corners, and
    the shadow of the upper lid.
    """
    eyes, _, iris, _, _, _, _, _ = person
    k = 0 if abs(cx - eyes[0, 0]) < abs(cx - eyes[1, 0]) else 1
    x, y, z = cx - eyes[k, 0], cy - eyes[k, 1], cz - eyes[k, 2]
    off = np.sqrt(x * x + y * y)
    if z > 0:
        off = 0.05
    angle = np.arctan2(y, x)
    fibre = value_noise(table, 4 * np.cos(angle) * 3, 4 * np.sin(angle) * 3, off * 500)
    veins = value_noise(table, cx * 300.0, cy * 700.0, cz * 300.0)
    redness = step(0.006, 0.014, off)
    r = 0.50 * (1 - 0.10 * redness)
    g = 0.46 * (1 - 0.26 * redness - 0.05 * max(veins, 0.0))
    b = 0.445 * (1 - 0.28 * redness - 0.05 * max(veins, 0.0))
    inside = 1 - step(_IRIS_M - 0.0007, _IRIS_M + 0.0004, off)
    rim = step(_IRIS_M - 0.0022, _IRIS_M, off)
    glow = (1.0 + 0.30 * fibre + 0.5 * (1 - off / _IRIS_M)) * (1 - 0.75 * rim)
    pupil = 1 - step(_PUPIL_M - 0.0004, _PUPIL_M + 0.0004, off)
    r += inside * (iris[0] * glow * (1 - pupil) + 0.004 - r)
    g += inside * (iris[1] * glow * (1 - pupil) + 0.004 - g)
    b += inside * (iris[2] * glow * (1 - pupil) + 0.004 - b)
    lid = 1 - 0.60 * step(0.0015, -0.0065, y)  # shadow of the upper lid and lashes
    return r * lid, g * lid, b * lid


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def cloth_colour(cx, cy, cz, person, table):
    """Woven cloth; a jacket shows the shirt between its lapels."""
    _, _, _, _, _, cloth, jacket, _ = person
    k = 0
    x = abs(cx)
    crease = 1.0
    if jacket:
        edge = x - 0.030 - 0.36 * max(0.0, 0.33 - cy)
        k = 1 if edge < 0 and cz < 0.02 else 0
        crease = 1 - 0.45 * np.exp(-((edge / 0.004) ** 2)) * (1.0 if cz < 0.02 else 0.0)
    weave = value_noise(table, cx * 1600.0, cy * 1600.0, cz * 1600.0)
    folds = value_noise(table, cx * 24.0, cy * 15.0, cz * 24.0)
    shade = crease * (1 + 0.10 * weave + 0.14 * folds)
    return cloth[k, 0] * shade, cloth[k, 1] * shade, cloth[k, 2] * shade
