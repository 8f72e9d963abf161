import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from repro.face.pose import apply_pose, euler_angles, rotation_matrix

angle = st.floats(-1.4, 1.4)


@given(st.tuples(angle, angle, angle))
def test_rotation_agrees_with_scipy_and_its_angles_are_read_back(angles):
    ours = rotation_matrix(np.array(angles))
    pitch, yaw, roll = angles
    theirs = Rotation.from_euler("ZYX", [roll, yaw, pitch]).as_matrix()
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_allclose(euler_angles(ours), angles, atol=1e-9)


def test_positive_angles_nod_down_turn_to_the_images_left_and_tilt_clockwise():
    face = np.array([0.0, 0.0, -1.0])
    assert (rotation_matrix(np.array([0.3, 0, 0])) @ face)[1] > 0
    assert (rotation_matrix(np.array([0, 0.3, 0])) @ face)[0] < 0
    crown = np.array([0.0, -1.0, 0.0])
    assert (rotation_matrix(np.array([0, 0, 0.3])) @ crown)[0] > 0


def test_tensors_and_arrays_agree_and_tensors_carry_gradients():
    pose = np.random.default_rng(0).normal(size=(5, 6))
    points = np.random.default_rng(1).normal(size=(5, 7, 3))
    tensor = torch.tensor(pose, requires_grad=True)
    moved = apply_pose(torch.tensor(points), tensor)
    np.testing.assert_allclose(moved.detach().numpy(), apply_pose(points, pose), atol=1e-12)
    moved.sum().backward()
    assert tensor.grad is not None
    assert float(tensor.grad[:, 3:].sum()) == pytest.approx(5 * 7 * 3)
