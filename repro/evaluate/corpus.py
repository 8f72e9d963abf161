"""What a corpus to learn from must hold, measured (notebook 01)."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd

from repro import FPS
from repro.corpus.figure import build_figure
from repro.corpus.film import film_camera, render_frame, room_of
from repro.corpus.noise import noise_table
from repro.corpus.people import Person, draw_person
from repro.corpus.performance import Performance, perform
from repro.corpus.plan import sentences
from repro.corpus.settings import CorpusSettings
from repro.corpus.truth import Truth
from repro.corpus.visemes import visemes_of
from repro.evaluate.pose import head_pose_similarity
from repro.face.camera import Camera
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose, euler_angles
from repro.reconstruct.detect import detect_image
from repro.speech.synthesis import PAUSE, fitted, speak

CLOSED_M = 0.001
"""Lips whose edges are nearer than this are closed."""


def detectable(
    model: MorphableModel,
    people: Sequence[int],
    yaws_deg: Sequence[float],
    settings: CorpusSettings,
) -> pd.DataFrame:
    """Whether the landmarker finds turned heads, and the pose that its points give.

    The pose is that of the person's own true mesh laid through the points (solvePnP), so that its
    error is the points'.

    Returns
    -------
    a row for each person and yaw: person, yaw_deg, found, and error_deg, the greatest of the
    three angles' errors (nan where no face was found)
    """
    rows = []
    table, camera = noise_table(), film_camera(settings)
    for seed in people:
        person = draw_person(seed)
        figure = build_figure(model, person, table)
        room = room_of(person, settings.image_px)
        points = model.landmarks(model.vertices(person.identity, np.zeros(64, np.float32)))
        for yaw_deg in yaws_deg:
            angles = np.deg2rad([0.0, yaw_deg, 0.0])
            pose = np.concatenate([angles, person.pose_style.place_m]).astype(np.float32)
            image, _ = render_frame(figure, np.zeros(64, np.float32), pose, room, table, settings)
            seen = detect_image((np.clip(image, 0, 1) * 255).astype(np.uint8))
            error = np.nan
            if seen is not None:
                measured = _measured_angles(points, seen, model.landmark_valid, camera)
                error = float(np.degrees(np.abs(measured - angles)).max())
            rows.append((seed, yaw_deg, seen is not None, error))
    return pd.DataFrame(rows, columns=["person", "yaw_deg", "found", "error_deg"])


def _measured_angles(points, seen, valid, camera: Camera) -> np.ndarray:
    matrix = np.array(
        [[camera.focal_px, 0, camera.cx], [0, camera.focal_px, camera.cy], [0, 0, 1.0]]
    )
    turn, move = np.zeros((3, 1)), np.array([[0.0], [0.0], [1.0]])
    shape = np.ascontiguousarray(points[valid], np.float64)
    image = np.ascontiguousarray(seen[valid], np.float64)
    cv2.solvePnP(shape, image, matrix, None, turn, move, useExtrinsicGuess=True)  # in place
    return euler_angles(cv2.Rodrigues(turn)[0])


def phonemes_from_expression(truths: Sequence[Truth], *, folds: int = 5) -> dict[str, float]:
    """How well the viseme of a phoneme is told from the expression at its middle.

    Logistic regression, tested on clips it was not fitted to; chance always says the most
    frequent one.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, classes, clips = [], [], []
    for k, truth in enumerate(truths):
        for symbol, (start, end) in zip(truth.symbols, truth.times_s, strict=True):
            frame = round(float(start + end) / 2 * FPS)
            if symbol != PAUSE and 0 <= frame < len(truth.expression):
                features.append(truth.expression[frame])
                classes.append(visemes_of(symbol)[0])
                clips.append(k % folds)
    x, y, fold = np.array(features), np.array(classes), np.array(clips)
    right = np.zeros(len(y), bool)
    for k in np.unique(fold):
        test = fold == k
        told = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        told.fit(x[~test], y[~test])
        right[test] = told.predict(x[test]) == y[test]
    _, counts = np.unique(y, return_counts=True)
    return {
        "phonemes": float(len(y)),
        "accuracy": float(right.mean()),
        "chance": float(counts.max() / len(y)),
    }


def closures(truths: Sequence[Truth]) -> dict[str, float]:
    """Share of all p, b and m at which the lips' edges meet, in the frame nearest to each."""
    shut = []
    for truth in truths:
        frames = np.round(truth.closures_s * FPS).astype(int)
        inside = frames[(frames >= 0) & (frames < len(truth.lip_aperture_m))]
        shut += (truth.lip_aperture_m[inside] < CLOSED_M).tolist()
    return {"closures": float(len(shut)), "closed": float(np.mean(shut)) if shut else np.nan}


def reprojection_px(model: MorphableModel, truth: Truth) -> float:
    """Greatest distance between the stored landmarks and the model's, put through the camera."""
    vertices = model.vertices(truth.identity, truth.expression)
    points = truth.camera.project(apply_pose(model.landmarks(vertices), truth.pose))
    return float(np.linalg.norm(points - truth.landmarks, axis=-1).max())


def distinct(
    model: MorphableModel, people: Sequence[int], *, length_s: float = 16.0
) -> pd.DataFrame:
    """HS between two videos of one person, beside HS between videos of different people.

    Performances alone: nothing is filmed.

    Returns
    -------
    a row for each person: person, same, different (mean over the others)
    """
    first, second = (
        [_act(model, draw_person(seed), take, length_s).pose[:, :3] for seed in people]
        for take in range(2)
    )
    scores = np.array([[head_pose_similarity(a, b) for b in second] for a in first])
    others = scores.copy()
    np.fill_diagonal(others, np.nan)
    return pd.DataFrame(
        {"person": people, "same": np.diag(scores), "different": np.nanmean(others, axis=1)}
    )


def _act(model: MorphableModel, person: Person, take: int, length_s: float) -> Performance:
    seed = 1_000_003 * (take + 1) + person.seed
    speech = speak(
        sentences(seed, length_s),
        voice=person.voice,
        rate_wpm=person.rate_wpm,
        pitch=person.pitch,
    )
    frames = round(length_s * FPS)
    return perform(
        fitted(speech.audio, frames), speech.phonemes, person, frames=frames, seed=seed,
        names=model.expression_names,
    )  # fmt: skip


def summary(
    model: MorphableModel,
    truths: Sequence[Truth],
    *,
    people: int,
    settings: CorpusSettings,
    yaws_deg: Sequence[float] = (-30, -20, -10, 0, 10, 20, 30),
) -> pd.DataFrame:
    """All checks: what is measured, its value, and what it must reach."""
    seen = detectable(model, range(people), yaws_deg, settings)
    told, lips = phonemes_from_expression(truths), closures(truths)
    heads = distinct(model, range(max(people, 8)))
    rows = [
        ("faces found, yaw within 30 degrees", seen["found"].mean(), ">= 0.995"),
        ("median error of the measured pose (degrees)", seen["error_deg"].median(), "<= 3"),
        ("visemes told from expressions", told["accuracy"], f"chance: {told['chance']:.2f}"),
        ("lips closed at p, b, m", lips["closed"], ">= 0.95"),
        (
            "people whose two videos are nearer in HS than others'",
            (heads["same"] > heads["different"]).mean(),
            ">= 0.9",
        ),
        (
            "greatest reprojection error (px)",
            max(reprojection_px(model, t) for t in truths),
            "<= 0.1",
        ),
    ]
    return pd.DataFrame(rows, columns=["check", "measured", "wanted"])
