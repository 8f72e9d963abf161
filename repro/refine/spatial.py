"""Spatial features of rendered frames: the memory's keys (Yi et al. 2020, section 3.4).

The paper feeds the rendered frame to a ResNet18 trained on ImageNet, takes pool5, and passes it
through a learnable fully connected layer and normalisation. Where the ImageNet weights are not
at hand, a small convolutional trunk trained with the same loss stands in, and says so by name.
"""

from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.errors import UserError

RESNET18 = "resnet18-imagenet"
STAND_IN = "conv4-trained-here"

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_SD = (0.229, 0.224, 0.225)
_STAND_IN_PX = 64


class _BasicBlock(nn.Module):
    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(nnf.relu(self.bn1(self.conv1(x)))))
        return nnf.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    """He et al. 2016, up to pool5; parameters named as in torchvision's state dict."""

    dim = 512

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(_BasicBlock(64, 64, 1), _BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(_BasicBlock(64, 128, 2), _BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(_BasicBlock(128, 256, 2), _BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(_BasicBlock(256, 512, 2), _BasicBlock(512, 512, 1))
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(_IMAGENET_SD).view(3, 1, 1), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """pool5 (B, 512) of frames (B, 3, H, W) in [0, 1]."""
        x = nnf.relu(self.bn1(self.conv1((frames - self.mean) / self.sd)))
        x = nnf.max_pool2d(x, 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean(dim=(2, 3))


class ConvTrunk(nn.Module):
    """Four strided convolutions on the frame at 64 x 64; the last 4 x 4 places are kept apart."""

    dim = 64 * 4 * 4

    def __init__(self):
        super().__init__()
        widths = (3, 16, 32, 64, 64)
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, 3, 2, 1) for before, after in pairwise(widths)
        )
        for conv in self.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, 1024) of frames (B, 3, H, W) in [0, 1]."""
        size = (_STAND_IN_PX, _STAND_IN_PX)
        x = nnf.interpolate(frames, size, mode="bilinear", antialias=True, align_corners=False)
        x = x * 2 - 1
        for conv in self.convs:
            x = nnf.relu(conv(x))
        return x.flatten(1)


class SpatialEncoder(nn.Module):
    """Trunk, learnable fully connected layer, normalisation.

    ``name`` says which trunk: ``resnet18-imagenet`` (frozen) or ``conv4-trained-here``.
    """

    def __init__(self, name: str, *, dim: int):
        super().__init__()
        if name not in (RESNET18, STAND_IN):
            raise ValueError(f"unknown spatial trunk {name!r}")
        self.name = name
        self.trunk = ResNet18() if name == RESNET18 else ConvTrunk()
        self.trunk.requires_grad_(name == STAND_IN)
        self.fc = nn.Linear(self.trunk.dim, dim)

    def train(self, mode: bool = True) -> "SpatialEncoder":
        """The frozen trunk keeps its running statistics in either mode."""
        super().train(mode)
        if self.name == RESNET18:
            self.trunk.eval()
        return self

    def forward(self, frames: Tensor) -> Tensor:
        """Unit spatial features (B, S) of rendered frames (B, 3, H, W) in [0, 1]."""
        return nnf.normalize(self.fc(self.trunk(frames)), dim=1)


def spatial_encoder(*, dim: int, resnet18_file: Path | None = None) -> SpatialEncoder:
    """An untrained encoder, with ImageNet weights where a file of them is given.

    Parameters
    ----------
    resnet18_file : torchvision's ResNet18 state dict as safetensors; None takes the stand-in

    Raises
    ------
    UserError
        The file cannot be read or holds another network.
    """
    if resnet18_file is None:
        return SpatialEncoder(STAND_IN, dim=dim)
    encoder = SpatialEncoder(RESNET18, dim=dim)
    try:
        state = load_file(resnet18_file)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"ResNet18 weights '{resnet18_file}' cannot be read ({error}); "
            "save torchvision's state dict as safetensors there."
        ) from error
    trunk = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    try:
        encoder.trunk.load_state_dict(trunk)
    except RuntimeError as error:
        raise UserError(
            f"'{resnet18_file}' does not hold the weights of torchvision's ResNet18; "
            "save its state dict as safetensors there."
        ) from error
    return encoder.train(encoder.training)
