"""Pictures freed of where the head is, how large and how tilted.

Everything is measured from where the mean face would have its landmarks in the head's pose, in % of
the clip's inter-pupil distance, along the head's own right and down.
"""

from typing import NamedTuple

import cv2
import numpy as np

from repro.face import landmarks as lm
from repro.face.camera import Camera, Crop
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose


class HeadFrame(NamedTuple):
    """A clip's heads, T frames.

    usual    (T, 478, 2) landmarks of the mean face in the head's pose, pixels
    tilt     (T,) radians, clockwise
    percent  pixels in 1 % of the inter-pupil distance
    """

    usual: np.ndarray
    tilt: np.ndarray
    percent: float

    def offsets(self, points: np.ndarray) -> np.ndarray:
        """How far points (T, 478, 2), pixels, are from the mean face's: (T, 478, 2) in %."""
        return self._turned((points - self.usual) / self.percent, -1)

    def pixels(self, offsets: np.ndarray) -> np.ndarray:
        """Displacements in pixels of displacements (T, n, 2) in %."""
        return self._turned(offsets * self.percent, 1)

    def patch(
        self, t: int, picture: np.ndarray, crop: Crop, around: np.ndarray, *, width: float, px: int
    ) -> np.ndarray:
        """An upright square (px, px, 3) of frame ``t``, ``width`` inter-pupil distances wide.

        Parameters
        ----------
        picture : (P, P, 3) uint8, the frame seen through ``crop``
        around : indices of the landmarks in whose middle, on the mean face, the patch lies
        """
        centre = crop.to_crop(self.usual[t, around].mean(0)) - 0.5  # OpenCV's pixel centres
        zoom = px / (100 * width * self.percent * crop.scale)
        cos, sin = zoom * np.cos(self.tilt[t]), zoom * np.sin(self.tilt[t])
        turn = np.array([[cos, sin], [-sin, cos]])
        affine = np.column_stack([turn, (px - 1) / 2 - turn @ centre])
        return cv2.warpAffine(
            picture, affine, (px, px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def part(self, frames: slice) -> "HeadFrame":
        """Some of the frames."""
        return HeadFrame(self.usual[frames], self.tilt[frames], self.percent)

    def _turned(self, offsets: np.ndarray, way: int) -> np.ndarray:
        cos, sin = np.cos(self.tilt)[:, None], way * np.sin(self.tilt)[:, None]
        x, y = offsets[..., 0], offsets[..., 1]
        return np.stack([cos * x - sin * y, sin * x + cos * y], -1)


def head_frame(
    points: np.ndarray, pose: np.ndarray, camera: Camera, model: MorphableModel
) -> HeadFrame:
    """The frame of heads with landmarks (T, 478, 2) and pose (T, 6) in the pixels of ``camera``."""
    usual = camera.project(apply_pose(model.landmarks(model.mean), pose))
    return HeadFrame(usual, pose[:, 2], float(np.median(lm.inter_pupil_distance(points))) / 100)
