import math

import pytest
import torch
from made_up_people import SMALL

from repro.animate.flow import Warped
from repro.animate.losses import Discriminators, gan_loss, matching_loss, warping_loss


def warped(error, attention, known=1.0):
    shape = (1, 1, 4, 4)
    return Warped(
        torch.full((1, 3, 4, 4), 0.5 + error),
        torch.full(shape, attention, requires_grad=True),
        torch.full(shape, known),
        torch.zeros(1, 2, 4, 4),
    )


REAL = torch.full((1, 3, 4, 4), 0.5)


def test_flow_loss_is_the_distance_and_the_attentions_fit():
    found = warping_loss(warped(0.2, 0.5), REAL).item()
    assert found == pytest.approx(0.2 + 0.5 * 0.2 - 0.02 * math.log(0.5))


def test_attention_is_best_where_it_fits_the_distance():
    losses = [warping_loss(warped(0.2, a), REAL).item() for a in (0.05, 0.1, 0.2)]
    assert losses[1] < min(losses[0], losses[2])  # 0.02 / 0.2
    small = [warping_loss(warped(0.01, a), REAL).item() for a in (0.8, 1.0)]
    assert small[1] < small[0]


def test_unknown_places_count_for_nothing():
    assert warping_loss(warped(0.2, 0.5, known=0.0), REAL).item() == 0


def test_each_scale_sees_frames_half_as_large():
    judges = Discriminators(SMALL.model_copy(update={"scales": 2}))
    verdicts = judges(torch.rand(2, 1, 32, 32), torch.rand(2, 3, 32, 32))
    fine, coarse = (features[0].shape[-1] for _, features in verdicts)
    assert len(verdicts) == 2 and fine == 2 * coarse


def test_verdicts_are_summed_over_the_scales():
    def verdict(value):
        return torch.full((1, 1, 2, 2), value), [torch.full((1, 2, 2, 2), value)]

    made, real = [verdict(0.5), verdict(0.0)], [verdict(1.0), verdict(1.0)]
    assert gan_loss(made, real=True).item() == pytest.approx(0.25 + 1)
    assert gan_loss(made, real=False).item() == pytest.approx(0.25)
    assert matching_loss(real, made).item() == pytest.approx(0.5 + 1)
