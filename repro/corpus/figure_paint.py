"""What lasts of the surface of a synthetic person: albedo, marks and places of all vertices."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from repro.corpus.complexion import beard, creases, flush, vermilion
from repro.corpus.hair import step
from repro.corpus.noise import SIZE
from repro.corpus.people import Person
from repro.corpus.shade_surface import BEARD, CAVITY, DENSITY, FLUSH, HEIGHT, LIP, Look
from repro.face.model import MorphableModel

_MOUTH = {
    "tongue": (0.30, 0.085, 0.08),
    "upper_teeth": (0.60, 0.55, 0.46),
    "lower_teeth": (0.56, 0.51, 0.42),
}
"""Linear colours."""
_GUMS = np.array([0.16, 0.035, 0.03])
"""Linear colour of the mouth's inside."""
_FRONT = {"tongue": 0.7, "upper_teeth": 0.95, "lower_teeth": 0.6}
"""How much light reaches the foremost part of each."""


class Paint(NamedTuple):
    """Places (n, 3), linear albedo (n, 3) and marks (n, 8) of n vertices, as in ``Surface``."""

    places: np.ndarray
    albedo: np.ndarray
    marks: np.ndarray


def joined(paints: Sequence[Paint]) -> Paint:
    """Several meshes' paint as one, float32."""
    return Paint(*(np.concatenate(part).astype(np.float32) for part in zip(*paints, strict=True)))


def paint_face(
    model: MorphableModel, person: Person, place: np.ndarray, density: np.ndarray
) -> Paint:
    """Paint the face model's V vertices, but for what needs ambient occlusion (``paint_mouth``).

    Parameters
    ----------
    place : (V, 3) right, back and up from the middle of the eyes on the mean face, metres
    density : (V,) in [0, 1], of the hair
    """
    skin = part_mask(model, "skin")
    albedo = np.clip(model.albedo(person.texture), 0.01, 1) ** 2.2
    cover = step(0.15, 0.7, density)[:, None]
    albedo = albedo * (1 - cover) + 0.6 * person.appearance.hair.mean_colour * cover
    marks = np.zeros((len(model.mean), 8))
    marks[:, LIP] = model.lip_mask * vermilion(place) * skin
    marks[:, BEARD] = beard(place) * skin * (1 - marks[:, LIP])
    marks[:, FLUSH] = flush(place, model.ear_mask) * skin
    marks[:, HEIGHT], marks[:, DENSITY] = _lashes(model)
    return Paint(model.mean, _narrow_lips(model, albedo, marks[:, LIP]), marks)


def paint_plain(places: np.ndarray, colour: np.ndarray | float) -> Paint:
    """Paint a mesh of vertices (n, 3) in one linear colour, (3,) or a grey."""
    return Paint(places, np.broadcast_to(colour, (len(places), 3)), np.zeros((len(places), 8)))


def paint_hair(strand: np.ndarray, density: np.ndarray, height: float, colour: np.ndarray) -> Paint:
    """Paint a layer of hair.

    Parameters
    ----------
    strand : (n, 3) strand coordinates; density : (n,) in [0, 1]
    height : of the layer above the skin, from 0 at the roots to 1 at the tips
    colour : (3,) linear
    """
    paint = paint_plain(strand, colour)
    paint.marks[:, HEIGHT] = height
    paint.marks[:, DENSITY] = density
    return paint


def throat_colour(model: MorphableModel, face: Paint, place: np.ndarray) -> np.ndarray:
    """Linear colour (3,) of the skin of the throat, with which the neck goes on."""
    throat = part_mask(model, "skin") & (place[:, 2] < -0.11) & (np.abs(place[:, 0]) < 0.06)
    return np.median(face.albedo[throat], axis=0)


def paint_mouth(model: MorphableModel, paint: Paint, sky: np.ndarray) -> Paint:
    """Darken the mouth's inside, and colour tongue and teeth.

    Parameters
    ----------
    paint : of all vertices, the face model's V first
    sky : (V,) in [0, 1], share of the sky that each of these sees
    """
    count = len(model.mean)
    albedo, marks = paint.albedo.copy(), paint.marks.copy()
    marks[:count, CAVITY] = model.cavity_mask * step(0.22, 0.05, sky)
    lips = model.mean[model.landmark68[60:68]].mean(0)
    for name, front in _FRONT.items():
        own = model.part_vertices(name)
        depth = model.mean[own, 2] - lips[2]
        marks[own, CAVITY] = front * np.exp(-np.maximum(depth - 0.002, 0) / 0.022)
    inside = (marks[:count, CAVITY] * part_mask(model, "skin"))[:, None]
    albedo[:count] = albedo[:count] * (1 - inside) + _GUMS * inside
    for name, colour in _MOUTH.items():
        albedo[model.part_vertices(name)] = colour
    return paint._replace(albedo=albedo, marks=marks)


def person_look(model: MorphableModel, person: Person) -> Look:
    """The shader's constants of a person."""
    a = person.appearance
    points = model.mean[model.landmark68[17:27]]
    x, y = np.abs(points[:, 0]), points[:, 1] + 0.0035  # the landmarks follow the upper edge
    c, b, base = np.polyfit(x, y, 2)
    half = 0.0034 + 0.0020 * a.brows
    brow = [x.min() - 0.002, x.max() - 0.006, base, b, c, half, a.brows, points[:, 2].max() + 0.001]
    return Look(
        eyes=eye_centres(model, model.mean).astype(np.float32),
        brow=np.array(brow, np.float32),
        iris=a.iris.astype(np.float32),
        hair=a.hair.colour.astype(np.float32),
        traits=np.array(
            [a.freckles, a.beard, a.ageing, a.hair.curl, a.hair.grey, 7.3 * person.seed % SIZE],
            np.float32,
        ),
        creases=creases(a.age_years, person.seed),
        cloth=a.cloth_colours.astype(np.float32),
        jacket=a.clothes == "jacket",
    )


def eye_centres(model: MorphableModel, vertices: np.ndarray) -> np.ndarray:
    """Centres (2, 3) of the left and the right eye of a face with vertices (V, 3)."""
    return np.stack([vertices[model.part_vertices(p)].mean(0) for p in ("left_eye", "right_eye")])


def part_mask(model: MorphableModel, part: str) -> np.ndarray:
    """Whether each vertex (V,) belongs to a part of the face model."""
    inside = np.zeros(len(model.mean), bool)
    inside[model.part_vertices(part)] = True
    return inside


def _narrow_lips(model: MorphableModel, albedo: np.ndarray, red: np.ndarray) -> np.ndarray:
    """Take the red of the texture's lips back to where ``red`` (V,) is, and a little of it away."""
    painted = np.flatnonzero(model.lip_mask > 0.02)
    bare = np.flatnonzero((model.lip_mask < 0.02) & (model.skin_mask > 0.5))
    nearest = cKDTree(model.mean[bare]).query(model.mean[painted], 12)[1]
    skin = albedo[bare][nearest].mean(1)
    lips = np.median(albedo[model.lip_mask > 0.9], axis=0)
    out = albedo.copy()
    out[painted] = skin + 0.85 * red[painted, None] * (lips - skin)
    return out


def _lashes(model: MorphableModel) -> tuple[np.ndarray, np.ndarray]:
    """Height from root (0) to tip (1) and density of the lashes' vertices; (V,) each."""
    height, density = np.zeros((2, len(model.mean)))
    eyes = eye_centres(model, model.mean)
    for name, eye in zip(("left_lashes", "right_lashes"), eyes, strict=True):
        own = model.part_vertices(name)
        away = np.linalg.norm(model.mean[own] - eye, axis=1)
        upper = model.mean[own, 1] < np.median(model.mean[own, 1])
        height[own] = np.clip((away - 0.0155) / 0.006, 0, 1)
        density[own] = np.where(upper, 0.95, 0.28)
    return height, density
