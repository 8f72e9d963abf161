"""A run that is killed again and again, at any moment, ends as one that was left alone."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

RUN = """
import json, sys, time
from pathlib import Path
from repro.files import atomic_path, write_json
from repro.store import Store

root = Path(sys.argv[1])
store = Store(root / "stages")
before = ""

def train(folder, seed):
    state = root / f"checkpoint_{seed}.json"
    known = json.loads(state.read_text()) if state.exists() else {"step": 0, "value": seed}
    while known["step"] < 12:
        known = {"step": known["step"] + 1, "value": (known["value"] * 48271) % 2147483647}
        time.sleep(0.004)
        write_json(state, known)
        print(".", end="", flush=True)
    (folder / "weights.bin").write_bytes(str(known["value"]).encode() * 2000)
    state.unlink()

for name in ("corpus", "reconstruct", "motion", "refine"):
    def make(folder):
        for part in range(4):  # files that grow slowly: a kill finds them half written
            with (folder / f"part_{part}.txt").open("w") as file:
                for line in range(25):
                    file.write(f"{name} {before} {part} {line}\\n")
                    file.flush()
                    time.sleep(0.0005)
                    print(".", end="", flush=True)
        train(folder, len(name))
    made = store.stage(name, {"before": before}, make)
    before = made.name
    write_json(root / f"{name}.json", {"stage": before})
    with atomic_path(root / f"{name}.csv") as temporary:
        temporary.write_text("\\n".join(map(str, range(500))))
print("done")
"""


def start(root: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(root)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(root: Path) -> int:
    """Run to the end; the number of steps it took, each of which prints a point."""
    printed, complaint = start(root).communicate(timeout=120)
    assert printed.endswith(b"done\n"), complaint
    return printed.count(b".")


def results(root: Path) -> dict[str, str]:
    """Hash of every file that somebody might read."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.parts)
    }


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_run_killed_at_random_moments_ends_with_the_same_files(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    steps = finish(whole)
    moments = random.Random(0)
    killed = 0
    for _ in range(6):
        process = start(cut)
        # Counted, not timed: a machine that is slow at first would be killed when all is over.
        point = process.stdout.read(moments.randrange(steps // 16, steps // 4))
        time.sleep(moments.uniform(0.0, 0.002))
        if b"done" not in point and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        killed += process.returncode == -signal.SIGKILL
    finish(cut)
    assert killed >= 1
    assert results(cut) == results(whole)
    left = [path for path in cut.rglob(".*") if path.name.startswith(".making-")]
    assert left == []
