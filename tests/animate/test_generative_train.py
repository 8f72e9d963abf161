from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from made_up_people import SMALL, person

from repro.animate.settings import AnimateSettings
from repro.animate.train import train_generator
from repro.animate.trainer import Trainer
from repro.animate.views import draw_batch
from repro.checkpoint import Checkpoint
from repro.edit.completion_losses import trunk_network
from repro.errors import UserError
from repro.reconstruct.resnet import trunk

PEOPLE = [person("a"), person("b", hue=1.0)]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def perceptual():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return trunk_network(trunk("basic", [1, 1, 1, 1], width=4, pooled=1))


def changed(**changes) -> AnimateSettings:
    return SMALL.model_copy(update=changes)


def step(settings, perceptual=None, index=0):
    trainer = Trainer(settings, device="cpu", seed=0, perceptual=perceptual)
    return trainer, trainer.step(draw_batch(PEOPLE, settings, np.random.default_rng(0)), index)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_every_term_of_eq_8_is_there(perceptual):
    _, found = step(SMALL, perceptual)
    assert set(found) == {"discriminator", "gan", "features", "perceptual", "warp"}
    assert all(np.isfinite(list(found.values())))
    _, found = step(changed(lambda_l1=1.0, lambda_detail=1.0), perceptual)
    assert {"l1", "detail"} <= set(found)


def test_terms_that_are_off_are_not_computed():
    _, found = step(changed(lambda_gan=0, lambda_perceptual=0, lambda_l1=1.0))
    assert set(found) == {"warp", "l1"}
    late = changed(adversarial_from=0.5, lambda_l1=1.0)
    assert "gan" not in step(late, index=1)[1] and "gan" in step(late, index=2)[1]


def test_the_mouth_can_count_more():
    plain, weighted = (step(changed(lambda_l1=1.0, weight_mouth=w))[1]["l1"] for w in (1.0, 50.0))
    assert weighted != pytest.approx(plain, rel=1e-3)


def test_a_few_frames_are_learned_and_come_nearer_than_the_matched_one():
    settings = changed(
        ngf=8, steps=120, lr=2e-3, lambda_gan=0, lambda_perceptual=0, lambda_l1=10.0,
        lambda_warp=1.0, references_drawn=(3,), harder_match=1.0, batch=4,
    )  # fmt: skip
    turning = person("a", turn=0.6)
    animator, history = train_generator([turning], settings, seed=0, perceptual=None)
    losses = history.losses["l1"]
    assert losses[-10:].mean() < 0.4 * losses[:5].mean()
    batch = draw_batch([turning], settings, np.random.default_rng([0, 0]))
    with torch.inference_mode():
        made = animator.network(batch.references, batch.sketches, batch.views).frame
    made_apart, matched_apart = (
        float((shown - batch.frame).abs().mean()) for shown in (made, batch.views.matched)
    )
    assert made_apart < 0.7 * matched_apart


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, perceptual):
    settings = changed(steps=6, average_decay=0.9, lr_decay_from=0.3, adversarial_from=0.3)
    whole, history = train_generator(PEOPLE, settings, seed=1, perceptual=perceptual)

    class StoppedError(Exception):
        pass

    def stop(done, planned):
        assert planned == 6
        if done == 3:
            raise StoppedError

    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=2)
    with pytest.raises(StoppedError):
        train_generator(
            PEOPLE, settings, seed=1, perceptual=perceptual, checkpoint=checkpoint, progress=stop
        )
    steps = []
    resumed, again = train_generator(
        PEOPLE, settings, seed=1, perceptual=perceptual, checkpoint=checkpoint,
        progress=lambda done, _: steps.append(done),
    )  # fmt: skip
    assert steps == [3, 4, 5, 6]
    assert torch.equal(weights(whole.network), weights(resumed.network))
    assert all(np.array_equal(history.losses[k], again.losses[k]) for k in history.losses)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=1)
    settings = changed(steps=1, lambda_perceptual=0)
    train_generator(PEOPLE, settings, seed=0, perceptual=None, checkpoint=checkpoint)
    for people, seed in ((PEOPLE, 1), (PEOPLE[:1], 0)):
        with pytest.raises(UserError, match="other settings, seed or data"):
            train_generator(people, settings, seed=seed, perceptual=None, checkpoint=checkpoint)


def test_held_out_people_are_looked_at_and_not_learned_from(tmp_path):
    settings = changed(steps=4, look_every=2, held_out_people=1, lambda_perceptual=0)
    seen = train_generator(PEOPLE, settings, seed=0, perceptual=None, sheets=tmp_path)
    alone = train_generator(
        PEOPLE[:1], changed(steps=4, lambda_perceptual=0), seed=0, perceptual=None
    )
    assert torch.equal(weights(seen[0].network), weights(alone[0].network))
    assert seen[0].people == 1
    looks = seen[1].looks
    assert list(looks["step"]) == [2, 4] and set(looks) == {"step", "l1", "matched"}
    assert looks["matched"][0] == looks["matched"][1] > 0
    sheets = sorted(tmp_path.glob("*.png"))
    assert [sheet.name for sheet in sheets] == ["step_000002.png", "step_000004.png"]
    assert cv2.imread(str(sheets[0])).shape == (6 * 32, 32, 3)


def test_the_rate_falls_to_zero_at_the_end():
    settings = changed(lr_decay_from=0.5, steps=8)
    trainer = Trainer(settings, device="cpu", seed=0, perceptual=None)
    rates = []
    for index in (0, 4, 6, 7):
        trainer.step(draw_batch(PEOPLE, settings, np.random.default_rng(0)), index)
        rates.append(trainer.optimisers["generator"].param_groups[0]["lr"] / settings.lr)
    assert rates == pytest.approx([1, 1, 0.5, 0.25])
    assert all(b <= a for a, b in pairwise(rates))


def test_a_broken_training_says_what_to_change(tmp_path):
    settings = changed(lr=1e30, steps=5, lambda_perceptual=0, lambda_l1=1.0)
    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=1)
    with pytest.raises(UserError, match=r"animate\.lr"):
        train_generator(PEOPLE, settings, seed=0, perceptual=None, checkpoint=checkpoint)


def test_unusable_people_are_refused():
    with pytest.raises(UserError, match="nobody"):
        train_generator([], SMALL, seed=0, perceptual=None)
    with pytest.raises(UserError, match="held_out_people"):
        train_generator(PEOPLE, changed(held_out_people=2), seed=0, perceptual=None)
    with pytest.raises(UserError, match="one frame"):
        train_generator([PEOPLE[0][:1]], SMALL, seed=0, perceptual=None)
    with pytest.raises(UserError, match="32 px"):
        train_generator(PEOPLE, changed(image_px=64), seed=0, perceptual=None)
