"""The network of perceptual terms: VGG16 where it is there, else this package's own stand-in."""

from collections.abc import Mapping

from repro import assets
from repro.edit.completion_losses import PerceptualNetwork, trunk_network, vgg16_network
from repro.pipeline.network import coefficient_network
from repro.pipeline.workspace import Workspace
from repro.store import file_hash


def perceptual_network(ws: Workspace) -> tuple[PerceptualNetwork, Mapping[str, str]]:
    """The network, and what names it in keys."""
    file = assets.find("vgg16")
    if file is not None:
        return vgg16_network(file), {"vgg16": file_hash(file)}
    network, _, key = coefficient_network(ws)
    return trunk_network(network.backbone), {"trunk": key}
