"""Landmarks as few numbers: freed of place, size and roll, then principal components (ATVG)."""

import numpy as np
import torch
from torch import Tensor, nn

from repro.face import landmarks as lm

JAW = np.array([234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365]
               + [397, 288, 361, 323, 454])  # fmt: skip
"""Along the face's lower edge, from the person's right ear to the left one."""

POINTS = np.concatenate([lm.LIPS, lm.EYELIDS, lm.STEADY, JAW])
"""Those of the 478 that ATVG's networks know: they stand for its 68."""

_STEADY = np.flatnonzero(np.isin(POINTS, lm.STEADY))


class Shapes(nn.Module):
    """Principal components of normalised landmarks.

    A shape (L, 2) is moved, scaled and turned so that its steady points come nearest to the mean's.

    Buffers
    -------
    mean   (L, 2)
    basis  (K, L * 2), each row scaled so that its coefficient has unit deviation
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, components: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(POINTS), 2))
        self.register_buffer("basis", torch.zeros(components, 2 * len(POINTS)))

    def fit(self, clips: list[np.ndarray]) -> None:
        """Learn mean and components from clips of landmarks (T, 478, 2).

        The components are of what moves within a clip, so that they say nothing of who it is.
        """
        shapes = [clip[:, POINTS].astype(np.float64) for clip in clips]
        first = shapes[0][0]
        first = (first - first.mean(0)) / np.linalg.norm(first - first.mean(0))
        self.mean.copy_(torch.from_numpy(first))
        normal = [self.normalise(torch.from_numpy(s).float())[0].double().numpy() for s in shapes]
        self.mean.copy_(torch.from_numpy(np.concatenate(normal).mean(0)))
        moves = np.concatenate([(s - s.mean(0)).reshape(len(s), -1) for s in normal])
        _, spread, rows = np.linalg.svd(moves, full_matrices=False)
        count = len(self.basis)
        spread = spread[:count] / np.sqrt(len(moves))
        basis = torch.zeros_like(self.basis)
        basis[: len(spread)] = torch.from_numpy(rows[:count] * spread[:, None]).float()
        self.basis.copy_(basis)

    def normalise(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes (B, L, 2) in the mean's place, and what takes them back: (B, 2, 3)."""
        p = torch.view_as_complex(points[:, _STEADY].contiguous())
        m = torch.view_as_complex(self.mean[_STEADY].contiguous())
        p0, m0 = p.mean(1, keepdim=True), m.mean()
        turn = ((p - p0).conj() * (m - m0)).sum(1) / (p - p0).abs().square().sum(1)
        every = torch.view_as_complex(points.contiguous())
        normal = torch.view_as_real((every - p0) * turn[:, None] + m0)
        back = 1 / turn
        shift = p0[:, 0] - m0 * back
        rows = [
            torch.stack([back.real, -back.imag, shift.real], 1),
            torch.stack([back.imag, back.real, shift.imag], 1),
        ]
        return normal, torch.stack(rows, 1)

    def encode(self, normal: Tensor) -> Tensor:
        """Coefficients (B, K) of normalised shapes (B, L, 2)."""
        scale = self.basis.square().sum(1).clamp(min=1e-12)
        return (normal - self.mean).flatten(1) @ self.basis.T / scale

    def moved(self, points: Tensor, coefficients: Tensor) -> Tensor:
        """Shapes (B, L, 2) that are ``points`` (B, L, 2) but for these coefficients (B, K).

        What the components cannot say of a shape, such as whose it is, stays.
        """
        normal, back = self.normalise(points)
        change = (coefficients - self.encode(normal)) @ self.basis
        moved = normal + change.unflatten(1, (-1, 2))
        return moved @ back[:, :, :2].transpose(1, 2) + back[:, None, :, 2]
