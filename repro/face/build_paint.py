"""Masks and the texture basis of the open face model: colours painted by rule, then PCA.

Skin follows a two-pigment model: light that enters the skin is attenuated by melanin and
haemoglobin, each with its own absorption in red, green and blue (Beer-Lambert).
"""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, diags_array

from repro.face.mesh import mesh_graph
from repro.face.model import MorphableModel

SAMPLES = 600
_DERMIS = np.array([0.93, 0.86, 0.80])
_MELANIN = np.array([0.60, 1.05, 1.75])
_HAEMOGLOBIN = np.array([0.12, 0.95, 0.80])
_HAIR = np.array(
    [
        (0.10, 0.08, 0.07),
        (0.18, 0.13, 0.10),
        (0.28, 0.20, 0.14),
        (0.5, 0.4, 0.26),
        (0.45, 0.43, 0.42),
    ]
)
_IRIS = np.array([(0.30, 0.20, 0.12), (0.34, 0.42, 0.52), (0.36, 0.38, 0.26), (0.20, 0.14, 0.10)])
_LIP_RINGS = 8
_EAR_BOX_M = (0.058, 0.0, 0.03, 0.115)
"""Ears: beyond this |x|, from this y to that below the eyes' height, and behind the face by z."""


def paint_masks(model: MorphableModel, regions: dict[str, np.ndarray]) -> MorphableModel:
    """Fill in where skin, scalp, ears, lips and cavities are (soft, (V,) in [0, 1])."""
    skin = _of_part(model, "skin")
    head, mouth = _members(model, regions["head"]), _members(model, regions["mouth_cavity"])
    sockets = _members(model, np.r_[regions["eye_cavity.L"], regions["eye_cavity.R"]])
    graph = mesh_graph(model.triangles, len(model.mean))
    rim = mouth & head
    lips = _rings(graph, rim, _LIP_RINGS, head & ~mouth) | rim
    cavity = (mouth | sockets) & ~head
    x, y, z = place(model).T
    hairline = -(0.064 - 0.30 * np.maximum(np.abs(x) - 0.035, 0) - 1.5 * np.maximum(z - 0.022, 0))
    nape = np.where(z > 0.10, np.minimum(hairline + 2.2 * (z - 0.10), 0.085), hairline)
    ear = _ears(model, skin & ~cavity)
    scalp = _step(0.004, -0.004, y - nape) * (skin & ~cavity) * (1 - ear)
    above = -(0.066 - 0.30 * np.maximum(np.abs(x) - 0.035, 0))
    face = _step(above - 0.006, above + 0.006, y) * _step(0.062, 0.045, z)
    # The chin's underside belongs to the face as far as the throat.
    face *= _step(0.132, 0.116, y) * _step(0.030, 0.010, z - 0.6 * (0.10 - np.minimum(y, 0.10)))
    face *= (skin & ~cavity) * (1 - ear)
    return replace(
        model,
        skin_mask=_soften(graph, face * skin, 2) * (skin & ~cavity),
        scalp_mask=_soften(graph, scalp, 1).astype(np.float32),
        ear_mask=ear.astype(np.float32),
        lip_mask=_soften(graph, lips & skin, 1).astype(np.float32),
        cavity_mask=(cavity & skin).astype(np.float32),
    )


def texture_basis(
    model: MorphableModel, *, components: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (V, 3) and PCA basis (components, V, 3), scaled by deviation, of painted faces."""
    rng = np.random.default_rng([seed, 2])
    painted = np.stack([paint(model, rng) for _ in range(SAMPLES)]).reshape(SAMPLES, -1)
    mean = painted.mean(0)
    centred = painted - mean
    values, vectors = np.linalg.eigh(centred @ centred.T)
    largest = np.argsort(values)[::-1][:components]
    basis = (vectors[:, largest].T @ centred) / np.sqrt(SAMPLES - 1)
    basis *= np.sign(basis[np.arange(components), np.abs(basis).argmax(1)])[:, None]
    shape = model.mean.shape
    return (
        mean.reshape(shape).astype(np.float32),
        basis.reshape(components, *shape).astype(np.float32),
    )


def paint(model: MorphableModel, rng: np.random.Generator) -> np.ndarray:
    """One person's albedo (V, 3), display RGB in [0, 1]."""
    xyz = place(model)
    x, y, _ = xyz.T
    melanin = rng.choice([rng.uniform(0.05, 0.35), rng.uniform(0.35, 1.0)])
    blood = rng.uniform(0.08, 0.24)
    blush = blood + rng.uniform(0.05, 0.35) * _spot(xyz, 0.036, 0.045, 0.018, 0.016)
    blush = blush + rng.uniform(0.05, 0.35) * _spot(xyz, 0.0, 0.048, 0.013, 0.010)
    blush = blush + rng.uniform(0.0, 0.25) * model.ear_mask
    blush = blush + 0.04 * _smooth_noise(xyz, 60, rng)
    tan = melanin + rng.uniform(0.0, 0.25) * _spot(xyz, 0.031, 0.017, 0.016, 0.008)
    tan = tan + 0.04 * _smooth_noise(xyz, 90, rng)
    if rng.random() < 0.4:  # shaven or growing beard
        chin, lip = _spot(xyz, 0.0, 0.098, 0.045, 0.022), _spot(xyz, 0.02, 0.066, 0.02, 0.006)
        jaw = _step(0.035, 0.05, np.abs(x)) * _step(0.04, 0.06, y)
        tan = tan + rng.uniform(0.05, 0.45) * (chin + 0.7 * lip + 0.6 * jaw)
    colour = skin_tone(np.maximum(tan, 0.02), np.maximum(blush, 0.02))
    lips = skin_tone(np.array(0.8 * melanin + 0.1), np.array(blood + rng.uniform(0.2, 0.6)))
    hair = _HAIR[rng.integers(len(_HAIR))] * np.exp(rng.normal(0, 0.2))
    for mask, over in (
        (model.lip_mask, lips),
        (_brows(xyz, rng) * (model.cavity_mask == 0) * _of_part(model, "skin"), 0.8 * hair),
        (model.scalp_mask, hair),
        (model.cavity_mask, np.array([0.36, 0.12, 0.11])),
    ):
        colour += (over - colour) * mask[:, None]
    _paint_parts(model, colour, rng)
    return np.clip(colour, 0, 1)


def skin_tone(melanin: np.ndarray, haemoglobin: np.ndarray) -> np.ndarray:
    """Display RGB (..., 3) of skin with these amounts (...,) of the two pigments."""
    absorbed = melanin[..., None] * _MELANIN + haemoglobin[..., None] * _HAEMOGLOBIN
    return _DERMIS * np.exp(-absorbed)


def place(model: MorphableModel) -> np.ndarray:
    """Mean vertices (V, 3) seen from the point between the eyes, our axes."""
    eyes = np.r_[model.part_vertices("left_eye"), model.part_vertices("right_eye")]
    return model.mean - model.mean[eyes].mean(0)


def _paint_parts(model: MorphableModel, colour: np.ndarray, rng: np.random.Generator) -> None:
    iris = _IRIS[rng.integers(len(_IRIS))] * np.exp(rng.normal(0, 0.15))
    for name in ("left_eye", "right_eye"):
        eye = model.part_vertices(name)
        out = model.mean[eye] - model.mean[eye].mean(0)
        angle = np.degrees(np.arccos(-out[:, 2] / np.linalg.norm(out, axis=1)))
        white = np.array([0.80, 0.77, 0.75])
        colour[eye] = np.where((angle < 21.5)[:, None], iris, white)
        colour[eye[angle < 9]] = 0.03
    teeth = np.r_[model.part_vertices("upper_teeth"), model.part_vertices("lower_teeth")]
    colour[teeth] = np.array([0.80, 0.76, 0.67]) * rng.uniform(0.9, 1.08)
    colour[model.part_vertices("tongue")] = np.array([0.55, 0.24, 0.23])
    lashes = np.r_[model.part_vertices("left_lashes"), model.part_vertices("right_lashes")]
    colour[lashes] = (0.10, 0.08, 0.07)


def _brows(xyz: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Weight (V,) of arched bands above the eyes."""
    x, y, z = xyz.T
    along = (np.abs(x) - 0.012) / 0.042
    arch = -(0.017 + rng.uniform(0.005, 0.009) * np.sin(np.clip(along, 0, 1) * 2.2))
    width = rng.uniform(0.0036, 0.0062) * (1 - 0.5 * np.clip(along, 0, 1))
    band = np.exp(-(((y - arch) / width) ** 4))
    ends = _step(-0.06, 0.06, along) * _step(1.08, 0.92, along)
    return rng.uniform(0.45, 0.95) * band * ends * (z < 0.03)


def _ears(model: MorphableModel, skin: np.ndarray) -> np.ndarray:
    """Ears (V,): skin that stands out sideways between the eyes' and the mouth's height."""
    x, y, z = place(model).T
    side, top, front, back = _EAR_BOX_M
    inside = (np.abs(x) > side) & (y > top - 0.03) & (y < 0.05) & (z > front + 0.025) & (z < back)
    narrow = np.abs(x) > side + 0.012
    return (inside & narrow & skin).astype(np.float64)


def _spot(xyz: np.ndarray, x: float, y: float, width: float, height: float) -> np.ndarray:
    """A pair of soft spots on the front of the face, at +-x and y below the eyes."""
    spread = ((np.abs(xyz[:, 0]) - x) / width) ** 2 + ((xyz[:, 1] - y) / height) ** 2
    return np.exp(-spread) * (xyz[:, 2] < 0.04)


def _smooth_noise(xyz: np.ndarray, frequency: float, rng: np.random.Generator) -> np.ndarray:
    """Sum (V,) of twelve random waves of about this many radians a metre, unit variance."""
    waves = rng.normal(size=(12, 3))
    waves *= frequency * rng.uniform(0.6, 1.8, (12, 1)) / np.linalg.norm(waves, axis=1)[:, None]
    return np.sin(xyz @ waves.T + rng.uniform(0, 2 * np.pi, 12)).sum(1) / np.sqrt(6)


def _step(start, end, value):
    """Smooth step from 0 at ``start`` to 1 at ``end`` (which may be the smaller)."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def _of_part(model: MorphableModel, name: str) -> np.ndarray:
    return _members(model, model.part_vertices(name))


def _members(model: MorphableModel, indices: np.ndarray) -> np.ndarray:
    members = np.zeros(len(model.mean), bool)
    members[indices] = True
    return members


def _rings(graph: csr_array, start: np.ndarray, count: int, allowed: np.ndarray) -> np.ndarray:
    """Vertices (V,) bool within ``count`` edges of ``start`` through allowed ones."""
    reached = start.copy()
    for _ in range(count):
        reached |= (graph @ reached > 0) & allowed
    return reached


def _soften(graph: csr_array, mask: np.ndarray, rounds: int) -> np.ndarray:
    """A mask (V,) averaged with its neighbours; float32."""
    mean = diags_array(1 / np.maximum(graph.sum(1), 1)) @ graph
    for _ in range(rounds):
        mask = 0.5 * mask + 0.5 * (mean @ mask)
    return mask.astype(np.float32)
