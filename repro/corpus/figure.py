"""The geometry of a synthetic person: head, neck, torso, hair and lashes as one set of vertices.

Vertices stand in this order: the face model's V, the neck below it, the torso, the shells of hair
from the scalp outwards, the hanging sheets. The head turns; the torso stays; the neck's vertices
go over from one to the other by their height.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from repro.corpus import shade_surface as look
from repro.corpus.body import neck_below, torso
from repro.corpus.complexion import beard, creases, flush, vermilion
from repro.corpus.glasses import STYLES, glasses
from repro.corpus.hair import SHELLS, Scalp, Sheet, grow, hang, scalp_density, step
from repro.corpus.lips import LipEdges, lip_edges
from repro.corpus.noise import SIZE
from repro.corpus.people import Person
from repro.corpus.shadow import ambient_occlusion
from repro.face.mesh import vertex_normals
from repro.face.model import PARTS, MorphableModel
from repro.face.pose import apply_pose, rotation_matrix

_PART_MATERIAL = {
    "skin": look.SKIN,
    "tongue": look.TONGUE,
    "left_eye": look.EYE,
    "right_eye": look.EYE,
    "upper_teeth": look.UPPER_TEETH,
    "lower_teeth": look.LOWER_TEETH,
}

_MOUTH = {
    "tongue": (0.30, 0.085, 0.08),
    "upper_teeth": (0.60, 0.55, 0.46),
    "lower_teeth": (0.56, 0.51, 0.42),
}
"""Linear colours."""

_WIDE_M = 0.006
"""Lips so far apart let all light in."""


@dataclass(frozen=True)
class Figure:
    """All that lasts of a person's geometry; n vertices in all.

    neutral    (V, 3) the person's face at rest, model space
    attached   (m, 3) neck and glasses, model space
    torso      (k, 3) in camera space
    still      (V + m,) share of the torso's stillness in a vertex's motion
    triangles  one (F, 3) array for the solid meshes and one for each layer; materials alike
    places     (n, 3), albedo (n, 3), marks (n, 8): see ``shade_surface.Surface``
    """

    model: MorphableModel
    person: Person
    neutral: np.ndarray
    attached: np.ndarray
    torso: np.ndarray
    still: np.ndarray
    scalp: Scalp
    sheets: tuple[Sheet, ...]
    triangles: tuple[np.ndarray, ...]
    materials: tuple[np.ndarray, ...]
    places: np.ndarray
    albedo: np.ndarray
    marks: np.ndarray
    look: look.Look

    @property
    def one_sided(self) -> tuple[bool, ...]:
        """For each layer, whether only its outer side can be seen: so for the scalp's shells."""
        return (False, *[True] * SHELLS, *[False] * len(self.sheets))

    @property
    def occluders(self) -> np.ndarray:
        """Triangles (F, 3) that cast shadows: solid meshes, the second shell, outer sheet."""
        return np.concatenate([self.triangles[0], self.triangles[3], *self.outer_sheet])

    @cached_property
    def layer_vertices(self) -> tuple[np.ndarray, ...]:
        """Vertices of each translucent mesh."""
        return tuple(np.unique(mesh) for mesh in self.triangles[1:])

    @cached_property
    def lips(self) -> LipEdges:
        """The edges between which light enters the mouth."""
        return lip_edges(self.model)

    @property
    def outer_sheet(self) -> tuple[np.ndarray, ...]:
        """Triangles of the outermost hanging hair, if there is any."""
        return self.triangles[2 + SHELLS : 3 + SHELLS]


def build_figure(model: MorphableModel, person: Person, table: np.ndarray) -> Figure:
    """Dress the face model as a person.

    Parameters
    ----------
    table : from ``noise.noise_table``
    """
    hair = person.appearance.hair
    neutral = model.vertices(person.identity, np.zeros(64, np.float32))
    place = _from_eyes(model)
    skin = model.triangles[model.part == PARTS.index("skin")]
    is_skin = _belongs(model, "skin")
    density = scalp_density(place, hair, model.ear_mask, table) * is_skin
    mean_normals = vertex_normals(model.mean, model.triangles)
    scalp = grow(model.mean, mean_normals, skin, place, hair, density, table)
    rings, neck_triangles = neck_below(neutral, skin)
    neck = rings.reshape(-1, 3)
    spectacles, spectacles_triangles = _glasses(model, neutral, place, person)
    attached = np.concatenate([neck, spectacles])
    body, body_triangles = torso(
        (rings[-3].max(0) + rings[-3].min(0)) / 2,
        neck_width_m=float(np.ptp(rings[-3][:, 0]) / 2),
        broad=1.0 if person.seed % 2 == 0 else 0.92,
        collar_m=0.03 if person.appearance.clothes == "high collar" else 0.008,
    )
    body = body + person.pose_style.place_m
    sheets = _sheets(neutral, place, scalp, mean_normals, hair, person.seed)
    solid = [
        (neck_triangles, look.SKIN),
        (spectacles_triangles + len(neutral) + len(neck), look.FRAME),
        (body_triangles + len(neutral) + len(attached), look.CLOTH),
    ]
    count = len(neutral) + len(attached) + len(body)
    triangles, materials = _assemble(model, solid, scalp, sheets, count)
    places, albedo, marks = _attributes(
        model, person, place, len(neck), attached, body, scalp, sheets, is_skin, density
    )
    figure = Figure(
        model, person, neutral, attached, body,
        _stillness(model, neutral, attached), scalp, sheets, triangles, materials,
        places, albedo, marks, _look(model, person, place),
    )  # fmt: skip
    return _with_occlusion(figure)


def pose_figure(figure: Figure, expression: np.ndarray, pose: np.ndarray) -> look.Surface:
    """The surface in camera space for one frame.

    Parameters
    ----------
    expression : (64,); pose : (6,)
    """
    scalp = figure.scalp
    rest = np.concatenate([np.zeros(3), figure.person.pose_style.place_m])
    used = np.flatnonzero(expression)
    face = figure.neutral + np.tensordot(expression[used], figure.model.expression_basis[used], 1)
    moved = apply_pose(np.concatenate([face, figure.attached]), pose.astype(np.float32))
    stayed = np.concatenate([figure.neutral, figure.attached]) + rest[3:]
    still = figure.still[:, None]
    solid = np.concatenate([moved * (1 - still) + stayed * still, figure.torso])
    normals = vertex_normals(solid, figure.triangles[0])
    turn = rotation_matrix(pose[:3].astype(float))
    gape = float(np.clip(figure.lips.aperture(face) / _WIDE_M, 0, 1))
    points, sides, strands = [solid], [normals], [np.zeros_like(solid)]
    comb, out = scalp.comb @ turn.T, normals[scalp.roots]
    for height in _heights():
        lift = out * (scalp.thickness * height)[:, None]
        lay = comb * (0.5 * scalp.thickness * height**2)[:, None]
        points.append(solid[scalp.roots] + lift + lay)
        sides.append(out)
        strands.append(comb)
    for sheet in figure.sheets:
        hung, normal = _hang(figure, sheet, pose, rest)
        points.append(hung)
        sides.append(normal)
        strands.append(np.broadcast_to(np.array([0.0, 1.0, 0.0]), hung.shape))
    return look.Surface(
        np.concatenate(points).astype(np.float32), np.concatenate(sides).astype(np.float32),
        figure.places, figure.albedo, figure.marks, np.concatenate(strands).astype(np.float32),
        gape,
    )  # fmt: skip


def _heights() -> np.ndarray:
    return np.linspace(0.1, 1.0, SHELLS)


def _hang(figure: Figure, sheet: Sheet, pose, rest) -> tuple[np.ndarray, np.ndarray]:
    """A sheet follows the head above and the shoulders below."""
    y = sheet.vertices[:, 1]
    still = 0.85 * step(0.03, 0.20, y)[:, None]
    points = apply_pose(sheet.vertices, pose.astype(float)) * (1 - still)
    points += apply_pose(sheet.vertices, rest) * still
    return points, vertex_normals(points, sheet.triangles)


def _from_eyes(model: MorphableModel) -> np.ndarray:
    """(V, 3) right, back, up of the mean face's vertices from the middle of the eyes."""
    x, y, z = (model.mean - _eye_centres(model).mean(0)).T
    return np.stack([x, z, -y], 1)


def _eye_centres(model: MorphableModel) -> np.ndarray:
    """Centres (2, 3) of the left and the right eye of the mean face."""
    return np.stack([model.mean[model.part_vertices(p)].mean(0) for p in ("left_eye", "right_eye")])


def _stillness(model, neutral, attached) -> np.ndarray:
    """0 on the head, rising down the neck to 1 at its base."""
    chin = neutral[model.landmark68[8], 1]
    y = np.concatenate([neutral[:, 1] + 0.25 * (neutral[:, 2] + 0.03), attached[:, 1]])
    return step(chin + 0.008, attached[:, 1].max() - 0.030, y)


def _sheets(neutral, place, scalp: Scalp, normals, hair, seed) -> tuple[Sheet, ...]:
    if hair.hanging_m == 0:
        return ()
    thick = np.zeros(len(neutral))
    thick[scalp.roots] = scalp.thickness
    outer = neutral + thick[:, None] * normals
    kept = place[:, 2] > -0.15
    x, y, z = (outer - neutral).T
    shifted = place + np.stack([x, z, -y], 1)
    return tuple(
        hang(outer[kept], shifted[kept], hair, inset_m=inset, seed=seed) for inset in (0.0, 0.008)
    )


def _glasses(model, neutral, place, person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of the person's glasses, none where the person wears none."""
    style = person.appearance.glasses
    if style not in STYLES:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    eyes = np.stack([neutral[model.part_vertices(p)].mean(0) for p in ("left_eye", "right_eye")])
    temples = (np.abs(place[:, 2]) < 0.015) & (np.abs(place[:, 1] - 0.06) < 0.02)
    width = np.abs(neutral[temples & ~np.asarray(model.ear_mask > 0.1), 0]).max()
    return glasses(eyes, float(width), style=style)


def _assemble(model, solid, scalp, sheets, count: int):
    """Triangles and materials of the solid meshes and of every layer, on common vertices.

    solid: triangles and material of each mesh beside the face's; count: of the solid vertices
    """
    names = [PARTS[p] for p in model.part]
    opaque = np.array([name in _PART_MATERIAL for name in names])
    lashes = np.array([name.endswith("lashes") for name in names])
    own = np.array([_PART_MATERIAL.get(name, 0) for name in names], np.int8)
    base = [model.triangles[opaque], *(mesh for mesh, _ in solid)]
    kinds = [own[opaque], *(np.full(len(mesh), material) for mesh, material in solid)]
    triangles = [np.concatenate(base), model.triangles[lashes]]
    materials = [np.concatenate(kinds), np.full(lashes.sum(), look.LASH)]
    offset = count
    for mesh, size in [(scalp.triangles, len(scalp.roots))] * SHELLS + [
        (s.triangles, len(s.vertices)) for s in sheets
    ]:
        triangles.append(mesh + offset)
        materials.append(np.full(len(mesh), look.HAIR))
        offset += size
    return (
        tuple(np.ascontiguousarray(t, np.int32) for t in triangles),
        tuple(m.astype(np.int8) for m in materials),
    )


def _attributes(model, person, place, n_neck, attached, body, scalp, sheets, is_skin, density):
    """Places, linear albedo and marks of all vertices; ``n_neck`` of the attached are neck."""
    albedo = np.clip(model.albedo(person.texture), 0.01, 1) ** 2.2
    hair = person.appearance.hair.mean_colour
    cover = step(0.15, 0.7, density)[:, None]
    albedo = albedo * (1 - cover) + 0.6 * hair * cover
    throat = np.median(albedo[_ring_above(model, place, is_skin)], axis=0)
    marks = np.zeros((len(model.mean), 8))
    marks[:, look.LIP] = model.lip_mask * vermilion(place) * is_skin
    albedo = _narrow_lips(model, albedo, marks[:, look.LIP])
    marks[:, look.BEARD] = beard(place) * is_skin * (1 - marks[:, look.LIP])
    marks[:, look.FLUSH] = flush(place, model.ear_mask) * is_skin
    marks[:, look.HEIGHT : look.DENSITY + 1] = _lash_marks(model)
    bare = np.zeros((len(attached) + len(body), 8))
    places = [model.mean, attached, body - person.pose_style.place_m]
    beside = np.concatenate([
        np.tile(throat, (n_neck, 1)),
        np.tile(person.appearance.glasses_colour, (len(attached) - n_neck, 1)),
        np.full((len(body), 3), 0.2),
    ])  # fmt: skip
    colours = [albedo, beside]
    columns = [marks, bare]
    for height in _heights():
        columns.append(_hair_marks(scalp.density, height))
        places.append(scalp.strand)
        colours.append(np.tile(hair, (len(scalp.roots), 1)))
    for k, sheet in enumerate(sheets):
        columns.append(_hair_marks(sheet.density, 0.75 - 0.4 * k))
        places.append(sheet.strand + 13.0 * k)
        colours.append(np.tile(hair, (len(sheet.vertices), 1)))
    return tuple(np.concatenate(a).astype(np.float32) for a in (places, colours, columns))


def _hair_marks(density: np.ndarray, height: float) -> np.ndarray:
    marks = np.zeros((len(density), 8))
    marks[:, look.HEIGHT] = height
    marks[:, look.DENSITY] = density
    return marks


def _ring_above(model, place, is_skin) -> np.ndarray:
    """Skin vertices of the throat."""
    return is_skin & (place[:, 2] < -0.11) & (np.abs(place[:, 0]) < 0.06)


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


def _lash_marks(model: MorphableModel) -> np.ndarray:
    """Height from root (0) to tip (1) and density of the lashes' vertices (V, 2)."""
    out = np.zeros((len(model.mean), 2))
    for name, eye in zip(("left_lashes", "right_lashes"), _eye_centres(model), strict=True):
        own = model.part_vertices(name)
        away = np.linalg.norm(model.mean[own] - eye, axis=1)
        upper = model.mean[own, 1] < np.median(model.mean[own, 1])
        out[own, 0] = np.clip((away - 0.0155) / 0.006, 0, 1)
        out[own, 1] = np.where(upper, 0.95, 0.28)
    return out


def _with_occlusion(figure: Figure) -> Figure:
    """Fill in the marks that need the whole figure: ambient occlusion and the mouth's inside."""
    rest = np.concatenate([np.zeros(3), figure.person.pose_style.place_m]).astype(np.float32)
    surface = pose_figure(figure, np.zeros(64, np.float32), rest)
    marks = figure.marks.copy()
    solid = np.concatenate([figure.triangles[0], *figure.outer_sheet])
    ao = ambient_occlusion(surface.points, surface.normals, solid)
    model = figure.model
    v = len(model.mean)
    marks[:, look.AO] = 0.15 + 0.85 * np.clip(1.35 * ao, 0, 1)
    marks[:v, look.CAVITY] = model.cavity_mask * step(0.22, 0.05, ao[:v])
    lips = model.mean[model.landmark68[60:68]].mean(0)
    for name, front in (("tongue", 0.7), ("upper_teeth", 0.95), ("lower_teeth", 0.6)):
        own = model.part_vertices(name)
        depth = model.mean[own, 2] - lips[2]
        marks[own, look.CAVITY] = front * np.exp(-np.maximum(depth - 0.002, 0) / 0.022)
    albedo = figure.albedo.copy()
    inside = (marks[:v, look.CAVITY] * _belongs(model, "skin"))[:, None]
    albedo[:v] = albedo[:v] * (1 - inside) + np.array([0.16, 0.035, 0.03]) * inside
    for name, colour in _MOUTH.items():
        albedo[model.part_vertices(name)] = colour
    return replace(figure, marks=marks.astype(np.float32), albedo=albedo)


def _belongs(model: MorphableModel, part: str) -> np.ndarray:
    """Whether each vertex (V,) belongs to a part."""
    inside = np.zeros(len(model.mean), bool)
    inside[model.part_vertices(part)] = True
    return inside


def _look(model: MorphableModel, person: Person, place) -> look.Look:
    """The shader's constants of a person."""
    a = person.appearance
    points = model.mean[model.landmark68[17:27]]
    x, y = np.abs(points[:, 0]), points[:, 1] + 0.0035  # the landmarks follow the upper edge
    c, b, base = np.polyfit(x, y, 2)
    half = 0.0034 + 0.0020 * a.brows
    brow = [x.min() - 0.002, x.max() - 0.006, base, b, c, half, a.brows, points[:, 2].max() + 0.001]
    return look.Look(
        eyes=_eye_centres(model).astype(np.float32),
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
