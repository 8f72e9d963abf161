import math

import pytest
import torch

from repro.refine import losses


def flat(value: float, channels: int = 3, side: int = 4) -> torch.Tensor:
    return torch.full((1, channels, side, side), value)


def test_gan_loss_of_an_undecided_discriminator_is_log_two():
    assert losses.gan_loss(flat(0.0, 1), real=True).item() == pytest.approx(math.log(2))


def test_gan_loss_is_the_cross_entropy_of_the_logit():
    logit = 1.5
    probability = 1 / (1 + math.exp(-logit))
    assert losses.gan_loss(flat(logit, 1), real=True).item() == pytest.approx(
        -math.log(probability)
    )
    assert losses.gan_loss(flat(logit, 1), real=False).item() == pytest.approx(
        -math.log(1 - probability), rel=1e-5
    )


def test_l1_is_twice_the_mean_difference_because_the_scale_is_minus_one_to_one():
    assert losses.l1_loss(flat(0.5), flat(0.25)).item() == pytest.approx(0.5)


def test_weights_choose_the_pixels_of_the_mean():
    real, refined, weights = flat(0.0), flat(0.0), flat(0.0, 1)
    refined[..., 0, 0] = 0.5
    weights[..., 0, :2] = 1
    assert losses.l1_loss(real, refined, weights).item() == pytest.approx(0.5)
    assert losses.l1_loss(real, refined, weights * 0).item() == 0


def test_attention_loss_is_the_mean_square():
    attention = torch.tensor([[[[0.0, 1.0], [0.5, 0.5]]]])
    assert losses.attention_loss(attention).item() == pytest.approx((1 + 0.25 + 0.25) / 4)


def test_smoothness_sums_squared_differences_of_neighbours():
    attention = torch.tensor([[[[0.0, 1.0], [0.5, 0.5]]]])
    expected = 1.0 + 0.0 + 0.25 + 0.25
    assert losses.smoothness_loss(attention).item() == pytest.approx(expected)
    assert losses.smoothness_loss(attention.repeat(3, 1, 1, 1)).item() == pytest.approx(expected)


def test_laplacian_bands_of_a_flat_image_are_zero_and_halve_in_size():
    bands = losses.laplacian_bands(flat(0.7, 3, 16), bands=3)
    assert [b.shape[-1] for b in bands] == [16, 8, 4]
    assert max(b.abs().max().item() for b in bands) < 1e-6


def test_texture_loss_forgives_detail_that_moved_and_gradient_loss_does_not():
    stripes = torch.zeros(1, 3, 32, 32)
    stripes[..., ::2] = 1.0
    shifted = 1 - stripes
    blurred = torch.full_like(stripes, 0.5)
    bands = [losses.laplacian_bands(i, bands=2) for i in (stripes, shifted, blurred)]
    assert losses.texture_loss(bands[0], bands[1]) < 0.1 * losses.texture_loss(bands[0], bands[2])
    assert losses.gradient_loss(bands[0], bands[1]) > losses.gradient_loss(bands[0], bands[2])


def test_feature_loss_is_the_mean_over_layers_and_leaves_the_real_side_alone():
    real = [flat(1.0, 2).requires_grad_(), flat(0.0, 5, 2).requires_grad_()]
    refined = [flat(0.5, 2).requires_grad_(), flat(0.1, 5, 2).requires_grad_()]
    loss = losses.feature_loss(real, refined)
    assert loss.item() == pytest.approx((0.5 + 0.1) / 2)
    loss.backward()
    assert real[0].grad is None and refined[0].grad is not None
