import pytest
import torch
from made_up_people import SMALL
from torch.nn import functional as nnf

from repro.animate.composition import Decoder, Layer, Spade, convolve_each, matte, shares
from repro.animate.flow import FlowNetwork, Warped, warp


def pictures(channels=3, seed=0):
    return torch.rand(2, channels, 32, 32, generator=torch.Generator().manual_seed(seed))


def test_zero_flow_changes_nothing():
    assert torch.allclose(warp(pictures(), torch.zeros(2, 2, 32, 32)), pictures(), atol=1e-5)


def test_flow_is_in_pixels_right_and_down():
    flow = torch.zeros(2, 2, 32, 32)
    flow[:, 0], flow[:, 1] = 3, -2
    moved = warp(pictures(), flow)
    assert torch.allclose(moved[:, :, 2:, :-3], pictures()[:, :, :-2, 3:], atol=1e-5)
    half = torch.zeros(2, 2, 32, 32)
    half[:, 0] = 0.5
    mean = (pictures()[..., :-1] + pictures()[..., 1:]) / 2
    assert torch.allclose(warp(pictures(), half)[..., :-1], mean, atol=1e-5)


def test_matting_keeps_where_attention_is_zero_and_replaces_where_it_is_one():
    raw, image = pictures(), pictures(seed=1)
    attention = torch.zeros(2, 1, 32, 32)
    assert torch.equal(matte(raw, image, attention), raw)
    assert torch.equal(matte(raw, image, attention + 1), image)
    assert torch.allclose(matte(raw, image, attention + 0.25), 0.75 * raw + 0.25 * image)


@pytest.mark.parametrize("warping", [True, False])
def test_untrained_flow_is_zero_and_unknown_places_get_no_attention(warping):
    network = FlowNetwork(SMALL.model_copy(update={"warping": warping}))
    coverage = (pictures(1) > 0.5).float()
    found = network(pictures(), coverage, pictures(1, 2), pictures(1, 3))
    assert not found.flow.any()
    assert torch.allclose(found.image, pictures(), atol=1e-5)
    assert torch.allclose(found.attention, 0.5 * coverage, atol=1e-5)
    assert torch.allclose(found.known, coverage, atol=1e-5)


def test_without_warping_no_weight_makes_flow():
    network = FlowNetwork(SMALL.model_copy(update={"warping": False}))
    torch.nn.init.normal_(network.last.weight)
    whole = torch.ones(2, 1, 32, 32)
    found = network(pictures(), whole, pictures(1, 2), pictures(1, 3))
    assert torch.equal(found.image, pictures()) and not found.flow.any()


@pytest.mark.parametrize("size", [1, 3])
def test_each_sample_is_convolved_with_its_own_kernel(size):
    x, weight = torch.rand(3, 2, 6, 6), torch.randn(3, 5, 2, size, size)
    expected = [nnf.conv2d(x[k : k + 1], weight[k], padding=size // 2) for k in range(3)]
    assert torch.allclose(convolve_each(x, weight), torch.cat(expected), atol=1e-5)


def test_spade_with_silent_maps_gives_back_what_came_in():
    block = Spade(4, 3)
    torch.nn.init.zeros_(block.maps.weight)
    torch.nn.init.zeros_(block.maps.bias)
    x = torch.rand(1, 4, 5, 5)
    assert torch.equal(block(x, torch.rand(1, 3, 5, 5)), x)
    with torch.no_grad():
        block.maps.bias[:4], block.maps.bias[4:] = 1.0, 0.5
    assert torch.allclose(block(x, torch.rand(1, 3, 5, 5)), 2 * x + 0.5)


def test_images_share_each_place_by_the_squares_of_their_attention():
    maps = torch.tensor([[0.5, 0.25], [0.8, 0.0]]).view(2, 2, 1, 1)
    assert torch.allclose(shares(maps).flatten(1), torch.tensor([[0.8, 0.2], [1.0, 0.0]]))
    assert torch.equal(shares(maps[:, :1]), torch.ones(2, 1, 1, 1))
    assert torch.isfinite(shares(torch.zeros(1, 2, 3, 3))).all()


def test_a_place_far_from_all_others_is_cut_off():
    x = torch.zeros(1, 1, 8, 8)
    x[..., 6, 7] = 50.0  # among 64 places it lies sqrt(63) standard deviations off the mean
    none = torch.zeros(1, 1, 8, 8)
    free, cut = (Layer([], farthest=far)(x, none, none, []) for far in (0.0, 3.0))
    assert free.max() == pytest.approx(63**0.5, rel=1e-3)
    assert cut.max() == pytest.approx(3.0)
    elsewhere = x == 0
    assert torch.equal(free[elsewhere], cut[elsewhere])


@pytest.mark.parametrize("images", [0, 1, 2])
def test_all_that_the_decoder_is_given_counts(images):
    decoder = Decoder(SMALL, images=images)
    appearance = torch.rand(2, 8, 8, 8, requires_grad=True)
    codes = [torch.rand(2, 8, requires_grad=True) for _ in range(3)]
    sketch = pictures(1).requires_grad_(True)
    shown = [pictures(seed=k).requires_grad_(True) for k in range(images)]
    one = torch.ones(2, 1, 32, 32)
    warped = [Warped(p, one, one, torch.zeros(2, 2, 32, 32)) for p in shown]
    made = decoder(appearance, codes, sketch, warped)
    assert made.shape == (2, 3, 32, 32) and made.min() >= 0 and made.max() <= 1
    (made**2).sum().backward()
    for tensor in (appearance, sketch, *codes, *shown):
        assert tensor.grad.abs().sum() > 0
