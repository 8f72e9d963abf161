"""Glasses for a synthetic person: rims, bridge and temples as tubes on the resting head.

Without lenses: what a coated lens adds is less than the camera's noise.
"""

import numpy as np

from repro.corpus.body import grid

STYLES = {"round": (0.0235, 0.0215, 2.0), "square": (0.0260, 0.0190, 4.0)}
"""Half width and half height of a rim in metres, and the power of its superellipse."""

_TUBE_M, _TUBE_SIDES = 0.0013, 6
_BEFORE_EYES_M, _BELOW_EYES_M = 0.0270, 0.003
_EARS_BACK_M = 0.085


def glasses(eyes: np.ndarray, half_width_m: float, *, style: str) -> tuple[np.ndarray, np.ndarray]:
    """Frames for a face.

    Parameters
    ----------
    eyes : (2, 3) centres of the left and the right eye, model space, metres
    half_width_m : half the head's width at the temples
    style : a key of ``STYLES``

    Returns
    -------
    vertices (n, 3) float32, model space; triangles (m, 3) int32
    """
    width, height, power = STYLES[style]
    turn = np.linspace(0, 2 * np.pi, 49)
    c, s = np.cos(turn), np.sin(turn)
    across = width * np.sign(c) * np.abs(c) ** (2 / power)
    down = height * np.sign(s) * np.abs(s) ** (2 / power)
    middle = eyes.mean(0) + [0, _BELOW_EYES_M, -_BEFORE_EYES_M]
    paths = []
    for eye in eyes:
        side = np.sign(eye[0] - middle[0])
        centre = np.array([eye[0] + 0.001 * side, middle[1], middle[2]])
        wrap = 0.12 * np.abs(centre[0] + across - middle[0])  # the rims follow the face
        paths.append(centre + np.stack([across, down, wrap - 0.12 * abs(centre[0])], 1))
        outer = centre + [side * width, -0.35 * height, 0.12 * width]
        hinge = outer + [side * 0.007, 0, 0.010]
        ear = [middle[0] + side * (half_width_m + 0.001), outer[1] + 0.004, outer[2] + _EARS_BACK_M]
        paths.append(np.stack([outer, 0.5 * (outer + hinge), hinge, ear]))
    inner = np.abs(eyes[0, 0] - middle[0]) - width
    bow = np.linspace(-1, 1, 9)
    arch = np.stack([inner * bow, -0.003 * (1 - bow**2) - 0.2 * height, -0.001 * (1 - bow**2)], 1)
    paths.append(middle + arch)
    return _joined([_tube(path) for path in paths])


def _tube(path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A thin tube along a path (n, 3)."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    helper = np.where(np.abs(along[:, 2:]) < 0.8, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    side = np.cross(along, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, _TUBE_SIDES, endpoint=False)
    ring = np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * other[:, None]
    vertices = path[:, None] + _TUBE_M * ring
    return vertices.reshape(-1, 3), grid(len(path), _TUBE_SIDES)[:, ::-1]


def _joined(meshes: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in meshes])
    triangles = [t + start for (_, t), start in zip(meshes, starts, strict=False)]
    vertices = np.concatenate([v for v, _ in meshes])
    return vertices.astype(np.float32), np.concatenate(triangles).astype(np.int32)
