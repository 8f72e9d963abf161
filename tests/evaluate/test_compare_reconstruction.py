"""The methods' poses, where they are known."""

import numpy as np
import pytest

from repro.evaluate.compare_reconstruction import angle_lag_frames, pnp_poses
from repro.face.camera import Camera
from repro.face.pose import apply_pose


def test_solvepnp_finds_the_pose_of_the_mean_face(known):
    camera, model = Camera(700, 160, 120, 320, 240), known.model
    points = camera.project(apply_pose(model.landmarks(model.mean), known.truth.pose))
    found = pnp_poses(points, model, camera)
    assert found == pytest.approx(known.truth.pose, abs=1e-3)


def test_solvepnp_hardly_looks_at_the_mouth(known):
    camera, model = Camera(700, 160, 120, 320, 240), known.model
    jaw = np.zeros((len(known.track), 64), np.float32)
    jaw[:, model.expression_names.index("jawOpen")] = np.linspace(0, 0.6, len(jaw))
    vertices = model.vertices(np.zeros(80, np.float32), jaw)
    points = camera.project(apply_pose(model.landmarks(vertices), known.truth.pose))
    found = pnp_poses(points, model, camera)
    assert np.degrees(abs(found - known.truth.pose)[:, :3]).max() < 1.5


def test_angles_that_come_a_frame_late_lag_by_one():
    t = np.arange(40)
    pose = np.zeros((40, 6))
    pose[:, :3] = np.sin(t / 4)[:, None] * (0.1, 0.3, 0.05)
    assert angle_lag_frames(np.roll(pose, 1, axis=0), pose) == pytest.approx(1, abs=0.05)


def test_a_still_head_has_no_lag():
    assert np.isnan(angle_lag_frames(np.zeros((40, 6)), np.zeros((40, 6))))
