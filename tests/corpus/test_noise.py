"""Smooth noise."""

import numpy as np

from repro.corpus.noise import noise_table, value_noise_at


def test_noise_is_smooth_repeats_and_has_no_bias():
    table = noise_table()
    points = np.random.default_rng(0).uniform(0, 64, (4000, 3))
    noise = value_noise_at(table, points)
    assert abs(noise.mean()) < 0.05
    np.testing.assert_allclose(value_noise_at(table, points + 64), noise, atol=1e-6)
    assert np.abs(value_noise_at(table, points + 0.01) - noise).max() < 0.25
