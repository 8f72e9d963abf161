"""Twenty numbers for a face's landmarks (Chen et al. 2020, sections 3.2 and A.2).

The 68 landmarks in three dimensions, in the head's own space: who somebody is and what the face
does, without where the head is.
"""

from dataclasses import dataclass

import numpy as np

from repro.face.model import MorphableModel

LANDMARKS = 68


@dataclass(frozen=True)
class LandmarkPca:
    """Principal components of landmarks (..., 68, 3).

    mean        (68, 3) float32, metres
    components  (K, 68, 3) float32, orthonormal
    scale       (K,) float32, metres: deviation along each component where it was fitted
    """

    mean: np.ndarray
    components: np.ndarray
    scale: np.ndarray

    def __len__(self) -> int:
        """K."""
        return len(self.components)

    @classmethod
    def fit(cls, landmarks: np.ndarray, components: int) -> "LandmarkPca":
        """The components along which landmarks (n, 68, 3) in metres vary most.

        Raises
        ------
        ValueError
            Landmarks of another shape, or too few for so many components.
        """
        if landmarks.ndim != 3 or landmarks.shape[1:] != (LANDMARKS, 3):
            raise ValueError(f"expected landmarks (n, {LANDMARKS}, 3), got {landmarks.shape}")
        if not components < len(landmarks):
            raise ValueError(f"{len(landmarks)} faces do not give {components} components")
        flat = landmarks.reshape(len(landmarks), -1).astype(np.float64)
        mean = flat.mean(0)
        variances, axes = np.linalg.eigh(np.cov(flat - mean, rowvar=False))  # smallest first
        most = slice(None, -components - 1, -1)
        return cls(
            mean.reshape(LANDMARKS, 3).astype(np.float32),
            axes[:, most].T.reshape(components, LANDMARKS, 3).astype(np.float32),
            np.sqrt(np.maximum(variances[most], 1e-12)).astype(np.float32),
        )

    def components_of(self, landmarks: np.ndarray) -> np.ndarray:
        """Coefficients (..., K) float32, in deviations, of landmarks (..., 68, 3) in metres."""
        moved = np.einsum("...lc,klc->...k", landmarks - self.mean, self.components)
        return (moved / self.scale).astype(np.float32)

    def landmarks_of(self, coefficients: np.ndarray) -> np.ndarray:
        """Landmarks (..., 68, 3) float32, metres, of coefficients (..., K): reversed PCA."""
        moved = np.einsum("...k,klc->...lc", coefficients * self.scale, self.components)
        return (self.mean + moved).astype(np.float32)


def face_landmarks(
    model: MorphableModel, identity: np.ndarray, expression: np.ndarray
) -> np.ndarray:
    """The model's 68 landmarks (..., 68, 3) float32, metres, in the head's own space.

    Parameters
    ----------
    identity : (80,)
    expression : (..., 64)
    """
    chosen = model.landmark68
    shape = model.mean[chosen] + np.tensordot(identity, model.identity_basis[:, chosen], 1)
    moved = np.tensordot(expression, model.expression_basis[:, chosen], 1)
    return (shape + moved).astype(np.float32)
