import numpy as np
import pytest

from repro.render.flicker import background_flicker

BARE = np.zeros((8, 8), np.uint8)


def film(levels):
    return [(np.full((8, 8, 3), level, np.uint8), BARE) for level in levels]


def test_still_and_evenly_brightening_backgrounds_do_not_flicker():
    assert background_flicker(film([90] * 6)) == 0
    assert background_flicker(film(range(50, 80, 3))) == 0


def test_flicker_is_the_mean_second_difference():
    assert background_flicker(film([100, 110, 100, 110])) == 20
    assert background_flicker(film([0, 255, 0])) == 510
    rng = np.random.default_rng(0)
    noise = np.clip(rng.normal(128, 5, (60, 8, 8, 3)), 0, 255).astype(np.uint8)
    # of independent noise: a normal of deviation sqrt(6) * 5
    expected = np.sqrt(6 * (25 + 1 / 12)) * np.sqrt(2 / np.pi)
    assert background_flicker([(f, BARE) for f in noise]) == pytest.approx(expected, rel=0.03)


def test_a_face_in_any_of_three_frames_does_not_count():
    pictures = film([100] * 5)
    face = BARE.copy()
    face[:4] = 1
    pictures[2][0][:4] = 255
    pictures[2] = (pictures[2][0], face)
    assert background_flicker(pictures) == 0


def test_too_little_to_measure_is_refused():
    with pytest.raises(ValueError, match="three frames"):
        background_flicker(film([1, 2]))
    with pytest.raises(ValueError, match="three frames"):
        background_flicker([(f, BARE + 1) for f, _ in film([1, 2, 3])])
