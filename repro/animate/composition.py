"""Composition: wanted landmarks, projected and matched image into a frame (Chen et al. 2020, 4.3).

Pictures are (B, 3, S, S) in [0, 1], sketches and attention maps (B, 1, S, S) in [0, 1].
"""

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.animate.flow import Warped
from repro.animate.settings import AnimateSettings
from repro.refine.generator import normalised

_KERNEL = 3


def matte(raw: Tensor, warped: Tensor, attention: Tensor) -> Tensor:
    """Image matting (section 2.2): (1 - A) C + A I."""
    return (1 - attention) * raw + attention * warped


def shares(attentions: Tensor) -> Tensor:
    """How much of each image to show: squares of attention maps (B, images, S, S), summing to 1.

    The paper does not say where the attention maps go in its composition. So scaled, the images
    add up to a picture: the matched one behind the head, and within it the better of the two.
    """
    squares = attentions**2
    return squares / squares.sum(dim=1, keepdim=True).clamp(min=1e-6)


class Spade(nn.Module):
    """Spatially adaptive denormalisation (Park et al. 2019) by features with fixed weights."""

    def __init__(self, channels: int, guide_channels: int):
        super().__init__()
        self.maps = nn.Conv2d(guide_channels, 2 * channels, _KERNEL, padding=_KERNEL // 2)

    def forward(self, normal: Tensor, guide: Tensor) -> Tensor:
        """Scale and shift normalised features (B, C, h, w) as the guide (B, G, h, w) says."""
        gain, shift = self.maps(guide).chunk(2, dim=1)
        return normal * (1 + gain) + shift


class ImageEncoder(nn.Module):
    """Features phi of a warped image, for each layer of the decoder.

    It sees the image scaled by its share of the trust, and all images' attention maps. The finest
    layer is given both as they are as well: there the decoder learns to copy.
    """

    def __init__(self, settings: AnimateSettings, *, images: int):
        super().__init__()
        widths = settings.widths[::-1]
        self.first = nn.Conv2d(3 + images, widths[0], _KERNEL, padding=_KERNEL // 2)
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths)
        )

    def forward(self, image: Tensor, share: Tensor, attentions: Tensor) -> list[Tensor]:
        """N maps, coarsest first; the last has 3 + images more channels than its layer.

        image (B, 3, S, S), share (B, 1, S, S), attentions (B, images, S, S).
        """
        raw = torch.cat([(image * 2 - 1) * share, attentions * 2 - 1], dim=1)
        found = [nnf.leaky_relu(self.first(raw), 0.2)]
        for block in self.down:
            found.append(nnf.leaky_relu(block(found[-1]), 0.2))
        found[0] = torch.cat([found[0], raw.to(found[0].dtype)], dim=1)
        return found[::-1]


class LandmarkBranch(nn.Module):
    """The sketch's features phi and its SPADE's maps, with weights from the embedding (Eq. 7).

    E_FP, a perceptron for each layer, makes theta_S, theta_gamma and theta_beta of the layer's
    code. At the start it hardly depends on the code: its last bias is a usual convolution's weight.
    """

    def __init__(self, settings: AnimateSettings):
        super().__init__()
        thin, code = settings.sketch_channels, settings.embedding_channels
        self.thin, self.widths = thin, settings.widths
        self.befores = [thin] * (settings.levels - 1) + [1]  # coarsest first
        self.perceptrons = nn.ModuleList(
            _perceptron(code, before, thin, width)
            for before, width in zip(self.befores, self.widths, strict=True)
        )

    def forward(self, sketch: Tensor, codes: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Gain and shift (B, C_i, h_i, w_i) of each layer, coarsest first."""
        maps = []
        x = sketch * 2 - 1
        for layer in range(len(codes) - 1, -1, -1):
            before, width = self.befores[layer], self.widths[layer]
            theta = self.perceptrons[layer](codes[layer])
            sizes = [self.thin * before * _KERNEL**2, self.thin, 2 * width * self.thin, 2 * width]
            stem, stem_bias, spade, spade_bias = theta.split(sizes, dim=1)
            if layer < len(codes) - 1:
                x = nnf.avg_pool2d(x, 2)
            x = convolve_each(x, stem.unflatten(1, (self.thin, before, _KERNEL, _KERNEL)))
            x = nnf.leaky_relu(x + stem_bias[..., None, None], 0.2)
            both = convolve_each(x, spade.unflatten(1, (2 * width, self.thin, 1, 1)))
            gain, shift = (both + spade_bias[..., None, None]).chunk(2, dim=1)
            maps.append((gain, shift))
        return maps[::-1]


def convolve_each(x: Tensor, weight: Tensor) -> Tensor:
    """Convolve x (B, C, h, w) with a kernel for each sample, weight (B, O, C, k, k); same size."""
    if weight.shape[-1] == 1:
        return (weight[..., 0, 0] @ x.flatten(2)).unflatten(2, x.shape[2:])
    batch = len(x)
    joined = x.reshape(1, -1, *x.shape[2:])
    found = nnf.conv2d(joined, weight.flatten(0, 1), padding=weight.shape[-1] // 2, groups=batch)
    return found.view(batch, -1, *x.shape[2:])


class Layer(nn.Module):
    """One layer of the decoder: the landmarks' SPADE, and one block for each image.

    Where ``farthest`` is above 0, no normalised feature lies more than so many standard deviations
    off: a single place far from all others escapes the normalisation, is multiplied from layer to
    layer and ends as a speck (Karras et al. 2020, on StyleGAN's droplets).
    """

    def __init__(self, blocks: Iterable[Spade], *, farthest: float):
        super().__init__()
        self.blocks, self.farthest = nn.ModuleList(blocks), farthest

    def forward(self, x: Tensor, gain: Tensor, shift: Tensor, guides: list[Tensor]) -> Tensor:
        """The sum of all denormalised features; all (B, C, h, w) but the guides."""
        normal = normalised(x)
        if self.farthest:
            normal = normal.clamp(-self.farthest, self.farthest)
        x = normal * (1 + gain) + shift
        for block, guide in zip(self.blocks, guides, strict=True):
            x = x + block(normal, guide)
        return x


class Decoder(nn.Module):
    """N layers of parallel SPADE blocks: the landmarks', and one for each image given."""

    def __init__(self, settings: AnimateSettings, *, images: int):
        super().__init__()
        widths = settings.widths
        self.first = nn.Conv2d(settings.embedding_channels, widths[0], 1)
        self.landmarks = LandmarkBranch(settings)
        self.encoders = nn.ModuleList(ImageEncoder(settings, images=images) for _ in range(images))
        guides = [*widths[:-1], widths[-1] + 3 + images]
        self.layers = nn.ModuleList(
            Layer((Spade(width, guide) for _ in range(images)), farthest=settings.farthest_feature)
            for width, guide in zip(widths, guides, strict=True)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths)
        )
        self.last = nn.Conv2d(widths[-1], 3, _KERNEL, padding=_KERNEL // 2)

    def forward(
        self, appearance: Tensor, codes: list[Tensor], sketch: Tensor, images: list[Warped]
    ) -> Tensor:
        """The picture (B, 3, S, S) in [0, 1] of an appearance (B, C, s, s) and N codes (B, C)."""
        guides = []
        if images:
            maps = torch.cat([image.attention for image in images], dim=1)
            parts = shares(maps).split(1, dim=1)
            guides = [
                encode(image.image, part, maps)
                for encode, image, part in zip(self.encoders, images, parts, strict=True)
            ]
        x = self.first(appearance)
        for layer, (gain, shift) in enumerate(self.landmarks(sketch, codes)):
            x = self.layers[layer](x, gain, shift, [guide[layer] for guide in guides])
            if layer < len(self.up):
                x = nnf.leaky_relu(self.up[layer](x), 0.2)
        return (torch.tanh(self.last(x).float()) + 1) / 2


def _perceptron(code: int, before: int, thin: int, width: int) -> nn.Sequential:
    stem, spade = (thin, before * _KERNEL**2), (2 * width, thin)
    last = nn.Linear(code, sum(out * (into + 1) for out, into in (stem, spade)))
    nn.init.normal_(last.weight, 0, 0.02)
    start = []
    for (out, into), spread in ((stem, 2.0), (spade, 1 / 3)):
        start += [torch.randn(out * into) * (spread / into) ** 0.5, torch.zeros(out)]
    with torch.no_grad():
        last.bias.copy_(torch.cat(start))
    return nn.Sequential(nn.Linear(code, code), nn.LeakyReLU(0.2), last)
