"""Eq. 1 and 2."""

import math

import numpy as np
import pytest
import torch

from repro.edit.id_removal import IdRemoval, averaged, identity_loss, stacked
from repro.edit.speech_settings import EditSpeechSettings

SMALL = EditSpeechSettings(components=3, id_lstm_dim=8)


def network() -> IdRemoval:
    torch.manual_seed(0)
    made = IdRemoval(SMALL)
    made.mean.normal_()
    made.scale.uniform_(0.5, 2)
    torch.nn.init.normal_(made.connected.weight)
    return made


def test_an_untrained_network_changes_nothing_and_is_ready_to_learn():
    made = IdRemoval(SMALL)
    sound = torch.randn(4, 100, 12)
    torch.testing.assert_close(made(sound), sound)
    made(sound).square().sum().backward()
    assert made.connected.weight.grad.abs().max() > 0


def test_without_components_the_spectrum_stays_as_it_is():
    made = network()
    made.components.data.zero_()
    sound = torch.randn(4, 100, 12)
    torch.testing.assert_close(made(sound), sound)


def test_the_map_is_the_sum_of_eq_1_and_one_for_all_frames_of_a_window():
    made = network()
    made.components.data.normal_()
    sound = torch.randn(2, 100, 12)
    new = made(sound)
    for b, shares in enumerate(made.shares(sound)):
        w = torch.cat([torch.eye(12), torch.zeros(12, 1)], 1)
        w = w + sum(s * part for s, part in zip(shares, made.components, strict=True))
        for step in (0, 57, 99):
            x = (sound[b, step] - made.mean) / made.scale
            expected = (w @ torch.cat([x, torch.ones(1)])) * made.scale + made.mean
            torch.testing.assert_close(new[b, step], expected, rtol=1e-4, atol=1e-4)


def test_a_voice_that_is_only_shifted_can_be_brought_back():
    """The last column of W takes away a constant: one component and one share are enough."""
    made = IdRemoval(EditSpeechSettings(components=1, id_lstm_dim=4))
    shift = torch.arange(12.0) / 6
    made.components.data.zero_()
    made.components.data[0, :, -1] = -shift
    made.connected.weight.data.zero_()
    made.connected.bias.data.fill_(1.0)
    sound = torch.randn(3, 100, 12)
    torch.testing.assert_close(made(sound + shift), sound)


def test_an_utterance_s_lambda_is_the_mean_of_its_windows():
    shares = torch.tensor([[1.0, 0.0], [5.0, 2.0], [3.0, 4.0], [7.0, 7.0]])
    mean = averaged(shares, torch.tensor([4, 9, 4, 2]))
    torch.testing.assert_close(mean, torch.tensor([[2.0, 2.0], [5.0, 2.0], [2.0, 2.0], [7.0, 7.0]]))


def test_given_shares_take_the_place_of_the_window_s_own():
    made = network()
    made.components.data.normal_()
    sound = torch.randn(2, 100, 12)
    torch.testing.assert_close(made(sound, made.shares(sound)), made(sound))
    torch.testing.assert_close(made(sound, torch.zeros(2, 3)), sound)


def test_stacking_keeps_every_frame_in_its_order_and_the_last_ones():
    sound = torch.arange(2 * 10 * 12).view(2, 10, 12)
    taken = stacked(sound, 4)
    assert taken.shape == (2, 2, 48)
    torch.testing.assert_close(taken.reshape(2, 8, 12), sound[:, 2:])


@pytest.mark.parametrize("speakers", [2, 7, 34])
def test_the_loss_is_least_and_log_n_where_nobody_is_told_apart(speakers):
    alike = torch.full((5, speakers), 3.0)
    assert identity_loss(alike).item() == pytest.approx(math.log(speakers))
    other = alike + torch.randn(5, speakers, generator=torch.Generator().manual_seed(0))
    assert identity_loss(other) > identity_loss(alike)


def test_the_loss_is_eq_2():
    logits = np.random.default_rng(0).normal(size=(3, 4))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    by_hand = np.mean([-sum(np.log(row[c]) / 4 for c in range(4)) for row in p])
    assert identity_loss(torch.from_numpy(logits)).item() == pytest.approx(by_hand)
