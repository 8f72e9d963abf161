from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch

from repro.checkpoint import Checkpoint
from repro.edit.completion_losses import trunk_network
from repro.edit.completion_train import train_completion
from repro.edit.completion_trainer import CompletionTrainer
from repro.edit.windows import Footage, box_size, draw_windows
from repro.errors import UserError
from repro.reconstruct.resnet import trunk


@pytest.fixture(scope="module")
def perceptual():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return trunk_network(trunk("basic", [1, 1, 1, 1], width=4, pooled=1))


def batch_for(person, settings):
    size = box_size(person.landmarks, person.landmarks, person.image, settings)
    return draw_windows([person], size, settings, np.random.default_rng(0))


def trainer_for(settings, perceptual=None):
    return CompletionTrainer(settings, planned=10, device="cpu", seed=0, perceptual=perceptual)


def test_every_term_of_eq_4_is_there(person, small, perceptual):
    found = trainer_for(small, perceptual).step(
        batch_for(person, small), 0, torch.Generator().manual_seed(0)
    )
    assert set(found) == {
        "l1",
        "adversarial",
        "perceptual",
        "variation",
        "penalty",
        "discriminator",
    }
    assert all(np.isfinite(value) for value in found.values())


def test_the_terms_are_weighted_by_their_lambdas(person, small, perceptual):
    """With one lambda alone the step is that term's own: others leave no trace."""
    off = dict.fromkeys(
        ("lambda_l1", "lambda_adversarial", "lambda_perceptual", "lambda_variation"), 0.0
    )
    batch = batch_for(person, small)
    for name in off:
        settings = small.model_copy(update={**off, name: 1.0})
        trainer = trainer_for(settings, perceptual)
        before = {k: v.clone() for k, v in trainer.generator.state_dict().items()}
        trainer.step(batch, 0, torch.Generator().manual_seed(0))
        after = trainer.generator.state_dict()
        assert any(not torch.equal(before[k], after[k]) for k in before), name
    nothing = trainer_for(small.model_copy(update=off), perceptual)
    before = {k: v.clone() for k, v in nothing.generator.state_dict().items()}
    nothing.step(batch, 0, torch.Generator().manual_seed(0))
    assert all(torch.equal(before[k], v) for k, v in nothing.generator.state_dict().items())


def test_what_is_outside_the_noise_does_not_count_when_it_is_kept(person, small):
    trainer = trainer_for(small)
    batch = batch_for(person, small)
    noisy = batch._replace(frame=torch.where(batch.mask > 0, batch.frame, 0.5))
    made = torch.rand_like(batch.frame)
    values = [float(trainer._terms(b, trainer._shown(made, b))["l1"][1]) for b in (batch, noisy)]
    assert values[0] == pytest.approx(values[1])
    assert float(trainer._terms(batch, trainer._shown(batch.frame, batch))["l1"][1]) == 0


def test_the_discriminator_can_join_late(person, small):
    trainer = trainer_for(small.model_copy(update={"adversarial_from": 0.5}))
    batch = batch_for(person, small)
    kinds = [set(trainer.step(batch, k, torch.Generator().manual_seed(k))) for k in (4, 5)]
    assert "discriminator" not in kinds[0] and "discriminator" in kinds[1]


def test_training_brings_the_mouth_nearer(person, small):
    settings = small.model_copy(
        update={
            "steps": 30,
            "lr": 3e-3,
            "lambda_adversarial": 0.0,
            "held_out_share": 0.2,
            "look_every": 10,
            "average_decay": 0.8,
        }
    )
    completer, history = train_completion([person], settings, seed=0, perceptual=None)
    assert (history.steps, completer.people, completer.perceptual) == (30, ("someone",), "none")
    assert history.looks["step"].tolist() == [10, 20, 30]
    assert all(b < a for a, b in pairwise(history.looks["l1"]))
    assert history.losses["l1"][-5:].mean() < 0.6 * history.losses["l1"][:5].mean()


def test_a_resumed_run_ends_as_an_uninterrupted_one(person, small, perceptual, tmp_path):
    settings = small.model_copy(update={"average_decay": 0.5, "other_mouths": True})
    whole, _ = train_completion([person], settings, seed=1, perceptual=perceptual)
    where = Checkpoint(tmp_path / "run.ckpt", every=2)

    def stop(done, planned):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_completion(
            [person], settings, seed=1, perceptual=perceptual, checkpoint=where, progress=stop
        )
    resumed, history = train_completion(
        [person], settings, seed=1, perceptual=perceptual, checkpoint=where
    )
    assert history.steps == 4 and len(history.losses["l1"]) == 4
    pairs = zip(
        whole.network.state_dict().values(), resumed.network.state_dict().values(), strict=True
    )
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_checkpoint_of_another_seed_is_refused(person, small, tmp_path):
    where = Checkpoint(tmp_path / "run.ckpt", every=2)
    train_completion([person], small, seed=1, perceptual=None, checkpoint=where)
    with pytest.raises(UserError, match="other settings, seed or data"):
        train_completion([person], small, seed=2, perceptual=None, checkpoint=where)


def test_several_people_share_one_network(person, small):
    other = Footage(person.frames[::-1].copy(), person.landmarks[::-1].copy(), "another")
    completer, _ = train_completion([person, other], small, seed=0, perceptual=None)
    assert completer.people == ("someone", "another")


def test_one_person_s_network_goes_on_from_another(person, small, tmp_path):
    how = {"seed": 0, "perceptual": None}
    short = small.model_copy(update={"steps": 1})
    others, _ = train_completion([person], small.model_copy(update={"steps": 30}), **how)
    _, anew = train_completion([person], short, **how)
    made, on = train_completion([person], short, init=others, **how)
    assert on.losses["l1"][0] < 0.8 * anew.losses["l1"][0]
    first = next(made.network.parameters()) - next(others.network.parameters())
    assert 0 < first.abs().max() <= 2 * short.lr  # one step of Adam away
    state = Checkpoint(tmp_path / "state", every=1)
    train_completion([person], short, init=others, checkpoint=state, **how)
    with pytest.raises(UserError, match="other settings, seed or data"):
        train_completion([person], short, checkpoint=state, **how)


def test_the_whole_frame_is_made_for_table_five(person, small):
    settings = small.model_copy(
        update={"whole_frame": True, "context": None, "keep_outside": False, "steps": 2}
    )
    completer, _ = train_completion([person], settings, seed=0, perceptual=None)
    made = list(completer.complete(person.frames, person.landmarks, person.landmarks))
    assert all((m.frame != f).mean() > 0.9 for m, f in zip(made, person.frames, strict=True))


def test_looks_leave_a_sheet(person, small, tmp_path):
    settings = small.model_copy(update={"held_out_share": 0.2, "look_every": 4})
    train_completion([person], settings, seed=0, perceptual=None, sheets=tmp_path)
    sheet = cv2.imread(str(tmp_path / "step_000004.png"))
    height, _ = box_size(person.landmarks, person.landmarks, person.image, settings)
    assert sheet.shape[0] == 4 * height


def test_footage_that_cannot_be_used_is_refused(person, small):
    with pytest.raises(UserError, match="at least one"):
        train_completion([], small, seed=0, perceptual=None)
    wide = Footage(
        np.pad(person.frames, ((0, 0), (0, 0), (0, 16), (0, 0))), person.landmarks, "wide"
    )
    with pytest.raises(UserError, match="one crop size"):
        train_completion([person, wide], small, seed=0, perceptual=None)


def test_a_loss_that_is_no_number_stops_the_training(person, small):
    with pytest.raises(UserError, match="not a finite number"):
        train_completion(
            [person],
            small.model_copy(update={"lr": 1e30, "steps": 20}),
            seed=0,
            perceptual=None,
        )
