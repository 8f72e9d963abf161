import numpy as np
import pytest
import torch

from repro.edit.heatmaps import heatmaps


def test_a_point_gives_one_less_the_exponential_of_a_gaussian():
    made = heatmaps(torch.tensor([[6.5, 3.5]]), (9, 12), sigma_px=2.0)
    rows, columns = np.mgrid[:9, :12] + 0.5
    gaussian = np.exp(-((columns - 6.5) ** 2 + (rows - 3.5) ** 2) / 8)
    assert made.numpy() == pytest.approx(1 - np.exp(-gaussian), abs=1e-6)


def test_batches_of_points_are_drawn_one_by_one():
    points = torch.rand(2, 3, 5, 2, generator=torch.Generator().manual_seed(0)) * 10
    together = heatmaps(points, (10, 10), sigma_px=1.0)
    assert together.shape == (2, 3, 10, 10)
    assert torch.allclose(together[1, 2], heatmaps(points[1, 2], (10, 10), sigma_px=1.0))


def test_many_points_in_one_place_stay_below_one():
    made = heatmaps(torch.full((50, 2), 4.0), (8, 8), sigma_px=1.0)
    assert 0.99 < made.max() <= 1


def test_gradients_agree_with_differences():
    points = torch.tensor([[3.2, 4.1], [3.9, 4.4], [6.0, 2.5]], dtype=torch.float64)
    weights = torch.rand(8, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def total(at):
        return (heatmaps(at, (8, 9), sigma_px=1.3) * weights).sum()

    assert torch.autograd.gradcheck(total, points.requires_grad_(True))


def test_gradients_reach_every_point_also_of_closed_lips():
    points = torch.tensor([[4.0, 4.0], [4.2, 4.3], [4.1, 3.9]], requires_grad=True)
    wanted = heatmaps(points.detach() + 1.0, (9, 9), sigma_px=1.5)
    ((heatmaps(points, (9, 9), sigma_px=1.5) - wanted) ** 2).sum().backward()
    # A step against the gradient moves each of them towards where they should be.
    assert (points.grad < 0).all()
