import json

import numpy as np
import pytest
import torch
from made_up_people import SIDE, SMALL, person

from repro.animate.animate import Animator, load_animator, save_animator
from repro.animate.generator import seeded_generator
from repro.errors import UserError

PERSON = person("a", 9)


@pytest.fixture
def animator():
    return Animator(seeded_generator(SMALL, seed=0).eval(), SMALL, "none", 2)


def animate(animator, references=PERSON[:3], frames=slice(3, 9), **options):
    wanted = PERSON[frames]
    return list(animator.animate(references, wanted.landmarks, wanted.pose, **options))


def test_every_wanted_frame_is_made(animator):
    made = animate(animator)
    assert len(made) == 6
    assert all(frame.shape == (SIDE, SIDE, 3) and frame.dtype == np.uint8 for frame in made)
    assert any(not np.array_equal(made[0], frame) for frame in made[1:])


def test_batches_do_not_change_the_frames(animator):
    for a, b in zip(animate(animator, batch=1), animate(animator, batch=4), strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1


@pytest.mark.parametrize("count", [1, 8])
def test_any_number_of_references_will_do(animator, count):
    assert len(animate(animator, PERSON[:count])) == 6


def test_references_are_encoded_once_and_frames_made_as_they_are_needed(animator, monkeypatch):
    calls = {"encode": 0, "compose": 0}
    for name in calls:
        plain = getattr(animator.network, name)

        def counted(*given, name=name, plain=plain):
            calls[name] += 1
            return plain(*given)

        monkeypatch.setattr(animator.network, name, counted)
    stream = animator.animate(PERSON[:3], PERSON.landmarks, PERSON.pose, batch=2)
    next(stream)
    assert calls == {"encode": 1, "compose": 1}
    assert len(list(stream)) == 8
    assert calls == {"encode": 1, "compose": 5}


def test_references_are_spread_over_the_first_tau_frames(animator):
    chosen = animator.references(PERSON)  # tau 5, K 3
    assert np.array_equal(chosen.pose, PERSON.pose[[0, 2, 4]])
    assert len(animator.references(PERSON[:2])) == 2


def test_wanted_frames_that_cannot_be_made_are_named(animator):
    with pytest.raises(UserError, match="5 sets of landmarks and 9 poses"):
        animator.animate(PERSON[:3], PERSON.landmarks[:5], PERSON.pose)
    lost = PERSON.pose.copy()
    lost[4, 2] = np.nan
    with pytest.raises(UserError, match=r"pose of frame 4"):
        animator.animate(PERSON[:3], PERSON.landmarks, lost)
    with pytest.raises(UserError, match="64 px"):
        animator.animate(person("b", 2, size=64), PERSON.landmarks, PERSON.pose)


def test_what_is_saved_makes_the_same_frames(animator, tmp_path):
    save_animator(animator, tmp_path / "network.safetensors")
    again = load_animator(tmp_path / "network.safetensors")
    assert (again.settings, again.perceptual, again.people) == (SMALL, "none", 2)
    assert np.array_equal(animate(animator), animate(again))
    path = tmp_path / "network.safetensors"
    about = json.loads(path.with_suffix(".json").read_text())
    about["settings"]["ngf"] = 8
    path.with_suffix(".json").write_text(json.dumps(about))
    with pytest.raises(UserError, match="train it again"):
        load_animator(path)
    with pytest.raises(UserError, match="missing"):
        load_animator(tmp_path / "missing.safetensors")


def test_gradients_are_off(animator):
    with torch.enable_grad():
        animate(animator)
    assert all(p.grad is None for p in animator.network.parameters())
