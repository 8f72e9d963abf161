"""Synthetic people."""

import numpy as np

from repro.corpus.people import Lamp, draw_person
from repro.face.light import irradiance


def test_a_seed_always_draws_the_same_person():
    a, b = draw_person(3), draw_person(3)
    np.testing.assert_array_equal(a.identity, b.identity)
    np.testing.assert_array_equal(a.texture, b.texture)
    np.testing.assert_array_equal(a.articulation, b.articulation)
    np.testing.assert_array_equal(a.pose_style.mean_rad, b.pose_style.mean_rad)
    assert (a.voice, a.appearance.hair.style) == (b.voice, b.appearance.hair.style)


def test_people_differ_in_face_voice_hair_and_clothes():
    people = [draw_person(seed) for seed in range(6)]
    identities = np.stack([p.identity for p in people])
    apart = np.linalg.norm(identities[:, None] - identities[None], axis=-1)
    assert apart[~np.eye(6, dtype=bool)].min() > 4
    assert len({p.voice for p in people}) >= 4
    assert len({p.appearance.hair.style for p in people}) >= 4
    assert len({p.appearance.clothes for p in people}) == 3


def test_coefficients_stay_within_two_standard_deviations():
    for seed in range(20):
        person = draw_person(seed)
        assert person.identity.shape == person.texture.shape == (80,)
        assert max(np.abs(person.identity).max(), np.abs(person.texture).max()) <= 2.5


def test_harmonic_light_is_close_to_the_lamp_in_the_display_range():
    lamp = draw_person(1).appearance.lamp
    n = np.random.default_rng(1).normal(size=(500, 3))
    n[:, 2] = -np.abs(n[:, 2])
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    error = irradiance(n, lamp.harmonics()) - lamp.irradiance(n) ** (1 / 2.2)
    assert np.abs(error).mean() < 0.04


def test_a_lamp_without_key_lights_alike_from_all_sides():
    lamp = Lamp(np.array([0.0, 0.0, -1.0]), np.zeros(3), np.full(3, 0.4), np.full(3, 0.4))
    light = lamp.harmonics().reshape(3, 9)
    assert np.abs(light[:, 1:]).max() < 1e-4 and light[:, 0].min() > 0.1
