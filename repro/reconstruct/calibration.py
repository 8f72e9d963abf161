"""What the landmarker's points and scores say of the open model's coefficients.

The landmarker places its points a little off the model's, opens mouths less than they open and
sees a person's build in what is expression. How much was measured on synthetic people of whom all
is known (``repro.reconstruct.calibrate``): linear estimates with their covariance, from which a fit
starts and to which it holds where the points leave it free.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path

import numpy as np

from repro.face.camera import Camera
from repro.face.coefficients import EXPRESSION, IDENTITY
from repro.face.model import MorphableModel
from repro.face.pose import rotation_matrix
from repro.reconstruct.head_frame import head_frame
from repro.reconstruct.start import start_pose

SCORE_WEIGHT = 15.0
"""What a score of one counts beside a point's offset of 1 % of the inter-pupil distance."""
_ACTIONS = 52
_KNOWN_FRAMES = 12.0
"""Frames after which a person's own mean outweighs that of everybody."""


@dataclass(frozen=True)
class Start:
    """What is known of a clip before the fit.

    identity              (80,) float32, and its precision (80, 80)
    expression            (T, 64) float32, and its precision (64, 64)
    pose                  (T, 6) float32
    """

    identity: np.ndarray
    identity_precision: np.ndarray
    expression: np.ndarray
    expression_precision: np.ndarray
    pose: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """Linear estimates of the model's coefficients from F features of a frame (``features``).

    shift              (478, 3) float32 metres, from the model's landmarks to the landmarker's
    mean               (F,) the usual features
    expression_mean    (64,)
    frame_directions   (F, k), and frame_map (k, 64): from a frame's features about the person's
                       mean to the expression about the person's mean
    person_directions  (F, m), and person_map (m, 144): from the person's mean features about the
                       usual ones to identity, and to the mean expression about the usual one
    frame_covariance   (64, 64) of the errors of the first
    person_covariance  (144, 144) of the errors of the second
    score_names        (52,)
    model              hash of the model that was measured
    people             how many were looked at
    """

    shift: np.ndarray
    mean: np.ndarray
    expression_mean: np.ndarray
    frame_directions: np.ndarray
    frame_map: np.ndarray
    person_directions: np.ndarray
    person_map: np.ndarray
    frame_covariance: np.ndarray
    person_covariance: np.ndarray
    score_names: np.ndarray
    model: str
    people: int

    def save(self, path: Path) -> None:
        """Write ``path`` (npz), with half the digits: the estimates are no better."""
        arrays = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        for name, array in arrays.items():
            if array.dtype.kind == "f" and "covariance" not in name:
                arrays[name] = array.astype(np.float16)
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path) -> "Calibration":
        """Read what ``save`` wrote."""
        with np.load(path) as stored:
            arrays = {f.name: stored[f.name] for f in fields(cls)}
        for name, array in arrays.items():
            if array.dtype.kind == "f":
                arrays[name] = array.astype(np.float32)
        return cls(**{**arrays, "model": str(arrays["model"]), "people": int(arrays["people"])})

    def start(
        self,
        points: np.ndarray,
        scores: np.ndarray,
        score_names: tuple[str, ...],
        camera: Camera,
        model: MorphableModel,
        trusted: np.ndarray,
    ) -> Start:
        """Estimate a clip's coefficients.

        Parameters
        ----------
        points : (T, 478, 2) pixels of ``camera``
        scores : (T, S), of the actions ``score_names``
        trusted : (T,) bool, the frames from which the person's mean is taken
        """
        pose = start_pose(model, points, camera)
        x = features(
            points, in_order(scores, score_names, self.score_names.tolist()), pose, camera, model
        )
        mean = (x[trusted].sum(0) + _KNOWN_FRAMES * self.mean) / (trusted.sum() + _KNOWN_FRAMES)
        own = (x[trusted].mean(0) - self.mean) @ self.person_directions @ self.person_map
        moved = (x - mean) @ self.frame_directions @ self.frame_map
        expression = self.expression_mean + own[IDENTITY:] + moved
        expression[:, :_ACTIONS] = np.clip(expression[:, :_ACTIONS], 0, 1)
        floor = 0.03**2 * np.eye(EXPRESSION)
        spread = self.person_covariance[:IDENTITY, :IDENTITY] + 0.05**2 * np.eye(IDENTITY)
        return Start(
            own[:IDENTITY].astype(np.float32),
            np.linalg.inv(spread).astype(np.float32),
            expression.astype(np.float32),
            np.linalg.inv(self.frame_covariance + floor).astype(np.float32),
            pose,
        )


@functools.cache
def open_calibration() -> Calibration:
    """The calibration of the open model, which the package carries."""
    return Calibration.load(files("repro.reconstruct").joinpath("data", "landmarker.npz"))


def features(
    points: np.ndarray,
    scores: np.ndarray,
    pose: np.ndarray,
    camera: Camera,
    model: MorphableModel,
) -> np.ndarray:
    """What a frame shows, freed of place, size and pose: (T, 2 L + 52) float32.

    The offsets of the L landmarks that the model has from where the mean face has them in that
    pose, in % of the clip's inter-pupil distance along the head's own right and down; the scores.

    Parameters
    ----------
    points : (T, 478, 2) pixels of ``camera``
    scores : (T, 52)
    pose : (T, 6)
    """
    offset = head_frame(points, pose, camera, model).offsets(points)[:, model.landmark_valid]
    return np.concatenate(
        [offset.reshape(len(points), -1), SCORE_WEIGHT * scores], 1, dtype=np.float32
    )


def shift_of(
    apart: np.ndarray, landmarks: np.ndarray, pose: np.ndarray, camera: Camera
) -> np.ndarray:
    """Mean offset (478, 3), metres in model space, of points seen ``apart`` (T, 478, 2) pixels.

    ``landmarks`` (T, 478, 3) and ``pose`` (T, 6) in camera space.
    """
    depth = landmarks[..., 2:]
    aside = np.concatenate([apart * depth / camera.focal_px, np.zeros_like(depth)], -1)
    return (aside @ rotation_matrix(pose[:, :3])).mean(0)  # a row times R is R^T times a column


def in_order(scores: np.ndarray, names: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Scores (T, S) of the actions ``names``, in another order: (T, len(wanted))."""
    place = {name: i for i, name in enumerate(names)}
    return scores[:, [place[name] for name in wanted]]
