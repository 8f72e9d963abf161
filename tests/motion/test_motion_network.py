"""Eq. 1: sizes of the paper's networks, and the state that is handed on."""

import pytest
import torch

from repro.motion.mapping import MotionMapping
from repro.motion.network import MotionNetwork
from repro.motion.settings import MotionSettings

SMALL = MotionSettings(
    encoder_channels=(4, 4, 4, 4, 8), encoder_hidden=16, encoder_dim=8, lstm_dim=8, lstm_layers=2
)


@pytest.fixture
def network():
    return MotionMapping.untrained(SMALL, seed=0).networks[0].eval()


def sound(frames: int, *, batch: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.randn(batch, frames, 28, 12, generator=torch.Generator().manual_seed(seed))


def test_the_paper_s_layers_have_the_paper_s_sizes():
    with torch.device("meta"):
        network = MotionNetwork(MotionSettings())
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    convolutions = [s for n, s in shapes.items() if "convolutions" in n and len(s) == 4]
    assert [s[:2] for s in convolutions] == [(64, 1), (128, 64), (256, 128), (256, 256), (512, 256)]
    assert all(s[2:] == (3, 3) for s in convolutions)
    connected = [s for n, s in shapes.items() if "connected" in n and len(s) == 2]
    assert connected == [(2048, 512 * 24), (256, 2048)]
    assert shapes["lstm.weight_hh_l2"] == (4 * 256, 256)
    assert "lstm.weight_hh_l3" not in shapes
    assert (shapes["expression_head.weight"], shapes["pose_head.weight"]) == ((64, 256), (6, 256))


def test_motion_has_a_frame_for_every_window(network):
    expression, pose, (h, c) = network(sound(7, batch=3))
    assert expression.shape == (3, 7, 64)
    assert pose.shape == (3, 7, 6)
    assert h.shape == c.shape == (2, 3, 8)


def test_running_on_from_a_state_is_running_through(network):
    whole = network(sound(11))
    first = network(sound(11)[:, :4])
    second = network(sound(11)[:, 4:], first[2])
    for k in range(2):
        torch.testing.assert_close(torch.cat([first[k], second[k]], 1), whole[k])


def test_later_sound_does_not_change_earlier_motion(network):
    changed = sound(9)
    changed[:, 5:] += 1
    before, after = network(sound(9))[0], network(changed)[0]
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_scales_stand_around_the_network(network):
    expression, pose, _ = network(sound(5))
    network.mfcc_mean += 3
    network.mfcc_scale *= 2
    network.expression_mean += 1
    network.expression_scale *= 4
    network.pose_scale *= 5
    moved = network(2 * sound(5) + 3)
    torch.testing.assert_close(moved[0], 4 * expression + 1)
    torch.testing.assert_close(moved[1], 5 * pose)


def test_weights_are_drawn_from_the_seed_alone():
    torch.manual_seed(1)
    first = MotionMapping.untrained(SMALL, seed=5).state_dict()
    torch.manual_seed(2)
    again = MotionMapping.untrained(SMALL, seed=5).state_dict()
    other = MotionMapping.untrained(SMALL, seed=6).state_dict()
    key = "networks.0.expression_head.weight"
    assert torch.equal(first[key], again[key])
    assert not torch.equal(first[key], other[key])
