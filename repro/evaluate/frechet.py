"""Distance between two sets of pictures by a network's features (FID, Heusel et al. 2017).

FID proper takes InceptionV3 trained on ImageNet, whose weights are not open to every user of this
package. Any features can be given here, and the network is named with the number. Features of a
face recognition network (``repro.evaluate.identity.face_features``) say whether the faces look
like faces of that person, little about sharpness and nothing about the background: such figures
compare with each other and with no published FID.
"""

import numpy as np

from repro.errors import UserError
from repro.evaluate.measure import NONE, Measure


def frechet_distance(
    mean_a: np.ndarray, covariance_a: np.ndarray, mean_b: np.ndarray, covariance_b: np.ndarray
) -> float:
    """Squared Frechet distance of two Gaussians: |m - n|^2 + tr(A + B - 2 (A B)^(1/2)).

    Parameters
    ----------
    mean_a, mean_b : (D,)
    covariance_a, covariance_b : (D, D), symmetric and positive semidefinite
    """
    root = _square_root(covariance_a)
    shared = np.linalg.eigvalsh(root @ covariance_b @ root)
    overlap = np.sqrt(np.maximum(shared, 0)).sum()
    offset = np.asarray(mean_a, np.float64) - mean_b
    distance = offset @ offset + np.trace(covariance_a) + np.trace(covariance_b) - 2 * overlap
    return float(max(distance, 0.0))


def fid(real: np.ndarray, generated: np.ndarray, *, network: str, crop: str) -> Measure:
    """Frechet distance between the features of real and of generated frames.

    Few frames make it too large: between two samples of N frames of one and the same Gaussian in D
    dimensions it comes to 0.52 of the total variance at N = D + 1, 0.26 at 2 D, 0.06 at 8 D
    (measured at D = 128), so only figures of the same N compare. With N <= D the covariance is
    singular: that is refused.

    Parameters
    ----------
    real, generated : (N, D) and (M, D) features; rows with NaN (no face found) do not count
    network : whose features, printed with the number
    crop : which part of the pictures, at what size

    Raises
    ------
    UserError
        Fewer than D + 1 frames on either side.
    """
    sides = {"real": np.asarray(real, np.float64), "generated": np.asarray(generated, np.float64)}
    if len({x.shape[1:] for x in sides.values()}) != 1 or sides["real"].ndim != 2:
        raise ValueError(f"expected (N, D) and (M, D), got {[x.shape for x in sides.values()]}")
    seen = {name: x[np.isfinite(x).all(1)] for name, x in sides.items()}
    dim = sides["real"].shape[1]
    for name, x in seen.items():
        if len(x) <= dim:
            raise UserError(
                f"FID on {dim} features of {network} needs more than {dim} {name} frames with a "
                f"face, and there are {len(x)}: pool the frames of more clips, or leave FID out."
            )
    a, b = seen.values()
    value = frechet_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))
    return Measure(
        "FID",
        value,
        "squared feature units",
        len(b),
        sum(len(sides[name]) - len(seen[name]) for name in sides),
        crop,
        NONE,
        network,
        f"Frechet distance of {dim} features, {len(a)} real and {len(b)} generated frames pooled; "
        "not InceptionV3's, so not to be compared with published FIDs",
    )


def _square_root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root of a positive semidefinite matrix (D, D)."""
    values, vectors = np.linalg.eigh(np.asarray(matrix, np.float64))
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
