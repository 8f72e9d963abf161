"""The coefficient network as a stage: what it learns from, and that it is made once."""

from types import SimpleNamespace

import numpy as np
import pytest

from repro import pipeline
from repro.config import load_profile
from repro.corpus.recording import Recording
from repro.face.camera import Camera
from repro.pipeline import Workspace, network
from repro.reconstruct.samples import Samples

TINY = {
    "corpus.clip_s": 1.0,
    "corpus.workers": 1,
    "corpus.image_px": 96,
    "reconstruct_network.frames_per_clip": 3,
    "reconstruct_network.portrait_people": 1,
    "reconstruct_network.portrait_frames": 2,
    "reconstruct_network.steps": 2,
    "reconstruct_network.batch": 2,
    "reconstruct_network.width": 4,
}


@pytest.fixture(scope="module")
def ws(tmp_path_factory) -> Workspace:
    return Workspace.open(tmp_path_factory.mktemp("results"), load_profile("smoke", TINY))


def test_the_network_is_learned_from_the_corpus_and_portraits_once(ws, monkeypatch):
    made, history, key = pipeline.coefficient_network(ws)
    assert history.steps == 2
    assert not made.training
    (file,) = (ws.root / "stages" / "reconstruct-samples").glob("*/samples.npz")
    samples = Samples.load(file)
    assert len(samples) == 2 * 3 + 2  # two general people and one of portraits
    assert samples.labelled.all()
    assert len(np.unique(samples.person)) == 3
    assert list((ws.root / "checkpoints").iterdir()) == []

    def again(*_, **__):
        raise AssertionError("trained twice")

    monkeypatch.setattr(network, "train_network", again)
    same, _, same_key = pipeline.coefficient_network(ws)
    assert same_key == key
    assert all((same.state_dict()[k] == v).all() for k, v in made.state_dict().items())


def test_clips_without_truth_are_learned_from_as_reconstructed(monkeypatch, tmp_path):
    profile = load_profile("smoke", {**TINY, "reconstruct_network.portrait_people": 0})
    track = SimpleNamespace(
        found=np.ones(25, bool),
        landmarks=np.random.default_rng(0).uniform(20, 70, (25, 478, 2)),
        camera=Camera(220, 48, 48, 96, 96),
    )
    seen = SimpleNamespace(key="fitted", frames=np.zeros((25, 96, 96, 3), np.uint8), track=track)
    clips = [Recording(tmp_path / "b.mp4", speaker=name) for name in ("b", "a", "b")]
    monkeypatch.setattr(network, "target", lambda *_, **__: seen)
    monkeypatch.setattr(network, "recordings", lambda *_: clips)
    folder = network._samples(Workspace.open(tmp_path / "results", profile))
    samples = Samples.load(folder / "samples.npz")
    assert not samples.labelled.any()
    assert samples.person.tolist() == [-2] * 3 + [-1] * 3 + [-2] * 3
