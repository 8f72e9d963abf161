import numpy as np
import torch

from repro.face.light import ambient_light, irradiance, key_light, sh_basis


def sphere(count=20_000):
    """Points spread evenly over the unit sphere (Fibonacci)."""
    i = np.arange(count) + 0.5
    z, angle = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], -1)


def test_the_basis_is_orthogonal_over_the_sphere_with_the_cosine_lobes_factors():
    basis = sh_basis(sphere())
    gram = basis.T @ basis / len(basis) * 4 * np.pi
    factor = np.pi, *[2 * np.pi / 3**0.5] * 3, *[2 * np.pi / 8**0.5] * 5
    np.testing.assert_allclose(gram, np.diag(np.square(factor)), atol=0.02)


def test_ambient_light_is_the_same_everywhere():
    np.testing.assert_allclose(irradiance(sphere(50), ambient_light(0.7)), 0.7, rtol=1e-5)


def test_channels_are_lit_by_their_own_nine_coefficients():
    light = np.zeros(27)
    light[9 + 2] = 1.0  # green, along z
    lit = irradiance(np.array([[0, 0, 1.0], [0, 0, -1.0], [1.0, 0, 0]]), light)
    assert (lit[:, [0, 2]] == 0).all()
    assert lit[0, 1] == -lit[1, 1] > 0
    assert lit[2, 1] == 0


def test_tensors_agree_with_arrays():
    normals, light = sphere(30), np.random.default_rng(0).normal(size=27)
    tensor = irradiance(torch.tensor(normals), torch.tensor(light))
    np.testing.assert_allclose(tensor.numpy(), irradiance(normals, light), atol=1e-12)


def test_a_key_light_falls_off_with_the_cosine():
    towards = np.array([0.6, 0.0, -0.8])
    light = key_light(towards, ambient=0.5, key=0.3)
    normals = np.array([towards, -towards, [0, 1, 0]])
    lit = irradiance(normals, light)
    np.testing.assert_allclose(lit, np.outer([0.8, 0.2, 0.5], np.ones(3)), atol=1e-6)
