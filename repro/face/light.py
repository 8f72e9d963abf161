"""Spherical-harmonics light: Lambertian irradiance of three bands (Yi et al. 2020, section 3.1).

``colour = albedo * sum_b gamma_b Phi_b(normal)``, nine coefficients for each colour channel: 27
in all, channel by channel. Phi_b is a spherical harmonic times what a Lambertian surface makes of
its band (Ramamoorthi and Hanrahan 2001: pi, 2 pi / 3, pi / 4), with the factors 1, sqrt(3) and
sqrt(8) that the coefficients of Deng et al. 2019 carry for the three bands, and the signs of their
axes. A light (g, 0, ..., 0) gives the constant irradiance g * 0.886.
"""

import numpy as np
import torch

_A0, _A1, _A2 = np.pi, 2 * np.pi / np.sqrt(3), 2 * np.pi / np.sqrt(8)
_C0 = 1 / np.sqrt(4 * np.pi)
_C1 = np.sqrt(3) / np.sqrt(4 * np.pi)
_C2 = 3 * np.sqrt(5) / np.sqrt(12 * np.pi)


def sh_basis(normals):
    """The nine functions Phi_b of unit normals in camera axes.

    Parameters
    ----------
    normals : array or tensor (..., 3), unit length

    Returns
    -------
    array or tensor (..., 9); order 1, y, z, x, xy, yz, 3z^2 - 1, xz, x^2 - y^2
    """
    xp = torch if isinstance(normals, torch.Tensor) else np
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    return xp.stack(
        [
            _A0 * _C0 * xp.ones_like(x),
            -_A1 * _C1 * y,
            _A1 * _C1 * z,
            -_A1 * _C1 * x,
            _A2 * _C2 * x * y,
            -_A2 * _C2 * y * z,
            _A2 * _C2 * 0.5 / np.sqrt(3) * (3 * z * z - 1),
            -_A2 * _C2 * x * z,
            _A2 * _C2 * 0.5 * (x * x - y * y),
        ],
        -1,
    )


def irradiance(normals, light):
    """Irradiance (..., V, 3) at unit normals (..., V, 3) under light (..., 27), unclipped."""
    gamma = light.reshape(*light.shape[:-1], 3, 9)
    return sh_basis(normals) @ gamma.swapaxes(-1, -2)


def ambient_light(level: float = 1.0) -> np.ndarray:
    """Light (27,) float32 whose irradiance is ``level`` everywhere."""
    light = np.zeros((3, 9), np.float32)
    light[:, 0] = level / (_A0 * _C0)
    return light.reshape(27)


def key_light(towards: np.ndarray, *, ambient: float, key: float) -> np.ndarray:
    """White light (27,) whose irradiance is ``ambient + key * cos``.

    ``cos``: of the angle between the normal and the direction (3,) ``towards`` the lamp, camera
    axes. With ``key`` below ``ambient`` nothing is black, which suits a picture of a shape.
    """
    x, y, z = np.asarray(towards, np.float64) / np.linalg.norm(towards)
    light = np.zeros((3, 9), np.float32)
    light[:, 0] = ambient / (_A0 * _C0)
    light[:, 1:4] = key / (_A1 * _C1) * np.array([-y, z, -x])
    return light.reshape(27)
