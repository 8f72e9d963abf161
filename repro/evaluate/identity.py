"""Whether a generated face is still that person's (CSIM), by a network that tells people apart.

The cosine's zero is nobody's: with dlib's network another synthetic person scores 0.91 and the same
person in another clip 0.99. Read a CSIM between those two, measured with the same network.
"""

from collections.abc import Sequence

import numpy as np

from repro.evaluate.measure import Measure
from repro.refine.identity import IdentityNetwork


def face_features(
    network: IdentityNetwork, frames: Sequence[np.ndarray] | np.ndarray, landmarks: np.ndarray
) -> np.ndarray:
    """Unit identity features (T, D) float32 of T frames; NaN where no face was found.

    Parameters
    ----------
    frames : T frames (H, W, 3) uint8 RGB
    landmarks : (T, 478, 2) pixels of those frames as detected; NaN where undetected

    Raises
    ------
    ValueError
        Not as many landmarks as frames.
    """
    if len(frames) != len(landmarks):
        raise ValueError(f"{len(frames)} frames with {len(landmarks)} landmark sets")
    found = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))
    features = np.full((len(frames), network.dim), np.nan, np.float32)
    if len(found):
        faces = np.stack([np.asarray(frames[int(t)]) for t in found])
        features[found] = network.features(faces, landmarks=landmarks[found])
    return features


def csim(real: np.ndarray, generated: np.ndarray, *, network: str, crop: str) -> Measure:
    """CSIM: mean cosine between each generated frame's features and the same real frame's.

    Parameters
    ----------
    real, generated : (T, D) features of the same frames; NaN where no face was found
    network : whose features, printed with the number
    crop : which part of the pictures, at what size

    Raises
    ------
    ValueError
        Features of different shapes.
    """
    if real.shape != generated.shape:
        raise ValueError(f"features differ in shape: {real.shape}, {generated.shape}")
    return _csim(real, generated, network, crop, "mean cosine with the same frame of the real clip")


def csim_to_person(
    person: np.ndarray, generated: np.ndarray, *, network: str, crop: str
) -> Measure:
    """CSIM where the generated frames have no real counterpart: against the person's mean features.

    Higher than ``csim`` for the same pictures, as the mean is freed of the single frames' noise:
    the two do not compare.

    Parameters
    ----------
    person : (N, D) features of real frames of the person
    generated : (T, D)
    """
    mean = person[np.isfinite(person).all(1)].astype(np.float64).mean(0)
    real = np.broadcast_to(mean, generated.shape)
    return _csim(real, generated, network, crop, "mean cosine with the person's mean features")


def _csim(real, generated, network: str, crop: str, convention: str) -> Measure:
    a, b = np.asarray(real, np.float64), np.asarray(generated, np.float64)
    found = np.isfinite(a).all(1) & np.isfinite(b).all(1)
    a, b = a[found], b[found]
    cosine = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return Measure(
        "CSIM",
        float(cosine.mean()) if len(cosine) else float("nan"),
        "cosine",
        len(cosine),
        int((~found).sum()),
        crop,
        "the network's own, from landmarks",
        network,
        convention,
    )
