"""Landmarks as principal components, freed of place, size and roll."""

import numpy as np
import pytest
import torch

from repro.baselines.shapes import POINTS, Shapes


@pytest.fixture
def clips() -> list[np.ndarray]:
    """Two people whose points move along two directions, and who wander, turn and come nearer."""
    rng = np.random.default_rng(0)
    moves = rng.normal(0, 1, (2, 478, 2))
    made = []
    for _ in range(2):
        rest = rng.uniform(20, 80, (478, 2))
        points = rest + np.einsum("tk,kpc->tpc", rng.normal(0, 1, (30, 2)), moves)
        made.append(points.astype(np.float32))
    return made


@pytest.fixture
def shapes(clips) -> Shapes:
    shapes = Shapes(6)
    shapes.fit(clips)
    return shapes


def turned(points: np.ndarray, *, angle: float, scale: float, shift) -> torch.Tensor:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return torch.from_numpy((points @ np.array([[c, s], [-s, c]]) + shift).astype(np.float32))


def test_place_size_and_roll_do_not_count(clips, shapes):
    points = clips[0][:, POINTS]
    plain = shapes.encode(shapes.normalise(torch.from_numpy(points))[0])
    other = turned(points, angle=0.7, scale=3.0, shift=(40, -9))
    torch.testing.assert_close(shapes.encode(shapes.normalise(other)[0]), plain, atol=2e-3, rtol=0)


def test_what_normalises_is_undone(clips, shapes):
    points = turned(clips[1][:, POINTS], angle=-0.4, scale=0.5, shift=(3, 5))
    normal, back = shapes.normalise(points)
    again = normal @ back[:, :, :2].transpose(1, 2) + back[:, None, :, 2]
    torch.testing.assert_close(again, points, atol=1e-3, rtol=0)


def test_a_shape_with_another_ones_coefficients_moves_like_it(clips, shapes):
    points = torch.from_numpy(clips[0][:, POINTS])
    told = shapes.encode(shapes.normalise(points)[0])
    moved = shapes.moved(points[:1].expand(len(points), -1, -1), told)
    shapes_apart = shapes.normalise(moved)[0] - shapes.normalise(points)[0]
    spread = (shapes.normalise(points)[0] - shapes.normalise(points)[0].mean(0)).abs().mean()
    assert shapes_apart.abs().mean() < 0.2 * spread


def test_with_its_own_coefficients_a_shape_stays(clips, shapes):
    points = torch.from_numpy(clips[1][:3, POINTS])
    own = shapes.encode(shapes.normalise(points)[0])
    torch.testing.assert_close(shapes.moved(points, own), points, atol=1e-2, rtol=0)
