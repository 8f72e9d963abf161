"""Several ways of making the same frames, scored side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from repro.evaluate.image import psnr, sharpness, ssim


def picture_scores(
    pictures: Mapping[str, Sequence[np.ndarray]], masks: Sequence[np.ndarray], *, real: str
) -> pd.DataFrame:
    """Means over T frames of each kind of picture, measured against the real ones.

    Parameters
    ----------
    pictures : name -> T frames (H, W, 3) uint8
    masks : T face masks (H, W) bool
    real : the name of the real frames; they get no row

    Returns
    -------
    one row for each other name: ``psnr`` and ``face_psnr`` (dB, data range 255), ``outside_psnr``
    (off the face), ``ssim``, and ``sharpness_ratio``: the variance of the Laplacian on the face
    over that of the real frames
    """
    truth = [np.asarray(frame) for frame in pictures[real]]
    crisp = np.mean([sharpness(frame, mask) for frame, mask in zip(truth, masks, strict=True)])
    rows = []
    for name, frames in pictures.items():
        if name == real:
            continue
        triples = list(zip(frames, truth, masks, strict=True))
        rows.append(
            {
                "frames": name,
                "psnr": np.mean([psnr(a, b) for a, b, _ in triples]),
                "face_psnr": np.mean([psnr(a, b, mask=m) for a, b, m in triples]),
                "outside_psnr": np.mean([psnr(a, b, mask=~m) for a, b, m in triples]),
                "ssim": np.mean([ssim(a, b) for a, b, _ in triples]),
                "sharpness_ratio": np.mean([sharpness(a, m) for a, _, m in triples]) / crisp,
            }
        )
    return pd.DataFrame(rows)
