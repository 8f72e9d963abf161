"""What every training against a discriminator shares: rates, the running average, what is kept."""

import pytest
import torch
from torch import nn

from repro.adversarial import AdversarialTrainer
from repro.checkpoint import Progress, load_checkpoint, save_checkpoint
from repro.fabric import fabric_on


def trainer(**changes) -> AdversarialTrainer[nn.Linear]:
    torch.manual_seed(0)
    given = {
        "planned": 10,
        "lr": 0.1,
        "betas": (0.5, 0.999),
        "decay_from": 0.6,
        "average_decay": 0.9,
    }
    return AdversarialTrainer(
        nn.Linear(2, 1), nn.Linear(1, 1), fabric=fabric_on("cpu"), **given | changes
    )


def push(made: AdversarialTrainer[nn.Linear]) -> torch.Tensor:
    """One step towards larger answers; the weights before it."""
    before = made.generator.weight.detach().clone()
    made.update("generator", -made.run_generator(torch.ones(1, 2)).mean())
    return before


def test_the_rate_stays_and_then_falls_to_zero():
    made, rates = trainer(), []
    for index in range(10):
        made.set_rate(index)
        rates.append([o.param_groups[0]["lr"] for o in made.optimisers.values()])
    wanted = [0.1] * 7 + [0.075, 0.05, 0.025]
    assert rates == [pytest.approx([rate, rate]) for rate in wanted]


def test_an_update_moves_one_network_alone():
    made = trainer()
    other = made.discriminator.weight.detach().clone()
    before = push(made)
    # Adam's first step is as long as its rate, whatever the gradient.
    torch.testing.assert_close(made.generator.weight, before + 0.1)
    assert torch.equal(made.discriminator.weight, other)


def test_the_average_follows_fast_at_first():
    made = trainer()
    before = push(made)
    made.follow(0)  # decay 1/10
    torch.testing.assert_close(made.kept.weight, before + 0.9 * 0.1)
    assert made.kept is made.average
    kept, now = made.kept.weight.detach().clone(), made.generator.weight.detach()
    made.follow(1000)  # decay 0.9, not 1001/1010
    torch.testing.assert_close(made.kept.weight, 0.9 * kept + 0.1 * now)


def test_without_an_average_the_generator_is_kept():
    made = trainer(average_decay=None)
    push(made)
    made.follow(0)
    assert made.kept is made.generator
    assert set(made.modules()) == {"generator", "discriminator"}


def test_a_weight_that_is_no_number_is_found():
    made = trainer()
    assert made.finite()
    with torch.no_grad():
        made.average.bias.fill_(torch.nan)
    assert not made.finite()


def test_a_checkpoint_holds_all_of_it(tmp_path):
    made, again = trainer(), trainer()
    push(made)
    made.follow(0)
    path = tmp_path / "state"
    save_checkpoint(path, Progress(step=1), about="this", **made.state)
    assert load_checkpoint(path, about="this", **again.state).step == 1
    for one in (made, again):  # as if one had never been cut off
        push(one)
        one.follow(1)
    torch.testing.assert_close(made.generator.weight, again.generator.weight)
    torch.testing.assert_close(made.kept.weight, again.kept.weight)
