"""People in a world where the third MFCC tells the jaw, and each voice hums its own note.

And a small picture of a person who opens and closes the mouth.
"""

import cv2
import numpy as np
import pytest
import torch

from repro.edit import masked
from repro.edit.speech_data import SpokenClip, mouth_channels
from repro.edit.translation import FacePlace, MouthProjection, study_camera
from repro.edit.translation_train import Faces
from repro.edit.video_settings import EditVideoSettings
from repro.edit.windows import Footage
from repro.face.landmarks import COUNT, LEFT_PUPIL, LIPS, RIGHT_PUPIL, STEADY
from repro.face.model import load_open_model

SIDE = 64

SMALL = EditVideoSettings(
    ngf=4,
    levels=3,
    ndf=4,
    discriminator_layers=1,
    batch=2,
    steps=4,
    context=0.1,
    keep_outside=True,
    blend_grow=0.1,
)
JAW = load_open_model().expression_names.index("jawOpen")


@pytest.fixture(autouse=True)
def small_networks(one_thread):
    """Every test here."""


@pytest.fixture(scope="session")
def faces() -> Faces:
    model, camera = load_open_model(), study_camera()
    weights = torch.zeros(64)
    weights[torch.from_numpy(mouth_channels(model.expression_names))] = 1
    return Faces(MouthProjection(model, camera), FacePlace(model, camera), weights)


@pytest.fixture(scope="session")
def speaking():
    """Makes a clip: (seed, voice, frames) -> SpokenClip."""

    def make(seed: int, voice: str = "a", frames: int = 50) -> SpokenClip:
        rng = np.random.default_rng(seed)
        steps = 28 + 4 * (frames - 1)
        t = np.arange(steps) / 100
        sound = 0.1 * rng.normal(size=(steps, 12))
        sound[:, 2] += np.sin(2 * np.pi * rng.uniform(0.7, 2) * t + rng.uniform(0, 6))
        sound[:, 5] += {"a": 0.0, "b": 2.0}[voice]
        expression = np.zeros((frames, 64), np.float32)
        expression[:, JAW] = 0.2 + 0.15 * sound[13 : 13 + 4 * frames : 4, 2]
        pose = np.zeros((frames, 6), np.float32)
        pose[:, 0] = 0.1 * np.sin(np.arange(frames) / 9)
        pose[:, 1] = rng.uniform(-0.6, 0.6)
        pose[:, 5] = 0.7
        identity = 0.5 * rng.normal(size=80)
        return SpokenClip(
            voice, np.float32(sound), expression, pose, np.float32(identity),
            np.where(expression[:, JAW] > 0.2, "a", "p"),
        )  # fmt: skip

    return make


def opened(opening_px: float, shift_px: float = 0.0) -> np.ndarray:
    """Landmarks (478, 2) of a face in a picture of 64 px; its lips stand so far apart."""
    points = np.tile(np.array([32.0, 24.0]), (COUNT, 1))
    points[STEADY] = np.stack([np.linspace(20, 44, len(STEADY)), 20 + np.arange(18) % 7], -1)
    points[[RIGHT_PUPIL, LEFT_PUPIL]] = [[22, 20], [42, 20]]
    angle = np.linspace(0, 2 * np.pi, len(LIPS), endpoint=False)
    points[LIPS] = np.stack([32 + 7 * np.cos(angle), 42 + (2 + opening_px / 2) * np.sin(angle)], -1)
    jaw = np.linspace(0, np.pi, len(masked.JAW))
    points[masked.JAW] = np.stack([32 - 13 * np.cos(jaw), 40 + 12 * np.sin(jaw)], -1)
    points[masked.FOLDS] = np.stack([np.linspace(24, 40, 9), np.full(9, 34.0)], -1)
    return points + [shift_px, 0]


def picture(points: np.ndarray) -> np.ndarray:
    """(64, 64, 3) uint8: skin that darkens downwards, a dark ellipse within the lips."""
    rows = np.arange(SIDE)[:, None, None]
    image = np.broadcast_to(200 - rows * [0.5, 1.0, 1.2], (SIDE, SIDE, 3)).astype(np.uint8).copy()
    ring = np.rint(points[LIPS]).astype(np.int32)
    return cv2.fillConvexPoly(image, ring, (60, 10, 20))


@pytest.fixture
def small() -> EditVideoSettings:
    return SMALL


@pytest.fixture
def person() -> Footage:
    """Twelve frames."""
    points = np.stack([opened(3 + 3 * np.sin(t), t / 4) for t in range(12)])
    return Footage(np.stack([picture(p) for p in points]), points.astype(np.float32), "someone")


@pytest.fixture
def face_of():
    """The landmarks and the picture of a face whose lips stand apart."""
    return lambda opening, shift=0.0: (opened(opening, shift), picture(opened(opening, shift)))
