"""The ways to a head's pose and a face's motion beside each other, on one clip.

The fit, the coefficient network, a rigid mean face laid on the landmarks (solvePnP), and the
landmarker's own head transform, as it comes and without its filter. The first three get the same
landmarks.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from repro.corpus.clip import Clip
from repro.corpus.truth import Truth
from repro.evaluate.steadiness import angle_jitter_deg, lag_frames
from repro.evaluate.truth import (
    landmark_errors,
    mouth_motion_errors,
    pose_errors,
    seen_landmarks,
    source_camera,
)
from repro.face import landmarks as lm
from repro.face.camera import Camera
from repro.face.model import MorphableModel
from repro.face.pose import euler_angles
from repro.reconstruct.detect import Detection, detect
from repro.reconstruct.head_transform import transform_poses
from repro.reconstruct.network import CoefficientNetwork, network_track
from repro.reconstruct.reconstruct import Reconstruction, reconstruct
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.track import FaceTrack

FIT, NETWORK, PNP, TRANSFORM, UNFILTERED = METHODS = (
    "fit",
    "network",
    "solvepnp",
    "landmarker transform",
    "landmarker transform, unfiltered",
)


@dataclass(frozen=True)
class Measured:
    """A clip of T frames, reconstructed by the fit and timed.

    found        the landmarks, found once more for the other methods
    made         the reconstruction
    detection_s  seconds for the landmarks alone
    total_s      seconds for the whole reconstruction, from the file: landmarks, crop, fit
    """

    clip: Clip
    found: Detection
    made: Reconstruction
    detection_s: float
    total_s: float

    def __len__(self) -> int:
        """Frames."""
        return len(self.made.track)

    @property
    def fit_s(self) -> float:
        """Seconds that the reconstruction takes beside the landmarks."""
        return max(0.0, self.total_s - self.detection_s)


def measure(clip: Clip, model: MorphableModel, settings: ReconstructSettings) -> Measured:
    """Reconstruct a clip and time it; UserError as ``reconstruct``."""
    spent: dict[str, float] = {}
    with _timed(spent, "detection"):
        found = detect(clip.read(), name=clip.path.name, max_missing=settings.max_missing)
    with _timed(spent, "total"):
        made = reconstruct(clip, model, settings)
    return Measured(clip, found, made, spent["detection"], spent["total"])


def compare(
    measured: Measured,
    model: MorphableModel,
    *,
    network: CoefficientNetwork | None = None,
    truth: Truth | None = None,
) -> list[dict[str, str | float]]:
    """A row for each method; that of the network only where one is given.

    Returns
    -------
    rows with

    * ``method``: one of ``METHODS``
    * ``yaw_jitter_deg``: root mean square of yaw's second difference; motion counts too
    * ``lag_frames``: by how much the angles trail behind the true ones, or, without truth, behind
      those of solvePnP on the landmarks as detected, frame by frame; nan for a head that is still
    * ``ms_per_frame``: of the method itself; ``with_landmarks_ms_per_frame``: from the file on
    * with truth, also ``pitch_``, ``yaw_`` and ``roll_error_deg`` (about their own median),
      ``landmark_error_percent`` and ``mouth_motion_error_percent``, as in ``evaluate.truth``; the
      last two are nan for methods that know nothing but the pose
    """
    track, found, clip = measured.made.track, measured.found, measured.clip
    frames, source = len(track), source_camera(track)
    spent: dict[str, float] = {FIT: measured.fit_s}
    poses = {FIT: track.coefficients.pose}
    tracks = {FIT: track}
    if network is not None:
        with _timed(spent, NETWORK):
            tracks[NETWORK] = network_track(
                network, found, measured.made.frames, track.camera, track.crop, model
            )
        poses[NETWORK] = tracks[NETWORK].coefficients.pose
    with _timed(spent, PNP):
        poses[PNP] = pnp_poses(found.points, model, source)
    for method in (TRANSFORM, UNFILTERED):
        with _timed(spent, method):
            poses[method] = transform_poses(clip.read(0, frames), filtered=method == TRANSFORM)
    reference = _reference(found, model, source) if truth is None else truth.pose[:frames]
    rows = []
    for method, pose in poses.items():
        landmarks_s = 0.0 if method in (TRANSFORM, UNFILTERED) else measured.detection_s
        row: dict[str, str | float] = {"method": method}
        if truth is not None:
            row |= _against_truth(pose, tracks.get(method), truth, model)
        rows.append({
            **row,
            "yaw_jitter_deg": angle_jitter_deg(pose[:, 1]),
            "lag_frames": angle_lag_frames(pose, reference),
            "ms_per_frame": 1000 * spent[method] / frames,
            "with_landmarks_ms_per_frame": 1000 * (spent[method] + landmarks_s) / frames,
        })  # fmt: skip
    return rows


def pnp_poses(points: np.ndarray, model: MorphableModel, camera: Camera) -> np.ndarray:
    """Pose (T, 6) float32 of the rigid mean face under points (T, 478, 2), frame by frame.

    Only landmarks that hardly move with expression count (``landmarks.STEADY``).

    Parameters
    ----------
    camera : of the points' pixels
    """
    rigid = lm.STEADY[model.landmark_valid[lm.STEADY]]
    shape = model.landmarks(model.mean)[rigid].astype(np.float64)
    f = camera.focal_px
    matrix = np.array([[f, 0, camera.cx], [0, f, camera.cy], [0, 0, 1.0]])
    poses = []
    for seen in np.ascontiguousarray(points[:, rigid], np.float64):
        _, turn, move = cv2.solvePnP(shape, seen, matrix, None, flags=cv2.SOLVEPNP_SQPNP)
        turn, move = cv2.solvePnPRefineLM(shape, seen, matrix, None, turn, move)
        poses.append(np.concatenate([euler_angles(cv2.Rodrigues(turn)[0]), move.ravel()]))
    return np.array(poses, np.float32)


def angle_lag_frames(pose: np.ndarray, reference: np.ndarray) -> float:
    """``lag_frames`` of the angles of poses (T, 6); nan for a still head or too short a clip."""
    try:
        return lag_frames(pose[:, :3], reference[:, :3])
    except ValueError:
        return float("nan")


def _reference(found: Detection, model: MorphableModel, camera: Camera) -> np.ndarray:
    """Poses (T, 6) that nothing has smoothed; where no face was found, of the filled landmarks."""
    seen = np.isfinite(found.raw)
    return pnp_poses(np.where(seen, found.raw, found.points), model, camera)


def _against_truth(
    pose: np.ndarray, track: FaceTrack | None, truth: Truth, model: MorphableModel
) -> dict[str, float]:
    errors = pose_errors(pose, truth)
    row = {name: value for name, value in errors.items() if "absolute" not in name}
    landmark = motion = float("nan")
    if track is not None:
        c = track.coefficients
        seen = seen_landmarks(track, model)
        landmark = landmark_errors(seen, truth, model)["landmark_error_percent"]
        moved = mouth_motion_errors(c.expression, truth.expression[: len(track)], model)
        motion = moved["mouth_motion_error_percent"]
    return {**row, "landmark_error_percent": landmark, "mouth_motion_error_percent": motion}


@contextmanager
def _timed(spent: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent[name] = time.perf_counter() - start
