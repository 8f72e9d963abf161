"""How alike two pictures look to a network, after LPIPS (Zhang et al. 2018).

LPIPS proper compares features of AlexNet or VGG trained on ImageNet, with weights fitted to what
people said; neither comes with a package registry. Its form is kept here and its network is not:
features of a ResNet that is at hand, all weights one. So figures compare with each other, for one
network, and with no published LPIPS.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as nnf

from repro.reconstruct.resnet import ResNet

COEFFICIENT_NETWORK = "coefficient network of the run, four ResNet stages, weights one"
"""What ``feature_distance`` is measured with, where it is given that network's trunk."""


def feature_distance(trunk: ResNet, a: np.ndarray, b: np.ndarray) -> float:
    """Squared distance of the stages' unit features, mean over places, sum over stages.

    Parameters
    ----------
    trunk : takes images in [0, 1], such as ``CoefficientNetwork.backbone``, in evaluation mode
    a, b : (H, W, 3) uint8 RGB of the same size; at least 32 pixels a side
    """
    with torch.inference_mode():
        pair = torch.from_numpy(np.stack([a, b])).permute(0, 3, 1, 2).float() / 255
        return float(sum(_apart(features) for features in stage_features(trunk, pair)))


def stage_features(trunk: ResNet, images: Tensor) -> Iterator[Tensor]:
    """What each of the four stages makes of images (B, 3, H, W) in [0, 1], finest first."""
    x = nnf.max_pool2d(nnf.relu(trunk.bn1(trunk.conv1(images))), 3, 2, 1)
    for stage in (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4):
        x = stage(x)
        yield x


def _apart(features: Tensor) -> Tensor:
    one, other = nnf.normalize(features, dim=1)
    return ((one - other) ** 2).sum(dim=0).mean()
