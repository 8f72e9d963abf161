"""Where and how exactly trainings run: Lightning Fabric's settings, made in one place."""

import logging
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def fabric_on(device: str, *, bf16: bool = False, processes: int = 1) -> "Fabric":
    """Fabric for a device (``cpu``, ``cuda`` or ``cuda:1``), or for several processes sharing it.

    Parameters
    ----------
    bf16 : multiply in half the digits; weights keep all of them
    processes : that share each batch; with more than one, devices are taken in order
    """
    # Loaded here: it takes seconds, and most notebooks train nothing.
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells of every Fabric made
    kind, _, index = device.partition(":")
    return Fabric(
        accelerator=kind,
        devices=processes if processes > 1 else [int(index)] if index else 1,
        strategy="ddp_spawn" if processes > 1 else "auto",
        precision="bf16-mixed" if bf16 else "32-true",
    )


def channels_last(module: nn.Module) -> None:
    """Keep the weights of convolutions channels-last: on CPUs, a step takes a sixth less time."""
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def in_bf16(precision: str, device: torch.device | str) -> bool:
    """Whether networks calculate in bf16: where the settings say so and the device is quick at it.

    GPUs are, and processors with instructions for it; others would take longer than in fp32, and
    calculate in that.

    Parameters
    ----------
    precision : "fp32" or "bf16", as in the settings
    """
    if precision != "bf16" or torch.device(device).type != "cpu":
        return precision == "bf16"
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16") or can.get("bf16"))
