"""Where a fit begins: the head's pose, from the points that no expression moves."""

import cv2
import numpy as np

from repro.face.camera import Camera
from repro.face.model import MorphableModel
from repro.face.pose import euler_angles

_STILL_M = 0.004
"""A landmark that no expression moves further is taken for rigid."""


def rigid_landmarks(model: MorphableModel) -> np.ndarray:
    """Which landmarks (478,) bool no single expression moves by more than a few millimetres."""
    moved = np.linalg.norm(model.landmarks(model.expression_basis), axis=-1).max(0)
    return model.landmark_valid & (moved < _STILL_M)


def start_pose(model: MorphableModel, points: np.ndarray, camera: Camera) -> np.ndarray:
    """Pose (T, 6) float32 of the mean face, frame by frame, from its rigid landmarks.

    ``points``: (T, 478, 2) pixels of ``camera``.
    """
    rigid = rigid_landmarks(model)
    return rigid_pose(model.landmarks(model.mean)[rigid], points[:, rigid], camera)


def rigid_pose(shape: np.ndarray, points: np.ndarray, camera: Camera) -> np.ndarray:
    """Pose (T, 6) float32 of a rigid shape (L, 3) seen at points (T, L, 2), frame by frame."""
    matrix = np.array(
        [[camera.focal_px, 0, camera.cx], [0, camera.focal_px, camera.cy], [0, 0, 1.0]]
    )
    shape = np.ascontiguousarray(shape, np.float64)
    spread = np.ptp(shape[:, 0]) / np.ptp(points[0, :, 0])
    turn, move = np.zeros((3, 1)), np.array([[0.0], [0.0], [camera.focal_px * spread]])
    poses = []
    for seen in np.ascontiguousarray(points, np.float64):
        cv2.solvePnP(shape, seen, matrix, None, turn, move, useExtrinsicGuess=True)  # in place
        poses.append(np.concatenate([euler_angles(cv2.Rodrigues(turn)[0]), move.ravel()]))
    return np.array(poses, np.float32)
