import numpy as np
import pytest

from repro.reconstruct.detect import detect_image
from repro.reconstruct.landmarker import Searcher, square, view
from repro.reconstruct.search import _levels, faces_anywhere, faces_in_whole


@pytest.mark.parametrize("face_px", [40, 60, 100, 200, 420])
def test_faces_from_40_px_to_half_the_frame_are_found_where_they_are(portrait, face_px):
    at = (820, 180) if face_px < 300 else (300, -60)
    picture, true = portrait.placed(face_px, at, (1280, 720))
    points = detect_image(picture)
    assert points is not None
    assert portrait.error_percent(points, true) < (8 if face_px < 60 else 5)


def test_a_face_turned_by_45_degrees_is_found_when_small(turned_portrait):
    picture, true = turned_portrait.placed(50, (600, 300), (1280, 720))
    points = detect_image(picture)
    assert points is not None
    assert turned_portrait.error_percent(points, true) < 15


def test_a_face_that_fills_the_frame_is_found(portrait):
    low, high = portrait.points.min(0), portrait.points.max(0)
    (left, top), (right, bottom) = np.rint([low + 8, high - 8]).astype(int)
    points = detect_image(portrait.image[top:bottom, left:right])
    assert points is not None
    assert portrait.error_percent(points + [left, top], portrait.points) < 6


def test_the_picture_is_searched_in_parts_only_when_the_whole_shows_nothing(portrait):
    picture, _ = portrait.placed(60, (800, 300), (1280, 720))
    with Searcher() as searcher:
        assert faces_in_whole(searcher, picture) == []
        assert len(faces_anywhere(searcher, picture)) == 1


def test_parts_of_every_level_cover_the_picture_and_overlap_by_half():
    for crops in list(_levels(1920, 1080))[1:]:
        seen = np.zeros((1080, 1920), int)
        for crop in crops:
            top, left = max(0, crop.top), max(0, crop.left)
            seen[top : crop.top + crop.side, left : crop.left + crop.side] += 1
        assert (seen[4:-4, 4:-4] >= 1).all()
        assert np.mean(seen >= 2) > 0.5
    assert crops[0].side == pytest.approx(40 / 0.17, abs=2)


def test_a_view_shows_black_beyond_the_picture_and_keeps_places():
    image = np.zeros((60, 80, 3), np.uint8)
    image[10:20, 30:40] = 200
    crop = square(np.array([35.0, 15.0]), 40, least_px=80, most_px=500)
    shown = view(image, crop)
    assert shown.shape == (80, 80, 3)
    assert (shown[:9] == 0).all()
    rows, columns = np.nonzero(shown[..., 0] > 100)
    corners = [[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]]
    np.testing.assert_allclose(crop.to_source(np.array(corners)), [[30, 10], [40, 20]], atol=0.6)


def test_a_view_far_outside_the_picture_is_black():
    crop = square(np.array([-500.0, 30.0]), 40, least_px=40, most_px=80)
    assert (view(np.full((60, 80, 3), 9, np.uint8), crop) == 0).all()


def test_large_views_are_shrunk_by_a_whole_number():
    crop = square(np.array([700.0, 700.0]), 1234, least_px=256, most_px=512)
    assert crop.size <= 512 and crop.side / crop.size == 3
