"""The pinhole camera, and the square crop in which every stage after detection works."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A perspective camera looking along +z (x right, y down, metres).

    Pixel (row i, column j) covers [j, j+1) x [i, i+1): its centre is (j + 0.5, i + 0.5).
    """

    focal_px: float
    cx: float
    cy: float
    width: int
    height: int

    def project(self, points):
        """Image points (..., 2) in pixels of camera-space points (..., 3) in metres (z > 0).

        Takes arrays or tensors; differentiable for tensors.
        """
        xy = points[..., :2] / points[..., 2:]
        centre = np.array([self.cx, self.cy], np.float32)
        if not isinstance(points, np.ndarray):
            centre = points.new_tensor(centre)
        return self.focal_px * xy + centre

    def seen_through(self, crop: "Crop") -> "Camera":
        """The same camera, for the pixels of a crop of its image."""
        s = crop.scale
        return Camera(
            self.focal_px * s,
            (self.cx - crop.left) * s,
            (self.cy - crop.top) * s,
            crop.size,
            crop.size,
        )


@dataclass(frozen=True)
class Crop:
    """A square window of the source image, shown at ``size`` x ``size`` pixels.

    ``left``, ``top``, ``side`` are source pixels and may reach outside the image.
    """

    left: float
    top: float
    side: float
    size: int

    @property
    def scale(self) -> float:
        """Crop pixels per source pixel."""
        return self.size / self.side

    @property
    def affine(self) -> np.ndarray:
        """The (2, 3) matrix for ``cv2.warpAffine`` (whose pixel centres are whole numbers)."""
        s = self.scale
        shift = 0.5 * (s - 1)
        return np.array([[s, 0, -s * self.left + shift], [0, s, -s * self.top + shift]])

    def to_crop(self, xy: np.ndarray) -> np.ndarray:
        """Crop pixels (..., 2) of source pixels (..., 2)."""
        return (np.asarray(xy) - (self.left, self.top)) * self.scale

    def to_source(self, xy: np.ndarray) -> np.ndarray:
        """Source pixels (..., 2) of crop pixels (..., 2)."""
        return np.asarray(xy) / self.scale + (self.left, self.top)
