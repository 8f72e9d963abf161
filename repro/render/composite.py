"""Laying the rendered face over its background (Yi et al. 2020, section 3.3)."""

import cv2
import numba
import numpy as np

from repro.render.shade import Rendering


def composite(
    rendering: Rendering, background: np.ndarray, *, feather_px: float = 0.0
) -> np.ndarray:
    """The face over a background: ``coverage * face + (1 - coverage) * background``.

    Parameters
    ----------
    rendering : from ``render_face``
    background : (H, W, 3) uint8 RGB
    feather_px : the face fades to nothing over this width inside its own edge

    Returns
    -------
    (H, W, 3) uint8; the background's own values wherever coverage is 0

    Raises
    ------
    ValueError
        Face and background of different sizes.
    """
    if background.shape != rendering.image.shape:
        raise ValueError(
            f"a face of {rendering.image.shape} over a background of {background.shape}"
        )
    coverage = rendering.coverage
    if feather_px > 0:
        coverage = feathered(coverage, feather_px=feather_px)
    return _blend(rendering.image, coverage, np.ascontiguousarray(background, np.uint8))


def feathered(coverage: np.ndarray, *, feather_px: float) -> np.ndarray:
    """Coverage (H, W) float32 that rises smoothly from 0 over ``feather_px`` inside the edge.

    The edge of the image is no edge of the face.
    """
    inside = cv2.copyMakeBorder((coverage > 0).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    rise = np.clip(depth / (feather_px + 1), 0, 1)
    return (coverage * rise * rise * (3 - 2 * rise)).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _blend(image, coverage, background):
    result = background.copy()
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            alpha = coverage[i, j]
            if alpha <= 0.0:
                continue
            for k in range(3):
                value = alpha * 255.0 * image[i, j, k] + (1.0 - alpha) * background[i, j, k]
                result[i, j, k] = np.uint8(min(255.0, max(0.0, value)) + 0.5)
    return result
