import numpy as np
import pytest
import torch

from repro.face.light import ambient_light
from repro.face.pose import rotation_matrix
from repro.reconstruct import losses


def test_landmark_weights_are_dengs_on_the_68_points():
    weights = losses.landmark_weights(np.arange(68))
    assert weights[28:31].tolist() == [20] * 3 and weights[60:].tolist() == [20] * 8
    assert weights.sum() == 57 + 11 * 20


def test_landmark_weights_stress_lips_and_lids_of_the_478():
    weights = losses.landmark_weights(np.array([13, 159, 10, *range(200, 270)]))
    assert weights[0] == weights[1] == 5 and weights[2] == 1


def test_landmark_loss_is_the_weighted_mean_square():
    seen = torch.zeros(2, 2, 2)
    predicted = torch.tensor([[[3.0, 4.0], [0.0, 1.0]], [[0.0, 0.0], [2.0, 0.0]]])
    weights = torch.tensor([1.0, 10.0])
    assert losses.landmark_loss(predicted, seen, weights) == (25 + 10 + 0 + 40) / 4
    hidden = torch.tensor([[0.0, 1.0], [1.0, 0.5]])
    assert losses.landmark_loss(predicted, seen, weights, hidden) == (0 + 10 + 0 + 20) / 4


def test_colours_are_sampled_between_pixel_centres():
    image = torch.zeros(1, 3, 4, 4)
    image[0, 0, 1, 2] = 1
    points = torch.tensor([[[2.5, 1.5], [3.0, 1.5], [2.5, 2.5]]])
    found = losses.sampled_colours(image, points)
    np.testing.assert_allclose(found[0, :, 0], [1, 0.5, 0], atol=1e-6)


def test_photometric_loss_counts_visible_skin_only():
    seen = torch.zeros(1, 3, 3)
    drawn = torch.tensor([[[0.3, 0.0, 0.4], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]])
    weights = torch.tensor([[1.0, 0.0, 1.0]])
    assert losses.photometric_loss(seen, drawn, weights) == pytest.approx(0.25, abs=1e-3)


def test_photometric_loss_without_any_visible_skin_is_zero():
    assert (
        losses.photometric_loss(torch.ones(1, 2, 3), torch.zeros(1, 2, 3), torch.zeros(1, 2)) == 0
    )


def test_feature_loss_is_one_less_the_cosine():
    a = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    b = torch.tensor([[0.0, 3.0], [0.0, 1.0]])
    assert losses.feature_loss(a, b) == pytest.approx(0.5)


def test_prior_has_dengs_weights():
    ones = torch.ones(2, 1), torch.full((2, 1), 2.0), torch.full((2, 1), 3.0)
    assert losses.prior_loss(*ones) == pytest.approx(1 + 0.8 * 4 + 0.017 * 9)


def test_white_light_costs_nothing_and_coloured_light_does():
    light = torch.from_numpy(ambient_light())[None]
    assert losses.light_loss(light) == pytest.approx(0)
    red = torch.zeros(1, 3, 9)
    red[0, 0, 0] = 3
    assert losses.light_loss(red.reshape(1, 27)) == pytest.approx((4 + 1 + 1) / 27)


def test_reflectance_loss_is_the_variance_of_the_skin():
    albedo = torch.tensor([[[0.0, 0.0, 0.0], [0.2, 0.0, 0.4], [9.0, 9.0, 9.0]]])
    skin = torch.tensor([1.0, 1.0, 0.0])
    assert losses.reflectance_loss(albedo, skin) == pytest.approx((0.01 + 0.04) * 2 / 2)


def test_the_metric_is_the_weighted_mean_square_motion_of_the_vertices():
    rng = np.random.default_rng(0)
    basis, weights, x = rng.normal(size=(4, 6, 3)), rng.random(6), rng.normal(size=4)
    moved = np.tensordot(x, basis, 1)
    by_hand = np.sqrt((weights * (moved**2).sum(1)).sum() / weights.sum())
    metric = torch.from_numpy(losses.vertex_metric(basis, weights))
    x = torch.from_numpy(x[None]).float()
    assert losses.metric_error(x, torch.zeros_like(x), metric)[0] == pytest.approx(
        by_hand, rel=1e-5
    )


def test_reprojection_error_is_the_weighted_mean_distance():
    predicted = torch.tensor([[[3.0, 4.0], [1.0, 0.0]]])
    error = losses.reprojection_error(predicted, torch.zeros(1, 2, 2), torch.tensor([1.0, 3.0]))
    assert error[0] == pytest.approx((5 + 3) / 4, abs=1e-4)


def test_rotation_error_is_the_angle():
    small = torch.tensor([[0.0, 0.1, 0.0]])
    error = losses.rotation_error(rotation_matrix(small), torch.eye(3)[None])
    assert error[0] == pytest.approx(0.1, rel=1e-3)


def test_irradiance_error_of_ambient_light_is_the_difference_of_level():
    normals = torch.from_numpy(losses.towards_viewer())
    lights = (torch.from_numpy(ambient_light(level))[None] for level in (0.7, 1.0))
    assert losses.irradiance_error(*lights, normals)[0] == pytest.approx(0.3, rel=1e-4)


def test_normals_towards_the_viewer_are_unit_and_cover_the_half_sphere_evenly():
    normals = losses.towards_viewer()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    assert normals[:, 2].max() < 0
    np.testing.assert_allclose(normals.mean(0), [0, 0, -0.5], atol=0.02)


def test_every_error_has_a_finite_gradient_where_it_is_zero():
    x = torch.zeros(1, 4, requires_grad=True)
    losses.metric_error(x, torch.zeros(1, 4), torch.eye(4)).sum().backward()
    points = torch.zeros(1, 2, 2, requires_grad=True)
    losses.reprojection_error(points, torch.zeros(1, 2, 2), torch.ones(2)).sum().backward()
    assert x.grad.isfinite().all() and points.grad.isfinite().all()
