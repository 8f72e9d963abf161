"""Head pose: angles <-> rotation matrices, and the rigid motion of the head.

Yi et al. 2020, section 3.1: the pose p is six numbers, rotation and translation. Here
``pose = (pitch, yaw, roll, tx, ty, tz)``: radians and metres, in camera axes (x right, y down,
z forward). Positive pitch nods down, positive yaw turns the face to the image's left, positive
roll turns it clockwise in the image. See docs/conventions.md.
"""

import numpy as np
import torch


def rotation_matrix(angles):
    """Rotation R = Rz(roll) Ry(yaw) Rx(pitch).

    Parameters
    ----------
    angles : array or tensor (..., 3), radians: pitch, yaw, roll

    Returns
    -------
    array or tensor (..., 3, 3), of the kind and dtype that came in; differentiable for tensors.
    """
    xp = torch if isinstance(angles, torch.Tensor) else np
    (cp, cy, cr), (sp, sy, sr) = ([f(angles[..., i]) for i in range(3)] for f in (xp.cos, xp.sin))
    rows = [
        xp.stack([cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp], -1),
        xp.stack([sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp], -1),
        xp.stack([-sy, cy * sp, cy * cp], -1),
    ]
    return xp.stack(rows, -2)


def euler_angles(rotation: np.ndarray) -> np.ndarray:
    """Pitch, yaw, roll (..., 3) in radians of matrices (..., 3, 3); yaw in [-pi/2, pi/2]."""
    r = np.asarray(rotation)
    pitch = np.arctan2(r[..., 2, 1], r[..., 2, 2])
    yaw = np.arctan2(-r[..., 2, 0], np.hypot(r[..., 2, 1], r[..., 2, 2]))
    roll = np.arctan2(r[..., 1, 0], r[..., 0, 0])
    return np.stack([pitch, yaw, roll], -1)


def apply_pose(points, pose):
    """Move model points into camera space: ``R(pose) x + t``.

    Parameters
    ----------
    points : array or tensor (..., V, 3), metres, model space
    pose : array or tensor (..., 6), radians and metres

    Returns
    -------
    array or tensor (..., V, 3), metres, camera space
    """
    r = rotation_matrix(pose[..., :3])
    return points @ r.swapaxes(-1, -2) + pose[..., None, 3:]
