"""The light that a point of a person sends to the camera: of solid meshes, and of hair and lashes.

A key lamp with cast shadow, light from the room above and below dimmed by ambient occlusion, sheen,
wet teeth and tongue, and strands of hair that shine along their direction.

The compiled functions take

    vertices  from ``Surface.vertices``; person from ``Look.constants``
    light     (5, 3): direction to the key light, its colour, sky, ground, and the mouth's gape
    place     (13,): rotation row by row, centre and pixels per metre of the ``LightView``
    shadow    its depth map
    table     from ``noise_table``
"""

import numba
import numpy as np

from repro.corpus.noise import value_noise
from repro.corpus.shade_paint import cloth_colour, eye_colour, skin_detail
from repro.corpus.shade_surface import (
    AO,
    CAVITY,
    CLOTH,
    DENSITY,
    EYE,
    FRAME,
    GREY,
    HEIGHT,
    LASH,
    LOWER_TEETH,
    SKIN,
    TONGUE,
    UPPER_TEETH,
    mix1,
    mix3,
    step,
    unit,
)
from repro.corpus.shadow import FAR_M

_TOOTH_M = 0.0078
"""Width of a front tooth."""


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def solid_colour(t, w, corners, kinds, vertices, light, place, shadow, person, table):
    """Linear colour of the point of triangle t with barycentric weights w, of a solid mesh."""
    points, normals, places, albedos, marks, _ = vertices
    kind = kinds[t]
    px, py, pz = mix3(points, corners, t, w)
    nx, ny, nz = mix3(normals, corners, t, w)
    nx, ny, nz = unit(nx, ny, nz)
    vx, vy, vz = unit(-px, -py, -pz)
    if nx * vx + ny * vy + nz * vz < 0:
        nx, ny, nz = -nx, -ny, -nz
    cx, cy, cz = mix3(places, corners, t, w)
    r, g, b = mix3(albedos, corners, t, w)
    ao = mix1(marks, AO, corners, t, w)
    gloss, power, wet = 0.0, 20.0, 0.0
    wrap = 0.0
    if kind == SKIN:
        r, g, b, gloss, wet, nx, ny, nz = skin_detail(
            r, g, b, cx, cy, cz, nx, ny, nz, marks, corners, t, w, person, table
        )
        ao *= 1 - 0.92 * step(0.0, 1.0, mix1(marks, CAVITY, corners, t, w))
        wrap = 0.22
    elif kind == EYE:
        r, g, b = eye_colour(cx, cy, cz, person, table)
        ao = 0.25 + 0.75 * ao
        gloss, power = 2.4, 420.0
    elif kind == CLOTH:
        r, g, b = cloth_colour(cx, cy, cz, person, table)
    elif kind == FRAME:
        gloss, power = 0.5, 60.0
    else:
        gloss, power = 0.18, 60.0
        ao = mix1(marks, CAVITY, corners, t, w) * (0.12 + 0.88 * light[4, 0])
        wrap = 0.5
        if kind != TONGUE:  # teeth are few and coarse triangles: round their shading off
            nx, ny, nz = unit(0.35 * nx, 0.35 * ny, 0.35 * nz - 1.0)
            gap = np.exp(-((((abs(cx) + 0.5 * _TOOTH_M) % _TOOTH_M) / _TOOTH_M - 0.5) ** 2) * 180.0)
            ao *= 1 - 0.16 * gap
    nl = nx * light[0, 0] + ny * light[0, 1] + nz * light[0, 2]
    lit = 0.0
    if kind in (TONGUE, UPPER_TEETH, LOWER_TEETH):
        lit = ao
    elif nl > -wrap - 0.01:  # else it looks away from the lamp
        lit = share_lit(px + 0.001 * nx, py + 0.001 * ny, pz + 0.001 * nz, place, shadow, 0.004)
    up = 0.5 - 0.5 * ny
    hx, hy, hz = unit(light[0, 0] + vx, light[0, 1] + vy, light[0, 2] + vz)
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
def strand_colour(t, w, corners, kinds, vertices, light, place, shadow, lit, person, table):
    """Linear colour and opacity of a point of a layer of hair or lashes, and the key light's share.

    lit : that share as found for an earlier layer or sample of the pixel, which is taken over;
        negative where none is found yet
    """
    points, normals, places, _, marks, strands = vertices
    cx, cy, cz = mix3(places, corners, t, w)
    height = mix1(marks, HEIGHT, corners, t, w)
    density = mix1(marks, DENSITY, corners, t, w)
    if kinds[t] == LASH:
        tuft = value_noise(table, cx * 2400.0, 2.0, cz * 900.0)
        alpha = density * min(max(1.25 + 0.5 * tuft - 1.7 * height, 0.0), 1.0)
        return 0.012, 0.010, 0.009, alpha, lit
    _, _, _, hair, traits, _, _, _ = person
    curl, grey = traits[3], traits[4]
    if density < 0.03:
        return 0.0, 0.0, 0.0, 0.0, lit
    locks = value_noise(table, cx * 0.16, cy * 0.16, cz * 0.16)
    if curl > 0.6:
        cx += 2.5 * value_noise(table, cz * 0.55, cx * 0.2, 3.0)
        cy += 2.5 * value_noise(table, cz * 0.55, cy * 0.2, 9.0)
    fibre = value_noise(table, cx, cy, cz)
    finer = value_noise(table, cx * 2.3, cy * 2.3, cz * 1.7 + 17)
    grain = 0.6 * fibre + 0.45 * finer + 0.35 * locks
    alpha = step(0.0, 0.30, density * 1.5 - 0.30 + 0.30 * grain * (1 - 0.4 * density))
    alpha *= step(0.03, 0.22, density)
    alpha *= 1 - step(0.1, 0.9, height * (0.75 + 0.5 * curl) - 0.40 - 0.30 * grain)
    if alpha < 0.004:
        return 0.0, 0.0, 0.0, 0.0, lit
    px, py, pz = mix3(points, corners, t, w)
    nx, ny, nz = mix3(normals, corners, t, w)
    nx, ny, nz = unit(nx, ny, nz)
    vx, vy, vz = unit(-px, -py, -pz)
    alpha *= step(-0.05, 0.30, abs(nx * vx + ny * vy + nz * vz))
    tx, ty, tz = mix3(strands, corners, t, w)
    tx, ty, tz = unit(tx + 0.12 * nx * grain, ty + 0.12 * ny * grain, tz + 0.12 * nz * grain)
    lx, ly, lz = light[0, 0], light[0, 1], light[0, 2]
    nl = nx * lx + ny * ly + nz * lz
    if nl > -0.25 and lit < 0:
        lit = share_lit(px, py, pz, place, shadow, 0.012)
    front = step(-0.25, 0.6, nl) * max(lit, 0.0)
    white, shine = 0.0, 0.0
    if front > 0:
        tl = tx * lx + ty * ly + tz * lz
        hx, hy, hz = unit(lx + vx, ly + vy, lz + vz)
        th = tx * hx + ty * hy + tz * hz
        ring = np.sqrt(max(1 - (th - 0.06) ** 2, 0.0))
        inner = np.sqrt(max(1 - (th + 0.10) ** 2, 0.0))
        white = 0.035 * ring**90 * front * (1 + 0.5 * finer)
        shine = (0.85 * np.sqrt(max(1 - tl * tl, 0.0)) + 0.55 * inner**22) * front
    deep = (0.30 + 0.70 * min(height * 1.2, 1.0)) * (1 + 0.30 * grain)
    ao = 0.25 + 0.75 * mix1(marks, AO, corners, t, w)  # hair lets light through
    up = 0.5 - 0.5 * ny
    grey = min(max(grey + 1.2 * grey * (1 - grey) * (0.8 * fibre + finer), 0.0), 1.0)
    r = shine * light[1, 0] + ao * (light[3, 0] + (light[2, 0] - light[3, 0]) * up)
    g = shine * light[1, 1] + ao * (light[3, 1] + (light[2, 1] - light[3, 1]) * up)
    b = shine * light[1, 2] + ao * (light[3, 2] + (light[2, 2] - light[3, 2]) * up)
    r *= deep * (hair[0] + grey * (GREY - hair[0]))
    g *= deep * (hair[1] + grey * (GREY - hair[1]))
    b *= deep * (hair[2] + grey * (GREY - hair[2]))
    return r + white, g + white, b + white, alpha, lit


@numba.njit(nogil=True, fastmath=True, forceinline=True)
def share_lit(px, py, pz, place, shadow, bias):
    """Share of the key light that reaches a point: a box of 3 x 3 pixels of the shadow map.

    Where the point lies on the map is told as by ``LightView.locate``; outside it all is lit.
    """
    x, y, z = px - place[9], py - place[10], pz - place[11]
    size = shadow.shape[0]
    sx = place[0] * x + place[1] * y + place[2] * z
    sy = place[3] * x + place[4] * y + place[5] * z
    sz = place[6] * x + place[7] * y + place[8] * z
    scale = place[12] * FAR_M / (FAR_M + sz)
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
