"""Which part of a model is drawn."""

import numpy as np

from repro.face.camera import Camera
from repro.face.light import ambient_light
from repro.render.region import drawn_region, face_triangles, face_weight, mouth_occlusion
from repro.render.shade import render_face


def centres(ball) -> np.ndarray:
    return ball.mean[ball.triangles].mean(1)


def test_the_face_is_drawn_and_the_back_of_the_head_is_not(ball):
    drawn = face_triangles(ball)
    z = centres(ball)[:, 2]
    assert drawn[z < -0.01].all()
    assert not drawn[z > 0.02].any()


def test_the_inside_of_the_mouth_is_drawn_though_it_is_no_skin(ball):
    x, y, z = ball.mean.T
    mouth = (np.hypot(x, y - 0.03) < 0.02) & (z < 0)
    assert mouth.any() and not ball.skin_mask[mouth].any()
    assert (face_weight(ball)[mouth] == 1).all()


def test_opacity_follows_the_skin_mask_elsewhere(ball):
    weight = face_weight(ball)
    assert (weight[ball.skin_mask > 0] == ball.skin_mask[ball.skin_mask > 0]).all()
    assert not weight[ball.mean[:, 2] > 0.01].any()


def test_only_the_mouth_is_darkened_and_more_so_behind(ball):
    factor = mouth_occlusion(ball, front_m=0.0)
    x, y, z = ball.mean.T
    mouth = (np.hypot(x, y - 0.03) < 0.025) & (z < 0)
    assert (factor[~mouth] == 1).all()
    assert (factor > 0).all() and (factor <= 1).all() and factor[mouth].min() < 1
    deepest = np.argsort(z[mouth])
    assert (np.diff(factor[mouth][deepest]) <= 1e-6).all()


def test_the_region_from_behind_is_empty(ball):
    ahead = ball.mean + np.array([0, 0, 0.6])
    behind = ball.mean * [-1, 1, -1] + np.array([0, 0, 0.6])
    albedo = np.full((len(ahead), 3), 0.5)
    camera = Camera(200.0, 48.0, 48.0, 96, 96)
    seen = [
        render_face(
            ball, vertices, albedo, ambient_light(), camera, **drawn_region(ball).options
        ).coverage.sum()
        for vertices in (ahead, behind)
    ]
    assert seen[0] > 1000
    assert seen[1] < 0.05 * seen[0]
