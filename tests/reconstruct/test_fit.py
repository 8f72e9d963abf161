import numpy as np
import pytest

from repro.face import landmarks as lm
from repro.face.camera import Camera
from repro.face.light import ambient_light, irradiance
from repro.face.mesh import vertex_normals
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.reconstruct.fit import Landmarks, fit_geometry
from repro.reconstruct.focal import estimate_focal
from repro.reconstruct.photometric import fit_texture_and_light
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.start import rigid_pose
from repro.reconstruct.track import residual
from repro.render.rasterise import rasterise
from repro.render.shade import shade

CAMERA = Camera(768, 128, 128, 256, 256)
FRAMES = 40


@pytest.fixture(scope="module")
def truth():
    """A person who turns the head and opens the mouth, and the landmarks that are seen of it."""
    model = load_open_model()
    rng = np.random.default_rng(0)
    t = np.linspace(0, 2 * np.pi, FRAMES)
    identity = rng.normal(0, 0.7, 80).astype(np.float32)
    expression = np.zeros((FRAMES, 64), np.float32)
    jaw = model.expression_names.index("jawOpen")
    expression[:, jaw] = 0.25 - 0.25 * np.cos(3 * t)
    still = np.zeros(FRAMES)
    pose = np.stack([0.1 * np.sin(t), 0.25 * np.cos(t), 0.05 * np.sin(2 * t)], 1)
    pose = np.concatenate([pose, np.stack([still, still, still + 0.95], 1)], 1).astype(np.float32)
    vertices = apply_pose(model.vertices(identity, expression), pose)
    points = CAMERA.project(model.landmarks(vertices)).astype(np.float32)
    return model, identity, expression, pose, vertices, points


def seen(points, scores, names):
    return Landmarks(points, scores, names, np.ones(FRAMES), np.ones((FRAMES, 478), bool))


@pytest.fixture(scope="module")
def fitted(truth):
    model, _, expression, _, _, points = truth
    names = model.expression_names[:52]
    scores = np.clip(expression[:, :52] + 0.05, 0, 1)  # what a landmarker would say, a little off
    return fit_geometry(seen(points, scores, names), CAMERA, model, ReconstructSettings())


def test_landmarks_are_met_within_a_percent_of_the_pupil_distance(truth, fitted):
    model, points = truth[0], truth[-1]
    shape = model.vertices(fitted.identity, fitted.expression) + fitted.shape_offset
    seen = model.landmarks(shape) + fitted.landmark_shift
    apart = residual(points, seen, fitted.pose, CAMERA)[:, model.landmark_valid]
    assert np.median(apart) < 0.6
    assert np.percentile(apart, 95) < 2


def test_pose_comes_within_a_degree_about_its_mean(truth, fitted):
    error = np.degrees(fitted.pose[:, :3] - truth[3][:, :3])
    assert np.median(np.abs(error - np.median(error, axis=0)), axis=0).max() < 1


def test_the_opening_of_the_lips_follows_the_truth(truth, fitted):
    model, identity, expression, *_ = truth
    true = lm.lip_gap(model.landmarks(model.vertices(identity, expression)))
    shape = model.vertices(fitted.identity, fitted.expression) + fitted.shape_offset
    made = lm.lip_gap(model.landmarks(shape))
    assert np.corrcoef(true, made)[0, 1] > 0.98
    assert np.abs((made - np.median(made)) - (true - np.median(true))).mean() < 1e-3


def test_the_start_pose_is_exact_for_a_rigid_shape(truth):
    model, _, _, pose, *_ = truth
    shape = model.landmarks(model.mean)
    seen = CAMERA.project(apply_pose(shape, pose)).astype(np.float32)
    np.testing.assert_allclose(rigid_pose(shape, seen, CAMERA), pose, atol=2e-3)


def test_light_and_texture_explain_the_colours_of_a_rendered_face(truth):
    model, _, _, _, vertices, _ = truth
    texture = np.random.default_rng(1).normal(0, 0.5, 80).astype(np.float32)
    light = ambient_light(0.8)
    light[[2, 11, 20]] = -0.2
    light[[3, 12, 21]] = 0.1
    few = vertices[::8].astype(np.float32)
    albedo = model.albedo(texture)
    frames = []
    for one in few:
        normals = vertex_normals(one, model.triangles)
        raster = rasterise(one, model.triangles, CAMERA)
        image, _ = shade(raster, model.triangles, albedo, normals, light)
        frames.append(np.round(255 * image).astype(np.uint8))
    found_texture, found_light = fit_texture_and_light(
        np.stack(frames), lambda t: few[t], CAMERA, model
    )
    skin = model.skin_mask > 0.9
    normals = vertex_normals(few[0], model.triangles)[skin]
    true = albedo[skin] * irradiance(normals, light)
    made = model.albedo(found_texture)[skin] * irradiance(normals, found_light[0])
    front = normals[:, 2] < -0.4
    assert np.abs(made - true)[front].mean() < 0.03


@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_a_near_camera_is_told_from_a_far_one(truth, ratio):
    """By exact points of a face that turns; those of a landmarker tell less."""
    model, identity, expression, pose, *_ = truth
    still = np.zeros_like(expression)
    near = pose * np.array([1, 1, 1, ratio, ratio, ratio], np.float32)
    camera = Camera(CAMERA.focal_px * ratio, CAMERA.cx, CAMERA.cy, 256, 256)
    heads = apply_pose(model.vertices(identity, still), near)
    points = camera.project(model.landmarks(heads)).astype(np.float32)
    all_seen = seen(points, still[:, :52], model.expression_names[:52])
    made = estimate_focal(all_seen, CAMERA, model, ReconstructSettings())
    assert abs(np.log(made.focal_px / camera.focal_px)) < np.log(1.5)
    assert (made.cx, made.cy) == (CAMERA.cx, CAMERA.cy)
