"""Shading against closed forms on a sphere, and against the light's own formula."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import sph_harm_y

from repro.face.light import ambient_light, irradiance
from repro.face.mesh import vertex_normals
from repro.render.rasterise import rasterise
from repro.render.shade import render_face, shade

MIDDLE = np.array([0, 0, 0.6], np.float32)


@pytest.fixture
def placed(ball):
    return ball.mean + MIDDLE


@pytest.fixture
def light():
    rng = np.random.default_rng(1)
    gamma = 0.15 * rng.normal(size=(3, 9))
    gamma[:, 0] = 0.7
    return gamma.reshape(27).astype(np.float32)


def test_vertex_normals_of_a_sphere_point_outwards(ball):
    normals = vertex_normals(ball.mean, ball.triangles)
    radial = ball.mean / np.linalg.norm(ball.mean, axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert ((normals * radial).sum(1) > 0.995).all()


def test_a_vertex_without_triangles_has_no_normal():
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]])
    normals = vertex_normals(points, np.array([[0, 1, 2]]))
    np.testing.assert_array_equal(normals, [[0, 0, 1]] * 3 + [[0, 0, 0]])


def test_ambient_light_shows_the_albedo_itself(ball, placed, camera):
    albedo = np.full((len(placed), 3), [0.2, 0.5, 0.9], np.float32)
    rendering = render_face(ball, placed, albedo, ambient_light(1.0), camera)
    covered = rendering.coverage > 0
    np.testing.assert_allclose(rendering.image[covered] - [0.2, 0.5, 0.9], 0, atol=1e-5)
    assert not rendering.image[~covered].any()


def test_a_lit_sphere_matches_its_closed_form(ball, placed, camera, light):
    raster = rasterise(placed, ball.triangles, camera)
    albedo = np.full((len(placed), 3), 0.6, np.float32)
    radial = ball.mean / np.linalg.norm(ball.mean, axis=1, keepdims=True)
    image, mask = shade(raster, ball.triangles, albedo, radial, light)
    i, j = np.nonzero(mask)
    ray = np.stack([(j + 0.5 - camera.cx), (i + 0.5 - camera.cy), np.full(len(i), 200.0)], 1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    along = ray @ MIDDLE
    inside = 0.1**2 - (MIDDLE @ MIDDLE - along**2)
    clear = inside > (0.3 * 0.1) ** 2  # the polygonal outline differs from the round one
    hit = ray * (along - np.sqrt(np.maximum(inside, 0)))[:, None]
    expected = 0.6 * irradiance((hit - MIDDLE) / 0.1, light)
    np.testing.assert_allclose(image[i, j][clear], expected[clear].clip(0, 1), atol=0.01)
    assert clear.sum() > 2000 and np.ptp(image[i, j]) > 0.2


HARMONICS = [(0, 0, 1), (1, -1, -1), (1, 0, 1), (1, 1, -1)]
HARMONICS += [(2, -2, 1), (2, -1, -1), (2, 0, 1), (2, 1, -1), (2, 2, 1)]
"""Degree and order of each of the nine functions, and its sign beside the real harmonic."""


def radiance(light: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """What comes from directions (..., 3) of the surroundings that 9 coefficients stand for."""
    x, y, z = np.moveaxis(towards, -1, 0)
    polar, around = np.arccos(z.clip(-1, 1)), np.arctan2(y, x)
    total = np.zeros(x.shape)
    for gamma, (degree, order, sign) in zip(light, HARMONICS, strict=True):
        harmonic = sph_harm_y(degree, abs(order), polar, around) * (-1) ** order
        part = harmonic.imag if order < 0 else harmonic.real
        norm = np.sqrt((1, 3, 8)[degree]) * (np.sqrt(2) if order else 1)
        total += gamma * sign * norm * part
    return total


@pytest.mark.parametrize("function", range(9))
def test_a_sphere_gathers_the_light_around_it(ball, placed, camera, function):
    """Each pixel of a white sphere: the integral of radiance times cosine over its hemisphere.

    The factors 1, sqrt(3), sqrt(8) of the bands are those of Deng et al.'s coefficients.
    """
    light = np.zeros(9)
    light[0], light[function] = 0.5, 0.5 if function == 0 else 0.12
    radial = ball.mean / np.linalg.norm(ball.mean, axis=1, keepdims=True)
    raster = rasterise(placed, ball.triangles, camera)
    image, mask = shade(raster, ball.triangles, np.ones_like(placed), radial, np.tile(light, 3))
    rows, columns = (a[::97] for a in np.nonzero(mask))
    corners = ball.triangles[raster.triangle[rows, columns]]
    normal = (radial[corners] * raster.barycentric[rows, columns][..., None]).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)

    i = np.arange(20_000) + 0.5  # directions spread evenly over the sphere
    z, around = 1 - i / 10_000, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    towards = np.stack([r * np.cos(around), r * np.sin(around), z], -1)
    cosine = np.maximum(normal @ towards.T, 0)
    expected = (cosine * radiance(light, towards)).sum(1) * 4 * np.pi / len(towards)
    np.testing.assert_allclose(image[rows, columns], np.tile(expected[:, None], 3), atol=2e-3)
    assert len(rows) > 20 and (function == 0 or np.ptp(expected) > 0.1)


def test_each_pixel_is_its_albedo_times_the_irradiance_of_its_normal(ball, placed, camera, light):
    rng = np.random.default_rng(2)
    albedo = rng.uniform(0, 1, (len(placed), 3))
    raster = rasterise(placed, ball.triangles, camera)
    normals = vertex_normals(placed, ball.triangles)
    image, mask = shade(raster, ball.triangles, albedo, normals, light)
    corners = ball.triangles[raster.triangle[mask]]
    weights = raster.barycentric[mask][..., None]
    normal = (normals[corners] * weights).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    expected = (albedo[corners] * weights).sum(1) * irradiance(normal, light)
    np.testing.assert_allclose(image[mask], expected.clip(0, 1), atol=1e-5)
    np.testing.assert_array_equal(mask, raster.triangle >= 0)


def test_colours_are_clipped_to_the_display_range(ball, placed, camera):
    albedo = np.full((len(placed), 3), 0.8)
    bright = render_face(ball, placed, albedo, ambient_light(3.0), camera)
    dark = render_face(ball, placed, albedo, ambient_light(-1.0), camera)
    assert bright.image.max() == 1 and dark.image.min() == 0 and dark.image.max() == 0
    assert bright.coverage.max() == 1


def test_triangles_that_are_not_drawn_still_hide(ball, placed, camera, light):
    front = placed[ball.triangles][:, :, 2].mean(1) < MIDDLE[2]
    albedo = np.full((len(placed), 3), 0.5)
    back_only = render_face(ball, placed, albedo, light, camera, visible=~front)
    front_only = render_face(ball, placed, albedo, light, camera, visible=front)
    assert front_only.coverage.sum() > 2000
    assert back_only.coverage.sum() < 0.02 * front_only.coverage.sum()


def test_supersampling_gives_the_mean_of_its_samples(ball, placed, camera, light):
    albedo = np.random.default_rng(3).uniform(0, 1, (len(placed), 3))
    smooth = render_face(ball, placed, albedo, light, camera, supersample=2)
    fine = replace(camera, focal_px=400.0, cx=96.0, cy=96.0, width=192, height=192)
    sharp = render_face(ball, placed, albedo, light, fine)
    coverage = sharp.coverage.reshape(96, 2, 96, 2).mean((1, 3))
    np.testing.assert_allclose(smooth.coverage, coverage, atol=1e-6)
    total = sharp.image.reshape(96, 2, 96, 2, 3).sum((1, 3))
    covered = coverage > 0
    np.testing.assert_allclose(
        smooth.image[covered], total[covered] / (4 * coverage[covered][:, None]), atol=1e-5
    )
    assert ((smooth.coverage > 0) & (smooth.coverage < 1)).any()


def test_opacity_becomes_coverage_and_leaves_the_colour(ball, placed, camera, light):
    albedo = np.random.default_rng(4).uniform(0, 1, (len(placed), 3))
    whole = render_face(ball, placed, albedo, light, camera)
    half = render_face(ball, placed, albedo, light, camera, weight=np.full(len(placed), 0.5))
    np.testing.assert_allclose(half.coverage, 0.5 * whole.coverage, atol=1e-6)
    np.testing.assert_allclose(half.image, whole.image, atol=1e-5)


def test_occlusion_darkens(ball, placed, camera):
    albedo = np.full((len(placed), 3), 0.8)
    lit = render_face(ball, placed, albedo, ambient_light(1.0), camera)
    dim = render_face(
        ball, placed, albedo, ambient_light(1.0), camera, occlusion=np.full(len(placed), 0.25)
    )
    np.testing.assert_allclose(dim.image, 0.25 * lit.image, atol=1e-6)
