import numpy as np
import pytest

from repro.face.camera import Camera
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.reconstruct.calibrate import Measured, calibrate
from repro.reconstruct.calibration import Calibration, features, open_calibration, shift_of
from repro.reconstruct.start import start_pose

CAMERA = Camera(700, 128, 128, 256, 256)
FRAMES = 6


@pytest.fixture(scope="module")
def model():
    return load_open_model()


def person(seed, model):
    """Truth of a person in a few frames, and the points of a landmarker with a fixed fault."""
    rng = np.random.default_rng(seed)
    identity = rng.normal(0, 0.8, 80).astype(np.float32)
    expression = np.zeros((FRAMES, 64), np.float32)
    for name in ("jawOpen", "mouthPucker", "eyeBlinkLeft"):
        expression[:, model.expression_names.index(name)] = rng.uniform(0, 0.5, FRAMES)
    pose = np.concatenate([rng.normal(0, 0.1, (FRAMES, 3)), np.tile([0, 0, 1.0], (FRAMES, 1))], 1)
    heads = apply_pose(model.vertices(identity, expression), pose).astype(np.float32)
    true = CAMERA.project(model.landmarks(heads))
    points = true + rng.normal(0, 0.1, true.shape)
    points[..., 1] += 1.5
    return identity, expression, pose, heads, true, points


def measured(seed, model):
    identity, expression, pose, heads, true, points = person(seed, model)
    scores = expression[:, :52]
    seen = features(points, scores, start_pose(model, points, CAMERA), CAMERA, model)
    shift = shift_of(points - true, model.landmarks(heads), pose, CAMERA)
    return Measured(seen, shift, identity, expression, model.expression_names[:52])


@pytest.fixture(scope="module")
def calibration(model):
    return calibrate([measured(seed, model) for seed in range(90)], model)


def test_a_fixed_fault_of_the_landmarker_is_found(calibration, model):
    depth = 1.0 + model.landmarks(model.mean)[:, 2]
    expected = 1.5 * depth / CAMERA.focal_px
    valid = model.landmark_valid
    np.testing.assert_allclose(calibration.shift[valid, 1], expected[valid], atol=2e-4)
    np.testing.assert_allclose(calibration.shift[valid, 0], 0, atol=2e-4)


def test_a_new_person_is_estimated_better_than_the_mean(calibration, model):
    mouth = np.linalg.norm(model.expression_basis, axis=-1).max(0) > 0.004
    basis = model.expression_basis[:, mouth]
    for seed in (1000, 1001):
        identity, expression, _, _, _, points = person(seed, model)
        names = model.expression_names[:52]
        start = calibration.start(
            points, expression[:, :52], names, CAMERA, model, np.ones(FRAMES, bool)
        )
        motion = np.tensordot(expression - expression.mean(0), basis, 1)
        made = np.tensordot(start.expression - start.expression.mean(0), basis, 1)
        assert np.abs(made - motion).mean() < 0.5 * np.abs(motion).mean()
        face = model.skin_mask > 0.5
        shape = model.identity_basis[:, face]
        off = np.tensordot(start.identity - identity, shape, 1)
        assert np.abs(off).mean() < 0.8 * np.abs(np.tensordot(identity, shape, 1)).mean()


def test_features_do_not_depend_on_place_size_and_tilt(model):
    *_, points = person(5, model)
    scores = np.zeros((FRAMES, 52), np.float32)
    moved = Camera(2 * CAMERA.focal_px, 300, 310, 640, 640)
    cos, sin = np.cos(0.3), np.sin(0.3)
    turned = (points - 128) @ np.array([[cos, sin], [-sin, cos]]) * 2 + (300, 310)
    made = [
        features(p, scores, start_pose(model, p, c), c, model)
        for p, c in ((points, CAMERA), (turned, moved))
    ]
    np.testing.assert_allclose(*made, atol=0.1)


def test_it_comes_back_from_disk(calibration, tmp_path):
    calibration.save(tmp_path / "c.npz")
    again = Calibration.load(tmp_path / "c.npz")
    np.testing.assert_allclose(again.shift, calibration.shift, atol=2e-6)
    assert again.model == calibration.model and again.people == 90


def test_the_packaged_calibration_belongs_to_the_open_model(model):
    made = open_calibration()
    assert made.model == model.sha256 and made.people >= 300
    assert np.linalg.norm(made.shift[model.landmark_valid], axis=-1).mean() < 0.003
