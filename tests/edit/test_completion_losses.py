import pytest
import torch
from safetensors.torch import save_file

from repro.edit import completion_losses as terms
from repro.errors import UserError
from repro.reconstruct.resnet import trunk


def test_lsgan_is_the_squared_distance_from_the_wanted_verdict():
    logits = torch.tensor([[[[0.5, 1.0], [2.0, -1.0]]]])
    real, made = (terms.adversarial_loss(logits, real=real).item() for real in (True, False))
    assert real == pytest.approx((0.25 + 0 + 1 + 4) / 4)
    assert made == pytest.approx((0.25 + 1 + 4 + 1) / 4)


def test_variation_of_a_ramp_is_its_slope():
    ramp = torch.arange(4.0).repeat(5, 1)[None, None].expand(1, 3, 5, 4)
    assert terms.variation_loss(0.1 * ramp).item() == pytest.approx(0.1)
    assert terms.variation_loss(0.1 * ramp.transpose(2, 3)).item() == pytest.approx(0.1)


def test_variation_of_a_chessboard_counts_both_directions():
    board = (torch.arange(4)[:, None] + torch.arange(4)) % 2
    assert terms.variation_loss(board.float()[None, None]).item() == pytest.approx(2)


def test_penalty_of_a_linear_judge_is_its_gradients_distance_from_one():
    real, made = torch.rand(2, 2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    slope = torch.zeros(3, 4, 4)
    slope[0, 0, 0], slope[1, 2, 3] = 3.0, 4.0  # norm 5

    def judge(frames):
        return (frames * slope).sum(dim=(1, 2, 3)).view(-1, 1, 1, 1)

    mix = torch.tensor([0.2, 0.9])
    assert terms.gradient_penalty(judge, real, made, mix).item() == pytest.approx(16)


def test_penalty_is_taken_between_the_frames_and_trains_the_judge_alone():
    real, made = torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2, requires_grad=True)
    gain = torch.tensor(1.0, requires_grad=True)

    def judge(frames):  # gradient of the verdict at mix m: 2 gain m in each of 12 numbers
        return gain * (frames**2).sum(dim=(1, 2, 3)).view(-1, 1, 1, 1)

    penalty = terms.gradient_penalty(judge, real, made, torch.tensor([0.25]))
    norm = 12**0.5 * 2 * 0.25
    assert penalty.item() == pytest.approx((norm - 1) ** 2)
    penalty.backward()
    assert gain.grad.item() == pytest.approx(2 * (norm - 1) * norm)
    assert made.grad is None


def test_perceptual_loss_sums_the_scales_mean_squares():
    network = terms.PerceptualNetwork("two", lambda x: [x, 2 * x[:, :1]], torch.nn.Identity())
    a, b = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    b[0, 0, 0, 0] = 0.5
    expected = 0.25 / 48 + 1.0 / 16
    assert terms.perceptual_loss(network, a, b).item() == pytest.approx(expected)


def test_perceptual_gradients_reach_the_picture_but_not_the_network():
    network = terms.trunk_network(trunk("basic", [1, 1, 1, 1], width=4, pooled=1))
    made = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    terms.perceptual_loss(network, torch.zeros_like(made), made).backward()
    assert made.grad.abs().sum() > 0
    assert all(p.grad is None for p in network.module.parameters())
    assert not network.module.training


def test_vgg_gives_the_four_scales_of_johnson():
    found = terms.Vgg16()(torch.zeros(1, 3, 32, 32))
    assert [tuple(f.shape[1:]) for f in found] == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
    ]
    assert all((f >= 0).all() for f in found)


def test_vgg_weights_are_read_by_torchvisions_names(tmp_path):
    state = terms.Vgg16().state_dict()
    assert "features.21.weight" in state  # conv4_3
    save_file({**state, "classifier.0.bias": torch.zeros(1)}, tmp_path / "vgg.safetensors")
    network = terms.vgg16_network(tmp_path / "vgg.safetensors")
    assert network.name == terms.VGG16
    loaded = network.module.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())


def test_other_weights_are_refused(tmp_path):
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="torchvision"):
        terms.vgg16_network(tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="missing"):
        terms.vgg16_network(tmp_path / "missing.safetensors")
