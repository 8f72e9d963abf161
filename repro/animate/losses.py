"""The terms of the generator's loss (Chen et al. 2020, Eq. 8).

Frames are (B, 3, S, S) in [0, 1], sketches (B, 1, S, S) in [0, 1]. The perceptual term is
``repro.edit.completion_losses.perceptual_loss``: with VGG16 where its weights are at hand, where
the paper has VGG19, and else with the package's open stand-in.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.animate.flow import Warped
from repro.animate.settings import AnimateSettings
from repro.edit.completion_losses import adversarial_loss
from repro.refine.discriminator import Discriminator
from repro.refine.losses import feature_loss, weighted_mean

Verdicts = list[tuple[Tensor, list[Tensor]]]
"""For each scale, logits (B, 1, h, w) and the features of each block."""

_TRUSTED_ERROR = 0.02
"""Attention falls below one where a warped image is farther than this from the frame."""
_LEAST_ATTENTION = 1e-3


class Discriminators(nn.Module):
    """PatchGANs at several scales (Wang et al. 2018): each sees frames half as large."""

    def __init__(self, settings: AnimateSettings):
        super().__init__()
        self.scales = nn.ModuleList(Discriminator(settings.judge) for _ in range(settings.scales))

    def forward(self, sketch: Tensor, frame: Tensor) -> Verdicts:
        """Judge frames as pictures of these landmarks, finest scale first."""
        window, found = sketch.expand(-1, 3, -1, -1), []
        for scale, judge in enumerate(self.scales):
            if scale:
                window, frame = nnf.avg_pool2d(window, 2), nnf.avg_pool2d(frame, 2)
            found.append(judge(window, frame))
        return found


def gan_loss(verdicts: Verdicts, *, real: bool) -> Tensor:
    """Eq. 8, L_GAN in the least squares' form (Mao et al. 2017), summed over the scales."""
    return torch.stack([adversarial_loss(logits, real=real) for logits, _ in verdicts]).sum()


def matching_loss(real: Verdicts, made: Verdicts) -> Tensor:
    """Eq. 8, L_FM: L1 between the discriminators' features, summed over the scales."""
    terms = [feature_loss(a, b) for (_, a), (_, b) in zip(real, made, strict=True)]
    return torch.stack(terms).sum()


def warping_loss(warped: Warped, real: Tensor) -> Tensor:
    """Eq. 8, L_W of one image: its L1 distance from the frame, and the attention's fit to that.

    Of the flow loss it follows, the comparison with another network's flow is left out. The
    paper does not say what its attention maps learn from. Here ``A e - c log A`` of the distance e
    is least where A is ``c / e``, at most one: high where the warped image is right. Places
    beyond the coverage count for nothing.

    Parameters
    ----------
    real : (B, 3, S, S) in [0, 1]
    """
    error = (warped.image - real).abs().mean(dim=1, keepdim=True)
    trust = warped.attention.clamp(min=_LEAST_ATTENTION)
    fit = trust * error.detach() - _TRUSTED_ERROR * trust.log()
    return weighted_mean(error + fit, warped.known.detach())
