"""Crops laid back into their source frames."""

import cv2
import numpy as np
import pytest

from repro.corpus.clip import open_clip
from repro.corpus.video import VideoWriter
from repro.face.camera import Crop
from repro.reconstruct.crop import cut
from repro.render.full_frame import FullFrame, SourceFrames, change_weight

CROP = Crop(left=70.3, top=21.6, side=200.0, size=128)
WHOLE = FullFrame(CROP, 321, 241)


@pytest.fixture(scope="module")
def source():
    """A soft picture with fine grain, (241, 321, 3) uint8."""
    rng = np.random.default_rng(0)
    coarse = cv2.resize(rng.uniform(40, 200, (8, 10, 3)), (321, 241), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + rng.normal(0, 12, (241, 321, 1)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def shown(source):
    return crop_of(source)


def crop_of(source, crop=CROP):
    return cut(source, crop)


def disc(centre=(64, 64), radius=25, size=128):
    y, x = np.mgrid[:size, :size] + 0.5
    return (np.hypot(x - centre[0], y - centre[1]) < radius).astype(np.uint8)


def test_an_unchanged_crop_leaves_the_source_as_it_is(source, shown):
    out = WHOLE.paste(source, shown, shown, disc())
    np.testing.assert_array_equal(out, source[:240, :320])


def test_odd_sizes_become_even():
    assert WHOLE.size == (320, 240)
    assert FullFrame(CROP, 64, 48).size == (64, 48)


def test_beyond_the_face_the_source_is_untouched(source, shown):
    mask = disc()
    made = np.where(mask[..., None] > 0, 255 - shown, shown)
    out = WHOLE.paste(source, shown, made, mask)
    y, x = np.mgrid[:240, :320] + 0.5
    u, v = np.moveaxis(CROP.to_crop(np.stack([x, y], -1)), -1, 0)
    far = np.hypot(u - 64, v - 64) > 25 + 12 + 14 + 4
    np.testing.assert_array_equal(out[far], source[:240, :320][far])
    assert (out != source[:240, :320]).any()


def test_on_the_face_the_picture_is_the_generated_one(source, shown):
    mask = disc()
    made = np.full_like(shown, 30)
    made[mask == 0] = shown[mask == 0]
    out = WHOLE.paste(source, shown, made, mask)
    back = crop_of(out)
    core = disc(radius=15) > 0
    assert np.abs(back[core].astype(int) - 30).mean() < 2
    assert back[core].std() < 3  # none of the source's grain shines through


def test_fine_detail_stays_where_little_changes(source, shown):
    mask = disc(radius=40)
    made = np.clip(shown.astype(int) + 3 * mask[..., None], 0, 255).astype(np.uint8)
    out = WHOLE.paste(source, shown, made, mask)
    y, x = (int(v) for v in CROP.to_source(np.array([64, 64]))[::-1])
    core = np.s_[y - 15 : y + 15, x - 15 : x + 15]
    grain = source[core].astype(float) - cv2.GaussianBlur(source, (0, 0), 3)[core]
    kept = out[core].astype(float) - cv2.GaussianBlur(out, (0, 0), 3)[core]
    assert np.corrcoef(grain.ravel(), kept.ravel())[0, 1] > 0.98
    assert kept.std() > 0.9 * grain.std()


def test_a_tint_of_the_whole_crop_is_taken_out(source, shown):
    tinted = np.clip(shown.astype(int) + [12, -8, 5], 0, 255).astype(np.uint8)
    out = WHOLE.paste(source, shown, tinted, disc(radius=30))
    assert np.abs(out.astype(int) - source[:240, :320]).mean() < 0.5
    assert np.abs(out.astype(int) - source[:240, :320]).max() < 8


@pytest.mark.parametrize("place", [(64, 64), (50.5, 71.5)])
def test_what_is_made_comes_to_lie_where_the_crop_was_cut(source, shown, place):
    plain = np.full_like(source, 100)
    shown = crop_of(plain)
    y, x = np.mgrid[:128, :128] + 0.5
    spot = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 18)
    made = np.clip(shown + 100 * spot[..., None], 0, 255).astype(np.uint8)
    out = WHOLE.paste(plain, shown, made, disc(radius=45)).astype(float)[..., 0] - 100
    y, x = np.mgrid[:240, :320] + 0.5
    centre = np.array([(x * out).sum(), (y * out).sum()]) / out.sum()
    np.testing.assert_allclose(centre, CROP.to_source(np.array(place)), atol=0.15)


def test_no_seam_is_seen_at_the_edge_of_the_change(source, shown):
    mask = disc(radius=30)
    made = np.clip(shown.astype(int) + 40 * mask[..., None], 0, 255).astype(np.uint8)
    made = np.where(mask[..., None] > 0, made, shown)
    soft = cv2.GaussianBlur(made.astype(np.float32) - shown, (0, 0), 4)  # as a face is feathered
    made = np.clip(shown + soft, 0, 255).astype(np.uint8)
    out = WHOLE.paste(source, shown, made, mask).astype(float) - source[:240, :320]
    flat = cv2.GaussianBlur(out, (0, 0), 2)
    assert np.abs(np.diff(flat, axis=0)).max() < 5 and np.abs(np.diff(flat, axis=1)).max() < 5
    assert np.abs(out).max() > 25


@pytest.mark.parametrize("crop", [Crop(-30.0, -12.0, 150.0, 128), Crop(250, 150, 120, 128)])
def test_a_crop_over_the_images_edge_is_laid_back_too(source, crop):
    whole, shown, mask = FullFrame(crop, 321, 241), crop_of(source, crop), disc(radius=60)
    made = np.where(mask[..., None] > 0, 255 - shown, shown)
    out = whole.paste(source, shown, made, mask)
    assert out.shape == (240, 320, 3)
    assert (out != source[:240, :320]).any()


def test_a_small_source_is_written_at_its_own_size():
    rng = np.random.default_rng(1)
    small = cv2.resize(rng.uniform(60, 180, (5, 5, 3)), (60, 60)).astype(np.uint8)
    crop = Crop(5, 5, 48, 128)
    shown, mask = crop_of(small, crop), disc(radius=35)
    made = np.clip(shown.astype(int) + 50 * mask[..., None], 0, 255).astype(np.uint8)
    out = FullFrame(crop, 60, 60).paste(small, shown, made, mask)
    assert np.abs(out[29, 29].astype(int) - small[29, 29] - 50).max() < 8


def test_without_a_face_nothing_is_laid_back(source, shown):
    out = WHOLE.paste(source, shown, 255 - shown, np.zeros((128, 128), np.uint8))
    np.testing.assert_array_equal(out, source[:240, :320])


def test_the_weight_is_whole_on_the_face_and_gone_at_the_border():
    weight = change_weight(disc(centre=(20, 64), radius=25))
    assert weight[64, 40] == 1
    assert weight[:, :1].max() < 0.02 and weight[64, 100] == 0


def test_source_frames_come_in_any_order_and_leave_no_file(tmp_path):
    path = tmp_path / "a.mp4"
    with VideoWriter(path, size=(64, 48)) as writer:
        for t in range(20):
            writer.write(np.full((48, 64, 3), 10 * t, np.uint8))
    clip = open_clip(path)
    frames = list(clip.read())
    order = [7, 3, 3, 15, 0, 7]
    with SourceFrames(clip, order, tmp_path) as source:
        for t in order:
            np.testing.assert_array_equal(source[t], frames[t])
        with pytest.raises(KeyError):
            source[5]
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
