"""People of a small world: the third MFCC tells jaw and nod, heads differ in their means."""

import numpy as np
import pytest

from repro.animate.landmark_pca import face_landmarks
from repro.animate.speech_data import TalkingClip
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.face.model import load_open_model

MODEL = load_open_model()
JAW = MODEL.expression_names.index("jawOpen")
FRAMES = 60

SMALL = AnimateSpeechSettings(
    sound="mfcc", components=6, reference_frames=16, channels=(2, 4), feature=16, kernel=3,
    reference_dim=8, hidden=32, judge_hidden=8, lr=5e-3, betas=(0.9, 0.999), expression_batch=32,
    expression_steps=150, motion_batch=8, motion_frames=24, motion_steps=150, person_s=2.0,
    people=2, test_people=2, test_s=1.0,
    lambda_adversarial=0.02,
)  # fmt: skip


@pytest.fixture(autouse=True)
def small_networks(one_thread):
    """Every test here."""


@pytest.fixture
def small() -> AnimateSpeechSettings:
    return SMALL


def _clip(person: int, take: int) -> TalkingClip:
    rng = np.random.default_rng([person, take])
    steps = np.arange(28 + 4 * (FRAMES - 1)) / 100
    sound = 0.1 * rng.normal(size=(len(steps), 12))
    sound[:, 2] += np.sin(2 * np.pi * rng.uniform(0.7, 2) * steps + rng.uniform(0, 6))
    now = sound[13 : 13 + 4 * FRAMES : 4, 2]
    windows = np.lib.stride_tricks.sliding_window_view(np.float32(sound), 28, axis=0)[::4]
    windows = windows.transpose(0, 2, 1)
    expression = np.zeros((FRAMES, 64), np.float32)
    expression[:, JAW] = 0.2 + 0.15 * now
    habit = np.random.default_rng(person)
    pose = 0.01 * rng.normal(size=(FRAMES, 6)) + habit.normal(0, 0.1, 6)
    pose[:, 0] += habit.choice([-0.1, 0.1]) * now
    landmarks = face_landmarks(MODEL, np.float32(0.5 * habit.normal(size=80)), expression)
    return TalkingClip(f"{person}/{take}", windows, windows, landmarks, pose.astype(np.float32))


@pytest.fixture(scope="session")
def talkers():
    """Makes people with two clips of 60 frames each: (first, last) -> tuple of Talker."""
    return lambda first, last: tuple((_clip(k, 0), _clip(k, 1)) for k in range(first, last))
