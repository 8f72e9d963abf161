"""From expression to landmarks, and the networks' shapes."""

import numpy as np
import pytest
import torch

from repro.edit.speech_settings import EditSpeechSettings
from repro.edit.translation import (
    FacePlace,
    MouthProjection,
    Translator,
    study_camera,
)
from repro.evaluate.landmarks import MOUTH_478
from repro.face.model import load_open_model
from repro.face.pose import apply_pose

MODEL, CAMERA = load_open_model(), study_camera()
SMALL = EditSpeechSettings(components=3, id_lstm_dim=8, lstm_dim=8)


def somebody(seed=0, people=3):
    rng = np.random.default_rng(seed)
    expression = rng.uniform(0, 0.5, (people, 64))
    expression[:, 52:] = 0
    pose = np.concatenate([rng.uniform(-0.5, 0.5, (people, 3)), rng.normal(size=(people, 3))], 1)
    pose[:, 3:] *= 0.02
    pose[:, 5] += 0.7
    return [
        torch.from_numpy(np.float32(x)) for x in (expression, rng.normal(size=(people, 80)), pose)
    ]


def test_landmarks_are_the_whole_model_s_seen_by_the_camera():
    expression, identity, pose = somebody()
    made = MouthProjection(MODEL, CAMERA)(expression, identity, pose).numpy()
    for b in range(len(pose)):
        vertices = MODEL.vertices(identity[b].numpy(), expression[b].numpy())
        points = apply_pose(MODEL.landmarks(vertices), pose[b].numpy())
        np.testing.assert_allclose(made[b], CAMERA.project(points)[MOUTH_478], atol=2e-3)


def test_the_projection_s_gradient_is_its_slope():
    expression, identity, pose = (x.double() for x in somebody(people=1))
    project = MouthProjection(MODEL, CAMERA).double()
    expression.requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda e: project(e, identity, pose)[:, :3], (expression,), atol=1e-4
    )


def test_a_face_s_own_frame_does_not_know_place_size_and_tilt():
    expression, identity, pose = somebody(people=1)
    project, place = MouthProjection(MODEL, CAMERA), FacePlace(MODEL, CAMERA)
    here = place.to_face(project(expression, identity, pose), identity, pose)
    picture = place.to_picture(here, identity, pose)
    torch.testing.assert_close(picture, project(expression, identity, pose), rtol=0, atol=2e-3)
    eyes = place.to_face(place.eyes(torch.zeros(1, 64), identity, pose), identity, pose)
    torch.testing.assert_close(eyes[0], torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), atol=1e-4, rtol=0)
    far = pose.clone()
    far[:, 3:] *= 1.5  # the same rays from further away, but for perspective
    moved = place.to_face(project(expression, identity, far), identity, far)
    assert (moved - here).abs().max() < 0.1


def test_the_camera_is_the_corpus_s():
    assert (CAMERA.width, CAMERA.height, CAMERA.cx) == (256, 256, 128)
    assert CAMERA.focal_px == pytest.approx(2.3 * 256)


@pytest.mark.parametrize(("regression", "shape"), [("3d", (64,)), ("2d", (20, 2))])
def test_answers_have_the_size_of_what_is_regressed(regression, shape):
    settings = SMALL.model_copy(update={"regression": regression})
    made = Translator.untrained(settings, seed=0)(torch.randn(5, 100, 12))
    assert made.answer.shape == (5, *shape)
    assert made.windows.shape == (5, 100, 12)


def test_without_id_removal_the_sound_passes_as_it_came():
    plain = Translator.untrained(SMALL.model_copy(update={"remove_identity": False}), seed=0)
    sound = torch.randn(2, 100, 12)
    assert plain.id_removal is None
    torch.testing.assert_close(plain(sound).windows, sound)


def test_an_untrained_translator_is_its_seed_s():
    first, again, other = (
        Translator.untrained(SMALL, seed=s)(torch.ones(1, 100, 12)).answer for s in (0, 0, 1)
    )
    torch.testing.assert_close(first, again)
    assert not torch.allclose(first, other)
