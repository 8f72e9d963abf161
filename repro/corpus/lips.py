"""How far a face model's lips are apart, measured on its surface.

Landmarks of the lips lie on their outer face and stay apart on closed lips; here the edges that
meet are compared.
"""

from dataclasses import dataclass

import numpy as np

from repro.face.model import MorphableModel

_MIDDLE_M = 0.004
_STILL_M, _MOVED_M = 0.008, 0.020
"""Lip vertices that jawOpen moves less than the one and more than the other: upper and lower."""


@dataclass(frozen=True)
class LipEdges:
    """Vertices of the middle of the upper and of the lower lip."""

    upper: np.ndarray
    lower: np.ndarray

    def aperture(self, vertices: np.ndarray) -> np.ndarray:
        """Height (...,) of the gap in the middle of the mouth, metres, of (..., V, 3) model space.

        Zero or less where the lips touch.
        """
        lower = vertices[..., self.lower, 1].min(-1)
        return lower - vertices[..., self.upper, 1].max(-1)


def lip_edges(model: MorphableModel) -> LipEdges:
    """Find the lips' edges by what the jaw carries along."""
    drop = model.expression_basis[model.expression_names.index("jawOpen"), :, 1]
    middle = (model.lip_mask > 0.7) & (np.abs(model.mean[:, 0]) < _MIDDLE_M)
    return LipEdges(
        np.flatnonzero(middle & (drop < _STILL_M)), np.flatnonzero(middle & (drop > _MOVED_M))
    )
