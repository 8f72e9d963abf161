"""The terms of the completion's loss (Song et al. 2020, Eq. 4).

Images are (B, 3, H, W) in [0, 1]. The reconstruction term is ``repro.refine.losses.l1_loss``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from repro.errors import UserError
from repro.evaluate.perceptual import COEFFICIENT_NETWORK, stage_features
from repro.reconstruct.resnet import ResNet

VGG16 = "VGG16, ImageNet, relu1_2 to relu4_3"
"""The perceptual network of Johnson et al. 2016, which the paper follows."""

_VGG16_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_SD = (0.229, 0.224, 0.225)


def adversarial_loss(logits: Tensor, *, real: bool) -> Tensor:
    """LSGAN (Mao et al. 2017): mean squared distance from 1 where real is wanted, else from 0."""
    return ((logits - (1.0 if real else 0.0)) ** 2).mean()


def variation_loss(image: Tensor) -> Tensor:
    """Total variation: mean absolute difference of neighbours, below plus to the right."""
    down = (image[:, :, 1:] - image[:, :, :-1]).abs().mean()
    right = (image[:, :, :, 1:] - image[:, :, :, :-1]).abs().mean()
    return down + right


def gradient_penalty(
    judge: Callable[[Tensor], Tensor], real: Tensor, made: Tensor, mix: Tensor
) -> Tensor:
    """Gulrajani et al. 2017: mean of (|gradient of the verdict| - 1)^2 between real and made.

    Parameters
    ----------
    judge : logits (B, 1, h, w) of frames (B, 3, H, W); a frame's verdict is their mean
    real, made : (B, 3, H, W)
    mix : (B,) in [0, 1], the share of the real frame at which the gradient is taken
    """
    share = mix[:, None, None, None]
    between = (share * real + (1 - share) * made).detach().requires_grad_(True)
    verdict = judge(between).mean(dim=(1, 2, 3)).sum()
    (gradient,) = torch.autograd.grad(verdict, between, create_graph=True)
    return ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()


@dataclass(frozen=True)
class PerceptualNetwork:
    """A fixed network by whose features images are compared.

    name      printed with every result
    features  those of each scale, finest first, of images (B, 3, H, W) in [0, 1]
    module    the network itself, to be moved between devices
    """

    name: str
    features: Callable[[Tensor], list[Tensor]]
    module: nn.Module


def perceptual_loss(network: PerceptualNetwork, real: Tensor, made: Tensor) -> Tensor:
    """Johnson et al. 2016: mean squared difference of features, sum over the scales."""
    with torch.no_grad():
        wanted = network.features(real)
    terms = [((a - b) ** 2).mean() for a, b in zip(wanted, network.features(made), strict=True)]
    return torch.stack(terms).sum()


def trunk_network(trunk: ResNet) -> PerceptualNetwork:
    """The open stand-in: the coefficient network's own trunk, as in ``repro.evaluate``."""
    frozen = trunk.eval().requires_grad_(False)
    return PerceptualNetwork(
        COEFFICIENT_NETWORK, lambda images: list(stage_features(frozen, images)), frozen
    )


class Vgg16(nn.Module):
    """VGG16 (Simonyan and Zisserman 2015) up to relu4_3; parameters named as in torchvision."""

    mean: Tensor
    sd: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.ends: list[int] = []
        before = 3
        for block, widths in enumerate(_VGG16_WIDTHS):
            if block:
                layers.append(nn.MaxPool2d(2))
            for first, last in pairwise((before, *widths)):
                layers += [nn.Conv2d(first, last, 3, padding=1), nn.ReLU()]
            before = widths[-1]
            self.ends.append(len(layers))
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(_IMAGENET_SD).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """relu1_2, relu2_2, relu3_3 and relu4_3 of images (B, 3, H, W) in [0, 1]."""
        x, found = (images - self.mean) / self.sd, []
        for first, end in pairwise((0, *self.ends)):
            x = self.features[first:end](x)
            found.append(x)
        return found


def vgg16_network(file: Path) -> PerceptualNetwork:
    """The paper's network, from torchvision's VGG16 state dict saved as safetensors.

    Raises
    ------
    UserError
        The file cannot be read or holds another network.
    """
    network = Vgg16()
    wanted = set(network.state_dict())
    try:
        network.load_state_dict({k: v for k, v in load_file(file).items() if k in wanted})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UserError(
            f"VGG16 weights '{file}' cannot be used ({error}); "
            "save torchvision's state dict as safetensors there."
        ) from error
    network.eval().requires_grad_(False)
    return PerceptualNetwork(VGG16, network, network)
