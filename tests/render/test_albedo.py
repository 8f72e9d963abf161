"""Albedo read back from pictures that were rendered from a known albedo."""

import numpy as np
import pytest

from repro.face.camera import Camera
from repro.face.mesh import vertex_normals
from repro.face.pose import apply_pose
from repro.render.albedo import (
    albedo_in_frame,
    detailed_albedo,
    fill_hidden,
    mirrored_vertices,
    most_neutral_frame,
    visible_vertices,
)
from repro.render.shade import render_face

LIGHT = np.array([[0.9, 0.1, -0.25, 0.2, 0, 0, 0, 0, 0.05]] * 3, np.float32).reshape(27)
CAMERA = Camera(420.0, 96.0, 96.0, 192, 192)


@pytest.fixture(scope="module")
def painted(ball):
    """A smooth, mirror-symmetric albedo (V, 3) with detail that the low-frequency one lacks."""
    x, y = (ball.mean[:, :2] / 0.1).T
    stripes = 0.5 + 0.15 * np.cos(6 * y) * np.cos(5 * x)
    return np.stack([stripes, 0.8 * stripes, 0.6 * stripes], 1)


def film(ball, albedo, yaws):
    """Frames (T, H, W, 3) uint8 of the ball turned to each yaw, and its vertices (T, V, 3)."""
    pose = np.zeros((len(yaws), 6), np.float32)
    pose[:, 1], pose[:, 5] = yaws, 0.6
    vertices = apply_pose(ball.mean[None], pose)
    frames = [
        (255 * render_face(ball, v, albedo, LIGHT, CAMERA).image + 0.5).astype(np.uint8)
        for v in vertices
    ]
    return np.stack(frames), vertices


def test_the_neutral_frame_is_the_one_with_least_expression_and_rotation():
    rng = np.random.default_rng(0)
    expression, pose = rng.uniform(0.5, 1, (30, 64)), rng.uniform(0.2, 0.4, (30, 6))
    expression[11] *= 0.1
    pose[11, :3] *= 0.1
    expression[4] *= 0.05  # neutral, but turned away
    pose[21, :3] *= 0.05  # frontal, but speaking
    assert most_neutral_frame(expression, pose) == 11


def test_translation_does_not_make_a_frame_less_neutral():
    pose = np.zeros((3, 6))
    pose[:, :3] = [[0.1, 0, 0], [0.01, 0, 0], [0.2, 0, 0]]
    pose[1, 3:] = 9
    assert most_neutral_frame(np.zeros((3, 64)), pose) == 1


def test_the_albedo_of_seen_vertices_is_read_back(ball, painted):
    frames, vertices = film(ball, painted, [0.0])
    colour, trust = albedo_in_frame(frames[0], vertices[0], CAMERA, LIGHT, ball)
    seen = trust > 0.9
    assert seen.sum() > 100
    np.testing.assert_allclose(colour[seen], painted[seen], atol=0.03)


def test_the_back_and_the_parts_outside_the_mask_are_not_trusted(ball, painted):
    frames, vertices = film(ball, painted, [0.0])
    _, trust = albedo_in_frame(frames[0], vertices[0], CAMERA, LIGHT, ball)
    assert not trust[ball.mean[:, 2] > 0].any()
    assert not trust[ball.skin_mask == 0].any()


def test_hidden_vertices_are_filled_from_the_other_side(ball, painted):
    frames, vertices = film(ball, painted, [0.8])
    low = np.full_like(painted, 0.5) * [1, 0.8, 0.6]
    _, trust = albedo_in_frame(frames[0], vertices[0], CAMERA, LIGHT, ball)
    twin = mirrored_vertices(ball)
    mirrored = (trust == 0) & (trust[twin] > 0.9) & (twin >= 0)
    assert mirrored.sum() > 20
    filled = detailed_albedo(frames, vertices, CAMERA, LIGHT[None], ball, low, best_frame=0)
    error = np.abs(filled - painted)[mirrored].mean()
    assert error < 0.5 * np.abs(low - painted)[mirrored].mean()


def test_what_is_never_seen_keeps_the_low_frequency_detail_in_the_seen_colour(ball, painted):
    """The back of the head is the low-frequency albedo times the ratio met at the rim."""
    texture = painted / painted.mean(0)
    low = 0.3 * texture
    frames, vertices = film(ball, 0.6 * texture, [0.0])
    filled = detailed_albedo(frames, vertices, CAMERA, LIGHT[None], ball, low, best_frame=0)
    np.testing.assert_allclose(filled / low, 2.0, atol=0.2)


def test_nothing_seen_leaves_the_low_frequency_albedo(ball, painted):
    filled = fill_hidden(np.zeros_like(painted), np.zeros(len(painted)), ball, painted)
    np.testing.assert_allclose(filled, painted, rtol=1e-5)


def test_trusted_colours_are_kept(ball, painted):
    filled = fill_hidden(painted, np.ones(len(painted)), ball, np.full_like(painted, 0.4))
    np.testing.assert_allclose(filled, painted, rtol=0.02)


def test_the_average_over_frames_is_less_noisy(ball, painted):
    frames, vertices = film(ball, painted, np.linspace(-0.25, 0.25, 6))
    noisy = frames.astype(float) + np.random.default_rng(0).normal(0, 12, frames.shape)
    frames = noisy.clip(0, 255).astype(np.uint8)
    lights = np.stack([LIGHT] * 6)
    low = np.full_like(painted, 0.4)
    face = (ball.skin_mask > 0) & (ball.mean[:, 2] < -0.06)
    error = {
        method: np.abs(
            detailed_albedo(
                frames, vertices, CAMERA, lights, ball, low, best_frame=3, method=method
            )
            - painted
        )[face].mean()
        for method in ("best", "average")
    }
    assert error["average"] < 0.7 * error["best"]


def test_rendering_with_the_detailed_albedo_gives_the_frame_back(ball, painted):
    frames, vertices = film(ball, painted, [0.1])
    low = np.full_like(painted, 0.4)
    albedo = detailed_albedo(frames, vertices, CAMERA, LIGHT[None], ball, low, best_frame=0)
    again = render_face(ball, vertices[0], albedo, LIGHT, CAMERA)
    smooth = render_face(ball, vertices[0], low, LIGHT, CAMERA)
    core = np.zeros((192, 192), bool)
    core[60:132, 60:132] = True
    error = np.abs(again.image - frames[0] / 255)[core].mean()
    assert error < 0.02
    assert error < 0.3 * np.abs(smooth.image - frames[0] / 255)[core].mean()


def test_visible_vertices_are_those_facing_the_camera(ball):
    vertices = ball.mean + np.array([0, 0, 0.6], np.float32)
    shown = visible_vertices(vertices, ball.triangles, CAMERA)
    facing = -(vertex_normals(vertices, ball.triangles) * vertices).sum(1)
    facing /= np.linalg.norm(vertices, axis=1)
    assert shown[facing > 0.2].all()
    assert not shown[facing < -0.1].any()


def test_vertices_outside_the_picture_are_not_visible(ball):
    vertices = ball.mean + np.array([0.5, 0, 0.6], np.float32)
    assert not visible_vertices(vertices, ball.triangles, CAMERA).any()
    assert not visible_vertices(ball.mean - [0, 0, 0.6], ball.triangles, CAMERA).any()


def test_a_ball_mirrors_onto_itself(ball):
    twin = mirrored_vertices(ball)
    assert (twin >= 0).all()
    np.testing.assert_allclose(ball.mean[twin], ball.mean * [-1, 1, 1], atol=1e-6)
