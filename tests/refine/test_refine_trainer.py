"""One step of training: Eq. 4 by hand, and what each part's gradient reaches."""

import math

import pytest
import torch

from repro.refine.generator import Refined
from repro.refine.pairs import Batch
from repro.refine.settings import RefineSettings
from repro.refine.trainer import Trainer

SETTINGS = RefineSettings(
    image_px=16, ngf=2, ndf=2, levels=3, discriminator_layers=1, memory_slots=4, spatial_dim=4,
    nearest=4,
)  # fmt: skip


@pytest.fixture
def batch() -> Batch:
    draw = torch.Generator().manual_seed(0)
    ones = torch.ones(2, 1, 16, 16)
    return Batch(
        window=torch.rand(2, 9, 16, 16, generator=draw),
        real=torch.rand(2, 3, 16, 16, generator=draw),
        face=ones,
        detail=ones * 0,
        editable=ones,
        identity=torch.eye(8)[:2],
    )


def trainer(**options) -> Trainer:
    return Trainer(
        SETTINGS.model_copy(update=options),
        identity_dim=8,
        planned=10,
        device="cpu",
        seed=0,
        init=None,
        resnet18_file=None,
    )


def weights(t: Trainer) -> dict[str, list[torch.Tensor]]:
    parts = {"generator": t.generator, "discriminator": t.discriminator, "spatial": t.spatial}
    return {name: [p.detach().clone() for p in part.parameters()] for name, part in parts.items()}


def changed(before: dict[str, list[torch.Tensor]], t: Trainer) -> set[str]:
    after = weights(t)
    return {
        name
        for name, old in before.items()
        if any(not torch.equal(a, b) for a, b in zip(old, after[name], strict=True))
    }


def test_equation_four_by_hand(batch):
    t = trainer()
    t.run_discriminator = lambda window, frame: (torch.full((2, 1, 1, 1), 0.5), [])
    attention = torch.full((2, 1, 16, 16), 0.25)
    attention[:, :, :, 8:] = 0.75  # one vertical edge of 16 pixels
    made = (batch.real - 0.1).requires_grad_()
    terms = t._generator_terms(batch, Refined(made, made, attention))
    assert {name: weight for name, (weight, _) in terms.items()} == {
        "gan": 1, "l1": 100, "attention": 2, "smoothness": 1e-5,
    }  # fmt: skip
    found = {name: value.item() for name, (_, value) in terms.items()}
    assert found["gan"] == pytest.approx(-math.log(1 / (1 + math.exp(-0.5))))
    assert found["l1"] == pytest.approx(0.2, rel=1e-4)  # 0.1 on the scale [-1, 1]
    assert found["attention"] == pytest.approx((0.25**2 + 0.75**2) / 2)
    assert found["smoothness"] == pytest.approx(16 * 0.5**2)


def test_the_discriminator_s_step_changes_the_discriminator_alone(batch):
    t = trainer()
    refined = t.run_generator(batch.window, batch.identity, batch.editable)
    before = weights(t)
    t._train_discriminator(batch, refined)
    assert changed(before, t) == {"discriminator"}
    assert all(p.grad is None for p in t.generator.parameters())


def test_the_generator_s_step_changes_the_generator_alone(batch):
    t = trainer()
    refined = t.run_generator(batch.window, batch.identity, batch.editable)
    before = weights(t)
    t._train_generator(batch, refined)
    assert changed(before, t) == {"generator"}
    assert all(p.grad is None for p in t.discriminator.parameters())
    assert all(p.requires_grad for p in t.discriminator.parameters())


def test_the_generator_s_gradient_reaches_all_its_parts(batch):
    t = trainer()
    refined = t.run_generator(batch.window, batch.identity, batch.editable)
    t._train_generator(batch, refined)
    reached = {name for name, p in t.generator.named_parameters() if p.grad.abs().sum() > 0}
    parts = {"down.0", "down.2", "up.0", "up.1", "style.0", "style.4", "colour", "attention"}
    assert {f"{part}.weight" for part in parts} <= reached


def test_the_memory_s_step_changes_the_encoder_and_the_memory_alone(batch):
    t = trainer()
    noise = torch.Generator().manual_seed(0)
    t._remember(batch, noise)  # fills the memory, without anything to compare with
    before, keys = weights(t), t.memory.keys.clone()
    told = t._remember(batch._replace(window=1 - batch.window), noise)
    assert told["triplet"] > 0
    assert changed(before, t) == {"spatial"}
    assert not torch.equal(t.memory.keys, keys)
    assert not t.memory.keys.requires_grad


def test_pairs_that_take_a_slot_are_counted(batch):
    t = trainer()
    noise = torch.Generator().manual_seed(0)
    assert t._remember(batch, noise)["replaced"] == 1  # two people nobody knew
    known = batch._replace(window=batch.window[:1], identity=batch.identity[:1])
    assert t._remember(known, noise)["replaced"] == 0


def test_a_discriminator_of_residuals_sees_the_difference_from_the_rendered_frame(batch):
    t = trainer(residual_gain=4.0)
    seen = []
    t.discriminator.blocks[0].register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    rendered = batch.window[:, -3:]
    t.discriminator(batch.window, rendered + 0.01)
    torch.testing.assert_close(seen[0][:, :9], batch.window * 2 - 1)
    torch.testing.assert_close(seen[0][:, 9:], torch.full_like(rendered, 0.08))
