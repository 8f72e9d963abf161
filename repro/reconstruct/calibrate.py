"""Measure the landmarker on synthetic people: ``python -m repro.reconstruct.calibrate``.

Takes about 20 minutes on two cores; the result, repro/reconstruct/data/landmarker.npz, is
committed. To be made again when the face model, the corpus' looks or the landmarker change.
"""

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm.auto import tqdm

from repro.face.camera import Camera
from repro.face.model import MorphableModel, load_open_model
from repro.face.pose import apply_pose, rotation_matrix
from repro.reconstruct.calibration import Calibration, features
from repro.reconstruct.landmarker import Searcher
from repro.reconstruct.portraits import film_stills
from repro.reconstruct.start import start_pose

FIRST_PERSON = 20_000_000
"""Seeds from here on: nobody of any corpus, and nobody whom the network sees."""
FRAMES = 12
_SIZES_PX = (256, 320, 400)
_SHOWN_M = (0.34, 0.36, 0.38, 0.40, 0.42)
_FRAME_DIRECTIONS, _PERSON_DIRECTIONS = 80, 60
_FRAME_RIDGE, _PERSON_RIDGE = 0.1, 20.0
_FOLDS = 5


class Measured(NamedTuple):
    """One person in T frames.

    features (T, F), shift (478, 3) metres, identity (80,), expression (T, 64)
    """

    features: np.ndarray
    shift: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    score_names: tuple[str, ...]


def measure(person: int, model: MorphableModel, searcher: Searcher) -> Measured | None:
    """Film the ``person``-th person and look at what the landmarker says; None if nothing."""
    stills = film_stills(
        FIRST_PERSON + person,
        model,
        size_px=_SIZES_PX[person % len(_SIZES_PX)],
        shown_m=_SHOWN_M[person % len(_SHOWN_M)],
        count=FRAMES,
    )
    seen = [searcher.find(frame) for frame in stills.frames]
    found = [t for t, faces in enumerate(seen) if faces]
    if len(found) < FRAMES // 2:
        return None
    faces = [max(seen[t], key=lambda face: face.size) for t in found]
    points = np.stack([face.points for face in faces])
    scores = np.stack([face.scores for face in faces])
    truth, pose = stills.truth, start_pose(model, points, stills.camera)
    expression = truth.expression[found]
    heads = apply_pose(model.vertices(truth.identity, expression), truth.pose[found])
    return Measured(
        features(points, scores, pose, stills.camera, model),
        shift_of(points - stills.points[found], heads, truth.pose[found], stills.camera, model),
        truth.identity,
        expression,
        searcher.score_names,
    )


def calibrate(people: list[Measured], model: MorphableModel) -> Calibration:
    """Ridge regressions from features to coefficients, with the errors on people left out.

    Directions of features in which people, or one person's frames, hardly differ are not used.
    """
    means = np.stack([p.features.mean(0) for p in people])
    mean = means.mean(0)
    rest = np.stack([p.expression.mean(0) for p in people])
    expression_mean = rest.mean(0)
    moved = np.concatenate([p.features - p.features.mean(0) for p in people])
    expression = np.concatenate([p.expression - p.expression.mean(0) for p in people])
    frame_directions = _directions(moved, _FRAME_DIRECTIONS)
    frame = moved @ frame_directions
    person_directions = _directions(means - mean, _PERSON_DIRECTIONS)
    person = (means - mean) @ person_directions
    targets = np.concatenate([[p.identity for p in people], rest - expression_mean], 1)
    owner = np.repeat(np.arange(len(people)), [len(p.features) for p in people])
    frame_ridge = _FRAME_RIDGE * len(frame)
    return Calibration(
        shift=np.mean([p.shift for p in people], 0),
        mean=mean,
        expression_mean=expression_mean,
        frame_directions=frame_directions,
        frame_map=_ridge(frame, expression, frame_ridge),
        person_directions=person_directions,
        person_map=_ridge(person, targets, _PERSON_RIDGE),
        frame_covariance=_errors(frame, expression, frame_ridge, owner),
        person_covariance=_errors(person, targets, _PERSON_RIDGE, np.arange(len(people))),
        score_names=np.array(people[0].score_names),
        model=model.sha256,
        people=len(people),
    )


def shift_of(
    apart: np.ndarray, heads: np.ndarray, pose: np.ndarray, camera: Camera, model: MorphableModel
) -> np.ndarray:
    """Mean offset (478, 3), metres in model space, of points seen ``apart`` (T, 478, 2) pixels.

    ``heads`` (T, V, 3) and ``pose`` (T, 6) in camera space.
    """
    depth = model.landmarks(heads)[..., 2:]
    aside = np.concatenate([apart * depth / camera.focal_px, np.zeros_like(depth)], -1)
    return (aside @ rotation_matrix(pose[:, :3])).mean(0)  # a row times R is R^T times a column


def _directions(x: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` directions (F, count) in which samples (n, F) differ most."""
    return np.linalg.svd(x[:: 1 + len(x) // 2000], full_matrices=False)[2][:count].T


def _ridge(x: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    return np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ y)


def _errors(x: np.ndarray, y: np.ndarray, ridge: float, owner: np.ndarray) -> np.ndarray:
    """Covariance of the errors on people that the regression did not see."""
    error = np.zeros_like(y)
    for fold in range(_FOLDS):
        out = owner % _FOLDS == fold
        error[out] = y[out] - x[out] @ _ridge(x[~out], y[~out], ridge * (1 - 1 / _FOLDS))
    return error.T @ error / len(error)


def _measure_some(people: range) -> list[Measured]:
    model = load_open_model()
    with Searcher() as searcher:
        made = [measure(person, model, searcher) for person in people]
    return [person for person in made if person is not None]


def main() -> None:
    """Measure, regress, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data/landmarker.npz")
    options = parser.parse_args()
    shares = [range(k, min(k + 10, options.people)) for k in range(0, options.people, 10)]
    people: list[Measured] = []
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for part in tqdm(pool.map(_measure_some, shares), total=len(shares), unit="10 people"):
            people += part
    options.out.parent.mkdir(exist_ok=True)
    calibrate(people, load_open_model()).save(options.out)


if __name__ == "__main__":
    main()
