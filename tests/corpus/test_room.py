"""Places behind synthetic people."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from repro.corpus.people import draw_person
from repro.corpus.room import ROOMS, room_image

COLOURS = draw_person(0).appearance.room_colours


@pytest.mark.parametrize("kind", ROOMS)
def test_a_seed_always_shows_the_same_place_and_another_seed_another(kind):
    one, again, other = (room_image(kind, COLOURS, size_px=64, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).mean() > 0.01


@pytest.mark.parametrize("kind", ROOMS)
def test_a_larger_picture_shows_the_same_place(kind):
    small, large = (room_image(kind, COLOURS, size_px=s, seed=5) for s in (128, 256))
    assert small.shape == (128, 128, 3) and small.dtype == np.float32
    assert np.isfinite(large).all() and small.min() > 0
    halved = cv2.resize(large, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(halved - small).mean() < 0.03


@pytest.mark.parametrize("kind", ROOMS)
def test_places_are_out_of_focus(kind):
    image = room_image(kind, COLOURS, size_px=256, seed=1) ** (1 / 2.2)
    assert np.abs(np.diff(image, axis=1)).max() < 0.25


def test_neighbouring_people_sit_in_different_places():
    kinds = [draw_person(seed).appearance.room for seed in range(36)]
    assert set(kinds) == set(ROOMS)
    assert all(a != b for a, b in pairwise(kinds))
    assert set(kinds[1::2]) == set(ROOMS), "places do not go with voices"
