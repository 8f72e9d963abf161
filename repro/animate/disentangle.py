"""The motion disentangler: where the head is, and what the face does (Chen et al. 2020, 3.3).

The paper brings each frame's landmarks l to a canonical face, l* ~ p = R l + T. Here, as everywhere
in this package, a pose moves a face from the head's own space before the camera: l = R' p + t. Both
are one transform seen from its two ends, R = R'^T and T = -R'^T t, and p is the same.
"""

import numpy as np

from repro.animate.landmark_pca import LANDMARKS
from repro.face.pose import euler_angles, rotation_matrix

_JAW = (0, 1, 2, 3, 13, 14, 15, 16)
_BROWS = (17, 26)
_NOSE = (27, 28, 29, 30, 31, 32, 33, 34, 35)
_EYES = (36, 39, 40, 41, 42, 45, 46, 47)
STEADY = np.array(_JAW + _BROWS + _NOSE + _EYES)
"""The 27 of 68 landmarks with least motion of their own: the jaw's line up to the ears, the nose,
the eyes' corners and lower lids, and the outer ends of the brows, which lie on the bone.

The paper shows its 27 in a picture and does not list them. These move by 0.3 mm (root mean square)
while people speak, the others by 2.1 mm; of each pair of sides both are taken."""


def disentangle(landmarks: np.ndarray, canonical: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell the head's motion from the face's.

    The rigid transform by least squares between the steady landmarks and those of a canonical face
    (Kabsch). With the person's own face at rest as canonical, poses are the face model's, up to
    what expression does to the steady landmarks; with another face, its shape is in them too.

    Parameters
    ----------
    landmarks : (T, 68, 3) metres, before the camera
    canonical : (68, 3) metres, in the head's own space

    Returns
    -------
    pose (T, 6) float32, pitch, yaw, roll and translation (``repro.face.pose``), and the landmarks
    (T, 68, 3) float32 in the head's own space

    Raises
    ------
    ValueError
        Landmarks of another shape, or not finite.
    """
    for name, points, shape in (
        ("landmarks", landmarks, (len(landmarks), LANDMARKS, 3)),
        ("canonical", canonical, (LANDMARKS, 3)),
    ):
        if points.shape != shape:
            raise ValueError(f"{name}: expected {shape}, got {points.shape}")
        if not np.isfinite(points).all():
            raise ValueError(f"{name}: not all values are finite")
    rotation, translation = rigid_transform(canonical[STEADY], landmarks[:, STEADY])
    own = (landmarks - translation[:, None]) @ rotation  # R'^T (l - t), as rows
    pose = np.concatenate([euler_angles(rotation), translation], 1)
    return pose.astype(np.float32), own.astype(np.float32)


def rigid_transform(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R (..., 3, 3) and t (..., 3) float64 with ``R source + t`` nearest to ``target``.

    Least squares over rotations, without mirror images (Kabsch).

    Parameters
    ----------
    source, target : (..., n, 3), not all on one line
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    middles = source.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    covariance = (target - middles[1]).swapaxes(-1, -2) @ (source - middles[0])
    left, _, right = np.linalg.svd(covariance)
    sign = np.ones(covariance.shape[:-1])
    sign[..., 2] = np.sign(np.linalg.det(left @ right))
    rotation = (left * sign[..., None, :]) @ right
    translation = middles[1] - middles[0] @ rotation.swapaxes(-1, -2)
    return rotation, translation[..., 0, :]


def most_visible(pose: np.ndarray) -> int:
    """t_M, the frame of a pose (T, 6) with the least rotation, R -> 0 (section 4.1)."""
    trace = np.trace(rotation_matrix(np.asarray(pose, np.float64)[:, :3]), axis1=-2, axis2=-1)
    return int(trace.argmax())
