import numpy as np
import pytest
import torch

from repro.face.camera import Camera
from repro.reconstruct.solve import (
    UNKNOWNS,
    Normal,
    bend,
    by_unknowns,
    normal,
    project,
    solve_over_time,
)

CAMERA = Camera(700, 120, 130, 256, 256)
FRAMES, POINTS = 4, 7


@pytest.fixture(scope="module")
def face():
    """Random points, basis and unknowns in double precision."""
    rng = np.random.default_rng(0)
    rest = torch.from_numpy(rng.normal(0, 0.05, (POINTS, 3)))
    basis = torch.from_numpy(rng.normal(0, 0.01, (POINTS, 3, 64)))
    x = rng.normal(0, 0.3, (FRAMES, UNKNOWNS))
    x[:, -1] += 1.5
    return rest, basis, torch.from_numpy(x)


def at(face, x):
    rest, basis, _ = face
    return project(rest + torch.einsum("lck,tk->tlc", basis, x[:, :64]), x[:, 64:], CAMERA)


def test_derivatives_are_those_of_autograd(face):
    _, basis, x = face
    made = by_unknowns(at(face, x), basis)
    for t in range(FRAMES):
        true = torch.autograd.functional.jacobian(lambda u: at(face, u[None]).xy[0], x[t])
        torch.testing.assert_close(made[t], true, atol=1e-6, rtol=1e-6)


def test_the_banded_solve_is_the_dense_one():
    rng = np.random.default_rng(1)
    n, frames = 5, 9
    jacobian = torch.from_numpy(rng.normal(size=(frames, 8, n)))
    residual = torch.from_numpy(rng.normal(size=(frames, 8)))
    weight = torch.from_numpy(rng.uniform(0.5, 2, (frames, 8)))
    x = torch.from_numpy(rng.normal(size=(frames, n)))
    stiffness = torch.from_numpy(rng.uniform(0.1, 3, n))
    free = torch.ones(frames, n, dtype=torch.bool)
    free[3, 2] = free[0, 0] = False
    step = solve_over_time(normal(jacobian, residual, weight), x, stiffness, free)

    def energy(moved):
        there = residual + torch.einsum("tmn,tn->tm", jacobian, moved)
        return 0.5 * (weight * there**2).sum() + 0.5 * (stiffness * bend(x + moved) ** 2).sum()

    moved = torch.zeros(frames, n, dtype=torch.float64, requires_grad=True)
    hessian = torch.autograd.functional.hessian(energy, moved).reshape(frames * n, -1)
    gradient = torch.autograd.grad(energy(moved), moved)[0].ravel()
    some = free.ravel()
    dense = torch.zeros(frames * n, dtype=torch.float64)
    dense[some] = -torch.linalg.solve(hessian[some][:, some], gradient[some])
    torch.testing.assert_close(step, dense.reshape(frames, n), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_clips_are_solved_too(frames):
    each = Normal(torch.eye(4).expand(frames, 4, 4), torch.ones(frames, 4))
    free = torch.ones(frames, 4, dtype=torch.bool)
    step = solve_over_time(each, torch.zeros(frames, 4), torch.zeros(4), free)
    torch.testing.assert_close(step, torch.ones(frames, 4))
