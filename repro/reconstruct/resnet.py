"""Residual networks (He et al. 2016), their parameters named as in torchvision's state dicts."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as nnf


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions; ``channels`` come out."""

    expansion = 1

    def __init__(self, before: int, channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _shortcut(before, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H / stride, W / stride) of (B, before, H, W)."""
        y = nnf.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return nnf.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 (which strides) and 1 x 1 convolutions; four times ``channels`` come out."""

    expansion = 4

    def __init__(self, before: int, channels: int, stride: int):
        super().__init__()
        after = channels * self.expansion
        self.conv1 = nn.Conv2d(before, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.downsample = _shortcut(before, after, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4 channels, H / stride, W / stride) of (B, before, H, W)."""
        y = nnf.relu(self.bn1(self.conv1(x)))
        y = nnf.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return nnf.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """The trunk: a 7 x 7 convolution, max-pooling, four stages, average pooling.

    dim: channels that come out
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        *,
        width: int = 64,
        pooled: int = 1,
    ):
        super().__init__()
        self.pooled = pooled
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        before = width
        stages = []
        for stage, count in enumerate(layers):
            channels = width * 2**stage
            blocks = []
            for k in range(count):
                blocks.append(block(before, channels, 2 if stage and not k else 1))
                before = channels * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.dim = before
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """(B, dim, pooled, pooled) of images (B, 3, H, W)."""
        x = nnf.relu(self.bn1(self.conv1(x)))
        x = nnf.max_pool2d(x, 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return nnf.adaptive_avg_pool2d(x, self.pooled)


def _shortcut(before: int, after: int, stride: int) -> nn.Sequential | None:
    """What the block's input passes through where its shape changes."""
    if stride == 1 and before == after:
        return None
    return nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))


def trunk(block: str, layers: Sequence[int], *, width: int, pooled: int) -> ResNet:
    """A ResNet of "basic" or "bottleneck" blocks."""
    kind = BasicBlock if block == "basic" else Bottleneck
    return ResNet(kind, layers, width=width, pooled=pooled)
