"""Layers that both earlier systems are built of."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.speech.features import COEFFICIENTS, WINDOWS


class SoundEncoder(nn.Module):
    """A window of MFCCs -> its feature: five 3 x 3 convolutions, two poolings, one linear layer."""

    def __init__(self, channels: Sequence[int], feature_dim: int):
        super().__init__()
        widths = [1, *channels]
        layers: list[nn.Module] = []
        for k, (before, after) in enumerate(pairwise(widths)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
            if k in (1, 3):
                layers.append(nn.MaxPool2d(2))
        cells = (WINDOWS // 4) * (COEFFICIENTS // 4)
        self.layers = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(widths[-1] * cells, feature_dim), nn.ReLU()
        )

    def forward(self, windows: Tensor) -> Tensor:
        """Features (B, D) of windows (B, 28, 12)."""
        return self.layers(windows[:, None])


class PictureEncoder(nn.Module):
    """Pictures -> features of each level, finest first; each level halves the picture."""

    def __init__(self, channels: Sequence[int]):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 4, stride=2, padding=1),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2),
            )
            for before, after in zip([3, *channels], channels, strict=False)
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Features (B, C, S / 2^k, S / 2^k) of pictures (B, 3, S, S) in [0, 1]."""
        features, x = [], pictures * 2 - 1
        for block in self.blocks:
            x = block(x)
            features.append(x)
        return features


class PictureDecoder(nn.Module):
    """The coarsest feature -> planes of the picture's size, with the encoder's skip connections."""

    def __init__(self, channels: Sequence[int], planes: int):
        super().__init__()
        narrowing = list(channels[::-1])  # coarsest first
        self.blocks = nn.ModuleList()
        taken = narrowing[0]
        for after in narrowing[1:]:
            block = nn.Sequential(
                nn.Conv2d(taken, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()
            )
            self.blocks.append(block)
            taken = 2 * after
        self.last = nn.Conv2d(taken, planes, 3, padding=1)

    def forward(self, coarse: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Planes (B, planes, S, S).

        Parameters
        ----------
        coarse : (B, channels[-1], s, s)
        skips : the encoder's features but the coarsest, finest first
        """
        x = coarse
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = torch.cat([block(_doubled(x)), skip], dim=1)
        return self.last(_doubled(x))


def _doubled(x: Tensor) -> Tensor:
    return nnf.interpolate(x, scale_factor=2, mode="nearest")
