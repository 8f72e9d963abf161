import subprocess
import sys

import pytest
import torch

from repro.fabric import fabric_on


def test_cpu_calculates_with_all_digits_unless_told():
    for bf16, dtype in ((False, torch.float32), (True, torch.bfloat16)):
        fabric = fabric_on("cpu", bf16=bf16)
        assert fabric.device == torch.device("cpu") and fabric.world_size == 1
        with fabric.autocast():
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_several_processes_share():
    assert fabric_on("cpu", processes=3).world_size == 3


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="abacus"):
        fabric_on("abacus")


def test_what_trains_nothing_does_not_wait_for_fabric():
    code = "import sys, repro.pipeline; sys.exit('lightning_fabric' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
