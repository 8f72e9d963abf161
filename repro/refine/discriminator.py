"""The conditional discriminator: a PatchGAN (Isola et al. 2017) on rendered window + one frame."""

import torch
from torch import Tensor, nn

from repro.fabric import channels_last
from repro.refine.generator import initialise
from repro.refine.settings import RefineSettings


class Discriminator(nn.Module):
    """Logits of patches of a frame being real, given the rendered window (Yi et al. 2020, 3.4).

    With three layers of stride 2 each logit sees 70 x 70 pixels.
    """

    def __init__(self, settings: RefineSettings):
        super().__init__()
        ndf, layers = settings.ndf, settings.discriminator_layers
        self.residual_gain = settings.residual_gain
        blocks = [self._block(3 * settings.window + 3, ndf, stride=2, norm=False)]
        width = ndf
        for layer in range(1, layers + 1):
            wider = ndf * min(2**layer, 8)
            blocks.append(self._block(width, wider, stride=2 if layer < layers else 1))
            width = wider
        self.blocks = nn.ModuleList(blocks)
        self.last = nn.Conv2d(width, 1, 4, stride=1, padding=1)
        initialise(self)
        channels_last(self)

    @staticmethod
    def _block(before: int, after: int, *, stride: int, norm: bool = True) -> nn.Sequential:
        layers: list[nn.Module] = [nn.Conv2d(before, after, 4, stride=stride, padding=1)]
        if norm:
            layers.append(nn.GroupNorm(after, after))  # instance normalisation
        return nn.Sequential(*layers, nn.LeakyReLU(0.2))

    def forward(self, window: Tensor, frame: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, 1, h, w) float32 and the features of each block.

        window (B, 9, H, W) and frame (B, 3, H, W), both in [0, 1].
        """
        scaled = window * 2 - 1
        if self.residual_gain:
            judged = (frame - window[:, -3:]) * 2 * self.residual_gain
        else:
            judged = frame * 2 - 1
        x = torch.cat([scaled, judged], dim=1)
        features = []
        for block in self.blocks:
            x = block(x)
            features.append(x)
        return self.last(x).float(), features
