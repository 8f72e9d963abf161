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
from tqdm.auto import tqdm

from repro.face import landmarks as lm
from repro.face.camera import Camera
from repro.face.coefficients import EXPRESSION, IDENTITY
from repro.face.model import MorphableModel
from repro.reconstruct.calibration import Start, open_calibration
from repro.reconstruct.confidence import trusted
from repro.reconstruct.detect import Detection
from repro.reconstruct.face_points import Face, face_at_landmarks, spread_offset
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.solve import (
    UNKNOWNS,
    Normal,
    Projection,
    by_unknowns,
    normal,
    solve_over_time,
)
from repro.reconstruct.start import start_pose

_ACTIONS = 52
_KEY_FRAMES = 24
_STRETCH, _OVERLAP = 256, 16
"""Frames solved at once, and how many more on each side so that the seams do not show."""
_KNEE = 2.0
"""Of the robust loss, in % of the inter-pupil distance."""
_FLAT_EXPRESSION, _FLAT_IDENTITY = 1 / 0.15**2, 1.0
"""Precision of coefficients of which nothing is known beforehand."""


@dataclass(frozen=True)
class Geometry:
    """The fitted shape and motion.

    identity (80,), expression (T, 64), pose (T, 6), shape_offset (V, 3), landmark_shift (478, 3):
    float32, as in FaceTrack.
    """

    identity: np.ndarray
    expression: np.ndarray
    pose: np.ndarray
    shape_offset: np.ndarray
    landmark_shift: np.ndarray


class Landmarks(NamedTuple):
    """What is known of a face in T frames.

    points      (T, 478, 2) float32, pixels
    scores      (T, S) float32, the landmarker's scores of the actions ``score_names``
    confidence  (T,) in [0, 1], weight of each frame
    inside      (T, 478) bool, False for points that are not seen
    """

    points: np.ndarray
    scores: np.ndarray
    score_names: tuple[str, ...]
    confidence: np.ndarray
    inside: np.ndarray

    @classmethod
    def found(cls, found: Detection, points: np.ndarray) -> "Landmarks":
        """A detection's, with its points in other pixels (T, 478, 2)."""
        return cls(points, found.scores, found.score_names, found.confidence, found.in_picture)


class Observed(NamedTuple):
    """What a clip shows of the L landmarks that the model has.

    points  (T, L, 2) pixels; weight (T, L), of the frame's and the point's trust
    percent 100 over the inter-pupil distance in pixels
    """

    points: torch.Tensor
    weight: torch.Tensor
    percent: float


@torch.no_grad()
def fit_geometry(
    landmarks: Landmarks, camera: Camera, model: MorphableModel, settings: ReconstructSettings
) -> Geometry:
    """Fit the model to landmarks in pixels of ``camera`` over time."""
    sure = trusted(landmarks.confidence)
    start, shift = known_before(landmarks, camera, model, sure)
    kept = np.nonzero(model.landmark_valid)[0]
    face, seen = face_at_landmarks(model, kept, shift), _observed(landmarks, kept)
    found = _fit_identity(face, seen, start, camera, settings, sure)
    rest = face.mean + torch.einsum("lck,k->lc", face.identity, found.identity) + found.offset
    x = _fit_motion(face, rest, seen, start, camera, settings)
    return Geometry(
        found.identity.numpy(),
        x[:, :EXPRESSION].numpy(),
        x[:, EXPRESSION:].numpy(),
        spread_offset(found.offset.numpy(), kept, model),
        shift,
    )


@torch.no_grad()
def misfit(
    landmarks: Landmarks, camera: Camera, model: MorphableModel, settings: ReconstructSettings
) -> float:
    """How badly the best identity, without offsets of its own, meets the landmarks of key frames.

    Mean of the robust distance, in units of 1 % of the inter-pupil distance: cameras can be
    compared by it.
    """
    sure = trusted(landmarks.confidence)
    start, shift = known_before(landmarks, camera, model, sure)
    kept = np.nonzero(model.landmark_valid)[0]
    face, seen = face_at_landmarks(model, kept, shift), _observed(landmarks, kept)
    plain = settings.model_copy(update={"shape_offset": False})
    return _fit_identity(face, seen, start, camera, plain, sure).misfit


def _observed(landmarks: Landmarks, kept: np.ndarray) -> Observed:
    """The landmarks ``kept`` (L,)."""
    points = np.ascontiguousarray(landmarks.points[:, kept])
    weight = landmarks.confidence[:, None] * landmarks.inside[:, kept]
    return Observed(
        torch.from_numpy(points).float(),
        torch.from_numpy(weight).float(),
        float(100 / np.median(lm.inter_pupil_distance(landmarks.points))),
    )


def known_before(
    landmarks: Landmarks, camera: Camera, model: MorphableModel, sure: np.ndarray
) -> tuple[Start, np.ndarray]:
    """The start of the fit, and the landmarks' shift (478, 3) in metres on this model.

    Only the open model is calibrated; of any other the coefficients are held to zero loosely.

    Parameters
    ----------
    sure : (T,) bool, the frames from which a person's mean is taken
    """
    points, scores, names = landmarks.points, landmarks.scores, landmarks.score_names
    calibration = open_calibration()
    if calibration.model == model.sha256 and set(calibration.score_names) <= set(names):
        return calibration.start(points, scores, names, camera, model, sure), calibration.shift
    flat = Start(
        np.zeros(IDENTITY, np.float32),
        np.eye(IDENTITY, dtype=np.float32) * _FLAT_IDENTITY,
        np.zeros((len(points), EXPRESSION), np.float32),
        np.eye(EXPRESSION, dtype=np.float32) * _FLAT_EXPRESSION,
        start_pose(model, points, camera),
    )
    return flat, np.zeros((lm.COUNT, 3), np.float32)


class Shape(NamedTuple):
    """identity (80,), each landmark's fixed offset (L, 3), and how badly the key frames are met."""

    identity: torch.Tensor
    offset: torch.Tensor
    misfit: float


def _fit_identity(
    face: Face,
    seen: Observed,
    start: Start,
    camera: Camera,
    settings: ReconstructSettings,
    trusted: np.ndarray,
) -> Shape:
    """The shape that key frames have in common.

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
    rest = face.mean + torch.einsum("lck,k->lc", face.identity, identity) + offset
    apart = (face.posed(rest, x, camera).xy - few.points) * few.percent
    robust = few.weight * ((1 + apart.square().sum(-1) / _KNEE**2).sqrt() - 1) * _KNEE
    return Shape(identity, offset, float(robust.sum() / few.weight.sum()))


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
    """Weight of vectors (..., 2) under a pseudo-Huber loss."""
    return 1 / (1 + residual.square().sum(-1) / _KNEE**2).sqrt()
