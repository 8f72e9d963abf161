import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from repro.refine.region import edge_fade, editable_region, face_box


@given(st.integers(0, 90), st.integers(0, 90), st.integers(1, 30), st.integers(1, 30))
def test_the_box_lies_inside_the_image_and_holds_a_face_that_fits(top, left, height, width):
    mask = np.zeros((128, 128), bool)
    mask[top : top + height, left : left + width] = True
    row, column = face_box(mask, (64, 48))
    assert 0 <= row <= 64 and 0 <= column <= 80
    assert mask[row : row + 64, column : column + 48].sum() == mask.sum()


def test_without_a_face_the_box_stands_in_the_middle():
    assert face_box(np.zeros((128, 128), bool), (64, 96)) == (32, 16)


def test_a_head_that_rests_does_not_move_the_box():
    corners = set()
    for shift in range(4):
        mask = np.zeros((128, 128), bool)
        mask[40 + shift : 80 + shift, 44:84] = True
        corners.add(face_box(mask, (64, 48)))
    assert len(corners) == 1


def test_the_editable_region_is_one_on_the_face_and_zero_far_from_it():
    mask = np.zeros((64, 64), np.uint8)
    mask[24:40, 24:40] = 255
    region = editable_region(mask, margin_px=8, feather_px=2.0)
    assert region.dtype == np.float32
    np.testing.assert_allclose(region[26:38, 26:38], 1, atol=1e-4)
    assert region[0].max() == 0 and region[:, 0].max() == 0
    edge = region[32, 40:]
    assert (np.diff(edge) <= 1e-6).all() and 0.2 < region[32, 47] < 0.8


def test_a_box_fades_at_its_edges_but_not_at_the_images():
    fade = edge_fade((0, 16), (64, 96), (128, 112))
    assert fade.shape == (64, 96)
    assert fade[0, 48] == 1 and fade[63, 48] == 0  # the top is the image's own
    assert fade[32, 0] == 0 and fade[32, 95] == 1  # so is the right
    assert fade[32, 48] == 1
    assert (edge_fade((0, 0), (8, 8), (8, 8)) == 1).all()
