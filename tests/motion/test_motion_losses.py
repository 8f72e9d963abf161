"""Eq. 2 on numbers worked out by hand, and the vertex metric."""

import numpy as np
import pytest
import torch

from repro.motion.losses import motion_loss, vertex_metric


def loss(expression, pose, true_expression=None, true_pose=None, **options):
    """Loss of nested lists; the truth is zero unless given."""
    expression, pose = (torch.tensor(x, dtype=torch.float64) for x in (expression, pose))
    zeros = torch.zeros_like
    true_expression = zeros(expression) if true_expression is None else true_expression
    true_pose = zeros(pose) if true_pose is None else true_pose
    return motion_loss(expression, pose, true_expression, true_pose, **options)


def test_eq_2_on_numbers_worked_out_by_hand():
    """One window of 3 frames, 2 expression numbers, 2 pose numbers; the truth is zero."""
    terms = loss([[[1, 2], [0, 0], [1, 0]]], [[[1, 0], [2, 0], [2, 3]]])
    assert terms.expression == pytest.approx((1 + 4 + 0 + 0 + 1 + 0) / 6)
    assert terms.pose == pytest.approx((1 + 4 + 4 + 9) / 6)
    assert terms.continuity == pytest.approx(1 + 9)
    assert terms.total == pytest.approx(1.0 + 0.2 * 3.0 + 0.01 * 10.0)


def test_expression_continuity_is_added_when_fine_tuning():
    terms = loss([[[1, 2], [0, 0], [1, 0]]], [[[0], [0], [0]]], lambda_expression_continuity=1e-4)
    assert terms.expression_continuity == pytest.approx(1 + 4 + 1)
    assert terms.total == pytest.approx(1.0 + 1e-4 * 6)


def test_continuity_is_the_mean_over_windows():
    one = loss([[[0], [0]]], [[[0], [2]]]).continuity
    both = loss([[[0], [0]], [[0], [0]]], [[[0], [2]], [[0], [0]]]).continuity
    assert (one, both) == (4, 2)


def test_a_perfect_still_prediction_costs_nothing():
    expression, pose = torch.rand(2, 1, 64).expand(2, 5, 64), torch.rand(2, 1, 6).expand(2, 5, 6)
    assert motion_loss(expression, pose, expression, pose).total == 0


def test_a_perfect_moving_prediction_still_pays_for_its_motion():
    pose = torch.tensor([[[0.0], [1.0]]])
    terms = motion_loss(torch.zeros(1, 2, 1), pose, torch.zeros(1, 2, 1), pose)
    assert terms.total == pytest.approx(0.01)


def test_the_identity_as_metric_changes_nothing():
    rng = torch.Generator().manual_seed(0)
    parts = [torch.randn(2, 4, d, generator=rng) for d in (64, 6, 64, 6)]
    plain = motion_loss(*parts, lambda_expression_continuity=0.1)
    through = motion_loss(*parts, lambda_expression_continuity=0.1, metric=torch.eye(64))
    torch.testing.assert_close(plain, through)


def basis(seed: int = 0, vertices: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(64, vertices, 3))


def test_vertex_metric_measures_what_an_error_moves():
    b, weight = basis(), np.random.default_rng(1).uniform(0, 5, 30)
    metric = vertex_metric(b, weight, floor=0)
    errors = np.random.default_rng(2).normal(size=(20, 64))
    moved = np.einsum("ek,kvd->evd", errors, b)
    expected = (weight[:, None] * moved**2).sum((1, 2))
    measured = ((errors @ metric) ** 2).sum(1)
    np.testing.assert_allclose(measured / expected, (measured / expected)[0], rtol=1e-4)


def test_vertex_metric_keeps_the_scale_of_plain_errors():
    metric = vertex_metric(1e-3 * basis(), np.ones(30))
    assert (metric**2).sum() == pytest.approx(64, rel=1e-5)


def test_lip_pairs_weigh_what_opens_the_lips():
    b = np.zeros((64, 4, 3))
    b[0, 0, 1], b[0, 1, 1] = 1, -1  # parts vertices 0 and 1
    b[1, 0, 1], b[1, 1, 1] = 1, 1  # moves them together
    b[2:, 3, 0] = 1e-3
    for pairs, same in ((None, True), (np.array([[0, 1]]), False)):
        metric = vertex_metric(b, np.ones(4), pairs=pairs)
        apart, together = (np.linalg.norm(metric[k]) for k in (0, 1))
        assert (apart == pytest.approx(together, rel=1e-4)) == same
        assert apart >= together * 0.999
