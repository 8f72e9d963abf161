"""Table 2 of Yi et al. 2020: PSNR, SSIM and LMD, by the field's script and by their definitions.

The paper takes "the same evaluation criterion from ATVG". As far as its public script is known,
that is a PSNR whose uint8 differences wrap around, an SSIM at 256 x 256, and an LMD that sums the
mouth's points and drops frames without a face. Both readings stand side by side here; only those
marked ``atvg`` can be held against the paper's numbers, and only on the paper's corpus.
"""

from collections.abc import Sequence

import numpy as np

from repro.evaluate.image import SSIM_WINDOW_PX, psnr, psnr_atvg, ssim, ssim_atvg
from repro.evaluate.landmarks import MOUTH_478, landmark_distance, landmark_distance_atvg
from repro.evaluate.measure import NONE, Measure

_PICTURE_MEASURES = (
    ("PSNR", psnr, "dB", "mean over frames; RGB, float, data range 255"),
    (
        "PSNR",
        psnr_atvg,
        "dB",
        "atvg: mean over frames; grey uint8 differences wrap modulo 256, not a true PSNR",
    ),
    (
        "SSIM",
        ssim,
        "1",
        f"mean over frames; RGB, uniform window of {SSIM_WINDOW_PX} px, data range 255",
    ),
    (
        "SSIM",
        ssim_atvg,
        "1",
        f"atvg: the same after resizing to 256 x 256 by area, window {SSIM_WINDOW_PX} px",
    ),
)


def table_two(
    real: Sequence[np.ndarray],
    generated: Sequence[np.ndarray],
    real_landmarks: np.ndarray,
    generated_landmarks: np.ndarray,
    *,
    crop: str,
    network: str,
) -> list[Measure]:
    """PSNR, SSIM and LMD of a clip in both conventions.

    Parameters
    ----------
    real, generated : T square frames (H, H, 3) uint8 RGB of the same moments
    real_landmarks, generated_landmarks : (T, 478, 2) pixels as detected in those frames; NaN where
        no face was found
    crop : which part of the source the frames show; their size is added
    network : the landmarker

    Returns
    -------
    six measures; PSNR and SSIM count all frames, also those without a face

    Raises
    ------
    ValueError
        No frames, not as many of each kind, or frames that are not square.
    """
    if not len(real) or len(real) != len(generated):
        raise ValueError(f"{len(generated)} generated frames for {len(real)} real ones")
    height, width = np.shape(real[0])[:2]
    if height != width:
        raise ValueError(f"frames must be square, got {width} x {height}")
    shown = f"{crop}, {width} x {height} px"
    pictures = []
    for name, function, unit, convention in _PICTURE_MEASURES:
        value = np.mean([function(a, b) for a, b in zip(real, generated, strict=True)])
        measure = Measure(name, float(value), unit, len(real), 0, shown, NONE, NONE, convention)
        pictures.append(measure)
    given = (real_landmarks, generated_landmarks)
    lmd = landmark_distance(*given, image_px=width, points=MOUTH_478, crop=shown, network=network)
    lmd_atvg = landmark_distance_atvg(*given, points=MOUTH_478, crop=shown, network=network)
    return [*pictures, lmd, lmd_atvg]
