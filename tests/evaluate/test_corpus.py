"""The checks of a corpus, on truths whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from repro.corpus.settings import CorpusSettings
from repro.corpus.truth import Truth
from repro.evaluate import corpus as checks
from repro.face.camera import Camera
from repro.face.model import load_open_model
from repro.face.pose import apply_pose

MODEL = load_open_model()


def truth(expression: np.ndarray, symbols, times_s, **given) -> Truth:
    frames = len(expression)
    pose = np.tile(np.float32([0, 0, 0, 0, 0, 1]), (frames, 1))
    camera = Camera(500, 64, 64, 128, 128)
    points = MODEL.landmarks(MODEL.vertices(np.zeros(80), expression))
    arrays = {
        "expression": expression, "pose": pose, "identity": np.zeros(80), "texture": np.zeros(80),
        "light": np.zeros(27), "lamp": np.zeros((4, 3)), "albedo": MODEL.texture_mean,
        "landmarks": camera.project(apply_pose(points, pose)),
        "landmark_valid": MODEL.landmark_valid, "lip_gap_m": np.zeros(frames),
        "lip_aperture_m": np.zeros(frames), "loudness": np.zeros(frames),
        "symbols": tuple(symbols), "times_s": np.asarray(times_s, float), "words": (),
        "word_times_s": np.zeros((0, 2)), "closures_s": np.zeros(0), "camera": camera, "person": 0,
    }  # fmt: skip
    return Truth(**(arrays | given))


def spoken(seed: int, *, telling: bool) -> Truth:
    """Vowels of 4 frames each, shown by one action each, or by noise."""
    rng = np.random.default_rng(seed)
    said = rng.integers(0, 4, 60)
    expression = rng.normal(0, 0.05, (240, 64)).astype(np.float32)
    if telling:
        expression[np.arange(240), np.repeat(said, 4)] += 1
    times = np.arange(60)[:, None] * 0.16 + [0, 0.16]
    return truth(expression, ["aiou"[k] for k in said], times)


def test_visemes_are_told_from_expressions_that_show_them_and_not_from_noise():
    told = checks.phonemes_from_expression([spoken(k, telling=True) for k in range(5)])
    assert told["phonemes"] == 300 and told["accuracy"] > 0.95 > 2 * told["chance"]
    noise = checks.phonemes_from_expression([spoken(k, telling=False) for k in range(5)])
    assert noise["accuracy"] < 0.4


def test_closures_count_the_lips_that_meet():
    aperture = np.array([0.005, 0.0002, 0.005, 0.004])
    one = truth(
        np.zeros((4, 64), np.float32), ["p"], [(0, 0.1)], lip_aperture_m=aperture,
        closures_s=np.array([0.04, 0.12, 9.0]),
    )  # fmt: skip
    assert checks.closures([one]) == {"closures": 2.0, "closed": 0.5}


def test_reprojection_sees_a_landmark_that_was_moved():
    right = truth(np.zeros((2, 64), np.float32), ["a"], [(0, 0.08)])
    assert checks.reprojection_px(MODEL, right) < 1e-3
    moved = right.landmarks.copy()
    moved[1, 7] += [3, 4]
    assert checks.reprojection_px(MODEL, replace(right, landmarks=moved)) == pytest.approx(5, 1e-3)


def test_turned_heads_are_found_and_their_pose_is_measured():
    seen = checks.detectable(MODEL, [1], [-20.0, 0.0, 20.0], CorpusSettings())
    assert seen["found"].all()
    assert seen["error_deg"].median() < 3


def test_two_videos_of_one_person_are_nearer_than_those_of_others():
    scores = checks.distinct(MODEL, range(6), length_s=10.0)
    assert (scores["same"] > scores["different"]).mean() >= 0.8
    assert scores[["same", "different"]].to_numpy().max() <= 1
