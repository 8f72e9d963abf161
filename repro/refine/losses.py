"""The terms of the refinement's loss (Yi et al. 2020, Eq. 4), and terms beside them.

Images are (B, 3, H, W) in [0, 1], attention (B, 1, H, W), weights (B, 1, H, W) or None. Terms of
images are means over pixels on the scale [-1, 1] of the authors' code, so that their lambdas hold.
"""

import torch
from torch import Tensor
from torch.nn import functional as nnf


def weighted_mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """Mean of values (B, C, H, W) under weights (B, 1, H, W); zero where all weights are."""
    if weights is None:
        return values.mean()
    return (values * weights).sum() / (weights.sum() * values.shape[1]).clamp(min=1e-6)


def gan_loss(logits: Tensor, *, real: bool, weights: Tensor | None = None) -> Tensor:
    """Eq. 4, first term: cross-entropy of the patches' logits with being real (or not).

    The discriminator minimises it with the truth; the generator minimises it for its own frames
    with ``real=True`` (the non-saturating form).
    """
    return weighted_mean(nnf.softplus(-logits if real else logits), weights)


def l1_loss(real: Tensor, refined: Tensor, weights: Tensor | None = None) -> Tensor:
    """Eq. 4, second term: ||g - G(r, f)||_1."""
    return 2 * weighted_mean((real - refined).abs(), weights)


def attention_loss(attention: Tensor, weights: Tensor | None = None) -> Tensor:
    """Eq. 4, third term, per pixel: the mean square of A.

    Without it A saturates at 1, which copies the rendered frame.
    """
    return weighted_mean(attention**2, weights)


def smoothness_loss(attention: Tensor) -> Tensor:
    """Eq. 4, last term: squared differences of neighbours in A, summed over the image."""
    down = (attention[:, :, 1:] - attention[:, :, :-1]) ** 2
    right = (attention[:, :, :, 1:] - attention[:, :, :, :-1]) ** 2
    return (down.sum() + right.sum()) / len(attention)


def laplacian_bands(image: Tensor, *, bands: int) -> list[Tensor]:
    """The finest bands of the Laplacian pyramid, finest first: detail of 1-2, 2-4, ... pixels."""
    kernel = image.new_tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    channels = image.shape[1]
    across = kernel.view(1, 1, 1, 5).expand(channels, 1, 1, 5)
    found = []
    for _ in range(bands):
        blurred = nnf.pad(image, (2, 2, 2, 2), mode="replicate")
        blurred = nnf.conv2d(blurred, across, groups=channels)
        blurred = nnf.conv2d(blurred, across.transpose(2, 3), groups=channels)
        found.append(image - blurred)
        image = nnf.avg_pool2d(blurred, 2)
    return found


def gradient_loss(
    real_bands: list[Tensor], refined_bands: list[Tensor], weights: Tensor | None = None
) -> Tensor:
    """L1 between Laplacian bands, mean over the bands: detail in its place (not the paper's)."""
    terms = [
        2 * weighted_mean((a - b).abs(), _resized(weights, a))
        for a, b in zip(real_bands, refined_bands, strict=True)
    ]
    return torch.stack(terms).mean()


def texture_loss(
    real_bands: list[Tensor],
    refined_bands: list[Tensor],
    weights: Tensor | None = None,
    *,
    cell_px: int = 8,
) -> Tensor:
    """L1 between the bands' root mean squares in cells: how much detail, not where it stands.

    L1 alone prefers a blur to detail that is a pixel off; this asks for as much detail as the
    real frame has (not the paper's).
    """
    terms = []
    for real, refined in zip(real_bands, refined_bands, strict=True):
        cell = max(2, min(cell_px, *real.shape[-2:]))
        a, b = (_strength(band, cell) for band in (real, refined))
        terms.append(2 * weighted_mean((a - b).abs(), _resized(weights, a)))
    return torch.stack(terms).mean()


def feature_loss(
    real: list[Tensor], refined: list[Tensor], weights: Tensor | None = None
) -> Tensor:
    """L1 between the discriminator's features, mean over its layers (Wang et al. 2018)."""
    terms = [
        weighted_mean((a.detach() - b).abs().float(), _resized(weights, a))
        for a, b in zip(real, refined, strict=True)
    ]
    return torch.stack(terms).mean()


def _strength(band: Tensor, cell: int) -> Tensor:
    return (nnf.avg_pool2d(band**2, cell, stride=cell // 2) + 1e-6).sqrt()


def _resized(weights: Tensor | None, like: Tensor) -> Tensor | None:
    if weights is None:
        return None
    height, width = like.shape[-2:]
    return nnf.adaptive_avg_pool2d(weights, (height, width))
