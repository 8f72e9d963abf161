"""E_exp in both readings of Eq. 5 against plain sums; correlation of the actions that speak."""

import numpy as np
import pytest

from repro.evaluate.expression import (
    SPEECH_ACTIONS,
    expression_correlation,
    expression_error,
    speech_correlations,
)


def test_the_two_readings_of_a_constant_error():
    true = np.zeros((5, 4))
    by_parameter, by_frame = expression_error(true, true + 0.5, face_model="open-face-1")
    assert by_parameter.value == pytest.approx(0.5)
    assert by_frame.value == pytest.approx(0.5 * 2)  # the norm of four halves
    assert by_parameter.name == by_frame.name == "E_exp"
    assert by_parameter.unit == "weights of open-face-1"
    assert "Eq. 5 as written" in by_parameter.convention
    assert "Eq. 3" in by_frame.convention
    assert "4 parameters" in by_frame.convention


def test_they_agree_with_plain_loops():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 7, 64))
    first, second = expression_error(a, b, face_model="m")
    count, total, norms = 0, 0.0, []
    for frame_a, frame_b in zip(a, b, strict=True):
        squares = 0.0
        for x, y in zip(frame_a, frame_b, strict=True):
            total, count, squares = total + abs(x - y), count + 1, squares + (x - y) ** 2
        norms.append(squares**0.5)
    assert first.value == pytest.approx(total / count)
    assert second.value == pytest.approx(sum(norms) / len(norms))
    assert (first.frames, second.frames) == (7, 7)


def test_unlike_shapes_are_a_mistake():
    with pytest.raises(ValueError, match="expected two arrays"):
        expression_error(np.zeros((5, 4)), np.zeros((5, 3)), face_model="m")


def test_speech_moves_the_actions_of_the_mouth_shapes_and_no_others():
    assert {"jawOpen", "mouthPucker", "mouthPress", "tongueOut"} <= set(SPEECH_ACTIONS)
    assert not {"jawLeft", "browInnerUp", "eyeBlinkLeft"} & set(SPEECH_ACTIONS)
    assert len(set(SPEECH_ACTIONS)) == len(SPEECH_ACTIONS)


def test_only_actions_that_speak_and_move_count():
    rng = np.random.default_rng(0)
    true = np.zeros((50, 4))
    true[:, 0] = rng.normal(size=50)  # moves
    true[:, 1] = 1e-3 * rng.normal(size=50)  # hardly
    true[:, 3] = rng.normal(size=50)  # does not speak
    heard = rng.normal(size=(50, 4))
    heard[:, 0] = 2 * true[:, 0] + 1
    names = ("jawOpen", "mouthPucker", "jawLeft", "browInnerUp")
    assert speech_correlations(true, heard, names) == {"jawOpen": pytest.approx(1)}
    assert expression_correlation(true, heard, names) == pytest.approx(1)
    assert np.isnan(expression_correlation(true[:, 2:], heard[:, 2:], names[2:]))


def test_two_sides_are_one_action():
    """What only one side gets wrong the other evens out."""
    rng = np.random.default_rng(1)
    moved, wrong = rng.normal(size=(2, 80))
    true, heard = np.stack([moved, moved], 1), np.stack([moved + wrong, moved - wrong], 1)
    names = ("mouthStretchLeft", "mouthStretchRight")
    assert speech_correlations(true, heard, names) == {"mouthStretch": pytest.approx(1)}
