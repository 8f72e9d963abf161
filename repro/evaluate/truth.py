"""How near a reconstruction comes to the truth that a synthetic clip carries."""

import numpy as np

from repro.corpus.truth import Truth
from repro.evaluate.lips import correlation
from repro.face import landmarks as lm
from repro.face.model import MorphableModel
from repro.reconstruct.track import FaceTrack


def against_truth(track: FaceTrack, truth: Truth, model: MorphableModel) -> dict[str, float]:
    """Errors of a track of T frames against the first T frames of the truth.

    Returns
    -------
    median absolute error of pitch, yaw and roll (degrees, each about its own median: where the
    head's zero lies is a matter of identity); median distance of the fitted landmarks from the
    true ones (% of the inter-pupil distance); correlation of the lip gap; mean distance of the
    neutral face's vertices (mm, after the best rigid move), for the fit and for the mean face
    """
    frames = len(track)
    difference = np.degrees(track.coefficients.pose[:, :3] - truth.pose[:frames, :3])
    difference -= np.median(difference, axis=0)
    points = model.landmarks(
        track.posed(model, track.coefficients.expression, track.coefficients.pose)
    )
    fitted = track.crop.to_source(track.camera.project(points))
    true = truth.landmarks[:frames]
    valid = model.landmark_valid
    distance = np.linalg.norm(fitted - true, axis=-1)[:, valid]
    percent = 100 * distance / lm.inter_pupil_distance(true)[:, None]
    gap = lm.lip_gap(model.landmarks(track.vertices(model)))
    face = model.skin_mask > 0.5
    zero = np.zeros(64, np.float32)
    neutral = model.vertices(truth.identity, zero)[face]
    return {
        **{
            f"{axis}_error_deg": float(np.median(np.abs(difference[:, i])))
            for i, axis in enumerate(("pitch", "yaw", "roll"))
        },
        "landmark_error_percent": float(np.median(percent)),
        "lip_gap_r": correlation(truth.lip_gap_m[:frames], gap),
        "neutral_error_mm": _shape_error_mm(track.vertices(model, zero)[face], neutral),
        "mean_face_error_mm": _shape_error_mm(model.mean[face], neutral),
    }


def _shape_error_mm(shape: np.ndarray, true: np.ndarray) -> float:
    """Mean vertex distance after the rigid move (no scale) that brings the shape nearest."""
    a, b = shape - shape.mean(0), true - true.mean(0)
    u, _, vt = np.linalg.svd(a.T @ b)
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return float(np.linalg.norm(a @ turn - b, axis=1).mean() * 1000)
