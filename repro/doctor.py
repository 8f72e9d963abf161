"""Is everything here that a run needs? Python, packages, system libraries, room, assets."""

import ctypes
import importlib.metadata
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from repro import assets

DISTRIBUTION = "talking-face-repro"
OLDEST_PYTHON = (3, 11)
_ROOM_GIB = 3.0

SYSTEM_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
}
"""What mediapipe and OpenCV load on Linux, and Debian's package of each."""


@dataclass(frozen=True)
class Check:
    """One line of the doctor's report.

    needed  whether a run fails without it
    remedy  what to do about it; empty where it is fine
    """

    name: str
    found: str
    fine: bool
    needed: bool = True
    remedy: str = ""


def check_all(folder: Path) -> list[Check]:
    """Every check; ``folder`` is where results will be written."""
    return [
        check_python(),
        *check_packages(),
        *check_libraries(),
        check_room(folder),
        *check_open(),
    ]


def check_python() -> Check:
    """The interpreter's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info >= OLDEST_PYTHON
    return Check(
        "Python",
        version,
        fine,
        remedy="" if fine else "Use Python 3.11 or newer: `make PYTHON=...`.",
    )


def check_packages(requirements: list[str] | None = None) -> list[Check]:
    """One check for all direct dependencies, or one for each that is missing or of another version.

    Parameters
    ----------
    requirements : such as ``numpy>=2``; None takes the package's own, without its extras
    """
    if requirements is None:
        try:
            requirements = importlib.metadata.requires(DISTRIBUTION) or []
        except importlib.metadata.PackageNotFoundError:
            remedy = "Run `make .venv`, or `pip install -e .` in the checkout."
            return [Check(f"package {DISTRIBUTION}", "not installed", False, remedy=remedy)]
    wanted = [Requirement(text) for text in requirements]
    wanted = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = []
    for requirement in wanted:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            version = "missing"
        if version == "missing" or not requirement.specifier.contains(version, prereleases=True):
            wrong.append(
                Check(f"package {requirement.name}", version, False, remedy="Run `make .venv`.")
            )
    return wrong or [Check("packages", f"{len(wanted)} direct dependencies", True)]


def check_libraries() -> list[Check]:
    """The system libraries that the packages' wheels do not carry."""
    if not sys.platform.startswith("linux"):
        return []
    checks = []
    for library, package in SYSTEM_LIBRARIES.items():
        fine = _loads(library)
        remedy = "" if fine else f"Run `apt-get install -y {package}` (or your system's like)."
        checks.append(Check(library, "found" if fine else "missing", fine, remedy=remedy))
    return checks


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def install_command(checks: list[Check]) -> str | None:
    """The one command that installs every missing system library; None where none is missing."""
    missing = [
        SYSTEM_LIBRARIES[c.name] for c in checks if not c.fine and c.name in SYSTEM_LIBRARIES
    ]
    return f"apt-get update && apt-get install -y {' '.join(missing)}" if missing else None


def check_room(folder: Path) -> Check:
    """Free disk space where results will be written."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    fine = free >= _ROOM_GIB
    remedy = "" if fine else f"A demo run wants about {_ROOM_GIB:.0f} GiB; make room."
    return Check("disk", f"{free:.1f} GiB free", fine, needed=False, remedy=remedy)


def check_open() -> list[Check]:
    """The open models that come with packages."""
    checks = []
    for row in assets.ASSETS:
        if not row.gated:
            fine = assets.find(row.name) is not None
            remedy = "" if fine else f"{row.how} Run `make .venv`."
            checks.append(Check(row.name, "found" if fine else "missing", fine, remedy=remedy))
    return checks
