"""The landmarker's head transform in this package's convention."""

import cv2
import numpy as np
import pytest

from repro.evaluate.steadiness import lag_frames
from repro.face.pose import rotation_matrix
from repro.reconstruct.head_transform import pose_of_transform, transform_poses


def test_a_transform_is_read_in_our_axes():
    """Ten centimetres right, five up, a metre away; nodding down, turned to the image's left."""
    flip = np.diag([1, -1, -1])
    angles = np.array([0.1, 0.3, -0.2])
    transform = np.eye(4)
    transform[:3, :3] = 1.2 * flip @ rotation_matrix(angles) @ flip  # a scale is no rotation
    transform[:3, 3] = (10, 5, -100)
    pose = pose_of_transform(np.stack([transform, np.eye(4)]))
    assert pose[0] == pytest.approx([*angles, 0.1, -0.05, 1.0])
    assert pose[1] == pytest.approx(np.zeros(6))


def test_heads_turn_the_way_they_turn(portrait, turned_portrait):
    """45 degrees to the image's left, and the picture turned clockwise by 10 degrees."""
    size = portrait.image.shape[1]
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), -10, 1)
    tilted = cv2.warpAffine(portrait.image, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
    front, side, roll = (
        np.degrees(transform_poses([x.copy()] * 3)[-1, :3])
        for x in (portrait.image, turned_portrait.image, tilted)
    )
    assert abs(front[1:]).max() < 6
    assert (side - front)[1] == pytest.approx(45, abs=9)
    assert (roll - front)[2] == pytest.approx(10, abs=3)


def test_the_filter_trails_behind(portrait):
    """The picture sways by a fortieth of its width."""
    size = portrait.image.shape[1]
    sway = size / 40 * np.sin(np.arange(30) / 3)
    frames = [
        cv2.warpAffine(portrait.image, np.array([[1, 0, x], [0, 1, 0]]), (size, size)) for x in sway
    ]
    late, prompt = (transform_poses(frames, filtered=filtered)[:, 3] for filtered in (True, False))
    assert lag_frames(late, sway) > 0.3
    assert lag_frames(prompt, sway) == pytest.approx(0, abs=0.15)


def test_a_frame_without_a_face_has_no_pose(portrait):
    poses = transform_poses([np.zeros((120, 120, 3), np.uint8), portrait.image])
    assert np.isnan(poses[0]).all()
    assert np.isfinite(poses[1]).all()
    assert transform_poses([]).shape == (0, 6)
