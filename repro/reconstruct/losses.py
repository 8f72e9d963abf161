"""Losses of the coefficient network (Deng et al. 2019, section 3, and the weights of their code).

Each is a function of tensors. The self-supervised ones compare with the picture, the supervised
ones with the open corpus' ground truth. B batch, L landmarks, V vertices; lengths in metres,
image points in pixels, colours in [0, 1].
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as nnf

from repro.face import landmarks as lm
from repro.face.light import sh_basis

_EPSILON = 1e-6
_FEATURE_WEIGHT = 20.0
"""What Deng et al. weigh nose ridge and inner lips with."""
_LIPS_WEIGHT = 5.0
"""For lips and lids of the denser 478 points: there are 72 of them, not 11."""


def landmark_weights(points: np.ndarray) -> np.ndarray:
    """Weights (L,) float32 of landmarks, numbered as the 478 or, for 68 of them, as iBUG's."""
    weights = np.ones(len(points), np.float32)
    if len(points) == 68:
        weights[28:31] = weights[60:] = _FEATURE_WEIGHT
    else:
        weights[np.isin(points, np.concatenate([lm.LIPS, lm.EYELIDS]))] = _LIPS_WEIGHT
    return weights


# ------------------------------------------------------------------------------ self-supervised


def landmark_loss(
    predicted: Tensor, seen: Tensor, weights: Tensor, visible: Tensor | None = None
) -> Tensor:
    """Weighted squared distance of landmarks (Deng et al., Eq. 5), mean over batch and landmarks.

    Parameters
    ----------
    predicted, seen : (B, L, 2) pixels
    weights : (L,)
    visible : (B, L) in [0, 1], factors on the weights; None for all 1

    Returns
    -------
    () squared pixels
    """
    squared = (predicted - seen).square().sum(-1) * weights
    return (squared if visible is None else squared * visible).mean()


def sampled_colours(images: Tensor, points: Tensor) -> Tensor:
    """Colours (B, V, 3) of images (B, 3, S, S) at points (B, V, 2) pixels, bilinear.

    A point (0.5, 0.5) is the first pixel's centre. Differentiable in both; outside, the border.
    """
    place = points * (2 / images.shape[-1]) - 1
    found = nnf.grid_sample(
        images, place[:, :, None], mode="bilinear", padding_mode="border", align_corners=False
    )
    return found[..., 0].transpose(1, 2)


def photometric_loss(seen: Tensor, drawn: Tensor, weights: Tensor) -> Tensor:
    """Mean distance of colours, weighted by skin and visibility (Deng et al., Eq. 2).

    Parameters
    ----------
    seen, drawn : (B, V, 3), of the picture at the vertices' places and of the model
    weights : (B, V), skin weight of the vertices that are in view, 0 of the others
    """
    distance = ((seen - drawn).square().sum(-1) + _EPSILON).sqrt()
    return (distance * weights).sum() / weights.sum().clamp(min=1)


def feature_loss(seen: Tensor, drawn: Tensor) -> Tensor:
    """1 - cosine of identity features (B, D), mean over the batch (Deng et al., Eq. 6)."""
    return (1 - nnf.cosine_similarity(seen, drawn, dim=1)).mean()


def prior_loss(
    identity: Tensor,
    expression: Tensor,
    texture: Tensor,
    *,
    weights: tuple[float, float, float] = (1.0, 0.8, 1.7e-2),
) -> Tensor:
    """Weighted squared norms of coefficients (B, K), mean over the batch (Deng et al., Eq. 7)."""
    norms = (part.square().sum(1).mean() for part in (identity, expression, texture))
    return torch.stack([w * norm for w, norm in zip(weights, norms, strict=True)]).sum()


def light_loss(light: Tensor) -> Tensor:
    """Mean square of what the three colours' light (B, 27) differs from its mean: nearly white."""
    channels = light.reshape(-1, 3, 9)
    return (channels - channels.mean(1, keepdim=True)).square().mean()


def reflectance_loss(albedo: Tensor, skin: Tensor) -> Tensor:
    """Variance of albedo (B, V, 3) over skin of weights (V,) (Deng et al., Eq. 8).

    Squares are summed over the colours.
    """
    weight = skin[None, :, None]
    mean = (albedo * weight).sum(1, keepdim=True) / skin.sum()
    spread = ((albedo - mean) * weight).square().sum()
    return spread / (len(albedo) * skin.sum())


# ----------------------------------------------------------------------------------- supervised


def vertex_metric(basis: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A map M (K, K) float32 with |x M|^2 = the weighted mean square that x moves the vertices.

    Parameters
    ----------
    basis : (K, V, 3) per unit of a coefficient
    weights : (V,), not all 0
    """
    flat = np.asarray(basis, np.float64) * np.sqrt(weights / weights.sum())[None, :, None]
    flat = flat.reshape(len(basis), -1)
    values, vectors = np.linalg.eigh(flat @ flat.T)
    return (vectors * np.sqrt(np.maximum(values, 0))).astype(np.float32)


def metric_error(predicted: Tensor, true: Tensor, metric: Tensor) -> Tensor:
    """Root mean square error of the vertices (B,), in the unit of the metric's basis.

    Parameters
    ----------
    predicted, true : (B, K) coefficients
    metric : (K, K) of ``vertex_metric``
    """
    return (((predicted - true) @ metric).square().sum(1) + 1e-12).sqrt()


def reprojection_error(predicted: Tensor, true: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean distance (B,) of landmarks (B, L, 2) in pixels; weights (L,)."""
    distance = ((predicted - true).square().sum(-1) + _EPSILON).sqrt()
    return (distance * weights).sum(1) / weights.sum()


def rotation_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Angle (B,) in radians between rotations (B, 3, 3), exact for small ones.

    The Frobenius norm of their difference over the root of 2: twice the sine of half the angle.
    """
    return ((predicted - true).square().sum((1, 2)) / 2 + 1e-12).sqrt()


def irradiance_error(predicted: Tensor, true: Tensor, normals: Tensor) -> Tensor:
    """Root mean square difference (B,) of the irradiance of lights (B, 27) at normals (n, 3)."""
    difference = (predicted - true).reshape(-1, 3, 9) @ sh_basis(normals).T
    return (difference.square().mean((1, 2)) + 1e-12).sqrt()


def towards_viewer(count: int = 64) -> np.ndarray:
    """Unit normals (n, 3) float32 spread over the half of the sphere that faces the camera."""
    k = np.arange(2 * count) + 0.5
    z = 1 - k / count
    r, turn = np.sqrt(1 - z * z), np.pi * (1 + np.sqrt(5)) * k
    points = np.stack([r * np.cos(turn), r * np.sin(turn), z], 1)
    return points[z < 0].astype(np.float32)
