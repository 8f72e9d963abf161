"""Hair put on a bald head, where a made-up picture says how thick it is."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from repro.face.camera import Camera
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.render.hair import PLAIN, outward, strands, with_hair
from repro.render.rasterise import rasterise

MODEL = load_open_model()
CAMERA = Camera(500.0, 128.0, 128.0, 256, 256)
POSE = np.float32([0, 0, 0, 0, 0.05, 0.8])


@pytest.fixture(scope="module")
def head():
    """Where the mean head stands in the picture (H, W) bool, and the row of its chin."""
    posed = apply_pose(MODEL.mean, POSE)
    chin = CAMERA.project(posed[MODEL.landmark68[8]][None])[0, 1]
    return rasterise(posed, MODEL.triangles, CAMERA).triangle >= 0, chin


def worn(head, chin, wide_px):
    """Vertices with the hair of a person who reaches so many pixels beyond the bald head."""
    disc = np.hypot(*np.mgrid[-wide_px : wide_px + 1, -wide_px : wide_px + 1]) <= wide_px
    person = binary_dilation(head, disc).astype(np.float32)
    return with_hair(
        MODEL.mean, POSE, MODEL, CAMERA, person=person, head=head, chin_row=chin
    )  # fmt: skip


def test_a_person_no_larger_than_the_head_has_no_hair(head):
    np.testing.assert_allclose(worn(*head, 0), MODEL.mean, atol=2e-3)


def test_hair_is_as_thick_as_the_person_reaches_beyond_the_head_and_leaves_the_face(head):
    wide = 12
    thick = np.linalg.norm(worn(*head, wide) - MODEL.mean, axis=1)
    expected = wide / CAMERA.focal_px * POSE[5]
    scalp = np.asarray(MODEL.scalp_mask) > 0.5
    top = scalp & (MODEL.mean[:, 1] < np.percentile(MODEL.mean[scalp, 1], 5))
    assert np.median(thick[top]) == pytest.approx(expected, rel=0.25)
    assert np.median(thick[scalp]) > 0.4 * expected  # it runs on where nothing is seen
    assert thick.max() < 2 * expected
    assert thick[np.asarray(MODEL.skin_mask) > 0.5].max() < 0.15 * expected


def test_outwards_is_away_from_the_skull_and_never_down():
    away = outward(MODEL.mean, MODEL)
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), 1, atol=1e-5)
    assert away[:, 1].max() <= 0
    scalp = np.asarray(MODEL.scalp_mask) > 0.5
    assert away[scalp & (MODEL.mean[:, 2] > np.percentile(MODEL.mean[:, 2], 95)), 2].min() > 0


def test_strands_repeat_what_hair_looks_like_and_plain_hair_has_none(head):
    person = head[0].astype(np.float32)
    nothing = np.zeros(len(MODEL.mean))
    striped = np.full((256, 256, 3), 100, np.uint8)
    striped[:, ::4] = 160
    found = [
        strands(picture, person, nothing, MODEL.mean, POSE, MODEL, CAMERA)
        for picture in (striped, np.full_like(striped, 100))
    ]
    assert found[0].image.std() > 0.05 and found[1].image.std() < 1e-4
    assert found[0].image.mean() == pytest.approx(PLAIN, rel=0.05)
    height, width = found[0].image.shape[:2]
    scalp = found[0].trust > 0
    assert scalp.any() and (found[0].place[scalp] >= 0).all()
    assert (found[0].place[scalp] <= [width, height]).all()
    seen = strands(striped, person, np.ones_like(nothing), MODEL.mean, POSE, MODEL, CAMERA)
    assert not seen.trust.any()


def test_without_hair_in_the_picture_there_are_no_strands():
    nobody, nothing = np.zeros((256, 256), np.float32), np.zeros(len(MODEL.mean))
    picture = np.zeros((256, 256, 3), np.uint8)
    found = strands(picture, nobody, nothing, MODEL.mean, POSE, MODEL, CAMERA)
    assert not found.trust.any() and np.ptp(found.image) == 0
