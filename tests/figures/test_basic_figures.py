"""Sheets and close-ups show what they are given, where it belongs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from repro import figures
from repro.face import landmarks as lm


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("part", "points", "shape"),
    [
        ("mouth", lm.LIPS, (60, 60, 3)),
        ("eyes", lm.EYELIDS, (30, 60, 3)),
        ("face", np.arange(lm.COUNT), (60, 60, 3)),
    ],
)
def test_a_closeup_has_its_part_in_the_middle_at_one_scale(part, points, shape):
    frames = np.zeros((3, 96, 96, 3), np.uint8)
    landmarks = np.zeros((3, lm.COUNT, 2))
    rng = np.random.default_rng(0)
    for t, (left, top, width, height) in {1: (40, 60, 20, 10), 2: (10, 20, 10, 4)}.items():
        frames[t, top : top + height, left : left + width] = 255
        corners = [(left, top), (left + width, top + height)]
        landmarks[t, points] = rng.uniform(*corners, (len(points), 2))
        landmarks[t, points[:2]] = corners
    pictures = figures.closeups(frames, landmarks, [1, 2], part=part, width_px=60)
    for picture in pictures:
        assert picture.shape == shape
        rows, columns = np.nonzero(picture[..., 0] > 127)
        middle = (np.array(shape[:2]) - 1) / 2
        assert (rows.mean(), columns.mean()) == pytest.approx(middle, abs=0.5)
    wide, narrow = (np.ptp(np.nonzero(p[..., 0] > 127)[1]) + 1 for p in pictures)
    assert wide == pytest.approx(2 * narrow, abs=2)


def test_rows_of_a_sheet_are_as_high_as_their_pictures():
    square, flat = np.zeros((40, 40, 3), np.uint8), np.zeros((20, 40, 3), np.uint8)
    figure = figures.sheet({"square": [square] * 3, "flat": [flat] * 3})
    figure.draw_without_rendering()
    high, low = (axis.get_window_extent().height for axis in figure.axes[::3])
    assert high == pytest.approx(2 * low, rel=0.1)


@pytest.mark.parametrize(
    ("count", "of", "wanted"), [(3, 11, [0, 5, 10]), (5, 3, [0, 1, 2]), (1, 9, [0])]
)
def test_frames_are_spread_evenly_and_none_is_taken_twice(count, of, wanted):
    assert figures.evenly(count, of).tolist() == wanted
