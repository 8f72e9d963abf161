"""Phi: the person's layer, sentences of any length, and what the discriminator sees."""

import numpy as np
import pytest
import torch

from repro.animate import head_motion
from repro.animate.head_motion import HeadMotionNetwork, MotionJudge, extrapolate, moments


@pytest.fixture
def network(small):
    made = HeadMotionNetwork.untrained(small, seed=0)
    made.mean.copy_(torch.arange(6) / 10)
    made.scale.copy_(torch.arange(1, 7) / 10)
    return made.eval()


def sound(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 28, 12)).astype(np.float32)


def poses(frames, seed=1):
    return np.random.default_rng(seed).normal(size=(frames, 6)).astype(np.float32)


def test_shapes_are_the_paper_s(small):
    """Features (T - tau, 256), and one linear layer from them to six numbers."""
    made = HeadMotionNetwork.untrained(small.model_copy(update={"feature": 256}), seed=0)
    layer = made.person(torch.randn(2, 64, 6), torch.randn(2, 64, 28, 12))
    assert layer.weight.shape == (2, 6, 256)
    assert layer.bias.shape == (2, 6)
    features = made.extrapolator(torch.randn(2, 30, 28, 12))
    assert features.shape == (2, 30, 256)
    assert layer(features).shape == (2, 30, 6)


def test_each_person_has_a_layer_of_their_own(network):
    layer = network.person(torch.randn(2, 16, 6), torch.randn(2, 16, 28, 12))
    features = torch.randn(1, 9, network.settings.feature).expand(2, -1, -1)
    made = layer(features)
    for k in range(2):
        by_hand = features[k] @ layer.weight[k].T + layer.bias[k]
        torch.testing.assert_close(made[k], by_hand)
    assert not torch.allclose(made[0], made[1])


def test_a_long_sentence_in_parts_is_the_same_as_at_once(network, monkeypatch):
    windows = sound(300)
    parts = extrapolate(network, poses(16), sound(16), windows)
    monkeypatch.setattr(head_motion, "_TOGETHER", 1000)
    whole = extrapolate(network, poses(16), sound(16), windows)
    assert parts.shape == (300, 6)
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_motion_is_given_back_in_its_own_units(network):
    made = extrapolate(network, poses(16), sound(16), sound(20))
    inputs = (torch.from_numpy(x)[None] for x in (poses(16), sound(16), sound(20)))
    with torch.inference_mode():
        bare = network(*inputs)[0].numpy()
    wanted = bare * network.scale.numpy() + network.mean.numpy()
    np.testing.assert_allclose(made, wanted, atol=1e-5)


def test_a_reference_may_have_any_length_from_two_frames(network):
    for frames in (2, 40):
        assert extrapolate(network, poses(frames), sound(frames), sound(5)).shape == (5, 6)
    assert extrapolate(network, poses(16), sound(16), sound(0)).shape == (0, 6)
    with pytest.raises(ValueError, match="reference needs"):
        extrapolate(network, poses(16), sound(15), sound(5))
    with pytest.raises(ValueError, match="reference needs"):
        extrapolate(network, poses(1), sound(1), sound(5))


def test_sound_is_heard_as_far_as_the_convolutions_reach(network):
    changed = sound(60)
    changed[30] += 1
    before, after = (extrapolate(network, poses(16), sound(16), x) for x in (sound(60), changed))
    moved = np.flatnonzero(np.abs(after - before).max(1) > 1e-7)
    reach = network.extrapolator.temporal.reach
    assert moved.min() >= 30 - reach
    assert moved.max() <= 30 + reach
    assert 30 in moved


def test_the_discriminator_sees_mean_and_deviation_and_no_order(small):
    judge = MotionJudge.untrained(small, seed=0)
    motion = torch.randn(4, 50, 6)
    shuffled = motion[:, torch.randperm(50)]
    assert judge(motion).shape == (4,)
    torch.testing.assert_close(judge(motion), judge(shuffled), rtol=1e-3, atol=1e-5)
    assert not torch.allclose(judge(motion), judge(2 * motion))
    assert not torch.allclose(judge(motion), judge(motion + 1))


def test_moments_are_means_and_deviations_with_a_slope_at_rest():
    values = torch.randn(3, 40, 2)
    made = moments(values)
    torch.testing.assert_close(made[:, :2], values.mean(1))
    torch.testing.assert_close(made[:, 2:], values.std(1, correction=0), rtol=1e-3, atol=1e-3)
    still = torch.zeros(1, 5, 2, requires_grad=True)
    moments(still).sum().backward()
    assert torch.isfinite(still.grad).all()
