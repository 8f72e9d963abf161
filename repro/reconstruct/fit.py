"""Geometry from landmarks: identity, expression and pose of a whole clip at once.

In place of the network of Yi et al. 2020, section 3.1 (Deng et al. 2019), an analysis-by-synthesis
fit: Adam on the landmarks' reprojection with statistical priors and smoothness over time.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.interpolate import RBFInterpolator

from repro.face import landmarks as lm
from repro.face.camera import Camera
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose, euler_angles
from repro.reconstruct.settings import ReconstructSettings

_MOUTH_WEIGHT = 2.5
_ACTIONS = 52


@dataclass(frozen=True)
class Geometry:
    """The fitted shape and motion.

    identity (80,), expression (T, 64), pose (T, 6), shape_offset (V, 3): float32, as in FaceTrack;
    residual (T, L) % of the inter-pupil distance.
    """

    identity: np.ndarray
    expression: np.ndarray
    pose: np.ndarray
    shape_offset: np.ndarray
    residual: np.ndarray


def fit_geometry(
    points: np.ndarray,
    scores: np.ndarray,
    score_names: tuple[str, ...],
    camera: Camera,
    model: MorphableModel,
    settings: ReconstructSettings,
) -> Geometry:
    """Fit the model to landmarks over time.

    Parameters
    ----------
    points : (T, 478, 2) float32, pixels of ``camera``
    scores : (T, S) float32, the landmarker's scores of the actions ``score_names``: the start
    """
    kept = np.nonzero(model.landmark_valid)[0]
    mean, identity_basis, expression_basis = _landmark_basis(model, kept)
    start = start_expression(scores, score_names, model)
    target = torch.from_numpy(points[:, kept]).float()
    percent = 100 / lm.inter_pupil_distance(points).mean()
    pose0 = start_pose(mean.numpy(), points[:, kept], camera)

    identity = torch.zeros(80, requires_grad=True)
    expression = torch.from_numpy(start).requires_grad_()
    angles = torch.from_numpy(pose0[:, :3]).requires_grad_()
    move = torch.zeros(len(points), 3, requires_grad=True)
    offset = torch.zeros(len(kept), 3, requires_grad=settings.shape_offset)
    depth = float(pose0[:, 5].mean())
    start_t = torch.from_numpy(pose0[:, 3:])
    rates = {angles: 0.01, move: 0.004, identity: 0.1, expression: 0.03}
    if settings.shape_offset:
        rates[offset] = 3e-4
    optimiser = torch.optim.Adam(
        [{"params": [p], "lr": lr, "rate": lr} for p, lr in rates.items()], betas=(0.9, 0.98)
    )
    weight, pairs = _weights_and_pairs(kept)
    prior = torch.from_numpy(start)

    def reproject():
        shape = mean + torch.tensordot(identity, identity_basis, 1) + offset
        moved = shape + torch.tensordot(expression, expression_basis, 1)
        pose = torch.cat([angles, start_t + move * depth], 1)
        return camera.project(apply_pose(moved, pose)), pose

    for step in range(settings.iterations):
        for group in optimiser.param_groups:
            group["lr"] = group["rate"] * _decay(step / settings.iterations)
        seen, _ = reproject()
        residual = (seen - target) * percent
        gap = residual[:, pairs[:, 0]] - residual[:, pairs[:, 1]]
        loss = (
            (weight * _robust(residual)).mean()
            + settings.weight_gap * _robust(gap).mean()
            + settings.weight_identity * identity.square().mean()
            + settings.weight_expression * (expression - prior).square().mean()
            + settings.weight_smooth * _bend(expression).square().mean()
            + settings.weight_pose_smooth * _bend(torch.rad2deg(angles)).square().mean()
            + settings.weight_pose_smooth * _bend(move * 100).square().mean()
            + 0.02 * (offset * 1000).square().mean()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            expression[:, :_ACTIONS].clamp_(0, 1)
    with torch.no_grad():
        seen, pose = reproject()
    residual = np.linalg.norm(seen.numpy() - points[:, kept], axis=-1)
    return Geometry(
        identity.detach().numpy(),
        expression.detach().numpy(),
        pose.numpy(),
        _spread(offset.detach().numpy(), kept, model),
        (residual / lm.inter_pupil_distance(points)[:, None] * 100).astype(np.float32),
    )


def start_expression(
    scores: np.ndarray, names: tuple[str, ...], model: MorphableModel
) -> np.ndarray:
    """Expression (T, 64) float32 with the landmarker's scores put at the model's actions."""
    expression = np.zeros((len(scores), len(model.expression_names)), np.float32)
    place = {name: i for i, name in enumerate(model.expression_names)}
    for column, name in enumerate(names):
        if name in place:
            expression[:, place[name]] = np.clip(scores[:, column], 0.02, 0.98)
    return expression


def start_pose(shape: np.ndarray, points: np.ndarray, camera: Camera) -> np.ndarray:
    """Pose (T, 6) float32 of a rigid shape (L, 3) seen at points (T, L, 2), frame by frame."""
    matrix = np.array(
        [[camera.focal_px, 0, camera.cx], [0, camera.focal_px, camera.cy], [0, 0, 1.0]]
    )
    shape = np.ascontiguousarray(shape, np.float64)
    spread = np.ptp(shape[:, 0]) / np.ptp(points[0, :, 0])
    turn, move = np.zeros((3, 1)), np.array([[0.0], [0.0], [camera.focal_px * spread]])
    poses = []
    for seen in np.ascontiguousarray(points, np.float64):
        cv2.solvePnP(shape, seen, matrix, None, turn, move, useExtrinsicGuess=True)  # in place
        poses.append(np.concatenate([euler_angles(cv2.Rodrigues(turn)[0]), move.ravel()]))
    return np.array(poses, np.float32)


def _landmark_basis(model: MorphableModel, kept: np.ndarray) -> tuple[torch.Tensor, ...]:
    """Mean (L, 3), identity (80, L, 3) and expression (64, L, 3) bases at the landmarks."""
    corners = model.triangles[model.landmark_triangles[kept]]
    weights = model.landmark_barycentrics[kept]

    def at(field: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.einsum("...lkc,lk->...lc", field[..., corners, :], weights))

    return tuple(at(f).float() for f in (model.mean, model.identity_basis, model.expression_basis))


def _weights_and_pairs(kept: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight (L,) of each kept landmark, and the pairs (P, 2) of kept lip and lid points."""
    weight = np.ones(len(kept), np.float32)
    weight[np.isin(kept, np.concatenate([lm.LIPS, lm.EYELIDS]))] = _MOUTH_WEIGHT
    position = {index: i for i, index in enumerate(kept)}
    pairs = [
        (position[a], position[b])
        for a, b in np.concatenate([lm.INNER_LIP_PAIRS, lm.EYELID_PAIRS])
        if a in position and b in position
    ]
    return torch.from_numpy(weight / weight.mean()), torch.tensor(pairs).reshape(-1, 2)


def _robust(residual: torch.Tensor) -> torch.Tensor:
    """Pseudo-Huber of vectors (..., 2), with its knee at 2 % of the inter-pupil distance."""
    return 4 * ((1 + residual.square().sum(-1) / 4).sqrt() - 1)


def _bend(x: torch.Tensor) -> torch.Tensor:
    """Second difference over time."""
    return x[2:] - 2 * x[1:-1] + x[:-2]


def _decay(progress: float) -> float:
    """Learning-rate factor: 1, then falling by 1.5 decades over the last 40 %."""
    return 0.1 ** (1.5 * max(0.0, progress - 0.6) / 0.4)


def _spread(offset: np.ndarray, kept: np.ndarray, model: MorphableModel) -> np.ndarray:
    """Carry landmark offsets (L, 3) to all vertices (V, 3), fading away from the landmarks."""
    if not offset.any():
        return np.zeros_like(model.mean)
    # Lips are told apart with the jaw open.
    canon = model.mean + 0.5 * model.expression_basis[model.expression_names.index("jawOpen")]
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
