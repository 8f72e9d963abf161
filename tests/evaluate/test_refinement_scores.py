"""Scores of refined frames on pictures whose answers are known."""

import numpy as np
import pytest

from repro.evaluate import refinement
from repro.evaluate.perceptual import feature_distance
from repro.evaluate.refinement import Truth, refinement_scores
from repro.reconstruct.resnet import trunk

SIDE, FRAMES = 64, 5


class MeanColour:
    """Stands for an identity network: the direction of the frame's mean colour; black is grey."""

    name, dim = "mean colour", 3

    def features(self, frames, *, landmarks, every=1):
        del landmarks, every
        raw = 1 + frames.astype(np.float64).mean((1, 2))
        return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def truth() -> Truth:
    """Noise; a square face with a smaller mouth in it."""
    frames = np.random.default_rng(0).integers(60, 180, (FRAMES, SIDE, SIDE, 3)).astype(np.uint8)
    masks = np.zeros((FRAMES, SIDE, SIDE), bool)
    masks[:, 12:52, 12:52] = True
    landmarks = np.full((FRAMES, 478, 2), 30.0, np.float32)
    landmarks[:, 468], landmarks[:, 473] = (20, 24), (44, 24)  # pupils 24 px apart
    return Truth(list(frames), masks, landmarks)


@pytest.fixture(autouse=True)
def landmarks_of_frames(monkeypatch, truth):
    """The landmarker finds the true points 0.6 px to the right, and no face in a black frame."""

    def found(frames):
        moved = truth.landmarks + np.array([0.6, 0], np.float32)
        dark = np.array([not frame.any() for frame in frames])
        moved[dark] = np.nan
        return moved

    monkeypatch.setattr(refinement, "detected_landmarks", found)


def scores(truth, **pictures):
    rows = refinement_scores(pictures, truth, identity=MeanColour())
    return {row["frames"]: row for row in rows}


def test_a_step_of_grey_levels_is_its_psnr_in_its_region_alone(truth):
    brighter = [frame.copy() for frame in truth.frames]
    for frame, mask in zip(brighter, truth.masks, strict=True):
        frame[mask] += 16
    row = scores(truth, brighter=brighter)["brighter"]
    step = 20 * np.log10(255 / 16)
    assert row["face_psnr"] == pytest.approx(step)
    assert row["mouth_psnr"] == pytest.approx(step)
    share = 40**2 / 56**2  # of the head's box that the face covers
    assert row["head_psnr"] == pytest.approx(step - 10 * np.log10(share))
    assert row["outside_psnr"] == np.inf
    assert row["sharpness_ratio"] == pytest.approx(1)
    assert row["flicker_ratio"] == pytest.approx(1)


def test_equal_frames_have_the_best_scores(truth):
    row = scores(truth, same=[frame.copy() for frame in truth.frames])["same"]
    assert row["face_psnr"] == np.inf and row["ssim"] == pytest.approx(1)
    assert row["csim"] == pytest.approx(1)
    assert row["undetected"] == 0


def test_the_mouth_s_error_is_in_percent_of_the_distance_between_the_pupils(truth):
    black = [np.zeros_like(truth.frames[0]), *truth.frames[1:]]
    row = scores(truth, black=black)["black"]
    assert row["mouth_error_percent"] == pytest.approx(100 * 0.6 / 24, rel=1e-3)
    assert row["undetected"] == 1 and np.isfinite(row["csim"])


def test_still_frames_do_not_flicker_and_flat_ones_are_not_sharp(truth):
    flat = [np.full((SIDE, SIDE, 3), 120, np.uint8)] * FRAMES
    row = scores(truth, flat=flat)["flat"]
    assert row["flicker_ratio"] == 0 and row["sharpness_ratio"] == pytest.approx(0, abs=1e-9)


def test_the_mouth_s_box_is_that_of_the_frame_before_where_no_face_was_found():
    landmarks = np.full((3, 478, 2), 30.0)
    landmarks[0] += 5
    landmarks[1] = np.nan
    boxes = refinement._mouth_boxes(landmarks)
    assert boxes[1] == boxes[0] != boxes[2]


def test_features_of_equal_pictures_are_no_distance_apart_and_noise_is_far():
    network = trunk("basic", (1, 1, 1, 1), width=8, pooled=1).eval()
    a = np.tile(np.arange(0, 128, 2, dtype=np.uint8)[:, None], (64, 1, 3)).reshape(64, 64, 3)
    noise = np.random.default_rng(0).integers(0, 60, a.shape).astype(np.uint8)
    assert feature_distance(network, a, a) == 0
    near, far = (feature_distance(network, a, a + noise // k) for k in (8, 1))
    assert 0 < near < far
    assert feature_distance(network, a + noise, a) == pytest.approx(far)
