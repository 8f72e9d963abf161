"""Made-up clips for the earlier systems: a mouth that opens with the sound."""

import numpy as np
import pytest

from repro.baselines.faces import FaceClip
from repro.baselines.settings import BaselineSettings
from repro.baselines.shapes import JAW
from repro.face import landmarks as lm
from repro.face.camera import Crop

SIDE = 32


@pytest.fixture
def settings() -> BaselineSettings:
    return BaselineSettings(
        image_px=SIDE,
        channels=(16, 16, 32),
        audio_channels=(4, 4, 8, 8, 16),
        feature_dim=32,
        lstm_dim=16,
        components=4,
        window_frames=8,
        batch=8,
        lr=4e-3,
        steps=300,
        landmark_steps=150,
    )


def mouth_clip(seed: int, frames: int = 20) -> FaceClip:
    """A disc with a dark mouth, as wide open as the sound is loud in its first coefficient."""
    rng = np.random.default_rng(seed)
    opening = 0.5 + 0.5 * np.sin(np.arange(frames) * rng.uniform(0.5, 1.2) + seed)
    windows = np.zeros((frames, 28, 12), np.float32)
    windows += opening[:, None, None].astype(np.float32)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    skin = rng.integers(120, 220, 3)
    pictures = np.full((frames, SIDE, SIDE, 3), 40, np.uint8)
    pictures[:, (rows - 16) ** 2 + (columns - 16) ** 2 < 150] = skin
    shape = rng.uniform(8, 24, (478, 2))
    shape[JAW] = np.stack([np.linspace(6, 26, len(JAW)), np.full(len(JAW), 26)], 1)
    landmarks = np.repeat(shape[None], frames, axis=0)
    for t, gap in enumerate(opening):
        high = round(1 + 6 * gap)
        pictures[t, 19 : 19 + high, 12:20] = 0
        landmarks[t, lm.LIPS, 1] = 19 + gap * 6 * (shape[lm.LIPS, 1] > 16)
    crop = Crop(0.0, 0.0, float(SIDE), SIDE)
    return FaceClip(windows, landmarks.astype(np.float32), pictures, crop)


@pytest.fixture
def clips() -> list[FaceClip]:
    return [mouth_clip(seed) for seed in range(2)]
