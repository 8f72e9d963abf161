"""The detailed albedo at a frame's resolution."""

import numpy as np
import pytest

from repro.face.camera import Camera
from repro.face.light import ambient_light
from repro.render.albedo import albedo_in_frame
from repro.render.shade import render_face
from repro.render.texture import frame_texture

CAMERA = Camera(420.0, 96.0, 96.0, 192, 192)
LIGHT = np.array([[0.9, 0.1, -0.25, 0.2, 0, 0, 0, 0, 0.05]] * 3, np.float32).reshape(27)


@pytest.fixture(scope="module")
def vertices(ball):
    return ball.mean + np.array([0, 0, 0.6], np.float32)


@pytest.fixture(scope="module")
def checked(ball, vertices):
    """A frame (H, W, 3) uint8 of the ball with squares finer than its triangles."""
    albedo = np.full((len(vertices), 3), 0.5, np.float32)  # light above 1 is not clipped
    shading = render_face(ball, vertices, albedo, LIGHT, CAMERA).image
    i, j = np.mgrid[:192, :192]
    squares = np.where((i // 3 + j // 3) % 2, 0.3, 0.6)
    return (255 * 2 * squares[..., None] * shading + 0.5).astype(np.uint8)


def test_rendering_with_the_texture_gives_back_detail_finer_than_the_mesh(ball, vertices, checked):
    texture = frame_texture(checked, vertices, CAMERA, LIGHT, ball)
    low = np.full((len(vertices), 3), 0.45, np.float32)
    with_texture, without = (
        render_face(ball, vertices, low, LIGHT, CAMERA, texture=t).image for t in (texture, None)
    )
    core = np.s_[60:80, 80:112]  # forehead: seen face on, above the mouth
    error = np.abs(with_texture[core] - checked[core] / 255).mean()
    assert error < 0.01
    assert error < 0.1 * np.abs(without[core] - checked[core] / 255).mean()


def test_the_light_of_the_frame_is_taken_out(ball, vertices, checked):
    texture = frame_texture(checked, vertices, CAMERA, LIGHT, ball)
    low = np.full((len(vertices), 3), 0.45, np.float32)
    flat = render_face(ball, vertices, low, ambient_light(), CAMERA, texture=texture).image
    levels = flat[60:80, 80:112].ravel()
    assert (np.minimum(np.abs(levels - 0.3), np.abs(levels - 0.6)) < 0.02).all()


def test_what_the_frame_does_not_show_keeps_the_vertex_albedo(ball, vertices, checked):
    texture = frame_texture(checked, vertices, CAMERA, LIGHT, ball)
    turned = ball.mean * [-1, 1, -1] + np.array([0, 0, 0.6])  # seen from behind
    albedo = np.full((len(vertices), 3), 0.45, np.float32)
    image = [
        render_face(ball, turned, albedo, LIGHT, CAMERA, texture=t).image for t in (texture, None)
    ]
    core = np.s_[70:122, 70:122]
    np.testing.assert_array_equal(image[0][core], image[1][core])


def test_trust_is_low_beside_hidden_vertices(ball, vertices, checked):
    texture = frame_texture(checked, vertices, CAMERA, LIGHT, ball)
    _, trust = albedo_in_frame(checked, vertices, CAMERA, LIGHT, ball)
    edges = ball.triangles[:, [0, 1]]
    beside = edges[trust[edges[:, 1]] == 0, 0]
    assert (texture.trust[beside] <= 0.3 + 1e-6).all()
    assert (texture.trust <= trust + 1e-6).all() and texture.trust.max() == 1
