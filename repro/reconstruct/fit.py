"""Geometry from landmarks: identity, expression and pose of a whole clip.

In place of the network of Yi et al. 2020, section 3.1 (Deng et al. 2019), an analysis-by-synthesis
fit. First the identity, which all frames share, on some of them with expression and pose solved
along (Schur complement); then expression and pose of every frame, tied over time. Both by
Gauss-Newton on the landmarks' reprojection and on what the calibration knows beforehand.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.interpolate import RBFInterpolator
from tqdm.auto import tqdm

from repro.face import landmarks as lm
from repro.face.camera import Camera
from repro.face.coefficients import EXPRESSION, IDENTITY
from repro.face.model import MorphableModel
from repro.reconstruct.calibration import Start, open_calibration
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.solve import (
    UNKNOWNS,
    Normal,
    Projection,
    by_unknowns,
    normal,
    project,
    solve_over_time,
)
from repro.reconstruct.start import start_pose

_DETAIL_WEIGHT = 2.5
_ACTIONS = 52
_KEY_FRAMES = 24
_STRETCH, _OVERLAP = 256, 16
"""Frames solved at once, and how many more on each side so that the seams do not show."""
_FLAT_EXPRESSION, _FLAT_IDENTITY = 1 / 0.15**2, 1.0
"""Precision of coefficients of which nothing is known beforehand."""


@dataclass(frozen=True)
class Geometry:
    """The fitted shape and motion.

    identity (80,), expression (T, 64), pose (T, 6), shape_offset (V, 3), landmark_shift (478, 3):
    float32, as in FaceTrack; residual (T, L) % of the inter-pupil distance.
    """

    identity: np.ndarray
    expression: np.ndarray
    pose: np.ndarray
    shape_offset: np.ndarray
    landmark_shift: np.ndarray
    residual: np.ndarray


class Observed(NamedTuple):
    """What a clip shows of the L landmarks that the model has.

    points  (T, L, 2) pixels; weight (T, L), of the frame's and the point's trust
    percent 100 over the inter-pupil distance in pixels
    """

    points: torch.Tensor
    weight: torch.Tensor
    percent: float


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


@torch.no_grad()
def fit_geometry(
    points: np.ndarray,
    scores: np.ndarray,
    score_names: tuple[str, ...],
    camera: Camera,
    model: MorphableModel,
    settings: ReconstructSettings,
    *,
    confidence: np.ndarray | None = None,
    inside: np.ndarray | None = None,
) -> Geometry:
    """Fit the model to landmarks over time.

    Parameters
    ----------
    points : (T, 478, 2) float32, pixels of ``camera``
    scores : (T, S) float32, the landmarker's scores of the actions ``score_names``
    confidence : (T,) in [0, 1], weight of each frame (default: 1)
    inside : (T, 478) bool, False for points that are not seen (default: all are)
    """
    kept = np.nonzero(model.landmark_valid)[0]
    trust = np.ones(len(points), np.float32) if confidence is None else confidence
    weight = np.repeat(trust[:, None], len(kept), 1)
    if inside is not None:
        weight = weight * inside[:, kept]
    seen = Observed(
        torch.from_numpy(np.ascontiguousarray(points[:, kept])).float(),
        torch.from_numpy(weight).float(),
        float(100 / np.median(lm.inter_pupil_distance(points))),
    )
    trusted = trust >= min(0.5, float(trust.max()))
    start, shift = known_before(points, scores, score_names, camera, model, trusted)
    face = _face(model, kept, shift)
    identity, offset = _fit_identity(face, seen, start, camera, settings, trusted)
    rest = face.mean + torch.einsum("lck,k->lc", face.identity, identity) + offset
    x = _fit_motion(face, rest, seen, start, camera, settings)
    xy = torch.cat([face.posed(rest, part, camera).xy for part in x.split(_STRETCH)])
    residual = np.linalg.norm(xy.numpy() - points[:, kept], axis=-1)
    return Geometry(
        identity.numpy(),
        x[:, :EXPRESSION].numpy(),
        x[:, EXPRESSION:].numpy(),
        spread_offset(offset.numpy(), kept, model),
        shift,
        (residual / lm.inter_pupil_distance(points)[:, None] * 100).astype(np.float32),
    )


def known_before(
    points: np.ndarray,
    scores: np.ndarray,
    score_names: tuple[str, ...],
    camera: Camera,
    model: MorphableModel,
    trusted: np.ndarray,
) -> tuple[Start, np.ndarray]:
    """The start of the fit, and the landmarker's shift (478, 3) in metres on this model.

    Only the open model is calibrated; of any other the coefficients are held to zero loosely.
    """
    calibration = open_calibration()
    if calibration.model == model.sha256 and set(calibration.score_names) <= set(score_names):
        start = calibration.start(points, scores, score_names, camera, model, trusted)
        return start, calibration.shift
    flat = Start(
        np.zeros(IDENTITY, np.float32),
        np.eye(IDENTITY, dtype=np.float32) * _FLAT_IDENTITY,
        np.zeros((len(points), EXPRESSION), np.float32),
        np.eye(EXPRESSION, dtype=np.float32) * _FLAT_EXPRESSION,
        start_pose(model, points, camera),
    )
    return flat, np.zeros((lm.COUNT, 3), np.float32)


def _fit_identity(
    face: Face,
    seen: Observed,
    start: Start,
    camera: Camera,
    settings: ReconstructSettings,
    trusted: np.ndarray,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Identity (80,), and each landmark's fixed offset (L, 3), from key frames.

    Points err alike in all frames, so the frames' evidence on identity is averaged, not summed.
    """
    good = np.nonzero(trusted)[0]
    key = torch.from_numpy(good[np.unique(np.linspace(0, len(good) - 1, _KEY_FRAMES).astype(int))])
    few = Observed(seen.points[key], seen.weight[key], seen.percent)
    x, known = _unknowns(start, key)
    prior = torch.from_numpy(start.identity_precision)
    before = torch.from_numpy(start.identity)
    identity, offset = before.clone(), torch.zeros_like(face.mean)
    share = settings.weight_identity / (settings.weight_landmarks * len(key))
    for turn in range(settings.identity_steps):
        rest = face.mean + torch.einsum("lck,k->lc", face.identity, identity) + offset
        at = face.posed(rest, x, camera)
        along = torch.einsum("tlac,lck->tlak", at.by_model, face.identity)
        jacobian = torch.cat([by_unknowns(at, face.expression), along], -1)
        both = _landmark_evidence(at.xy, jacobian, face, few, settings)
        held = _prior(x, known, start)
        own = Normal(
            both.gram[:, :UNKNOWNS, :UNKNOWNS] + held.gram, both.moment[:, :UNKNOWNS] + held.moment
        )
        free = _free(x, own.moment).float()
        gram = own.gram * free[:, :, None] * free[:, None] + torch.diag_embed(1 - free + 1e-6)
        cross = both.gram[:, UNKNOWNS:, :UNKNOWNS] * free[:, None]
        right = torch.cat([cross.transpose(1, 2), (own.moment * free)[..., None]], -1)
        solved = torch.linalg.solve(gram.double(), right.double())
        schur = both.gram[:, UNKNOWNS:, UNKNOWNS:].double() - cross.double() @ solved[..., :-1]
        pull = both.moment[:, UNKNOWNS:].double() - (cross.double() @ solved[..., -1:])[..., 0]
        step = torch.linalg.solve(
            share * schur.sum(0) + prior.double(),
            share * pull.sum(0) - (prior @ (identity - before)).double(),
        )
        identity = identity + step.float()
        x = _bounded(x + (solved[..., -1] - solved[..., :-1] @ step).float())
        if settings.shape_offset and turn > 0:
            rest = face.mean + torch.einsum("lck,k->lc", face.identity, identity) + offset
            offset = _fit_offset(face.posed(rest, x, camera), few, offset, settings)
    return identity, offset


def _fit_offset(
    at: Projection, seen: Observed, offset: torch.Tensor, settings: ReconstructSettings
) -> torch.Tensor:
    """The fixed offset (L, 3) of each landmark that identity cannot say."""
    apart = (at.xy - seen.points) * seen.percent
    along = at.by_model * seen.percent
    weight = seen.weight * _robust(apart) / seen.weight.sum().clamp_min(1e-6) * len(offset)
    hold = (1000 / settings.offset_mm) ** 2
    gram = torch.einsum("tl,tlac,tlad->lcd", weight, along, along) + hold * torch.eye(3)
    pull = torch.einsum("tl,tlac,tla->lc", weight, along, apart) + hold * offset
    return offset - torch.linalg.solve(gram, pull)


def _fit_motion(
    face: Face,
    rest: torch.Tensor,
    seen: Observed,
    start: Start,
    camera: Camera,
    settings: ReconstructSettings,
) -> torch.Tensor:
    """Expression and pose (T, 70) of every frame, stretch by stretch: memory stays flat."""
    frames = len(seen.points)
    result = torch.zeros(frames, UNKNOWNS)
    stretches = range(0, frames, _STRETCH)
    for first in tqdm(stretches, desc="fit", leave=False, disable=len(stretches) < 4):
        a, b = max(0, first - _OVERLAP), min(frames, first + _STRETCH + _OVERLAP)
        within = torch.arange(a, b)
        part = Observed(seen.points[a:b], seen.weight[a:b], seen.percent)
        x, known = _unknowns(start, within)
        stiffness = _stiffness(float(x[:, -1].mean()), settings)
        for _ in range(settings.motion_steps):
            at = face.posed(rest, x, camera)
            evidence = _landmark_evidence(
                at.xy, by_unknowns(at, face.expression), face, part, settings
            ) + _prior(x, known, start)
            x = _bounded(x + solve_over_time(evidence, x, stiffness, _free(x, evidence.moment)))
        last = min(first + _STRETCH, frames)
        result[first:last] = x[first - a : last - a]
    return result


def _landmark_evidence(
    xy: torch.Tensor,
    jacobian: torch.Tensor,
    face: Face,
    seen: Observed,
    settings: ReconstructSettings,
) -> Normal:
    """Normal equations of the landmarks' reprojection, and of the gaps of lips and lids."""
    frames, points = xy.shape[:2]
    apart = (xy - seen.points) * seen.percent
    along = jacobian * seen.percent
    weight = settings.weight_landmarks * face.detail * seen.weight * _robust(apart) / points
    first, second = face.pairs.T
    gap, opening = apart[:, first] - apart[:, second], along[:, first] - along[:, second]
    trust = torch.minimum(seen.weight[:, first], seen.weight[:, second])
    pair_weight = settings.weight_gap * trust * _robust(gap) / max(len(face.pairs), 1)
    return normal(
        torch.cat([along, opening], 1).reshape(frames, -1, along.shape[-1]),
        torch.cat([apart, gap], 1).reshape(frames, -1),
        torch.cat([weight, pair_weight], 1).repeat_interleave(2, 1),
    )


def _unknowns(start: Start, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Unknowns (T, 70) of some frames at the start, and the expressions (T, 64) expected there."""
    known = torch.from_numpy(start.expression)[frames]
    return torch.cat([known, torch.from_numpy(start.pose)[frames]], 1), known


def _prior(x: torch.Tensor, known: torch.Tensor, start: Start) -> Normal:
    """Normal equations of the expressions' distance from the expected ones."""
    precision = torch.from_numpy(start.expression_precision)
    gram = x.new_zeros(len(x), UNKNOWNS, UNKNOWNS)
    moment = torch.zeros_like(x)
    gram[:, :EXPRESSION, :EXPRESSION] = precision
    moment[:, :EXPRESSION] = (known - x[:, :EXPRESSION]) @ precision
    return Normal(gram, moment)


def _stiffness(depth: float, settings: ReconstructSettings) -> torch.Tensor:
    """Weight (70,) of the squared second difference of each unknown."""
    turn = 1 / np.deg2rad(settings.pose_bend_deg) ** 2
    move = 1 / (np.deg2rad(settings.pose_bend_deg) * depth) ** 2
    each = (1 / settings.expression_bend**2,) * EXPRESSION + (turn,) * 3 + (move,) * 3
    return torch.tensor(each)


def _free(x: torch.Tensor, moment: torch.Tensor) -> torch.Tensor:
    """Which unknowns (T, 70) may move: not an action that lies on a bound and is pushed beyond."""
    free = torch.ones_like(x, dtype=torch.bool)
    action, pushed = x[:, :_ACTIONS], moment[:, :_ACTIONS]
    free[:, :_ACTIONS] = ~(((action <= 0) & (pushed < 0)) | ((action >= 1) & (pushed > 0)))
    return free


def _bounded(x: torch.Tensor) -> torch.Tensor:
    """Unknowns (T, 70) with the actions' weights in [0, 1]."""
    return torch.cat([x[:, :_ACTIONS].clamp(0, 1), x[:, _ACTIONS:]], 1)


def _robust(residual: torch.Tensor) -> torch.Tensor:
    """Weight of vectors (..., 2) under a pseudo-Huber loss, its knee at 2 % of the pupils."""
    return 1 / (1 + residual.square().sum(-1) / 4).sqrt()


def _face(model: MorphableModel, kept: np.ndarray, shift: np.ndarray) -> Face:
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
