"""The geometry of a synthetic person: head, neck, torso, hair and lashes as one set of vertices.

Vertices stand in this order: the face model's V, the neck below it, the glasses, the torso, the
shells of hair from the scalp outwards, the hanging sheets. The head turns; the torso stays; the
neck's vertices go over from one to the other by their height.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from repro.corpus.body import neck_below, torso
from repro.corpus.figure_paint import (
    Paint,
    eye_centres,
    joined,
    paint_face,
    paint_hair,
    paint_mouth,
    paint_plain,
    part_mask,
    person_look,
    throat_colour,
)
from repro.corpus.glasses import STYLES, glasses
from repro.corpus.hair import SHELLS, Scalp, Sheet, grow, hang, scalp_density, step
from repro.corpus.lips import LipEdges, lip_edges
from repro.corpus.people import Person
from repro.corpus.shade_surface import (
    AO,
    CLOTH,
    EYE,
    FRAME,
    HAIR,
    LASH,
    LOWER_TEETH,
    SKIN,
    TONGUE,
    UPPER_TEETH,
    Look,
    Surface,
)
from repro.corpus.shadow import ambient_occlusion
from repro.face.mesh import vertex_normals
from repro.face.model import PARTS, MorphableModel
from repro.face.pose import apply_pose, rotation_matrix

_MATERIALS = {
    "skin": SKIN,
    "tongue": TONGUE,
    "left_eye": EYE,
    "right_eye": EYE,
    "upper_teeth": UPPER_TEETH,
    "lower_teeth": LOWER_TEETH,
}
"""Of the face model's solid parts."""
_HEIGHTS = np.linspace(0.1, 1.0, SHELLS)
"""Where each shell lies in the thickness of the hair."""
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
    paint      of the n vertices
    look       the shader's other constants
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
    paint: Paint
    look: Look

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
    density = scalp_density(place, hair, model.ear_mask, table) * part_mask(model, "skin")
    normals = vertex_normals(model.mean, model.triangles)
    scalp = grow(model.mean, normals, skin, place, hair, density, table)
    sheets = _sheets(neutral, place, scalp, normals, hair, person.seed)
    rings, neck_triangles = neck_below(neutral, skin)
    neck = rings.reshape(-1, 3)
    spectacles, spectacles_triangles = _glasses(model, neutral, place, person)
    body, body_triangles = _torso(rings[-3], person)
    face = paint_face(model, person, place, density)
    paint = joined([
        face,
        paint_plain(neck, throat_colour(model, face, place)),
        paint_plain(spectacles, person.appearance.glasses_colour),
        paint_plain(body, 0.2),
        *(paint_hair(scalp.strand, scalp.density, h, hair.mean_colour) for h in _HEIGHTS),
        *(
            paint_hair(sheet.strand + 13.0 * k, sheet.density, 0.75 - 0.4 * k, hair.mean_colour)
            for k, sheet in enumerate(sheets)
        ),
    ])  # fmt: skip
    attached = np.concatenate([neck, spectacles])
    beside = [
        (neck_triangles, SKIN),
        (spectacles_triangles + len(neutral) + len(neck), FRAME),
        (body_triangles + len(neutral) + len(attached), CLOTH),
    ]
    count = len(neutral) + len(attached) + len(body)
    triangles, materials = _assemble(model, beside, scalp, sheets, count)
    return _with_occlusion(
        Figure(
            model, person, neutral, attached, body + person.pose_style.place_m,
            _stillness(model, neutral, attached), scalp, sheets, triangles, materials, paint,
            person_look(model, person),
        )
    )  # fmt: skip


def pose_figure(figure: Figure, expression: np.ndarray, pose: np.ndarray) -> Surface:
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
    for height in _HEIGHTS:
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
    return Surface(
        np.concatenate(points).astype(np.float32), np.concatenate(sides).astype(np.float32),
        *figure.paint, np.concatenate(strands).astype(np.float32), gape,
    )  # fmt: skip


def _hang(figure: Figure, sheet: Sheet, pose, rest) -> tuple[np.ndarray, np.ndarray]:
    """A sheet follows the head above and the shoulders below."""
    y = sheet.vertices[:, 1]
    still = 0.85 * step(0.03, 0.20, y)[:, None]
    points = apply_pose(sheet.vertices, pose.astype(float)) * (1 - still)
    points += apply_pose(sheet.vertices, rest) * still
    return points, vertex_normals(points, sheet.triangles)


def _from_eyes(model: MorphableModel) -> np.ndarray:
    """(V, 3) right, back, up of the mean face's vertices from the middle of the eyes."""
    x, y, z = (model.mean - eye_centres(model, model.mean).mean(0)).T
    return np.stack([x, z, -y], 1)


def _stillness(model, neutral, attached) -> np.ndarray:
    """0 on the head, rising down the neck to 1 at its base."""
    chin = neutral[model.landmark68[8], 1]
    y = np.concatenate([neutral[:, 1] + 0.25 * (neutral[:, 2] + 0.03), attached[:, 1]])
    return step(chin + 0.008, attached[:, 1].max() - 0.030, y)


def _sheets(neutral, place, scalp: Scalp, normals, hair, seed) -> tuple[Sheet, ...]:
    """Hanging hair: an outer sheet and one inside of it, where the person's hair hangs."""
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


def _torso(ring: np.ndarray, person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Vertices, model space, and triangles of the torso around a ring (n, 3) of the neck."""
    return torso(
        (ring.max(0) + ring.min(0)) / 2,
        neck_width_m=float(np.ptp(ring[:, 0]) / 2),
        broad=1.0 if person.seed % 2 == 0 else 0.92,
        collar_m=0.03 if person.appearance.clothes == "high collar" else 0.008,
    )


def _glasses(model, neutral, place, person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of the person's glasses, none where the person wears none."""
    style = person.appearance.glasses
    if style not in STYLES:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    temples = (np.abs(place[:, 2]) < 0.015) & (np.abs(place[:, 1] - 0.06) < 0.02)
    width = np.abs(neutral[temples & ~np.asarray(model.ear_mask > 0.1), 0]).max()
    return glasses(eye_centres(model, neutral), float(width), style=style)


def _assemble(model, beside, scalp, sheets, count: int):
    """Triangles and materials of the solid meshes and of every layer, on common vertices.

    beside: triangles and material of each solid mesh but the face's; count: of the solid vertices
    """
    own = np.array([_MATERIALS.get(name, -1) for name in PARTS])[model.part]
    lashes = np.array([name.endswith("lashes") for name in PARTS])[model.part]
    base = [model.triangles[own >= 0], *(mesh for mesh, _ in beside)]
    kinds = [own[own >= 0], *(np.full(len(mesh), material) for mesh, material in beside)]
    triangles = [np.concatenate(base), model.triangles[lashes]]
    materials = [np.concatenate(kinds), np.full(lashes.sum(), LASH)]
    offset = count
    for mesh, size in [(scalp.triangles, len(scalp.roots))] * SHELLS + [
        (s.triangles, len(s.vertices)) for s in sheets
    ]:
        triangles.append(mesh + offset)
        materials.append(np.full(len(mesh), HAIR))
        offset += size
    return (
        tuple(np.ascontiguousarray(t, np.int32) for t in triangles),
        tuple(m.astype(np.int8) for m in materials),
    )


def _with_occlusion(figure: Figure) -> Figure:
    """Fill in what needs the whole figure: ambient occlusion, and with it the mouth's inside."""
    rest = np.concatenate([np.zeros(3), figure.person.pose_style.place_m]).astype(np.float32)
    surface = pose_figure(figure, np.zeros(64, np.float32), rest)
    solid = np.concatenate([figure.triangles[0], *figure.outer_sheet])
    sky = ambient_occlusion(surface.points, surface.normals, solid)
    paint = paint_mouth(figure.model, figure.paint, sky[: len(figure.neutral)])
    paint.marks[:, AO] = 0.15 + 0.85 * np.clip(1.35 * sky, 0, 1)
    return replace(figure, paint=paint)
