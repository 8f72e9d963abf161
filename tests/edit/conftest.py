"""People in a world where the third MFCC tells the jaw, and each voice hums its own note."""

import numpy as np
import pytest
import torch

from repro.edit.speech_data import SpokenClip, mouth_channels
from repro.edit.translation import FacePlace, MouthProjection, study_camera
from repro.edit.translation_train import Faces
from repro.face.model import load_open_model

JAW = load_open_model().expression_names.index("jawOpen")


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
