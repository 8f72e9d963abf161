import json

import numpy as np
import pytest
import torch

from repro.edit.completion import (
    Completer,
    CompletionNetwork,
    load_completer,
    save_completer,
    seeded_network,
)
from repro.edit.video_settings import EditVideoSettings
from repro.errors import UserError


@pytest.fixture
def completer(small):
    return Completer(seeded_network(small, seed=0).eval(), small, "none", ("someone",))


def test_the_defaults_have_the_papers_75_million_parameters():
    with torch.device("meta"):
        network = CompletionNetwork(EditVideoSettings())
    count = sum(p.numel() for p in network.parameters())
    assert count == pytest.approx(75e6, rel=0.01)


@pytest.mark.parametrize("full", [0, 3])
def test_gradients_reach_all_weights_and_the_heat_maps(small, full):
    network = seeded_network(small.model_copy(update={"full_resolution_channels": full}), seed=0)
    window = torch.rand(2, 28, 32, 40, generator=torch.Generator().manual_seed(0))
    made = network(window.requires_grad_(True))
    assert made.shape == (2, 3, 32, 40) and made.min() >= 0 and made.max() <= 1
    (made**2).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    assert (window.grad[:, 21:].abs().sum(dim=(0, 2, 3)) > 0).all()


def test_only_the_rectangle_is_painted(person, completer):
    done = list(completer.complete(person.frames, person.landmarks, person.landmarks))
    assert len(done) == len(person)
    for frame, (painted, (left, top, right, bottom)) in zip(person.frames, done, strict=True):
        changed = (painted != frame).any(-1)
        inside = np.zeros(changed.shape, bool)
        inside[top:bottom, left:right] = True
        assert not changed[~inside].any()
        assert changed[inside].mean() > 0.9


def test_batches_do_not_change_what_is_painted(person, completer):
    one, many = (
        list(completer.complete(person.frames, person.landmarks, person.landmarks, batch=batch))
        for batch in (1, 5)
    )
    for a, b in zip(one, many, strict=True):
        assert np.abs(a.frame.astype(int) - b.frame).max() <= 1


def test_a_new_mouth_changes_the_picture_from_its_frame_on(person, completer):
    new = person.landmarks.copy()
    new[6] = person.landmarks[6] + [0, 1.5]
    plain, edited = (
        [c.frame for c in completer.complete(person.frames, person.landmarks, points)]
        for points in (person.landmarks, new)
    )
    same = [np.array_equal(a, b) for a, b in zip(plain, edited, strict=True)]
    # The window of seven frames: t - 6 ... t.
    assert same[:6] == [True] * 6 and not any(same[6:12])


def test_frames_are_read_as_they_are_needed(person, completer):
    read = []

    def stream():
        for t, frame in enumerate(person.frames):
            read.append(t)
            yield frame

    done = completer.complete(stream(), person.landmarks, person.landmarks, batch=2)
    next(done)
    assert read == [0, 1]


def test_a_frame_without_a_mouth_is_named(person, completer):
    lost = person.landmarks.copy()
    lost[3] = np.nan
    with pytest.raises(UserError, match=r"target video.*frame 3"):
        next(completer.complete(person.frames, lost, person.landmarks))
    with pytest.raises(UserError, match=r"new landmarks.*frame 3"):
        next(completer.complete(person.frames, person.landmarks, lost))


def test_what_is_saved_paints_the_same(person, completer, tmp_path):
    save_completer(completer, tmp_path / "network.safetensors")
    again = load_completer(tmp_path / "network.safetensors")
    assert (again.settings, again.people) == (completer.settings, completer.people)
    a, b = (
        next(c.complete(person.frames, person.landmarks, person.landmarks, batch=1))
        for c in (completer, again)
    )
    assert np.array_equal(a.frame, b.frame)


def test_a_file_of_another_version_is_refused(completer, tmp_path):
    path = tmp_path / "network.safetensors"
    save_completer(completer, path)
    about = json.loads(path.with_suffix(".json").read_text())
    about["settings"]["ngf"] = 8
    path.with_suffix(".json").write_text(json.dumps(about))
    with pytest.raises(UserError, match="train it again"):
        load_completer(path)
    with pytest.raises(UserError, match="missing"):
        load_completer(tmp_path / "missing.safetensors")
