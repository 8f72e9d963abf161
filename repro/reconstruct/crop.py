"""The square window in which every stage after detection works."""

import cv2
import numpy as np

from repro.face.camera import Camera, Crop
from repro.reconstruct.detect import face_box
from repro.reconstruct.settings import ReconstructSettings

_SHRINK_BLUR = 0.4
"""Standard deviation of the blur before shrinking, in pixels of the crop."""


def square_crop(points: np.ndarray, settings: ReconstructSettings) -> Crop:
    """One square for the whole clip that holds the moving head with hair and chin.

    Parameters
    ----------
    points : (T, 478, 2) landmarks, pixels of the source; NaN where no face was found
    """
    left, top, right, bottom = face_box(points)
    sizes = np.ptp(points, axis=1)
    face = float(np.median(sizes.max(1)))
    side = max(settings.crop_margin * face, 1.15 * max(right - left, bottom - top) + 0.3 * face)
    # Hair reaches further above the landmarks than anything needed below them.
    centre_x, centre_y = (left + right) / 2, (top + bottom) / 2 - 0.06 * face
    return Crop(
        float(centre_x - side / 2), float(centre_y - side / 2), float(side), settings.crop_px
    )


def source_camera(crop: Crop, width: int, height: int, settings: ReconstructSettings) -> Camera:
    """The camera of the source, ``width`` x ``height`` pixels: the given focal length or the usual.

    It looks at the picture's middle.
    """
    given = settings.focal if isinstance(settings.focal, float) else None
    focal_px = given or settings.focal_over_crop * crop.side
    return Camera(focal_px, width / 2, height / 2, width, height)


def cut(image: np.ndarray, crop: Crop) -> np.ndarray:
    """The crop (S, S, 3) uint8 of a picture (H, W, 3) uint8; its border is repeated outside."""
    spread = _SHRINK_BLUR * np.sqrt(max(0.0, 1 / crop.scale**2 - 1))
    if spread > _SHRINK_BLUR / 2:  # an even blur first: bilinear sampling alone would skip pixels
        around = crop.side + 8 * spread
        middle = np.array([crop.left, crop.top]) + crop.side / 2
        size = np.array(image.shape[1::-1])
        low = np.clip(np.floor(middle - around / 2), 0, size - 1).astype(int)
        high = np.clip(np.ceil(middle + around / 2), low + 1, size).astype(int)
        image = cv2.GaussianBlur(image[low[1] : high[1], low[0] : high[0]], (0, 0), spread)
        crop = Crop(crop.left - low[0], crop.top - low[1], crop.side, crop.size)
    return cv2.warpAffine(
        image,
        crop.affine,
        (crop.size, crop.size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
