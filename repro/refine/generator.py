"""The attention-based generator: rendered frames and an identity feature in, a refined frame out.

Yi et al. 2020, section 3.4 and Eq. 3: a U-Net (Ronneberger et al. 2015) whose decoder is
modulated by the identity feature through AdaIN (Huang and Belongie 2017).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.fabric import channels_last
from repro.refine.settings import RefineSettings

_MLP_WIDTH = 256


class Refined(NamedTuple):
    """What the generator makes of B frames.

    image      (B, 3, H, W) float32, the refined frames (Eq. 3), in [0, 1]
    colour     (B, 3, H, W) float32, the colour masks C_t, about [0, 1]
    attention  (B, 1, H, W) float32, the attention masks A_t in [0, 1]; 1 keeps the rendered frame
    """

    image: Tensor
    colour: Tensor
    attention: Tensor


def composite(colour: Tensor, attention: Tensor, rendered: Tensor) -> Tensor:
    """Yi et al. 2020, Eq. 3: o = A * r + (1 - A) * C, kept in [0, 1].

    colour (B, 3, H, W), attention (B, 1, H, W), rendered (B, 3, H, W).
    """
    return (attention * rendered + (1 - attention) * colour).clamp(0, 1)


def initialise(module: nn.Module) -> None:
    """Draw the weights of convolutions from N(0, 0.02), as GANs of this family do."""
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(part.weight, 0.0, 0.02)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def blurred(image: Tensor) -> Tensor:
    """Images (B, C, H, W) without detail finer than about 8 pixels."""
    padded = nnf.pad(image, (4, 4, 4, 4), mode="replicate")
    once = nnf.avg_pool2d(padded, 5, stride=1)
    return nnf.avg_pool2d(once, 5, stride=1)


def normalised(x: Tensor) -> Tensor:
    """Zero mean and unit variance per sample and channel; a single pixel is left as it is.

    Instance normalisation, as groups of one channel: ``instance_norm`` would bring x (B, C, H, W)
    from channels-last back to channels-first.
    """
    return nnf.group_norm(x, x.shape[1]) if x.shape[-1] * x.shape[-2] > 1 else x


class AdaptiveNorm(nn.Module):
    """AdaIN: instance normalisation whose gain and shift come from elsewhere."""

    def forward(self, x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
        """Give x (B, C, H, W) a gain, relative to 1, and a shift, both (B, C)."""
        return normalised(x) * (1 + gain[..., None, None]) + shift[..., None, None]


class Generator(nn.Module):
    """U-Net with AdaIN and two parallel last blocks, for colour and for attention.

    The identity feature is brought to unit mean square first, so that networks of any size and
    scale of feature fit.
    """

    def __init__(self, settings: RefineSettings, *, identity_dim: int):
        super().__init__()
        self.levels = settings.levels
        self.identity_dim = identity_dim
        self.colour_residual = settings.colour_residual
        in_channels = 3 * settings.window
        widths = [settings.ngf * min(2**i, 8) for i in range(settings.levels)]

        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2, padding=1)
            for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        decoded = widths[-2::-1]  # channels that each decoder block but the last gives
        taken = [widths[-1]] + [2 * w for w in decoded]  # with the skip connection
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
            for before, after in zip(taken, decoded, strict=False)
        )
        self.norm = AdaptiveNorm()
        self.split = [w for width in decoded for w in (width, width)]
        last = nn.Linear(_MLP_WIDTH, sum(self.split))
        self.style = nn.Sequential(
            nn.Linear(identity_dim, _MLP_WIDTH),
            nn.ReLU(),
            nn.Linear(_MLP_WIDTH, _MLP_WIDTH),
            nn.ReLU(),
            last,
        )
        full = settings.full_resolution_channels
        self.full = nn.ConvTranspose2d(taken[-1], full, 4, stride=2, padding=1) if full else None
        self.colour = self._last_block(taken[-1], full, in_channels, 3)
        self.attention = self._last_block(taken[-1], full, in_channels, 1)
        initialise(self)
        nn.init.normal_(last.weight, 0.0, 0.02)
        nn.init.zeros_(last.bias)
        channels_last(self)

    @staticmethod
    def _last_block(before: int, full: int, in_channels: int, after: int) -> nn.Module:
        if full:
            return nn.Conv2d(full + in_channels, after, 3, padding=1)
        return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)

    def encode(self, window: Tensor) -> list[Tensor]:
        """Features of each level, finest first, of a window (B, 9, H, W) in [-1, 1]."""
        features = []
        x = window
        for level, conv in enumerate(self.down):
            x = conv(x if level == 0 else nnf.leaky_relu(x, 0.2))
            if 0 < level < self.levels - 1:
                x = normalised(x)
            features.append(x)
        return features

    def forward(self, window: Tensor, identity: Tensor, editable: Tensor | None = None) -> Refined:
        """Refine the last frame of each window.

        window    (B, 3 * frames, H, W) float32 in [0, 1], oldest frame first
        identity  (B, D) float32
        editable  (B, 1, H, W) float32 in [0, 1]: where 0, attention is held at 1, so that the
                  rendered frame stays (not the paper's); None: everywhere 1
        """
        rendered, scaled = window[:, -3:], window * 2 - 1
        features = self.encode(scaled)
        unit = nnf.normalize(identity, dim=1) * identity.shape[1] ** 0.5
        styles = self.style(unit).split(self.split, dim=1)
        x = features.pop()
        for block, gain, shift in zip(self.up, styles[::2], styles[1::2], strict=True):
            x = self.norm(block(nnf.relu(x)), gain, shift)
            x = torch.cat([x, features.pop()], dim=1)
        x = nnf.relu(x)
        if self.full is not None:
            x = torch.cat([nnf.leaky_relu(self.full(x), 0.2), scaled], dim=1)
        colour = torch.tanh(self.colour(x).float())
        colour = blurred(rendered) + colour if self.colour_residual else (colour + 1) / 2
        attention = torch.sigmoid(self.attention(x).float())
        if editable is not None:
            attention = 1 - editable * (1 - attention)
        return Refined(composite(colour, attention, rendered), colour, attention)
