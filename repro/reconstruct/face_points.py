"""The model where it has landmarks, for fits that need no more of it."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.interpolate import RBFInterpolator

from repro.face import landmarks as lm
from repro.face.camera import Camera
from repro.face.coefficients import EXPRESSION
from repro.face.model import MorphableModel
from repro.reconstruct.solve import Projection, project

_DETAIL_WEIGHT = 2.5
"""Of lips and lids, beside other points."""


class Face(NamedTuple):
    """The model at the L landmarks.

    mean (L, 3), identity (L, 3, 80), expression (L, 3, 64); detail (L,) weight of lips and lids;
    pairs (P, 2), upper and lower points of lips and lids
    """

    mean: torch.Tensor
    identity: torch.Tensor
    expression: torch.Tensor
    detail: torch.Tensor
    pairs: torch.Tensor

    def posed(self, rest: torch.Tensor, x: torch.Tensor, camera: Camera) -> Projection:
        """The landmarks of rest shape (L, 3) with unknowns (T, 70)."""
        moved = rest + torch.einsum("lck,tk->tlc", self.expression, x[:, :EXPRESSION])
        return project(moved, x[:, EXPRESSION:], camera)


def face_at_landmarks(model: MorphableModel, kept: np.ndarray, shift: np.ndarray) -> Face:
    """The model at the landmarks ``kept`` (L,), each moved by its ``shift`` (478, 3), metres."""
    corners = model.triangles[model.landmark_triangles[kept]]
    weights = model.landmark_barycentrics[kept]

    def at(field: np.ndarray) -> torch.Tensor:
        placed = np.einsum("...lkc,lk->...lc", field[..., corners, :], weights)
        return torch.from_numpy(placed).float()

    detail = np.ones(len(kept), np.float32)
    detail[np.isin(kept, np.concatenate([lm.LIPS, lm.EYELIDS]))] = _DETAIL_WEIGHT
    position = {index: i for i, index in enumerate(kept)}
    pairs = [
        (position[a], position[b])
        for a, b in np.concatenate([lm.INNER_LIP_PAIRS, lm.EYELID_PAIRS])
        if a in position and b in position
    ]
    return Face(
        at(model.mean) + torch.from_numpy(shift[kept]),
        at(model.identity_basis).permute(1, 2, 0).contiguous(),
        at(model.expression_basis).permute(1, 2, 0).contiguous(),
        torch.from_numpy(detail / detail.mean()),
        torch.tensor(pairs, dtype=torch.long).reshape(-1, 2),
    )


def spread_offset(offset: np.ndarray, kept: np.ndarray, model: MorphableModel) -> np.ndarray:
    """Carry offsets (L, 3) of the landmarks ``kept`` to all vertices (V, 3), fading from them."""
    if not offset.any():
        return np.zeros_like(model.mean)
    # Lips are told apart with the mouth open.
    gaps = lm.lip_gap(model.landmarks(model.mean + model.expression_basis))
    canon = model.mean + 0.5 * model.expression_basis[int(gaps.argmax())]
    corners = model.triangles[model.landmark_triangles[kept]]
    places = np.einsum("lkc,lk->lc", canon[corners], model.landmark_barycentrics[kept])
    skin = kept < lm.RIGHT_PUPIL
    spread = RBFInterpolator(
        places[skin], offset[skin], neighbors=40, smoothing=1e-6, kernel="linear"
    )(canon)
    nearest = np.linalg.norm(canon[:, None] - places[skin][None], axis=-1).min(1)
    spread *= np.exp(-((nearest / 0.02) ** 2))[:, None]
    for part, irises in (("left_eye", range(473, 478)), ("right_eye", range(468, 473))):
        spread[model.part_vertices(part)] = offset[np.isin(kept, list(irises))].mean(0)
    return spread.astype(np.float32)
