"""What a face does over time: expression and head pose of every frame."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repro import FPS
from repro.errors import UserError
from repro.face.coefficients import EXPRESSION, POSE


@dataclass(frozen=True)
class Motion:
    """Motion of a face over T frames at 25 fps.

    expression (T, 64) float32, weights of the expression basis
    pose       (T, 6)  float32, pitch, yaw, roll (radians) and translation (metres)
    """

    expression: np.ndarray
    pose: np.ndarray

    def __post_init__(self):
        t = len(self.expression)
        for name, array, size in (
            ("expression", self.expression, EXPRESSION),
            ("pose", self.pose, POSE),
        ):
            if array.shape != (t, size):
                raise ValueError(f"motion: {name} is {array.shape}, expected {(t, size)}")

    def __len__(self) -> int:
        """Frames."""
        return len(self.expression)

    def __getitem__(self, frames: slice) -> "Motion":
        """The same motion for some of the frames."""
        return Motion(self.expression[frames], self.pose[frames])

    def save(self, path: Path) -> None:
        """Write ``path`` (.npz) and, beside it, its description as .json."""
        part = path.with_name(path.name + ".tmp")
        with part.open("wb") as file:
            np.savez(file, expression=self.expression, pose=self.pose)
        os.replace(part, path)
        about = {
            "frames": len(self),
            "fps": FPS,
            "pose": "pitch, yaw, roll (radians), tx, ty, tz (metres)",
        }
        part = path.with_name(path.name + ".json.tmp")
        part.write_text(json.dumps(about, indent=2) + "\n")
        os.replace(part, path.with_suffix(".json"))

    @classmethod
    def load(cls, path: Path) -> "Motion":
        """Read what ``save`` wrote.

        Raises
        ------
        UserError
            The file is missing or holds no motion.
        """
        try:
            with np.load(path) as arrays:
                return cls(arrays["expression"], arrays["pose"])
        except FileNotFoundError:
            raise UserError(f"Motion '{path}' does not exist; make it first.") from None
        except (KeyError, ValueError, OSError) as error:
            raise UserError(f"Motion '{path}' cannot be read ({error}); make it again.") from error
