import subprocess
import sys

import pytest
import torch

from repro.fabric import fabric_on, in_bf16


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


def test_bf16_is_for_devices_that_are_quick_at_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert in_bf16("bf16", "cuda:1") and not in_bf16("bf16", "cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert in_bf16("bf16", torch.device("cpu")) and not in_bf16("fp32", "cuda")
