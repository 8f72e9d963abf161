"""Pictures of notebook 12."""

import numpy as np
import pandas as pd
import pytest

from repro.edit.completion import Completer, seeded_network
from repro.edit.masked import JAW
from repro.edit.target import EditedTarget
from repro.edit.video_settings import EditVideoSettings
from repro.face.landmarks import COUNT, LEFT_PUPIL, LIPS, RIGHT_PUPIL
from repro.figures import editing

SETTINGS = EditVideoSettings(
    ngf=4, levels=3, ndf=4, discriminator_layers=1, context=0.1, keep_outside=True, blend_grow=0.1,
)  # fmt: skip


@pytest.fixture
def edited():
    points = np.tile(np.array([32.0, 20.0], np.float32), (5, COUNT, 1))
    points[:, RIGHT_PUPIL], points[:, LEFT_PUPIL] = [22, 20], [42, 20]
    turn = np.linspace(0, 2 * np.pi, len(LIPS))
    points[:, LIPS] = np.stack([32 + 8 * np.cos(turn), 42 + 4 * np.sin(turn)], axis=-1)
    points[:, JAW] = np.stack([np.linspace(20, 44, len(JAW)), np.full(len(JAW), 52)], -1)
    shown = np.array([2, 3, 2, 1, 0])
    return EditedTarget(shown, np.zeros((5, 64), np.float32), points, points)


def test_every_step_is_shown_of_the_moments_asked_for(edited):
    frames = np.random.default_rng(0).integers(90, 110, (4, 64, 64, 3), dtype=np.uint8)
    completer = Completer(seeded_network(SETTINGS, seed=0).eval(), SETTINGS, "none", ("one",))
    figure = editing.steps(frames, edited, completer, [0, 3])
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == [
        "target", "hidden", "heat map", "painted", "blended",
    ]  # fmt: skip
    pictures = [axis.images[0].get_array() for axis in figure.axes]
    np.testing.assert_array_equal(pictures[0], frames[2])
    np.testing.assert_array_equal(pictures[1], frames[1])
    assert pictures[4].max() > 0.5  # a heat map
    np.testing.assert_array_equal(pictures[8][:10], frames[2][:10])  # beyond the mask


def test_the_frames_shown_stand_over_the_sound(edited, made_up_track):
    figure = editing.retiming(np.zeros(5 * 640, np.float32), edited, made_up_track)
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), edited.shown / 25)


def test_each_voice_has_its_colour_in_both_panels():
    places = pd.DataFrame(
        {"x": range(6), "y": range(6), "speaker": ["a/0", "a/1", "b/0"] * 2,
         "method": ["BL"] * 3 + ["+IR"] * 3}
    )  # fmt: skip
    figure = editing.speakers(places)
    assert [len(axis.collections) for axis in figure.axes] == [2, 2]
    assert [axis.get_title() for axis in figure.axes] == ["MFCCs", "after ID removal"]
