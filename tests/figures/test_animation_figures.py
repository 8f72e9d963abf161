"""Pictures of notebook 11."""

import numpy as np
from made_up_people import SMALL, person

from repro.animate.animate import Animator
from repro.animate.drive import seen
from repro.animate.generator import seeded_generator
from repro.figures import animation


def test_each_person_has_a_column_and_each_clip_a_line():
    motions = {"one": [np.zeros((25, 6)), np.ones((30, 6))], "two": [np.zeros((20, 6))]}
    figure = animation.rhythms(motions)
    assert [len(axis.lines) for axis in figure.axes] == [2, 1] * 3
    line = figure.axes[0].lines[1]
    np.testing.assert_allclose(line.get_ydata(), np.rad2deg(1))
    assert line.get_xdata()[-1] == 29 / 25


def test_steps_show_what_the_generator_sees_and_makes():
    known, wanted = person("one", frames=5), person("one", frames=9)[6:]
    animator = Animator(seeded_generator(SMALL, seed=0).eval(), SMALL, "none", 0)
    figure = animation.steps(animator, known, seen(wanted), [0, 2], real=wanted.frames)
    names = [axis.get_ylabel() for axis in figure.axes[::2]]
    assert names == ["landmarks", "projected", "matched", "made", "real"]
    pictures = [axis.images[0].get_array() for axis in figure.axes]
    np.testing.assert_array_equal(pictures[9], wanted.frames[2])
    assert any(np.array_equal(pictures[4], frame) for frame in known.frames)
    assert pictures[0].max() > 100  # a sketch
