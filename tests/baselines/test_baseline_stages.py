"""The earlier systems as stages that are kept."""

from types import SimpleNamespace

import numpy as np
import pytest

from repro import pipeline
from repro.config import load_profile
from repro.pipeline import Workspace
from repro.pipeline import baselines as stage

BRIEF = {"baselines.steps": 2, "baselines.landmark_steps": 2}


@pytest.fixture
def person(monkeypatch):
    rng = np.random.default_rng(0)
    points = rng.uniform(20, 44, (1, 478, 2)) + rng.normal(0, 0.5, (20, 478, 2))
    made = SimpleNamespace(
        key="someone",
        audio=np.zeros(20 * 640, np.float32),
        frames=rng.integers(0, 255, (20, 64, 64, 3), dtype=np.uint8),
        windows=rng.normal(0, 1, (20, 28, 12)).astype(np.float32),
        track=SimpleNamespace(landmarks=points.astype(np.float32)),
    )
    silent = SimpleNamespace(key="silent", audio=None)
    monkeypatch.setattr(stage, "general_targets", lambda _: [made, silent])
    return made


def workspace(folder, *, seed: int = 0, **more) -> Workspace:
    named = {f"baselines.{name}": value for name, value in more.items()}
    return Workspace.open(folder, load_profile("smoke", {**BRIEF, **named}), seed=seed)


@pytest.mark.parametrize("name", ["you_said_that", "atvg"])
def test_it_is_trained_once_and_leaves_no_state(name, person, tmp_path, monkeypatch):
    first, history, key = getattr(pipeline, name)(workspace(tmp_path))
    assert list((tmp_path / "checkpoints").iterdir()) == []

    def train(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(stage, f"train_{name}", train)
    again, same, same_key = getattr(pipeline, name)(workspace(tmp_path, test_frames=70))
    assert (same, same_key) == (history, key)
    for tensor, value in first.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[tensor], value)
    with pytest.raises(AssertionError, match="trained again"):
        getattr(pipeline, name)(workspace(tmp_path, seed=1))
