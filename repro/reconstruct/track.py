"""What reconstruction yields: one person's coefficients over a clip, with where they were seen."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.face.landmarks import inter_pupil_distance
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose


@dataclass(frozen=True)
class FaceTrack:
    """A face over T frames, in the pixels of its square crop.

    landmarks     (T, 478, 2) float32, crop pixels; bridged where ``found`` is False
    found         (T,) bool
    confidence    (T,) float32 in [0, 1], how far the landmarks can be trusted
    coefficients  257 a frame
    shape_offset  (V, 3) float32 metres, what the identity basis cannot say about this person
    landmark_shift (478, 3) float32 metres in model space, from the model's landmarks to where the
                  landmarker puts its points on this person, mean of the clip
    camera        camera of the crop
    crop          the crop's place in the source image
    residual      (T, L) float32, distance between fitted and seen landmarks, % of the
                  inter-pupil distance (L: the landmarks that the model maps)
    people        the most faces seen in one frame
    """

    landmarks: np.ndarray
    found: np.ndarray
    confidence: np.ndarray
    coefficients: Coefficients
    shape_offset: np.ndarray
    landmark_shift: np.ndarray
    camera: Camera
    crop: Crop
    residual: np.ndarray
    people: int

    def __len__(self) -> int:
        """Frames."""
        return len(self.found)

    def vertices(self, model: MorphableModel, expression: np.ndarray | None = None) -> np.ndarray:
        """Model-space vertices (..., V, 3) of this person with any expression (..., 64)."""
        if expression is None:
            expression = self.coefficients.expression
        return model.vertices(self.coefficients.identity, expression) + self.shape_offset

    def shape_landmarks(self, model: MorphableModel, expression: np.ndarray) -> np.ndarray:
        """Model-space landmarks (..., 478, 3) of this person with expression (..., 64).

        Where the landmarker would put them: to be held against landmarks seen in pictures.
        """
        return model.landmarks(self.vertices(model, expression)) + self.landmark_shift

    def posed(self, model: MorphableModel, expression: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """Camera-space vertices (..., V, 3) for expression (..., 64) and pose (..., 6)."""
        return apply_pose(self.vertices(model, expression), pose)

    def save(self, path: Path) -> None:
        """Write ``path`` (.npz) and, beside it, its description as .json."""
        arrays: dict[str, Any] = {
            "landmarks": self.landmarks,
            "found": self.found,
            "confidence": self.confidence,
            "coefficients": self.coefficients.vectors(),
            "shape_offset": self.shape_offset,
            "landmark_shift": self.landmark_shift,
            "residual": self.residual,
        }
        np.savez(path, **arrays)
        about = {"camera": asdict(self.camera), "crop": asdict(self.crop), "people": self.people}
        path.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "FaceTrack":
        """Read what ``save`` wrote."""
        about = json.loads(path.with_suffix(".json").read_text())
        with np.load(path) as arrays:
            return cls(
                landmarks=arrays["landmarks"],
                found=arrays["found"],
                confidence=arrays["confidence"],
                coefficients=Coefficients.from_vectors(arrays["coefficients"]),
                shape_offset=arrays["shape_offset"],
                landmark_shift=arrays["landmark_shift"],
                camera=Camera(**about["camera"]),
                crop=Crop(**about["crop"]),
                residual=arrays["residual"],
                people=about["people"],
            )


def residual(
    landmarks: np.ndarray, shape: np.ndarray, pose: np.ndarray, camera: Camera
) -> np.ndarray:
    """Distances (T, L) float32 of a fitted face's landmarks from those seen.

    In % of the inter-pupil distance; for a ``FaceTrack``.

    Parameters
    ----------
    landmarks : (T, 478, 2) pixels of ``camera``
    shape : (T, 478, 3) metres in model space, where the landmarker would put them
    pose : (T, 6)
    """
    apart = np.linalg.norm(camera.project(apply_pose(shape, pose)) - landmarks, axis=-1)
    return (100 * apart / inter_pupil_distance(landmarks)[:, None]).astype(np.float32)
