import numpy as np
import pytest

from repro.errors import UserError
from repro.reconstruct.detect import _follow_main_face, bridge, detect, detect_image


def face(x, y, size, score):
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (478, 2)) * size + [x, y]
    return points.astype(np.float32), np.full(52, score, np.float32)


def test_lost_frames_are_bridged_linearly():
    found = np.array([True, False, False, True, False])
    values = np.array([[0.0, 3.0], [9, 9], [9, 9], [3.0, 0.0], [9, 9]], np.float32)
    np.testing.assert_allclose(bridge(values, found), [[0, 3], [1, 2], [2, 1], [3, 0], [3, 0]])


def test_the_larger_steadier_face_is_followed():
    large = [face(100 + t, 100, 80, 0.9) for t in range(10)]
    small = [face(300, 120, 30, 0.1) for _ in range(10)]
    seen = [[small[t], large[t]] if t % 2 else [large[t], small[t]] for t in range(10)]
    seen[4] = [small[4]]
    points, scores, found = _follow_main_face(seen)
    np.testing.assert_array_equal(found, np.arange(10) != 4)
    np.testing.assert_allclose(points[found].mean((1, 2)), 100 + np.r_[:4, 5:10] / 2, atol=3)
    np.testing.assert_allclose(scores[found], 0.9)


def test_a_face_that_passes_through_briefly_does_not_win():
    steady = [face(100, 100, 50, 0.5) for _ in range(20)]
    seen = [[f] for f in steady]
    seen[7] = [steady[7], face(300, 100, 90, 0.1)]
    _, scores, found = _follow_main_face(seen)
    assert found.all()
    np.testing.assert_allclose(scores, 0.5)


def test_a_clip_without_a_face_is_refused_by_name():
    grey = (np.full((120, 160, 3), 128, np.uint8) for _ in range(3))
    with pytest.raises(UserError, match=r"'empty\.mp4'.*no face in any of 3 frames"):
        detect(grey, name="empty.mp4")


def test_a_picture_without_a_face_has_no_landmarks():
    assert detect_image(np.full((120, 160, 3), 128, np.uint8)) is None
