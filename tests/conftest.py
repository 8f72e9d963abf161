"""One run of the whole pipeline under the smoke profile, shared by the tests that look at it."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory) -> Path:
    """The results of ``repro run --profile smoke``."""
    results = tmp_path_factory.mktemp("smoke")
    command = [sys.executable, "-m", "repro.cli", "run", "--profile", "smoke"]
    done = subprocess.run(
        [*command, "--results", str(results)], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return results / "smoke" / "synthetic"
