"""Head poses of the landmarker's own transform, in this package's convention.

MediaPipe lays its canonical face model over the landmarks (rotation, translation, one scale) and
gives the matrix M from that model to a camera in the picture's middle whose vertical field of view
is 63 degrees. Both count in centimetres with x to the image's right, y up and z towards the viewer;
ours is x right, y down, z away. So with F = diag(1, -1, -1)

    R = F M[:3, :3] F / scale,    t = F M[:3, 3] / 100.

The camera's view is a guess: distances come out for it, not for the true focal length, and angles
of a face far from the middle are a little off. The zero of the angles and the origin are the
canonical model's.
"""

from collections.abc import Iterable

import numpy as np

from repro.face.pose import euler_angles
from repro.reconstruct.landmarker import HeadTransformer

_FLIP = np.diag([1.0, -1.0, -1.0])
_CM = 0.01


def pose_of_transform(transform: np.ndarray) -> np.ndarray:
    """Pose (..., 6) float64, radians and metres, of MediaPipe's transforms (..., 4, 4)."""
    m = np.asarray(transform, np.float64)
    turn = _FLIP @ m[..., :3, :3] @ _FLIP
    scale = np.cbrt(np.linalg.det(turn))[..., None, None]
    return np.concatenate([euler_angles(turn / scale), m[..., :3, 3] @ _FLIP * _CM], -1)


def transform_poses(frames: Iterable[np.ndarray], *, filtered: bool = True) -> np.ndarray:
    """Poses (T, 6) float32 of the one face in frames (H, W, 3) uint8 at 25 fps, NaN without one.

    Whole frames, as everybody would use it: the landmarker takes the picture's middle for the
    camera's, which holds for a frame and not for a crop of it. A face smaller than a sixth of the
    frame is not found.

    Parameters
    ----------
    filtered : with its low-pass filter for videos, which is how it comes and trails behind
    """
    poses = []
    with HeadTransformer(filtered=filtered) as landmarker:
        for frame in frames:
            found = landmarker.find(frame)
            poses.append(np.full(6, np.nan) if found is None else pose_of_transform(found))
    return np.array(poses, np.float32).reshape(-1, 6)
