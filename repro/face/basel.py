"""The Basel Face Model 2009 with FaceWarehouse expressions, as the papers use it (section 3.1).

The files are those of Deep3DFaceReconstruction (Deng et al. 2019): shapes in micrometres, x right,
y up, z towards the viewer; indices counted from 1; colours from 0 to 255.
"""

import hashlib
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from scipy.sparse import csr_array

from repro.errors import UserError
from repro.face.coefficients import EXPRESSION, IDENTITY, TEXTURE
from repro.face.model import MEDIAPIPE_OF_68, MorphableModel

MODEL_FILE = "01_MorphableModel.mat"
EXPRESSION_FILE, DEVIATION_FILE = "Exp_Pca.bin", "std_exp.txt"
FRONT_FILE, TRIM_FILE, INFO_FILE = "BFM_front_idx.mat", "BFM_exp_idx.mat", "facemodel_info.mat"
FILES = (MODEL_FILE, EXPRESSION_FILE, DEVIATION_FILE, FRONT_FILE, TRIM_FILE, INFO_FILE)
"""What the folder must hold; the first is the licensed one, the others come with the code."""

_MICROMETRES = 1e-6
_TO_CAMERA = np.array([1, -1, -1], np.float32)
"""Half a turn about x: up becomes down and towards the viewer becomes away."""
_PIVOT_FROM_LIDS_M = np.array([0, 0.05, 0.10], np.float32)
"""Joint of head and neck from the middle of the twelve eyelid landmarks, our axes."""
_EYELIDS, _OUTER_LIPS = slice(36, 48), slice(48, 60)
_INNER_FACE = slice(17, 68)
_LIP_DEPTH_M = 0.02
_EDGE_ROUNDS = 3


def load_basel(folder: Path) -> MorphableModel:
    """Read the Basel Face Model 2009 and FaceWarehouse's expressions from a folder.

    The first 80 identity, 64 expression and 80 texture components are kept, on the vertices of the
    front of the face that Deep3DFaceReconstruction keeps (35709 of 53490). All triangles are skin:
    the model has neither eyeballs nor teeth. ``skin_mask`` is the region of the authors'
    photometric loss (``frontmask2_idx``). Of MediaPipe's 478 points the 51 that are also iBUG
    points of the inner face are valid.

    Parameters
    ----------
    folder : holds ``FILES``

    Raises
    ------
    UserError
        A file is missing, is not what its name says, or does not fit the others.
    """
    folder = Path(folder)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"Basel Face Model: '{folder}' lacks {', '.join(missing)}; "
            "put it there ('repro assets' says where to get it)."
        )
    basel = _mat(folder / MODEL_FILE, "shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV")
    info = _mat(folder / INFO_FILE, "tri", "keypoints", "frontmask2_idx")
    trim = _indices(_mat(folder / TRIM_FILE, "trimIndex")["trimIndex"])
    front = _indices(_mat(folder / FRONT_FILE, "idx")["idx"])
    _check_range(front, len(trim), folder / FRONT_FILE)
    _check_range(trim, basel["shapeMU"].size // 3, folder / TRIM_FILE)
    chosen = trim[front]

    metres = _MICROMETRES * _TO_CAMERA
    mean = basel["shapeMU"].reshape(-1, 3)[chosen] * metres
    triangles, corners = _indices(info["tri"]).reshape(-1, 3), _indices(info["keypoints"])
    _check_range(triangles, len(mean), folder / INFO_FILE)
    _check_range(corners, len(mean), folder / INFO_FILE)
    mean -= mean[corners[_EYELIDS]].mean(0) + _PIVOT_FROM_LIDS_M
    triangles = _wound_outwards(triangles, mean)
    on, weights, valid = _mediapipe_points(triangles, corners)
    zeros = np.zeros(len(mean), np.float32)
    arrays = {
        "mean": mean.astype(np.float32),
        "identity_basis": _basis(basel, "shape", IDENTITY, chosen) * metres.astype(np.float32),
        "expression_basis": _expressions(folder, len(trim))[:, front] * metres.astype(np.float32),
        "texture_mean": (basel["texMU"].reshape(-1, 3)[chosen] / 255).astype(np.float32),
        "texture_basis": _basis(basel, "tex", TEXTURE, chosen) / np.float32(255),
        "triangles": triangles.astype(np.int32),
        "part": np.zeros(len(triangles), np.int8),
        "landmark_triangles": on,
        "landmark_barycentrics": weights,
        "landmark_valid": valid,
        "landmark68": corners.astype(np.int32),
        "skin_mask": _front_mask(triangles, _indices(info["frontmask2_idx"]), len(mean)),
        "scalp_mask": zeros,
        "ear_mask": zeros.copy(),
        "lip_mask": _lip_mask(mean, corners),
        "cavity_mask": zeros.copy(),
    }
    for array in arrays.values():
        array.setflags(write=False)
    return MorphableModel(
        **arrays,
        expression_names=tuple(f"facewarehouse{i:02d}" for i in range(1, EXPRESSION + 1)),
        name="basel2009",
        licence="University of Basel: non-commercial research, by signed form",
        sha256=_folder_hash(folder),
    )


def _mat(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Named variables of a MATLAB file."""
    try:
        content = loadmat(path, variable_names=names)
    except (ValueError, TypeError, NotImplementedError, MatReadError, OSError) as error:
        raise UserError(
            f"'{path}' cannot be read as a MATLAB file ({error}); fetch it anew."
        ) from error
    absent = [name for name in names if name not in content]
    if absent:
        raise UserError(f"'{path}' lacks {', '.join(absent)}; is it the file of that name?")
    return content


def _indices(one_based: np.ndarray) -> np.ndarray:
    """Flat indices counted from 0."""
    return one_based.astype(np.int64).ravel() - 1


def _check_range(indices: np.ndarray, count: int, path: Path) -> None:
    if indices.min() < 0 or indices.max() >= count:
        raise UserError(
            f"'{path}' names element {indices.max() + 1} of {count}: the files of this folder "
            "do not belong together; take all of them from one source."
        )


def _basis(basel: dict, kind: str, count: int, chosen: np.ndarray) -> np.ndarray:
    """The first components (count, V, 3) float32, each times its deviation, in the file's unit."""
    scaled = basel[f"{kind}PC"][:, :count] * basel[f"{kind}EV"].ravel()[:count]
    return scaled.reshape(-1, 3, count)[chosen].transpose(2, 0, 1).astype(np.float32)


def _expressions(folder: Path, count: int) -> np.ndarray:
    """Expression components (64, count, 3) float32 of the trimmed model, micrometres.

    ``Exp_Pca.bin``: the number D of components as int32, then float32 numbers, the mean (3 count)
    and D components of 3 count each. ``std_exp.txt`` holds their deviations.
    """
    path = folder / EXPRESSION_FILE
    content = path.read_bytes()
    size = int(np.frombuffer(content[:4], "<i4")[0]) if len(content) >= 4 else 0
    if len(content) != 4 + 4 * 3 * count * (size + 1) or size < EXPRESSION:
        raise UserError(
            f"'{path}' does not hold {EXPRESSION} or more expressions of {count} vertices "
            f"({len(content)} bytes, {size} components); fetch it anew."
        )
    components = np.frombuffer(content, "<f4", offset=4 + 4 * 3 * count)
    components = components.reshape(size, count, 3)[:EXPRESSION]
    try:
        deviations = np.loadtxt(folder / DEVIATION_FILE, dtype=np.float32).ravel()
    except ValueError as error:
        raise UserError(
            f"'{folder / DEVIATION_FILE}' holds something else than numbers; fetch it anew."
        ) from error
    if len(deviations) < EXPRESSION:
        raise UserError(
            f"'{folder / DEVIATION_FILE}' holds {len(deviations)} deviations; "
            f"{EXPRESSION} or more are needed."
        )
    return components * deviations[:EXPRESSION, None, None]


def _wound_outwards(triangles: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """All triangles turned over if most of the surface would look away from the viewer."""
    a, b, c = mean[triangles].transpose(1, 0, 2)
    towards_viewer = -np.cross(b - a, c - a)[:, 2].sum()
    return triangles if towards_viewer > 0 else triangles[:, ::-1]


def _mediapipe_points(
    triangles: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles (478,), barycentrics (478, 3), valid (478,): the inner face's iBUG points."""
    on, weights = np.zeros(478, np.int32), np.zeros((478, 3), np.float32)
    weights[:, 0] = 1
    valid = np.zeros(478, bool)
    for point, vertex in zip(MEDIAPIPE_OF_68[_INNER_FACE], corners[_INNER_FACE], strict=True):
        rows, columns = np.nonzero(triangles == vertex)
        if len(rows):
            on[point], weights[point] = rows[0], np.eye(3)[columns[0]]
            valid[point] = True
    return on, weights, valid


def _front_mask(triangles: np.ndarray, inside: np.ndarray, count: int) -> np.ndarray:
    """Weight (V,) float32: 1 well inside a region, fading to 0 at its edge and outside."""
    members = np.zeros(count)
    members[inside] = 1
    start, end = triangles.ravel(), np.roll(triangles, 1, axis=1).ravel()
    pairs = np.r_[start, end], np.r_[end, start]
    graph = csr_array((np.ones(len(pairs[0])), pairs), shape=(count, count))
    degree = np.maximum(graph.sum(1), 1)
    weight = members.copy()
    for _ in range(_EDGE_ROUNDS):
        weight = (graph @ weight) / degree * members
    return weight.astype(np.float32)


def _lip_mask(mean: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """1 for vertices (V,) that the outer lip contour encloses when seen from the front."""
    contour = mean[corners[_OUTER_LIPS]]
    x, y = mean[:, 0], mean[:, 1]
    crossings = np.zeros(len(mean), int)
    for (ax, ay, _), (bx, by, _) in zip(contour, np.roll(contour, -1, axis=0), strict=True):
        spans = (ay > y) != (by > y)
        if ay != by:
            crossings += spans & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    near = np.abs(mean[:, 2] - contour[:, 2].mean()) < _LIP_DEPTH_M
    return ((crossings % 2 == 1) & near).astype(np.float32)


def _folder_hash(folder: Path) -> str:
    """SHA-256 of the hashes of ``FILES``, in that order."""
    digest = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
