"""Filming a synthetic person: what changes in the picture, and what does not."""

import numpy as np
import pytest

from repro.corpus.film import film_camera, render_performance
from repro.corpus.performance import Performance
from repro.corpus.settings import CorpusSettings
from repro.face.model import load_open_model
from repro.face.pose import apply_pose

SETTINGS = CorpusSettings(image_px=128, noise=0.0)
MODEL = load_open_model()


def film(figure, expression, pose, **options) -> np.ndarray:
    performance = Performance(
        np.asarray(expression, np.float32)[None], np.asarray(pose, np.float32)[None], np.zeros(1)
    )
    settings = SETTINGS.model_copy(update=options)
    frame, _ = next(render_performance(figure, performance, settings, seed=0))
    return frame.astype(float)


def test_same_seed_films_the_same_frame(figure, rest_pose):
    pose = rest_pose(figure)
    np.testing.assert_array_equal(
        film(figure, np.zeros(64), pose), film(figure, np.zeros(64), pose, threads=2)
    )


def test_large_frames_have_noise_of_their_own(figure, rest_pose):
    pose = np.float32(rest_pose(figure))
    settings = CorpusSettings(image_px=900, supersample=1, noise=0.01)
    still = Performance(np.zeros((2, 64), np.float32), np.stack([pose, pose]), np.zeros(2))
    (a, _), (b, _) = render_performance(figure, still, settings, seed=0)
    assert (a.astype(float) - b).std() == pytest.approx(255 * 0.01 * np.sqrt(2), rel=0.1)


def test_opening_the_jaw_changes_the_mouth_and_not_the_forehead_or_the_clothes(figure, rest_pose):
    open_jaw = np.zeros(64)
    open_jaw[MODEL.expression_names.index("jawOpen")] = 0.4
    pose = rest_pose(figure)
    change = np.abs(film(figure, open_jaw, pose) - film(figure, np.zeros(64), pose)).max(-1)
    camera = film_camera(SETTINGS)
    marks = camera.project(apply_pose(figure.neutral[MODEL.landmark68], pose))
    mouth = marks[48:].mean(0).astype(int)
    brow = int(marks[19:25, 1].min())
    assert change[mouth[1] : mouth[1] + 4, mouth[0] - 3 : mouth[0] + 4].max() > 40
    assert change[: brow - 12].max() < 6 and change[-6:].max() == 0


def test_shoulders_stay_while_the_head_turns(figure, rest_pose):
    still, turned = (film(figure, np.zeros(64), rest_pose(figure, yaw=a)) for a in (0, 0.25))
    change = np.abs(still - turned).max(-1)
    assert change[40:80, 45:85].mean() > 8 and change[-8:].mean() < 3
