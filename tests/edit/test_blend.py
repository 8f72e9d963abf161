import numpy as np
import pytest

from repro.edit import masked
from repro.edit.blend import blend, blended, soft_mask
from repro.edit.completion import Completed


@pytest.fixture
def scene(face_of, small):
    """A frame of 64 px, its landmarks, the rectangle of its mouth and the soft mask."""
    points, frame = face_of(3.0)
    rectangle = masked.mouth_rectangle(points, points, margin=0.3, image=(64, 64))
    return frame, points, rectangle, soft_mask(points, points, rectangle, (64, 64), small)


def test_the_soft_mask_is_one_on_the_lips_and_zero_outside_the_rectangle(scene):
    _, _, rectangle, soft = scene
    assert soft[42, 32] == pytest.approx(1, abs=0.01)
    assert (soft[~masked.rectangle_mask(rectangle, (64, 64))] == 0).all()
    assert soft.min() == 0 and soft.max() <= 1


def test_the_soft_mask_holds_the_new_mouth_too(face_of, small):
    (shut, _), (wide, _) = face_of(0.0), face_of(14.0)
    rectangle = masked.mouth_rectangle(shut, wide, margin=0.3, image=(64, 64))
    soft = soft_mask(shut, wide, rectangle, (64, 64), small)
    for x, y in wide[masked.LIPS]:
        assert soft[int(y), int(x)] > 0.5


def test_growing_and_eroding_change_the_mask_by_as_much(scene, small):
    _, points, rectangle, _ = scene
    areas = [
        soft_mask(
            points, points, rectangle, (64, 64), small.model_copy(update={"blend_grow": grow})
        ).sum()
        for grow in (-0.1, 0.0, 0.1)
    ]
    assert areas[0] < areas[1] < areas[2]


def test_bytes_outside_the_mask_stay(scene):
    frame, _, _, soft = scene
    painted = np.random.default_rng(0).integers(0, 256, frame.shape, dtype=np.uint8)
    out = blend(frame, painted, soft)
    assert (out[soft == 0] == frame[soft == 0]).all()
    assert (out[soft > 0.9] != frame[soft > 0.9]).any()


def test_the_frame_blended_over_itself_stays(scene):
    frame, _, _, soft = scene
    assert np.abs(blend(frame, frame, soft).astype(int) - frame).max() <= 1


def test_a_shift_of_colour_disappears(scene):
    frame, _, _, soft = scene
    shifted = (frame.astype(int) + [12, -8, 10]).clip(0, 255).astype(np.uint8)
    out = blend(frame, shifted, soft).astype(int)
    assert np.abs(out - frame).mean(axis=(0, 1)).max() < 0.6
    assert np.abs(out - frame).max() <= 5


def test_a_step_leaves_no_seam(scene):
    frame, _, _, soft = scene
    grey = np.full_like(frame, 120)
    out = blend(grey, np.full_like(frame, 160), soft).astype(int)
    assert np.abs(np.diff(out, axis=0)).max() <= 3 and np.abs(np.diff(out, axis=1)).max() <= 3


def test_an_empty_mask_gives_the_frame(scene):
    frame, _, _, soft = scene
    assert (blend(frame, frame[::-1], np.zeros_like(soft)) == frame).all()


def test_a_mask_at_the_picture_edge_is_blended(face_of, small):
    points, frame = face_of(3.0)
    low = points + [0, 14.0]
    rectangle = masked.mouth_rectangle(low, low, margin=0.3, image=(64, 64))
    assert rectangle[3] == 64
    painted = Completed(np.full_like(frame, 90), rectangle)
    out, soft = blended(frame, painted, low, low, small)
    assert (out[soft == 0] == frame[soft == 0]).all()
    assert (out != frame).any()
