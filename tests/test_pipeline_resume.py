"""Trainings that are cut off go on where they were, with the same result."""

from types import SimpleNamespace

import numpy as np
import pytest

from repro import pipeline
from repro.config import load_profile
from repro.motion.motion import Motion
from repro.pipeline import Workspace
from repro.pipeline import motion as motion_stage
from repro.pipeline import refinement as refinement_stage

FRAMES = 40


class CutOff(BaseException):
    """As a signal would end the run: nothing handles it."""


@pytest.fixture
def clips(monkeypatch):
    rng = np.random.default_rng(0)
    made = [
        SimpleNamespace(
            key=str(k),
            windows=rng.normal(0, 1, (FRAMES, 28, 12)).astype(np.float32),
            motion=Motion(
                rng.uniform(0, 0.3, (FRAMES, 64)).astype(np.float32),
                rng.normal(0, 0.1, (FRAMES, 6)).astype(np.float32),
            ),
        )
        for k in range(2)
    ]
    monkeypatch.setattr(motion_stage, "general_targets", lambda _: made)
    return made


def workspace(folder) -> Workspace:
    return Workspace.open(folder, load_profile("smoke", {"motion.epochs": 4}))


def stop_after(epochs):
    def counting(_):
        def progress(done, *_):
            if done == epochs:
                raise CutOff

        return progress

    return counting


@pytest.mark.parametrize("stage", ["general", "personal"])
def test_a_motion_training_that_was_cut_off_ends_as_if_it_had_not_been(
    clips, stage, tmp_path, monkeypatch
):
    def run(ws):
        if stage == "general":
            return pipeline.general_motion(ws)
        return pipeline.personal_motion(ws, clips[0], frames=30)

    whole, _, _ = run(workspace(tmp_path / "whole"))
    ws = workspace(tmp_path / "cut")
    if stage == "personal":
        pipeline.general_motion(ws)
    with monkeypatch.context() as patched:
        patched.setattr(motion_stage, "counting", stop_after(2))
        with pytest.raises(CutOff):
            run(ws)
    (kept,) = (ws.root / "checkpoints").iterdir()
    assert kept.name.startswith(f"motion-{stage}-")
    epochs = []
    counted = motion_stage.counting

    def count(bar):
        move = counted(bar)

        def progress(done, *rest):
            epochs.append(done)
            move(done, *rest)

        return progress

    monkeypatch.setattr(motion_stage, "counting", count)
    resumed, history, _ = run(ws)
    assert epochs[0] == 3
    assert history.epochs == epochs[-1]
    for name, value in whole.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], value)
    assert list((ws.root / "checkpoints").iterdir()) == []


def test_a_refinement_keeps_its_state_and_clears_it_away(tmp_path, monkeypatch):
    ws = workspace(tmp_path)
    person = SimpleNamespace(key="a")
    seen = []

    class Refiner:
        def save(self, folder):
            folder.mkdir()

    def train(*_, checkpoint, **__):
        seen.append(checkpoint.path)
        checkpoint.path.write_bytes(b"state")
        return Refiner(), refinement_stage.RefineHistory(1, 1, 0.0, {})

    monkeypatch.setattr(refinement_stage, "train_refiner", train)
    monkeypatch.setattr(refinement_stage, "general_targets", lambda _: [])
    monkeypatch.setattr(refinement_stage, "_read_refiner", lambda *_: (None, None))
    monkeypatch.setattr(refinement_stage, "pairs", lambda *_, **__: None)
    pipeline.general_refiner(ws)
    pipeline.personal_refiner(ws, person, frames=30)
    assert [path.name.rsplit("-", 1)[0] for path in seen] == ["refine-general", "refine-personal"]
    assert {path.parent for path in seen} == {ws.root / "checkpoints"}
    assert not any(path.exists() for path in seen)
