"""How near an image is to another, and how sharp (Yi et al. 2020, Table 2)."""

import cv2
import numpy as np
from skimage.metrics import structural_similarity

DATA_RANGE = 255.0

SSIM_WINDOW_PX = 7
"""Side of the uniform window of ``ssim`` (scikit-image's default, as in ATVG's protocol)."""

_LUMA = np.array([0.299, 0.587, 0.114])


def psnr(
    a: np.ndarray,
    b: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    data_range: float = DATA_RANGE,
) -> float:
    """Peak signal-to-noise ratio in dB, in floating point; infinite for equal images.

    Parameters
    ----------
    a, b : (..., H, W, 3) or (..., H, W), of the same shape; the mean square is over all of it
    mask : (..., H, W) bool or weights; only there, or None for everywhere
    data_range : largest value less the smallest possible one

    Raises
    ------
    ValueError
        The mask is empty.
    """
    squared = (np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2
    if mask is None:
        mean = squared.mean()
    else:
        weights = np.asarray(mask, np.float64)
        if weights.ndim < squared.ndim:
            weights = weights[..., None]
        weights = np.broadcast_to(weights, squared.shape)
        if not weights.sum():
            raise ValueError("the mask is empty")
        mean = (squared * weights).sum() / weights.sum()
    return float("inf") if mean == 0 else float(10 * np.log10(data_range**2 / mean))


def psnr_atvg(a: np.ndarray, b: np.ndarray) -> float:
    """The figure that ATVG's public script calls PSNR: not the true one.

    It subtracts uint8 grey images without a cast, so that differences wrap modulo 256, and squares
    them in uint8 as well: bad images still score about 28 dB. Only for comparison with tables
    made that way.

    Parameters
    ----------
    a, b : (H, W, 3) or (H, W) uint8
    """
    grey = [np.rint(luma(x)).astype(np.uint8) for x in (a, b)]
    mean = ((grey[0] - grey[1]) ** 2).mean()
    return float("inf") if mean == 0 else float(10 * np.log10(DATA_RANGE**2 / mean))


def ssim(a: np.ndarray, b: np.ndarray, *, window_px: int = SSIM_WINDOW_PX) -> float:
    """Structural similarity in [-1, 1]: uniform window, sample covariance, data range 255.

    Parameters
    ----------
    a, b : (H, W, 3) or (H, W), values in [0, 255]; channels count alike
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    axis = 2 if a.ndim == 3 else None
    return float(
        structural_similarity(a, b, win_size=window_px, data_range=DATA_RANGE, channel_axis=axis)
    )


def ssim_atvg(a: np.ndarray, b: np.ndarray) -> float:
    """``ssim`` as in ATVG's protocol: both images (H, W, 3) first resized to 256 x 256 by area."""
    resized = [cv2.resize(x, (256, 256), interpolation=cv2.INTER_AREA) for x in (a, b)]
    return ssim(*resized)


def sharpness(frame: np.ndarray, mask: np.ndarray | None = None, *, erode_px: int = 4) -> float:
    """Variance of the Laplacian of the luma, inside a mask.

    Parameters
    ----------
    frame : (H, W, 3) or (H, W), values in [0, 255]
    mask : (H, W) bool, or None for the whole frame
    erode_px : pixels taken off the mask's edge, so that its outline does not count

    Raises
    ------
    ValueError
        Nothing is left of the mask inside its edge.
    """
    laplacian = cv2.Laplacian(luma(frame), cv2.CV_64F, ksize=1)
    if mask is None:
        return float(laplacian.var())
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * erode_px + 1,) * 2)
    inner = cv2.erode((np.asarray(mask) > 0).astype(np.uint8), kernel, borderValue=0) > 0
    if not inner.any():
        raise ValueError(f"nothing is left of the mask {erode_px} px inside its edge")
    return float(laplacian[inner].var())


def luma(image: np.ndarray) -> np.ndarray:
    """Luma (..., H, W) float64 of an RGB image (..., H, W, 3); a grey image (H, W) is its own."""
    image = np.asarray(image, np.float64)
    return image if image.ndim == 2 else image @ _LUMA
