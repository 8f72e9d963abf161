"""CSIM against closed forms, with a network whose features can be told beforehand."""

import numpy as np
import pytest

from repro.evaluate.identity import csim, csim_to_person, face_features

NAMED = {"network": "made-up", "crop": "whole frame"}


class MeanColour:
    """The direction of a frame's mean colour, rotated by nothing."""

    name, dim = "mean-colour", 3

    def features(self, frames, *, landmarks, every=1):
        assert len(frames) == len(landmarks) and np.isfinite(landmarks).all()
        colour = frames.reshape(len(frames), -1, 3).mean(1)
        return (colour / np.linalg.norm(colour, axis=1, keepdims=True)).astype(np.float32)


def turned(degrees: list[float]) -> np.ndarray:
    """Unit features (T, 2) at angles."""
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)


def test_csim_is_the_mean_cosine_of_the_angles_between():
    found = csim(turned([0, 10, 20]), turned([0, 70, -70]), **NAMED)
    assert found.value == pytest.approx((1 + 0.5 + 0) / 3, abs=1e-6)
    assert (found.frames, found.undetected, found.network) == (3, 0, "made-up")


def test_csim_does_not_depend_on_the_features_lengths():
    a, b = turned([0, 30]), turned([60, 60])
    assert csim(3 * a, 0.5 * b, **NAMED).value == pytest.approx(csim(a, b, **NAMED).value)


def test_undetected_frames_are_counted_and_left_out():
    made = turned([0, 60, 60])
    made[1] = np.nan
    found = csim(turned([0, 0, 0]), made, **NAMED)
    assert found.value == pytest.approx(0.75)
    assert (found.frames, found.undetected) == (2, 1)


def test_without_any_face_csim_is_not_a_number():
    found = csim(turned([0, 0]), np.full((2, 2), np.nan), **NAMED)
    assert np.isnan(found.value)
    assert (found.frames, found.undetected) == (0, 2)


def test_csim_to_a_person_takes_their_mean_direction():
    person = turned([-30, 30, 0, 0])
    person[3] = np.nan
    found = csim_to_person(person, turned([0, 60]), **NAMED)
    assert found.value == pytest.approx(0.75)
    assert "mean features" in found.convention


def test_features_are_taken_only_where_a_face_was_found():
    frames = np.zeros((3, 4, 4, 3), np.uint8)
    frames[:, ..., 0], frames[2, ..., 1] = 90, 90
    landmarks = np.zeros((3, 478, 2), np.float32)
    landmarks[1, 5] = np.nan
    features = face_features(MeanColour(), list(frames), landmarks)
    assert np.isnan(features[1]).all()
    assert features[0] == pytest.approx([1, 0, 0])
    assert features[2] == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0])
    none = face_features(MeanColour(), frames, np.full_like(landmarks, np.nan))
    assert none.shape == (3, 3) and np.isnan(none).all()


def test_unlike_lengths_are_a_mistake():
    with pytest.raises(ValueError, match="2 frames with 3"):
        face_features(MeanColour(), np.zeros((2, 4, 4, 3), np.uint8), np.zeros((3, 478, 2)))
    with pytest.raises(ValueError, match="differ in shape"):
        csim(turned([0, 0]), turned([0]), **NAMED)
