"""Whose head moves, and do lips follow."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from repro.animate.expression import ExpressionNetwork
from repro.animate.head_motion import HeadMotionNetwork
from repro.animate.landmark_pca import LandmarkPca, face_landmarks
from repro.animate.speech_data import TalkingClip
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.face.model import load_open_model
from repro.study.head_recognition import (
    COPY,
    COPY_LONG,
    PHI,
    PHI_LONG,
    STILL,
    head_recognition,
    lip_gap_68,
    lips,
)

MODEL = load_open_model()
TINY = AnimateSpeechSettings(
    sound="mfcc", components=3, reference_frames=10, channels=(2, 2), feature=4, kernel=3,
    reference_dim=4, hidden=8,
)  # fmt: skip
JAW = MODEL.expression_names.index("jawOpen")


def talker(person, frames=30):
    """Somebody who holds the head in a way of their own, and opens the mouth."""
    clips = []
    for take in range(2):
        rng = np.random.default_rng([person, take])
        pose = np.random.default_rng(person).normal(0, 0.15, 6) + rng.normal(0, 0.01, (frames, 6))
        expression = np.zeros((frames, 64), np.float32)
        expression[:, JAW] = rng.uniform(0, 0.5, frames)
        landmarks = face_landmarks(MODEL, np.zeros(80, np.float32), expression)
        sound = rng.normal(size=(frames, 28, 12)).astype(np.float32)
        clips.append(TalkingClip(f"{person}/{take}", sound, sound, landmarks, np.float32(pose)))
    return tuple(clips)


@pytest.fixture(scope="module")
def people():
    return [talker(k) for k in range(6)]


def test_own_habits_are_recognised_and_a_still_mean_has_no_spread(people):
    rows = head_recognition(HeadMotionNetwork.untrained(TINY, seed=0), people)
    assert list(rows.method) == [PHI, COPY, STILL, PHI_LONG, COPY_LONG]
    assert set(rows.people) == {6}
    rows = rows.set_index("method")
    for method in (COPY, STILL, COPY_LONG):
        assert rows.pairs[method] == 1
        assert rows.pairs_se[method] == 0
        assert rows.top1[method] == 1
        assert rows.hs_own[method] > 0.98 > rows.hs_other[method]
    assert rows.sd_ratio[STILL] == pytest.approx(0, abs=1e-5)
    assert rows.correlation[STILL] == 0
    assert rows.sd_ratio[COPY_LONG] == pytest.approx(1, abs=0.3)


def test_motion_that_is_alike_for_all_is_no_better_than_a_guess(people):
    """Everybody has the same reference, and the sound moves nobody."""
    network = HeadMotionNetwork.untrained(TINY, seed=0)
    with torch.no_grad():
        network.encoder.perceptron[-1].weight.zero_()
        network.encoder.perceptron[-1].bias.zero_()

    def begun_alike(clip):
        pose = clip.pose.copy()
        pose[: TINY.reference_frames] = 0
        return replace(clip, pose=pose)

    alike = [tuple(map(begun_alike, clips)) for clips in people]
    row = head_recognition(network, alike).set_index("method").loc[PHI]
    assert row.pairs == pytest.approx(0.5)


def test_recognition_needs_somebody_else(people):
    with pytest.raises(ValueError, match="two people"):
        head_recognition(HeadMotionNetwork.untrained(TINY, seed=0), people[:1])


def test_lips_that_are_held_still_are_off_by_what_they_move(people):
    network = ExpressionNetwork.untrained(TINY, seed=0)
    network.set_pca(LandmarkPca.fit(np.concatenate([c.landmarks for t in people for c in t]), 3))
    network.answer_scale.zero_()
    rows = lips(network, people).set_index("method")
    assert rows.lips_mm["Psi"] == pytest.approx(rows.lips_mm["held still"], abs=1e-3)
    assert rows.gap_correlation["held still"] == 0
    assert rows.lips_mm["components"] == pytest.approx(0, abs=1e-3)
    assert rows.gap_correlation["components"] == pytest.approx(1, abs=1e-3)
    by_hand = [
        np.linalg.norm((seen.reference - heard.landmarks)[:, 48:], axis=-1).mean()
        for seen, heard in people
    ]
    assert rows.lips_mm["held still"] == pytest.approx(1000 * np.mean(by_hand), rel=1e-3)


def test_the_lip_gap_opens_with_the_jaw():
    expression = np.zeros((3, 64), np.float32)
    expression[:, JAW] = [0, 0.3, 0.6]
    gap = lip_gap_68(face_landmarks(MODEL, np.zeros(80, np.float32), expression))
    assert gap.shape == (3,)
    assert (np.diff(gap) > 2e-3).all()
