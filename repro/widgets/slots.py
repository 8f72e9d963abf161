"""What each of the 257 coefficients is called, where it belongs, and how far it may be moved."""

import re
from dataclasses import dataclass

from repro.face.coefficients import IDENTITY, TEXTURE
from repro.face.model import MorphableModel

_REGIONS = {
    "brow": "brows", "eye": "eyes", "jaw": "jaw", "mouth": "mouth", "cheek": "cheeks and nose",
    "nose": "cheeks and nose", "tongue": "jaw",
}  # fmt: skip
_HARMONICS = ("all around", "y", "z", "x", "xy", "yz", "3zz - 1", "xz", "xx - yy")
_POSE = (
    ("pitch", "degrees", 30.0), ("yaw", "degrees", 60.0), ("roll", "degrees", 30.0),
    ("right", "mm", 100.0), ("down", "mm", 100.0), ("forward", "mm", 400.0),
)  # fmt: skip
_FACTOR = {"degrees": 57.29578, "mm": 1000.0}
_DEVIATIONS = 3.0


@dataclass(frozen=True)
class Slot:
    """One coefficient.

    index      its place in ``Coefficients.vectors``
    name       such as ``jawOpen``; group: such as ``expression: mouth``
    low, high  how far it may be moved, in ``unit``; pose from where it starts
    unit       ``sd``, ``degrees``, ``mm``, or nothing
    """

    index: int
    name: str
    group: str
    low: float
    high: float
    unit: str = ""

    @property
    def factor(self) -> float:
        """What the coefficient is multiplied with to be in ``unit``."""
        return _FACTOR.get(self.unit, 1.0)


def slots(model: MorphableModel) -> tuple[Slot, ...]:
    """The 257 coefficients of a model in the order of ``Coefficients.vectors``."""
    d = _DEVIATIONS
    found = [Slot(k, f"identity {k + 1:02d}", "identity", -d, d, "sd") for k in range(IDENTITY)]
    found += [_expression(IDENTITY + k, name) for k, name in enumerate(model.expression_names)]
    start = len(found)
    found += [
        Slot(start + k, f"texture {k + 1:02d}", "texture", -d, d, "sd") for k in range(TEXTURE)
    ]
    start = len(found)
    pose = [(name, unit, reach) for name, unit, reach in _POSE]
    found += [Slot(start + k, n, "pose", -r, r, unit) for k, (n, unit, r) in enumerate(pose[:3])]
    for colour in ("red", "green", "blue"):
        for k, name in enumerate(_HARMONICS):
            low, high = (0.0, 2.5) if k == 0 else (-1.0, 1.0)
            found.append(Slot(len(found), f"light {colour} {name}", "light", low, high))
    start = len(found)
    found += [Slot(start + k, n, "pose", -r, r, unit) for k, (n, unit, r) in enumerate(pose[3:])]
    return tuple(found)


def groups(known: tuple[Slot, ...]) -> dict[str, tuple[Slot, ...]]:
    """The coefficients by group, in the order in which the groups first appear."""
    names = dict.fromkeys(slot.group for slot in known)
    return {name: tuple(slot for slot in known if slot.group == name) for name in names}


def search(known: tuple[Slot, ...], words: str) -> tuple[Slot, ...]:
    """The coefficients whose name or group holds every one of some words, in any case."""
    wanted = words.lower().split()
    return tuple(
        slot for slot in known if all(w in f"{slot.name} {slot.group}".lower() for w in wanted)
    )


def _expression(index: int, name: str) -> Slot:
    start = re.match("[a-z]+", name)
    region = _REGIONS.get(start.group() if start else "")
    if region is None:  # not an action from 0 to 1: a direction in standard deviations
        return Slot(index, name, "expression: other", -_DEVIATIONS, _DEVIATIONS, "sd")
    return Slot(index, name, f"expression: {region}", 0.0, 1.0)
