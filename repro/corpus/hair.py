"""Hair of a synthetic person: shells of strands above the scalp, and sheets that hang from it."""

from dataclasses import dataclass

import numpy as np

from repro.corpus.body import grid
from repro.corpus.noise import value_noise_at
from repro.corpus.people import Hair

SHELLS = 4
"""Layers of hair above the scalp."""
_STRANDS_PER_M = 700.0
_ALONG_PER_M = 60.0
"""Noise cells per metre across and along the strands."""


@dataclass(frozen=True)
class Scalp:
    """The part of the head that carries hair.

    roots (n,) vertices of the face model; triangles (m, 3) into the roots; density (n,) in [0, 1];
    thickness (n,) metres; comb (n, 3) unit direction of the strands, model space;
    strand (n, 3) strand coordinates, noise cells
    """

    roots: np.ndarray
    triangles: np.ndarray
    density: np.ndarray
    thickness: np.ndarray
    comb: np.ndarray
    strand: np.ndarray


@dataclass(frozen=True)
class Sheet:
    """Hanging hair: vertices (n, 3) model space, triangles, density (n,), strand (n, 3)."""

    vertices: np.ndarray
    triangles: np.ndarray
    density: np.ndarray
    strand: np.ndarray


def step(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """A smooth step from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def scalp_density(place: np.ndarray, hair: Hair, ears: np.ndarray, table: np.ndarray) -> np.ndarray:
    """How densely (V,) in [0, 1] hair grows.

    Parameters
    ----------
    place : (V, 3) right, back and up from the middle of the eyes on the mean face, metres
    ears : (V,) in [0, 1], without hair
    table : from ``noise_table``
    """
    side, back, up = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    line = 0.061 + hair.hairline_m - 0.30 * np.maximum(side - 0.036, 0)
    line -= 1.45 * np.maximum(back - 0.022, 0)
    far = back > 0.10
    line = np.where(far, np.maximum(line - 2.2 * (back - 0.10), -0.085), line)
    line += 0.003 * value_noise_at(table, place * 90.0) - 0.004 * np.exp(-((side / 0.014) ** 2))
    line += 0.007 * np.exp(-(((side - 0.043) / 0.012) ** 2)) * (back < 0.03)
    return step(-0.009, 0.013, up - line) * (1 - np.clip(1.5 * ears, 0, 1))


def grow(
    mean: np.ndarray, normals: np.ndarray, skin: np.ndarray, place: np.ndarray, hair: Hair,
    density: np.ndarray, table: np.ndarray,
) -> Scalp:  # fmt: skip
    """Choose the scalp's triangles and comb them.

    Parameters
    ----------
    mean, normals : (V, 3) of the mean face; skin (F, 3) triangles of its skin
    place, table : as for ``scalp_density``; density : (V,) from it
    """
    kept = skin[(density[skin] > 0.01).any(1)]
    roots, flat = np.unique(kept, return_inverse=True)
    side, back, up = place[roots].T
    comb, across, along = _comb(side, back, up, hair)
    n = normals[roots]
    comb = comb - (comb * n).sum(1, keepdims=True) * n
    comb /= np.linalg.norm(comb, axis=1, keepdims=True) + 1e-9
    strand = np.concatenate([across * _STRANDS_PER_M, along[:, None] * _ALONG_PER_M], 1)
    if hair.curl > 0.6:
        strand = place[roots] * 190.0
    thickness = _thickness(side, back, up, hair, value_noise_at(table, place[roots] * 38.0))
    fringe = np.sqrt(density[roots])
    return Scalp(
        roots, flat.reshape(kept.shape).astype(np.int32), density[roots], thickness * fringe,
        comb.astype(np.float32), strand.astype(np.float32),
    )  # fmt: skip


def _comb(side, back, up, hair: Hair):
    """Direction of the strands (n, 3) in model axes, and coordinates across (n, 2) and along."""
    if hair.style == "swept back":
        turn = np.arctan2(side, up + 0.02)
        across = 0.09 * np.stack([np.cos(turn), np.sin(turn)], 1)
        direction = np.stack([0.0 * side, 0.35 * step(0.08, 0.16, back), 1 + 0 * side], 1)
        return direction, across, back
    if hair.parting:
        from_line = side - 0.028 * hair.parting
        over = np.tanh(from_line / 0.012)
        direction = np.stack([over, 0.35 + 3.5 * np.abs(from_line), 0.35 + 0 * side], 1)
        across = np.stack([back + 0.35 * up, 0.02 * over], 1)
        return direction, across, np.abs(from_line) + 0.6 * np.maximum(0.08 - up, 0)
    crown_back, crown_up = 0.115, 0.095
    x, z, y = side, back - crown_back, up - crown_up
    turn = np.arctan2(x, -z + 0.6 * y)
    across = 0.085 * np.stack([np.cos(turn), np.sin(turn)], 1)
    direction = np.stack([x, -y + 0.01, z], 1)
    return direction, across, np.sqrt(x * x + y * y + z * z)


def _thickness(side, back, up, hair: Hair, noise) -> np.ndarray:
    """Of the hair above the scalp, (n,) metres."""
    top = step(0.02, 0.085, up)
    sides = {"crop": 0.75, "side parting": 0.45, "swept back": 0.5, "curls": 0.8}
    shape = sides.get(hair.style, 0.7) + (1 - sides.get(hair.style, 0.7)) * top
    if hair.style == "side parting":
        heavy = step(-0.03, 0.05, -(side - 0.028 * hair.parting) * hair.parting)
        shape *= 0.75 + 0.45 * heavy * top
    if hair.parting:
        shape *= 1 - 0.55 * np.exp(-(((side - 0.028 * hair.parting) / 0.006) ** 2)) * top
    if hair.style == "swept back":
        shape *= 1 + 0.5 * step(0.09, 0.03, back) * top
    lumps = 0.30 if hair.style == "curls" else 0.10
    return hair.thickness_m * shape * np.clip(1 + lumps * noise, 0.4, 1.7)


def hang(outer: np.ndarray, place: np.ndarray, hair: Hair, *, inset_m: float, seed: int) -> Sheet:
    """A sheet of hair from ear to ear around the back.

    Parameters
    ----------
    outer : (n, 3) model-space vertices of the head with its hair's thickness
    place : (n, 3) the same from the middle of the eyes: right, back, up
    inset_m : how far inside the outermost sheet it hangs
    seed : of its waves
    """
    rows, columns = 26, 72
    front = np.deg2rad(47 + 6 * inset_m / 0.008)
    turn = np.linspace(front, 2 * np.pi - front, columns)
    down = np.linspace(-0.075, hair.hanging_m, rows)
    axis_back = 0.085
    angle = np.arctan2(place[:, 0], -(place[:, 1] - axis_back)) % (2 * np.pi)
    radius = np.hypot(place[:, 0], place[:, 1] - axis_back)
    reach = np.array([_reach(angle, radius, -place[:, 2], t, down) for t in turn]).T
    widest = np.maximum.accumulate(reach, 0)
    sag = np.linspace(0, 1, rows)[:, None]
    bend = np.sin(np.pi * sag) * (0.012 if hair.style == "bob" else 0.006)
    curl_in = 0.022 * step(0.65, 1.0, sag) * (hair.style == "bob")
    wave = 0.003 * np.sin(9 * turn + 5 * sag + seed) * sag
    r = np.maximum(widest * (1 - 0.05 * sag) + bend - curl_in, reach + 0.004) + wave - inset_m
    r -= 0.012 * (1 - step(0.0, 0.25, sag))
    origin = outer.mean(0) - np.array([place[:, 0].mean(), -place[:, 2].mean(), place[:, 1].mean()])
    x = r * np.sin(turn)
    z = axis_back - r * np.cos(turn)
    y = np.broadcast_to(down[:, None], r.shape)
    vertices = np.stack([x, y, z], -1) + origin
    edge = np.minimum(turn - front, 2 * np.pi - front - turn) / np.deg2rad(7)
    ends = step(1.0, 0.72, sag)
    density = step(0.0, 1.0, np.clip(edge, 0, 1)[None] * 0.7 + 0.3) * ends
    strand = np.stack(
        [
            0.095 * np.cos(turn) * _STRANDS_PER_M + 0 * y,
            0.095 * np.sin(turn) * _STRANDS_PER_M + 0 * y,
            y * _ALONG_PER_M,
        ],
        -1,
    )
    return Sheet(
        vertices.reshape(-1, 3).astype(np.float32), grid(rows, columns, closed=False),
        density.reshape(-1).astype(np.float32), strand.reshape(-1, 3).astype(np.float32),
    )  # fmt: skip


def _reach(angle, radius, down, turn, rows) -> np.ndarray:
    """Largest radius (rows,) of the head near an angle, at each height."""
    apart = np.abs((angle - turn + np.pi) % (2 * np.pi) - np.pi)
    near = apart < np.deg2rad(9)
    out = np.full(len(rows), 0.03)
    for k, y in enumerate(rows):
        level = near & (np.abs(down - y) < 0.012)
        if level.any():
            out[k] = radius[level].max()
    return out
