import numpy as np
import pytest

from repro.edit import masked
from repro.face.landmarks import COUNT, LEFT_PUPIL, LIPS, OUTER_LIPS, RIGHT_PUPIL


def face(opening: float = 0.0, *, seed: int = 0) -> np.ndarray:
    """(478, 2) pixels of a 96 px picture: pupils 20 px apart, a mouth that can open."""
    points = np.random.default_rng(seed).uniform([30, 20], [66, 50], (COUNT, 2))
    points[[RIGHT_PUPIL, LEFT_PUPIL]] = [[38, 35], [58, 35]]
    angle = np.linspace(0, 2 * np.pi, len(LIPS), endpoint=False)
    ring = np.stack([np.cos(angle) * 8, np.sin(angle) * (3 + opening)], axis=-1)
    points[LIPS] = ring + [48, 62]
    jaw = np.linspace(0, np.pi, len(masked.JAW))
    points[masked.JAW] = np.stack([-np.cos(jaw) * 16, np.sin(jaw) * (14 + opening)], -1) + [48, 60]
    points[masked.FOLDS] = np.random.default_rng(1).uniform([40, 50], [56, 60], (9, 2))
    return points


IMAGE = (96, 96)


def test_a_wider_new_mouth_lies_inside_the_rectangle():
    closed, wide = face(), face(6.0)
    left, top, right, bottom = masked.mouth_rectangle(closed, wide, margin=0.1, image=IMAGE)
    for points in (closed, wide):
        region = points[masked.MOUTH_REGION]
        assert (region >= [left, top]).all() and (region <= [right, bottom]).all()
    alone = masked.mouth_rectangle(closed, closed, margin=0.1, image=IMAGE)
    assert alone[3] < bottom


def test_the_rectangle_is_the_same_whichever_mouth_is_the_new_one():
    a, b = (
        masked.mouth_rectangle(one, other, margin=0.1, image=IMAGE)
        for one, other in ((face(), face(6.0)), (face(6.0), face()))
    )
    assert a == b


def test_the_margin_is_a_share_of_the_distance_between_the_pupils():
    narrow = masked.mouth_rectangle(face(), face(), margin=0.0, image=IMAGE)
    wide = masked.mouth_rectangle(face(), face(), margin=0.25, image=IMAGE)
    assert narrow[0] - wide[0] == pytest.approx(5, abs=1)
    assert wide[2] - narrow[2] == pytest.approx(5, abs=1)


def test_a_mouth_at_the_edge_keeps_its_rectangle_in_the_picture():
    low = face() + [40.0, 30.0]
    left, top, right, bottom = masked.mouth_rectangle(low, low, margin=0.2, image=IMAGE)
    assert 0 <= left < right <= 96 and 0 <= top < bottom <= 96


def test_only_what_the_mask_covers_is_hidden():
    rng = np.random.default_rng(0)
    frame, noise = (masked.draw_noise(IMAGE, rng) for _ in range(2))
    mask = masked.rectangle_mask((10, 20, 30, 25), IMAGE)
    seen = masked.hidden(frame, mask, noise)
    assert mask.sum() == 20 * 5
    assert (seen[~mask] == frame[~mask]).all()
    assert (seen[mask] == noise[mask]).all()


def test_the_hull_of_a_rectangle_fills_it():
    corners = np.array([[10.0, 20.0], [30.0, 20.0], [30.0, 40.0], [10.0, 40.0]])
    filled = masked.filled_hull(corners, IMAGE)
    rows, columns = np.nonzero(filled)
    assert filled.sum() == pytest.approx(400, abs=45)
    assert rows.min() + 0.5 == pytest.approx(20, abs=1)
    assert columns.max() + 0.5 == pytest.approx(30, abs=1)


def test_the_region_holds_both_mouths():
    closed, wide = face(), face(6.0)
    region = masked.region_hull(closed, wide, IMAGE)
    for points in (closed, wide):
        for x, y in points[OUTER_LIPS]:
            assert region[int(y), int(x)]


def test_moving_onto_another_head_undoes_a_similarity():
    points = face(3.0)
    angle, size = 0.3, 1.2
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = points @ turn.T + [5.0, -7.0]
    assert masked.moved_onto(turned, points) == pytest.approx(points)


def test_moving_onto_another_head_keeps_the_expression():
    moved = masked.moved_onto(face(6.0) + [12.0, 3.0], face())
    assert moved[LIPS] == pytest.approx(face(6.0)[LIPS])


def test_a_rectangle_without_extent_is_empty():
    assert not masked.rectangle_mask((5, 5, -2, 8), IMAGE).any()
    assert masked.rectangle_mask((-4, -4, 2, 3), IMAGE).sum() == 6
