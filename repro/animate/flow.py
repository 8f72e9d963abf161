"""Flow networks: projected and matched image brought nearer to the wanted frame.

Chen et al. 2020, section 4.3. Pictures are (B, 3, S, S) in [0, 1], maps (B, 1, S, S) in [0, 1],
flow (B, 2, S, S) in pixels right and down, from the wanted frame to the image that is warped.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.animate.settings import AnimateSettings


class Warped(NamedTuple):
    """An image brought nearer to the wanted frame.

    image      (B, 3, S, S)
    attention  (B, 1, S, S): how far each pixel can be trusted; 0 where nothing is known
    known      (B, 1, S, S): the warped coverage
    flow       (B, 2, S, S) pixels; zero without warping
    """

    image: Tensor
    attention: Tensor
    known: Tensor
    flow: Tensor


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Look each pixel of images (B, C, S, S) up where the flow (B, 2, S, S) points; bilinear.

    Beyond the border the border is repeated.
    """
    height, width = image.shape[-2:]
    rows = torch.arange(height, dtype=torch.float32, device=image.device) + 0.5
    columns = torch.arange(width, dtype=torch.float32, device=image.device) + 0.5
    x = (columns + flow[:, 0].float()) * (2 / width) - 1
    y = (rows[:, None] + flow[:, 1].float()) * (2 / height) - 1
    place = torch.stack([x, y], dim=-1)
    return nnf.grid_sample(image.float(), place, padding_mode="border", align_corners=False)


class FlowNetwork(nn.Module):
    """A small U-Net at half of the frame's size: flow and attention map of one image.

    It sees the sketches of the image's own landmarks and of the wanted ones, as in the paper, and
    beside them the image and its coverage. Flow starts at zero, attention at a half.
    """

    def __init__(self, settings: AnimateSettings):
        super().__init__()
        self.warping = settings.warping
        widths = [settings.flow_channels * min(2**k, 4) for k in range(4)]
        self.first = nn.Conv2d(6, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList(
            nn.Conv2d(a + b, b, 3, padding=1) for b, a in reversed(list(pairwise(widths)))
        )
        self.last = nn.Conv2d(widths[0], 3 if self.warping else 1, 3, padding=1)
        for weights in self.last.parameters():
            nn.init.zeros_(weights)

    def forward(self, image: Tensor, coverage: Tensor, own: Tensor, wanted: Tensor) -> Warped:
        """Warp images with coverage (B, 1, S, S) and sketches ``own`` and ``wanted``."""
        seen = nnf.avg_pool2d(torch.cat([image * 2 - 1, coverage, own, wanted], dim=1), 2)
        x = nnf.leaky_relu(self.first(seen), 0.2)
        features = []
        for block in self.down:
            features.append(x)
            x = nnf.leaky_relu(block(x), 0.2)
        for block in self.up:
            kept = features.pop()
            x = nnf.interpolate(x, size=kept.shape[-2:], mode="nearest")
            x = nnf.leaky_relu(block(torch.cat([x, kept], dim=1)), 0.2)
        found = nnf.interpolate(
            self.last(x).float(), scale_factor=2, mode="bilinear", align_corners=False
        )
        attention = found[:, :1].sigmoid()
        if not self.warping:
            return Warped(image, attention * coverage, coverage, torch.zeros_like(image[:, :2]))
        flow = found[:, 1:] * 2  # in pixels of the whole frame
        moved = warp(torch.cat([image, coverage], dim=1), flow)
        known = moved[:, 3:]
        return Warped(moved[:, :3], attention * known, known, flow)
