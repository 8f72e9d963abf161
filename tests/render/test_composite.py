"""The face over its background."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.render.composite import composite, feathered
from repro.render.shade import Rendering

SHAPE = (20, 30)


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*SHAPE, 3), np.uint8)


def disc(coverage: float = 1.0) -> Rendering:
    i, j = np.mgrid[:20, :30]
    inside = (i - 9) ** 2 + (j - 14) ** 2 < 64
    image = np.where(inside[..., None], [0.2, 0.4, 1.0], 0).astype(np.float32)
    return Rendering(image, np.where(inside, coverage, 0).astype(np.float32))


def test_outside_the_face_the_background_is_untouched():
    background = picture()
    kept = background.copy()
    result = composite(disc(), background)
    outside = disc().coverage == 0
    np.testing.assert_array_equal(result[outside], background[outside])
    np.testing.assert_array_equal(background, kept)
    assert result.dtype == np.uint8


def test_inside_the_face_only_the_face_is_seen():
    result = composite(disc(), picture())
    assert (result[disc().coverage == 1] == [51, 102, 255]).all()


@given(coverage=st.floats(0, 1, width=32))
def test_the_edge_mixes_in_proportion(coverage):
    background = picture(1)
    result = composite(disc(coverage), background)
    face = disc().image * 255
    expected = np.where(
        disc().coverage[..., None] > 0, coverage * face + (1 - coverage) * background, background
    )
    np.testing.assert_allclose(result, expected, atol=0.51)


def test_feathering_fades_inwards_and_never_outwards():
    whole = disc().coverage
    soft = feathered(whole, feather_px=4)
    assert (soft <= whole).all() and soft[9, 14] == 1
    row = soft[9, 6:15]
    assert (np.diff(row) >= 0).all() and 0 < row[1] < 0.2
    background = picture()
    result = composite(disc(), background, feather_px=4)
    np.testing.assert_array_equal(result[whole == 0], background[whole == 0])


def test_the_image_border_is_not_feathered():
    assert (feathered(np.ones(SHAPE, np.float32), feather_px=3) == 1).all()


def test_another_size_of_background_is_refused():
    with pytest.raises(ValueError, match="background"):
        composite(disc(), picture()[:-1])
