"""Words in the place of others."""

import numpy as np
import pytest

from repro import SAMPLE_RATE
from repro.errors import UserError
from repro.speech.splice import splice

SECOND = np.full(SAMPLE_RATE, 0.5, np.float32)


def test_outside_the_stretch_every_sample_stays_and_inside_are_the_words():
    sound = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    made = splice(sound, -SECOND[:4000], 0.25, 0.5)
    assert len(made) == SAMPLE_RATE
    np.testing.assert_array_equal(made[:4000], sound[:4000])
    np.testing.assert_array_equal(made[8000:], sound[8000:])
    np.testing.assert_array_equal(made[4160:7840], -0.5)


def test_words_may_be_longer_or_shorter_than_what_they_replace():
    assert len(splice(SECOND, SECOND[:8000], 0.5, 0.75)) == SAMPLE_RATE + 4000
    assert len(splice(SECOND, SECOND[:800], 0.5, 0.75)) == SAMPLE_RATE - 3200


def test_the_same_sound_put_into_itself_stays_the_same():
    np.testing.assert_allclose(splice(SECOND, SECOND[:4000], 0.25, 0.5), SECOND, atol=1e-6)


@pytest.mark.parametrize("place", [(0.6, 0.5), (-0.1, 0.5), (0.5, 1.5)])
def test_a_stretch_outside_the_sound_is_refused(place):
    with pytest.raises(UserError, match=r"does not lie in a sound of 1\.00 s"):
        splice(SECOND, SECOND[:4000], *place)


def test_words_too_short_are_refused():
    with pytest.raises(UserError, match="less than"):
        splice(SECOND, SECOND[:100], 0.2, 0.4)
