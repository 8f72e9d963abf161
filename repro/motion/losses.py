"""The loss of the mapping from audio to motion (Yi et al. 2020, Eq. 2), and a metric beside it."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class MotionLoss(NamedTuple):
    """Eq. 2 and its terms, scalars; the terms are unweighted.

    total                  what is minimised
    expression             mean squared error of the expression
    pose                   mean squared error of the pose
    continuity             squared norm of the pose's frame-to-frame change, summed over the window
    expression_continuity  the same of the expression
    """

    total: Tensor
    expression: Tensor
    pose: Tensor
    continuity: Tensor
    expression_continuity: Tensor


def motion_loss(
    expression: Tensor,
    pose: Tensor,
    true_expression: Tensor,
    true_pose: Tensor,
    *,
    lambda_pose: float = 0.2,
    lambda_continuity: float = 0.01,
    lambda_expression_continuity: float = 0.0,
    metric: Tensor | None = None,
) -> MotionLoss:
    """Eq. 2.

    Parameters
    ----------
    expression, true_expression : (B, T, 64)
    pose, true_pose : (B, T, 6)
    lambda_expression_continuity : 1e-4 when fine-tuning (the authors' code)
    metric : (64, K) or None; errors and changes of expression are measured after this linear map
        (see ``vertex_metric``), None for the coefficients themselves
    """
    error = expression - true_expression
    change = expression.diff(dim=1)
    if metric is not None:
        error, change = error @ metric, change @ metric
    terms = MotionLoss(
        total=torch.zeros(()),
        expression=error.square().mean(),
        pose=(pose - true_pose).square().mean(),
        continuity=_squared_norm(pose.diff(dim=1)),
        expression_continuity=_squared_norm(change),
    )
    total = (
        terms.expression
        + lambda_pose * terms.pose
        + lambda_continuity * terms.continuity
        + lambda_expression_continuity * terms.expression_continuity
    )
    return terms._replace(total=total)


def _squared_norm(change: Tensor) -> Tensor:
    """Squared L2 norm of changes (B, T - 1, D) summed over the window, mean over the batch."""
    return change.square().sum(dim=(1, 2)).mean()


def vertex_metric(
    expression_basis: np.ndarray,
    vertex_weight: np.ndarray,
    *,
    pairs: np.ndarray | None = None,
    pair_weight: float = 1.0,
    floor: float = 0.05,
) -> np.ndarray:
    """A map L with |x L|^2 = the weighted squared motion of the vertices that x makes.

    Measuring errors after it weighs each coefficient by what it moves, and lets coefficients that
    move the same points make up for each other (not the paper's).

    Parameters
    ----------
    expression_basis : (64, V, 3), metres per unit
    vertex_weight : (V,), e.g. 1 on the face and 10 around the mouth
    pairs : (P, 2) int vertices, upper and lower lip; the opening between them counts too
    pair_weight : of the openings' squares, beside the vertices' (mean over the pairs and vertices)
    floor : share of the plain coefficients' own error, so that none is left free

    Returns
    -------
    (64, 64) float32; |x L|^2 has the trace of |x|^2, so that the terms of Eq. 2 keep their balance
    """
    basis = np.asarray(expression_basis, np.float64)
    k = len(basis)
    moved = basis.reshape(k, -1) * np.sqrt(np.repeat(vertex_weight, 3) / np.sum(vertex_weight))
    gram = moved @ moved.T
    if pairs is not None:
        opening = (basis[:, pairs[:, 0]] - basis[:, pairs[:, 1]]).reshape(k, -1)
        gram += pair_weight / len(pairs) * opening @ opening.T
    gram /= np.trace(gram) / k
    gram = (1 - floor) * gram + floor * np.eye(k)
    return np.linalg.cholesky(gram).astype(np.float32)
