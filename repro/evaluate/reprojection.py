"""How well a reconstruction agrees with what was seen, for clips without truth."""

import numpy as np

from repro.corpus.lips import lip_edges
from repro.evaluate.lips import correlation
from repro.face import landmarks as lm
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose
from repro.reconstruct.track import FaceTrack

FAR_PERCENT = 10.0
"""A frame whose landmarks are off by more, on average, has failed."""
DOUBTED = 0.5
"""A frame of less confidence is flagged."""
CLOSED_PERCENT = 1.0
"""Lips whose gap is at most so much above the clip's smallest are closed."""
_SMALLEST = 2.0
"""Percentile that counts as the clip's smallest gap."""


def against_landmarks(track: FaceTrack, model: MorphableModel) -> dict[str, float]:
    """Agreement of a track with its own landmarks; all but r are % of the inter-pupil distance.

    Frames where the face was found; landmarks that do not slide over the surface.

    Returns
    -------
    By name:

    * ``reprojection_median``, ``reprojection_p95``: distances of the fitted model's landmarks
      (where the landmarker would put them) from those seen, all frames and points together;
      ``reprojection_mouth_median``: the lips' alone
    * ``worst_frame``: largest mean over a frame's points; ``far_frames``, ``far_frames_unflagged``:
      how many frames are above ``FAR_PERCENT``, and how many of them have a confidence of
      ``DOUBTED`` or more (both counts)
    * ``lip_gap_r``: correlation of the fitted lip gap with the seen one, in the picture
    * ``closed_lip_gap``, ``closed_lip_gap_seen``: median gaps, fitted and seen, in frames whose
      seen gap is at most ``CLOSED_PERCENT`` above the smallest; ``closed_aperture_mm``: how far
      the surfaces of the fitted lips are apart there, median, in millimetres (0 or less: they
      touch); ``closed_frames``: how many frames these are
    """
    found, c = track.found, track.coefficients
    vertices = track.vertices(model)[found]
    heads = apply_pose(track.shape_landmarks(model, c.expression[found]), c.pose[found])
    fitted, seen = track.camera.project(heads), track.landmarks[found]
    pupils = lm.inter_pupil_distance(seen)
    apart = 100 * np.linalg.norm(fitted - seen, axis=-1) / pupils[:, None]
    kept = model.landmark_valid
    lips = lm.LIPS[kept[lm.LIPS]]
    frame_mean = apart[:, kept].mean(1)
    far = frame_mean > FAR_PERCENT
    gap, gap_seen = (100 * lm.lip_gap(points) / pupils for points in (fitted, seen))
    closed = gap_seen <= np.percentile(gap_seen, _SMALLEST) + CLOSED_PERCENT
    aperture = lip_edges(model).aperture(vertices[closed])
    return {
        "reprojection_median": float(np.median(apart[:, kept])),
        "reprojection_p95": float(np.percentile(apart[:, kept], 95)),
        "reprojection_mouth_median": float(np.median(apart[:, lips])),
        "worst_frame": float(frame_mean.max()),
        "far_frames": int(far.sum()),
        "far_frames_unflagged": int((far & (track.confidence[found] >= DOUBTED)).sum()),
        "lip_gap_r": correlation(gap_seen, gap),
        "closed_lip_gap": float(np.median(gap[closed])),
        "closed_lip_gap_seen": float(np.median(gap_seen[closed])),
        "closed_aperture_mm": 1000 * float(np.median(aperture)),
        "closed_frames": int(closed.sum()),
    }
