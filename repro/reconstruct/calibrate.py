"""Measure the landmarker on synthetic people: ``python -m repro.reconstruct.calibrate``.

Films them, in single pictures and in short clips; teaches the corrector on most, first on pictures,
then on both; and on the others regresses coefficients from what the corrected points say. Takes
about four hours on two cores, and goes on with the filming where it was stopped; the results, in
repro/reconstruct/data/, are committed. To be made again when the face model, the corpus' looks or
the landmarker change.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tqdm.auto import tqdm

from repro.face.model import MorphableModel, load_open_model
from repro.face.pose import apply_pose
from repro.reconstruct.calibrate_film import Filmed, film, film_clips, load, recorded
from repro.reconstruct.calibration import Calibration, features, shift_of
from repro.reconstruct.correct import Corrector, Patches, corrections_of, patches
from repro.reconstruct.correct_train import MARGIN_PX, Lessons, train_corrector
from repro.reconstruct.head_frame import head_frame
from repro.reconstruct.start import start_pose

_FRAME_DIRECTIONS, _PERSON_DIRECTIONS = 80, 60
_FRAME_RIDGE, _PERSON_RIDGE = 0.1, 20.0
_FOLDS = 5
_TAUGHT = 1280
"""People in pictures, and as many in clips, that the corrector learns from; the regressions are
for the others."""


class Measured(NamedTuple):
    """One person in T frames.

    features (T, F), shift (478, 3) metres, identity (80,), expression (T, 64)
    """

    features: np.ndarray
    shift: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    score_names: tuple[str, ...]


def lessons_of(filmed: Filmed, model: MorphableModel) -> Lessons:
    """What the corrector learns from one person's frames."""
    lens = filmed.lens()
    pose = start_pose(model, filmed.points, lens)
    frame = head_frame(filmed.points, pose, lens, model)
    wrong = frame.offsets(filmed.points) - frame.offsets(filmed.true_points)
    return Lessons(
        patches(filmed.pictures, filmed.windows(), frame, model, margin_px=MARGIN_PX),
        features(filmed.points, filmed.scores, pose, lens, model),
        wrong[:, model.landmark_valid].astype(np.float32),
        filmed.person,
    )


def joined(parts: Sequence[Lessons]) -> Lessons:
    """Several people's lessons."""
    mouth, face = (
        np.concatenate([getattr(part.patches, name) for part in parts])
        for name in ("mouth", "face")
    )
    rest = [np.concatenate([getattr(p, n) for p in parts]) for n in ("seen", "offsets", "person")]
    return Lessons(Patches(mouth, face), *rest)


def measure(filmed: Filmed, model: MorphableModel, corrector: Corrector) -> Measured:
    """What one person's corrected points say, beside the truth."""
    lens, truth = filmed.lens(), filmed.truth()
    looked = zip(filmed.pictures, filmed.windows(), strict=True)
    points = filmed.points + corrections_of(
        corrector, looked, filmed.points, filmed.scores, lens, model,
        np.ones(len(filmed.points), bool),
    )  # fmt: skip
    shape = model.landmarks(model.vertices(truth.identity, truth.expression))
    pose = start_pose(model, filmed.true_points, lens)  # as this lens has it, which may be a guess
    heads = apply_pose(shape, pose)
    return Measured(
        features(points, filmed.scores, start_pose(model, points, lens), lens, model),
        shift_of(points - filmed.true_points, heads, pose, lens),
        truth.identity,
        truth.expression,
        tuple(map(str, filmed.score_names)),
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


def main() -> None:
    """Film, teach, measure, regress, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1600)
    parser.add_argument("--clips", type=int, default=1600, help="as many people more, in clips")
    parser.add_argument("--steps", type=int, default=9000, help="on pictures alone")
    parser.add_argument("--further-steps", type=int, default=6000, help="on pictures and clips")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--films", type=Path, required=True, help="folder for what is filmed")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data")
    options = parser.parse_args()
    model = load_open_model()
    with tqdm(total=options.people, unit="person", desc="film") as bar:
        paths = film(
            options.films, people=options.people, workers=options.workers, progress=bar.update
        )
    with tqdm(total=options.clips, unit="clip", desc="film clips") as bar:
        entries = film_clips(
            options.films / "clips", people=options.clips, workers=options.workers,
            progress=bar.update,
        )  # fmt: skip
    clips = [recorded(entry, model) for entry in tqdm(entries, desc="follow")]
    shown = [one for path in tqdm(paths, desc="read") for one in load(path).each()]
    taught, held_out = _divided(shown)
    taught_clips, held_out_clips = _divided(clips)
    torch.set_num_threads(options.workers)
    corrector = _teach(taught, model, options.steps, options.seed)
    both = taught_clips + taught[: len(taught_clips)]
    corrector = _teach(both, model, options.further_steps, options.seed, start=corrector)
    options.out.mkdir(exist_ok=True)
    corrector.save(options.out / "correction.safetensors", model=model.sha256)
    corrector, _ = Corrector.load(options.out / "correction.safetensors")
    people = [
        measure(one, model, corrector)
        for one in tqdm([*held_out, *held_out_clips], desc="measure")
    ]  # fmt: skip
    calibrate(people, model).save(options.out / "landmarker.npz")


def _teach(
    people: Sequence[Filmed],
    model: MorphableModel,
    steps: int,
    seed: int,
    *,
    start: Corrector | None = None,
) -> Corrector:
    """Train a corrector, or one further, showing how it goes."""
    lessons = joined([lessons_of(one, model) for one in tqdm(people, desc="lessons")])
    with tqdm(total=steps, unit="step", desc="corrector") as bar:

        def step(loss: float) -> None:
            bar.update()
            bar.set_postfix_str(f"loss {loss:.2f}", refresh=False)

        return train_corrector(lessons, model, steps=steps, seed=seed, start=start, progress=step)


def _divided(people: list[Filmed]) -> tuple[list[Filmed], list[Filmed]]:
    """Those that the corrector learns from, and those whose regressions are made."""
    taught = min(_TAUGHT, round(0.8 * len(people)))
    return people[:taught], people[taught:]


if __name__ == "__main__":
    main()
