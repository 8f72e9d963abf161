import numpy as np
import pytest
from made_up_people import SIDE, person

from repro.animate.sketch import draw_sketch, lip_gap_68, mouth_area, mouth_opening


def landmarks():
    return person("a").landmarks[0].astype(float)


@pytest.mark.parametrize("size", [32, 100, 256])
def test_a_sketch_has_its_size_and_lines_on_the_landmarks(size):
    points = landmarks() * size / SIDE
    sketch = draw_sketch(points, size)
    assert sketch.shape == (size, size) and sketch.dtype == np.uint8
    columns, rows = np.floor(points).astype(int).T
    assert (sketch[rows, columns] > 40).mean() > 0.9
    assert (sketch > 0).mean() < 0.5


def test_lines_are_antialiased_and_follow_fractions_of_a_pixel():
    still, shifted = draw_sketch(landmarks(), SIDE), draw_sketch(landmarks() + 0.25, SIDE)
    assert len(np.unique(still)) > 20
    assert not np.array_equal(still, shifted)


def test_a_shift_of_the_landmarks_shifts_the_sketch():
    still, shifted = draw_sketch(landmarks(), 40), draw_sketch(landmarks() + [3, 2], 40)
    assert np.array_equal(still[4:30, 4:30], shifted[6:32, 7:33])


def test_opening_the_mouth_moves_the_lips_alone():
    points = landmarks()
    opened = points.copy()
    opened[48:, 1] += 1.5
    changed = draw_sketch(points, SIDE) != draw_sketch(opened, SIDE)
    rows = np.flatnonzero(changed.any(1))
    assert len(rows) and rows[0] >= np.floor(points[48:, 1].min()) - 2


@pytest.mark.parametrize("far", [40.0, -300.0, 1e9])
def test_landmarks_out_of_the_picture_are_no_trouble(far):
    half = landmarks()
    half[:17] += far
    assert draw_sketch(half, SIDE)[20:, 10:20].any()  # lips and nose are still there
    assert not draw_sketch(landmarks() + abs(far), SIDE).any()


def test_bad_landmarks_are_refused():
    with pytest.raises(ValueError, match="68"):
        draw_sketch(np.zeros((478, 2)), SIDE)
    lost = landmarks()
    lost[4] = np.nan
    with pytest.raises(ValueError, match="finite"):
        draw_sketch(lost, SIDE)


def test_the_mouths_area_holds_the_lips():
    points = landmarks()
    area = mouth_area(points, SIDE)
    columns, rows = np.floor(points[48:]).astype(int).T
    assert area[rows, columns].mean() > 0.9 and area.mean() < 0.2
    assert not mouth_area(points + 1e9, SIDE).any()


def test_the_mouth_s_opening_is_measured_in_distances_of_the_eyes():
    points = landmarks()
    points[[36, 45]] = [[10, 5], [20, 5]]
    points[[61, 62, 63]], points[[67, 66, 65]] = [15, 20], [15, 22]
    assert lip_gap_68(points) == pytest.approx(2)
    assert mouth_opening(points) == pytest.approx(0.2)
    assert mouth_opening(7 * points) == pytest.approx(0.2)
    assert mouth_opening(np.stack([points, points])).shape == (2,)
