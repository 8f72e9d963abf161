"""What a result was made with: code, parameters, seed, machine, assets, time and memory."""

import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from repro import __version__, assets

MIB = 2**20

_PEAK_RESET = "5"
"""What, written to clear_refs, sets the peak resident size (VmHWM) back to the present size."""


@dataclass(frozen=True)
class Cost:
    """What a stage took.

    seconds          wall-clock time
    peak_memory_mib  largest resident size of the process while it ran
    """

    seconds: float
    peak_memory_mib: float


class Stopwatch:
    """Time and peak memory of each stage.

    >>> watch = Stopwatch()
    >>> with watch.stage("fit"):
    ...     pass
    >>> list(watch.costs)
    ['fit']

    Stages may be nested. The time of a stage that runs several times adds up. Where the system
    cannot reset the peak (only Linux can), a stage's peak is the process's peak so far.
    """

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}
        self._open_peaks: list[int] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside, also where it fails."""
        if self._open_peaks:
            self._open_peaks[-1] = max(self._open_peaks[-1], peak_memory_bytes())
        _reset_peak()
        self._open_peaks.append(0)
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            peak = max(self._open_peaks.pop(), peak_memory_bytes())
            if self._open_peaks:
                self._open_peaks[-1] = max(self._open_peaks[-1], peak)
            before = self.costs.get(name, Cost(0.0, 0.0))
            self.costs[name] = Cost(
                before.seconds + seconds, max(before.peak_memory_mib, peak / MIB)
            )

    def summary(self) -> dict[str, dict[str, float]]:
        """The costs as JSON, rounded to milliseconds and tenths of a MiB."""
        return {
            name: {
                "seconds": round(cost.seconds, 3),
                "peak_memory_mib": round(cost.peak_memory_mib, 1),
            }
            for name, cost in self.costs.items()
        }


def peak_memory_bytes() -> int:
    """Largest resident size of this process since its start or the last reset, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text(_PEAK_RESET)
    except OSError:  # not Linux, or not allowed: peaks are then since the process's start
        return


@dataclass(frozen=True)
class Code:
    """Which version of the code ran.

    commit  of the checkout that the package runs from; None where that is no git checkout
    dirty   whether tracked files differ from the commit; None where there is none
    """

    version: str
    commit: str | None
    dirty: bool | None


def code_version(root: Path | None = None) -> Code:
    """The version and commit of the package, or of another checkout's root."""
    root = root or Path(__file__).resolve().parents[1]
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root.resolve():
        return Code(__version__, None, None)
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return Code(__version__, commit, None if changes is None else bool(changes))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def package_versions() -> dict[str, str]:
    """Every installed package and its version."""
    found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def machine() -> dict[str, object]:
    """Python, system, processor, memory and GPUs."""
    import torch  # takes seconds, which the command line's other uses of this module are spared

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def command_line() -> list[str]:
    """The running process's command, the program by its name alone."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def manifest(
    *,
    parameters: Mapping[str, object],
    seed: int,
    stages: Mapping[str, Mapping[str, float]] | None = None,
    command: Sequence[str] | None = None,
    with_packages: bool = True,
    own_corpus: bool = False,
) -> dict[str, object]:
    """Everything needed to make a result again, as JSON.

    Parameters
    ----------
    parameters : settings that the run was given
    seed : the one seed from which all others are drawn
    stages : seconds and peak memory by stage, as ``Stopwatch.summary()`` gives them
    command : what the user typed, where it is not this process's own command line
    with_packages : list every installed package
    own_corpus : whether it was learned from a corpus of the user's, not from the synthetic one
    """
    stages = stages or {}
    record: dict[str, object] = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": asdict(code_version()),
        "command": list(command or command_line()),
        "parameters": dict(parameters),
        "seed": seed,
        "machine": machine(),
        "stages": {name: dict(cost) for name, cost in stages.items()},
        "seconds": round(sum(cost.get("seconds", 0.0) for cost in stages.values()), 3),
        "peak_memory_mib": max(
            (cost.get("peak_memory_mib", 0.0) for cost in stages.values()),
            default=round(peak_memory_bytes() / MIB, 1),
        ),
        "assets": assets.hashes(),
        "stand_ins": assets.stand_ins(own_corpus=own_corpus),
    }
    if with_packages:
        record["packages"] = package_versions()
    return record
