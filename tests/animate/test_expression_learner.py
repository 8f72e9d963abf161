"""Psi: shapes, and what is added back."""

import numpy as np
import pytest
import torch

from repro.animate.expression import ExpressionNetwork, spoken_components, spoken_landmarks
from repro.animate.landmark_pca import LandmarkPca


@pytest.fixture
def network(small, talkers):
    landmarks = np.concatenate([c.landmarks for clips in talkers(0, 3) for c in clips])
    network = ExpressionNetwork.untrained(small, seed=0)
    network.set_pca(LandmarkPca.fit(landmarks, small.components))
    return network.eval()


def test_the_reference_is_added_back(network):
    windows = np.random.default_rng(0).normal(size=(5, 28, 12)).astype(np.float32)
    reference = np.linspace(-1, 1, 6, dtype=np.float32)
    made = spoken_components(network, windows, reference)
    change = network(torch.from_numpy(windows), torch.from_numpy(reference).expand(5, -1))
    np.testing.assert_allclose(made, reference + change.detach().numpy(), atol=1e-5)


def test_landmarks_are_the_reversed_pca_of_the_components(network, talkers):
    clip = talkers(0, 1)[0][0]
    made = spoken_landmarks(network, clip.sound, clip.reference)
    assert made.shape == (len(clip), 68, 3)
    own = network.pca.components_of(clip.reference)
    components = spoken_components(network, clip.sound, own)
    np.testing.assert_allclose(made, network.pca.landmarks_of(components), atol=1e-6)


def test_who_learned_no_change_shows_the_reference(network, talkers):
    clip = talkers(0, 1)[0][0]
    network.answer_scale.zero_()
    made = spoken_landmarks(network, clip.sound, clip.reference)
    shown = network.pca.landmarks_of(network.pca.components_of(clip.reference))
    np.testing.assert_allclose(made, np.tile(shown, (len(clip), 1, 1)), atol=1e-6)


def test_no_sound_is_no_frames_and_long_sound_is_its_parts(network):
    windows = np.random.default_rng(1).normal(size=(530, 28, 12)).astype(np.float32)
    reference = np.zeros(6, np.float32)
    whole = spoken_components(network, windows, reference)
    assert whole.shape == (530, 6)
    np.testing.assert_allclose(
        whole[500:], spoken_components(network, windows[500:], reference), atol=1e-5
    )
    assert spoken_components(network, windows[:0], reference).shape == (0, 6)


def test_random_weights_are_their_seed_s(small):
    first, again, other = (
        ExpressionNetwork.untrained(small, seed=s).regression.weight for s in (0, 0, 1)
    )
    torch.testing.assert_close(first, again)
    assert not torch.allclose(first, other)
