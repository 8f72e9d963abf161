"""Deng et al.'s published weights (Deep3DFaceRecon_pytorch) in the coefficient network.

They mean something only with the Basel Face Model (``repro.face.basel``). Their code's convention:
decimetres, x right, y up, z towards the viewer, shapes about the mean of all vertices; rotation
Rz Ry Rx; the camera 10 dm away, focal length 1015 at 224 px; light as its difference from 0.8 in
the constant function, of normals in those axes.

Ours differs by half a turn D = diag(1, -1, -1) about x: D Rz(c) Ry(b) Rx(a) D = Rz(-c) Ry(-b)
Rx(a), so that each of our coefficients is one of theirs times a factor plus a constant. The
network's ``scale`` and ``mean`` hold these; the weights are theirs. Their crop is aligned to five
points kept in a file; here the same five of the model's mean face stand in for it.
"""

from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from repro.errors import UserError
from repro.face.coefficients import SIZE
from repro.face.model import MorphableModel
from repro.reconstruct.network import ANGLES_PART, LIGHT_PART, PLACE_PART, CoefficientNetwork
from repro.reconstruct.network_settings import ReconstructNetworkSettings

_CAMERA_DM, _METRES = 10.0, 0.1
_CONSTANT_LIGHT = 0.8
_LIGHT_SIGNS = (1, -1, -1, 1, -1, 1, 1, -1, 1)
"""Of 1, y, z, x, xy, yz, 3z^2 - 1, xz, x^2 - y^2 when y and z change sign."""


def load_deng(path: Path, model: MorphableModel) -> CoefficientNetwork:
    """The published network, ready for ``predict`` with the Basel model.

    Parameters
    ----------
    path : the published ``epoch_20.pth``, or its ``net_recon`` part saved as .safetensors. A .pth
        is read by torch's restricted loader, which takes tensors and refuses code.
    model : from ``repro.face.basel.load_basel``

    Raises
    ------
    UserError
        The model is another one; the file cannot be read, lacks a weight or holds one of another
        shape.
    """
    if model.name != "basel2009":
        raise UserError(
            f"Deng et al.'s weights speak of the Basel Face Model 2009, not of '{model.name}'; "
            "load the Basel model ('repro assets' says where to get it)."
        )
    network = CoefficientNetwork(ReconstructNetworkSettings(), model.mean.mean(0))
    state = _read(path)
    _check(state, network, path)
    network.load_state_dict({**network.state_dict(), **state})
    mean, scale = our_convention()
    network.mean.copy_(mean)
    network.scale.copy_(scale)
    return network.eval()


def our_convention() -> tuple[Tensor, Tensor]:
    """Mean and scale (257,) with which their coefficients become ours: mean + scale * theirs."""
    mean, scale = np.zeros(SIZE, np.float32), np.ones(SIZE, np.float32)
    scale[ANGLES_PART] = 1, -1, -1
    signs = np.tile(_LIGHT_SIGNS, 3)
    scale[LIGHT_PART] = signs
    mean[LIGHT_PART][::9] = _CONSTANT_LIGHT
    scale[PLACE_PART] = _METRES, -_METRES, -_METRES
    mean[PLACE_PART][2] = _CAMERA_DM * _METRES
    return torch.from_numpy(mean), torch.from_numpy(scale)


def _read(path: Path) -> dict[str, Tensor]:
    """The network's tensors by name."""
    advice = "fetch it anew ('repro assets' says from where)"
    if not path.is_file():
        raise UserError(f"Deng et al.'s weights '{path}' do not exist; {advice}.")
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise UserError(
            f"'{path}' holds more than weights, or is no weights file, and is not opened; "
            "save its 'net_recon' part as .safetensors."
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, SafetensorError) as error:
        raise UserError(f"'{path}' cannot be read as network weights; {advice}.") from error
    state = content.get("net_recon", content) if isinstance(content, dict) else {}
    if not isinstance(state, dict):
        state = {}
    return {str(k).removeprefix("module."): v for k, v in state.items() if isinstance(v, Tensor)}


def _check(state: dict[str, Tensor], network: CoefficientNetwork, path: Path) -> None:
    """All weights there, of the right shape, and no others."""
    wanted = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if name.startswith(("backbone.", "final_layers."))
    }
    missing = [name for name in wanted if name not in state]
    if missing:
        raise UserError(
            f"'{path}' lacks {len(missing)} of the {len(wanted)} weights of Deng et al.'s "
            f"ResNet-50, such as '{missing[0]}'; is it their PyTorch network (epoch_20.pth)?"
        )
    for name in list(state):
        if name not in wanted:
            raise UserError(f"'{path}' holds '{name}', which their ResNet-50 has not; is it it?")
        if state[name].shape != wanted[name].shape:
            raise UserError(
                f"'{path}': '{name}' has the shape {tuple(state[name].shape)}, not "
                f"{tuple(wanted[name].shape)}; is it their PyTorch network (epoch_20.pth)?"
            )
