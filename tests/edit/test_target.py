"""Frames of a target chosen for a sound, and other mouths put into them."""

from dataclasses import replace

import numpy as np
import pytest

from repro import SAMPLE_RATE
from repro.edit.retiming import retimed
from repro.edit.speech_data import mouth_channels
from repro.edit.target import choose_frames, put_into_mouth
from repro.face import landmarks as lm
from repro.face.model import load_open_model


@pytest.fixture(scope="module")
def model():
    return load_open_model()


def test_short_speech_is_shown_the_footage_that_suits_it_best():
    moving = np.ones(60)
    moving[20:40] = 0  # still in the middle
    shown = retimed(np.zeros(15), moving, np.zeros(60))
    assert shown.tolist() == list(range(shown[0], shown[0] + 15))
    assert shown[0] >= 20 and shown[-1] < 40


def test_long_speech_goes_on_where_it_was_from_stretch_to_stretch(monkeypatch):
    monkeypatch.setattr("repro.edit.retiming._STRETCH", 50)
    rng = np.random.default_rng(0)
    shown = retimed(rng.random(330), rng.random(40), rng.random(40))
    assert len(shown) == 330 and shown.min() >= 0 and shown.max() < 40
    assert np.abs(np.diff(shown)).max() <= 2


def test_nothing_is_shown_to_no_sound():
    assert len(retimed(np.zeros(0), np.zeros(5), np.zeros(5))) == 0


def test_shut_lids_are_not_shown_to_loud_speech(made_up_track, model):
    expression = made_up_track.coefficients.expression.copy()
    expression[:, model.expression_names.index("eyeBlinkLeft")] = [1, 1, 0, 0, 0, 1]
    blinking = replace(made_up_track.coefficients, expression=expression)
    track = replace(made_up_track, coefficients=blinking)
    sound = np.random.default_rng(0).normal(0, 0.2, 3 * SAMPLE_RATE // 25)
    shown = choose_frames(sound, 3, track, model, learned=6)
    assert shown.tolist() == [2, 3, 4]


def test_only_the_mouth_moves_and_it_moves_as_the_person_s_does(made_up_track, model):
    track, channels = made_up_track, mouth_channels(model.expression_names)
    shown = np.array([0, 1, 2, 1])
    jaw = model.expression_names.index("jawOpen")
    said = np.zeros((4, 64), np.float32)
    said[:, jaw] = [0, 0.1, 0, 0.1]
    edited = put_into_mouth(said, shown, track, model, learned=6)
    others = np.setdiff1d(np.arange(64), channels)
    own = track.coefficients.expression
    np.testing.assert_array_equal(edited.expression[:, others], own[shown][:, others])
    assert np.ptp(edited.expression[:, jaw]) > 0.15  # the person's own jaw opens to 0.5
    assert edited.expression[:, jaw].mean() == pytest.approx(own[:, jaw].mean(), abs=0.02)
    np.testing.assert_array_equal(edited.original, track.landmarks[shown])
    moved = np.linalg.norm(edited.wanted - edited.original, axis=-1)
    eyes = list(lm.EYELIDS)
    assert moved[:, eyes].max() < 0.01 and moved[:, lm.LIPS].max() > 0.2


def test_the_person_s_own_expression_leaves_every_landmark_in_place(made_up_track, model):
    track = made_up_track
    edited = put_into_mouth(track.coefficients.expression, np.arange(6), track, model, learned=6)
    np.testing.assert_allclose(edited.wanted, edited.original, atol=1e-3)
