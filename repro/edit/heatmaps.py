"""Landmarks as grey pictures that gradients can pass through (Song et al. 2020, section 3.3.1)."""

import torch
from torch import Tensor


def heatmaps(points: Tensor, size: tuple[int, int], *, sigma_px: float) -> Tensor:
    """One grey picture for each set of points: 1 - exp(-sum of Gaussians about the points).

    A sum of Gaussians is one product of matrices, and every point moves it, also where several
    stand close together; the exponential keeps it within [0, 1).

    Parameters
    ----------
    points : (..., P, 2) float32 pixels x, y; the centre of the first pixel is (0.5, 0.5)
    size : height and width of the pictures
    sigma_px : the Gaussians' standard deviation

    Returns
    -------
    (..., H, W) float32, differentiable in the points
    """
    height, width = size
    across, down = (
        torch.exp(_squared(count, points[..., axis, None], sigma_px) / -2)
        for axis, count in ((0, width), (1, height))
    )  # (..., P, W) and (..., P, H)
    return 1 - torch.exp(-(down.transpose(-1, -2) @ across))


def _squared(count: int, points: Tensor, sigma_px: float) -> Tensor:
    """Squared distances (..., P, count) of pixels from points, in sigmas; 64 and no more.

    Beyond it a Gaussian is below 1e-13, and soon so small that processors take long over it.
    """
    return ((_centres(count, points) - points) / sigma_px).square().clamp(max=64)


def _centres(count: int, like: Tensor) -> Tensor:
    return torch.arange(count, dtype=like.dtype, device=like.device) + 0.5
