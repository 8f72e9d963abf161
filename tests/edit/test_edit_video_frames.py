import numpy as np
import pytest

from repro.edit.blend import soft_mask
from repro.edit.completion import Completer, seeded_network
from repro.edit.masked import mouth_rectangle
from repro.edit.video import edit_frames


@pytest.mark.parametrize("steady", [False, True])
def test_outside_the_mouth_every_byte_stays(person, small, steady):
    settings = small.model_copy(update={"deflicker": steady, "still_px": 0.0})
    completer = Completer(seeded_network(small, seed=0).eval(), settings, "none", ("someone",))
    new = person.landmarks + np.float32([0, 1])
    done = list(edit_frames(person.frames, person.landmarks, new, completer))
    assert len(done) == len(person)
    for t, frame in enumerate(person.frames):
        pair = person.landmarks[t], new[t]
        rectangle = mouth_rectangle(*pair, margin=small.mask_margin, image=person.image)
        soft = soft_mask(*pair, rectangle, person.image, small)
        assert (done[t][soft == 0] == frame[soft == 0]).all()
        assert (done[t][soft > 0.9] != frame[soft > 0.9]).any()
