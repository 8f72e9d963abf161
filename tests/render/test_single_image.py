"""One photo turned, against the same synthetic person filmed at the other pose."""

import numpy as np
import pytest

from repro.corpus.figure import build_figure
from repro.corpus.film import film_camera, render_frame, room_of
from repro.corpus.noise import noise_table
from repro.corpus.people import draw_person
from repro.corpus.settings import CorpusSettings
from repro.errors import UserError
from repro.evaluate.image import psnr
from repro.face.camera import Crop
from repro.face.coefficients import Coefficients
from repro.face.model import load_open_model
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.track import FaceTrack
from repro.render.cutout import cut_out, filled_behind
from repro.render.face import FaceRenderer, RenderSettings
from repro.render.single_image import Photo, area_scale, photo_track, single_image_frames

SETTINGS = CorpusSettings(image_px=256, supersample=1)
MODEL = load_open_model()


class Studio:
    """A person in a room, filmed at any pose."""

    def __init__(self, seed: int):
        self.person = draw_person(seed)
        self.table = noise_table()
        self.figure = build_figure(MODEL, self.person, self.table)
        self.room = room_of(self.person, SETTINGS.image_px)
        self.place = self.person.pose_style.place_m

    def pose(self, *, pitch=0.0, yaw=0.0):
        return np.float32([*np.radians([pitch, yaw, 0]), *self.place])

    def film(self, pose):
        """Frame (256, 256, 3) uint8, and where the head is."""
        expression = np.zeros(64, np.float32)
        image, mask = render_frame(self.figure, expression, pose, self.room, self.table, SETTINGS)
        head = np.isin(mask, (1, 2, 3, 4, 5, 7, 8, 9))
        return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), head

    def track(self, pose):
        """The truth as a track of one frame."""
        one = np.zeros((1, 64), np.float32)
        known = Coefficients(
            self.person.identity, one, self.person.texture, self.person.light[None], pose[None]
        )
        return FaceTrack(
            landmarks=np.zeros((1, 478, 2), np.float32),
            found=np.ones(1, bool),
            confidence=np.ones(1, np.float32),
            coefficients=known,
            shape_offset=np.zeros_like(MODEL.mean),
            landmark_shift=np.zeros((478, 3), np.float32),
            camera=film_camera(SETTINGS),
            crop=Crop(0, 0, SETTINGS.image_px, SETTINGS.image_px),
            residual=np.zeros((1, 1), np.float32),
            people=1,
        )


@pytest.fixture(scope="module")
def studio():
    return Studio(5)


@pytest.fixture(scope="module")
def shot(studio):
    """A photo of the person looking at the camera, with its track, and meshed."""
    pose = studio.pose()
    image, head = studio.film(pose)
    track = studio.track(pose)
    return image, head, track, Photo.of(image, track, MODEL)


def test_at_its_own_pose_it_is_the_photo(shot):
    image, _, track, photo = shot
    again = photo.turned(track.coefficients.pose[0])
    assert again.shape == image.shape and again.dtype == np.uint8
    assert psnr(again, image) > 34


@pytest.mark.parametrize(("pitch", "yaw"), [(0, 12), (0, -12), (8, 0), (-6, 10)])
def test_turned_it_is_near_what_the_camera_sees_of_the_turned_head(studio, shot, pitch, yaw):
    image, _, track, photo = shot
    c, pose = track.coefficients, studio.pose(pitch=pitch, yaw=yaw)
    settings = RenderSettings(albedo="detailed", supersample=1)
    draw = FaceRenderer.of(MODEL, track, image[None], settings=settings)
    ((made, mask),) = single_image_frames(photo, draw, c.expression, pose[None], c.light[0])
    true, head = studio.film(pose)
    unturned, _ = draw.over(image, c.expression[0], pose, c.light[0])
    assert psnr(made, true, mask=head) > 24
    assert psnr(made, true, mask=head) > psnr(unturned, true, mask=head) + 0.3
    assert psnr(made, true, mask=mask > 0) > 30
    assert mask.sum() > 5000


def test_up_to_thirty_degrees_no_hole_opens(studio, shot):
    image, _, track, _ = shot
    bright = Photo.of(np.maximum(image, 110), track, MODEL)
    for yaw in (-30, 0, 30):
        for pitch in (-15, 15):
            turned = bright.turned(studio.pose(pitch=pitch, yaw=yaw))
            assert (turned.max(-1) < 60).mean() < 0.002


def test_the_room_stays_where_it_is(studio, shot):
    image, head, _, photo = shot
    turned = photo.turned(studio.pose(yaw=20))
    rows, columns = np.nonzero(head)
    far = np.ones(head.shape, bool)
    far[:, max(columns.min() - 45, 0) : columns.max() + 45] = False
    far[rows.max() :] = False  # the shoulders
    assert far.sum() > 3000
    assert np.abs(turned[far].astype(int) - image[far]).mean() < 1


def test_frames_come_one_by_one(shot):
    image, _, track, photo = shot
    c = track.coefficients
    settings = RenderSettings(albedo="detailed", supersample=1)
    draw = FaceRenderer.of(MODEL, track, image[None], settings=settings)
    expression, pose = np.repeat(c.expression, 3, 0), np.repeat(c.pose, 3, 0)
    expression[2, MODEL.expression_names.index("jawOpen")] = 0.4
    frames = [frame for frame, _ in single_image_frames(photo, draw, expression, pose, c.light[0])]
    np.testing.assert_array_equal(frames[0], frames[1])
    assert (frames[2] != frames[1]).any()


def test_a_photo_is_reconstructed_like_a_frame_of_a_video(studio):
    pose = studio.pose(pitch=4, yaw=-9)
    image, _ = studio.film(pose)
    track, crop = photo_track(image, MODEL, ReconstructSettings(), name="a.jpg")
    assert len(track) == 1 and crop.shape == (256, 256, 3)
    error = np.degrees(np.abs(track.coefficients.pose[0, :3] - pose[:3]))
    assert error.max() < 4
    with pytest.raises(UserError, match=r"grey\.jpg"):
        photo_track(
            np.full((256, 256, 3), 120, np.uint8), MODEL, ReconstructSettings(), name="grey.jpg"
        )


def test_the_area_that_a_pixel_shows_is_that_of_the_map():
    y, x = np.mgrid[:20, :30].astype(np.float32)
    for across, down in ((1, 1), (0.5, 1), (2, 0.25)):
        place = np.stack([across * x + 0.3 * y, down * y], -1)
        np.testing.assert_allclose(area_scale(place), across * down, rtol=1e-4)


def test_a_person_is_cut_out_of_a_room(studio, shot):
    image, head, _, _ = shot
    bare = head.copy()
    bare[:70] = False  # without the hair, as the model has none
    cuts = [cut_out(image, bare, chin_row=190.0) for _ in range(2)]
    np.testing.assert_array_equal(cuts[0], cuts[1])
    reach, certain = np.moveaxis(cuts[0], -1, 0)
    assert (reach >= certain).all()
    assert (reach > 0.5)[head].mean() > 0.97
    above = np.arange(256)[:, None] < 190
    assert ((reach > 0.5) & ~head & above).sum() < 0.2 * head.sum()


def test_without_a_head_nobody_is_cut_out():
    empty = np.zeros((64, 64), bool)
    assert not cut_out(np.full((64, 64, 3), 90, np.uint8), empty, 30.0).any()


def test_what_is_behind_runs_on():
    image = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[:, None, None], (1, 64, 3))
    hidden = np.zeros((64, 64), bool)
    hidden[20:40, 20:40] = True
    broken = np.where(hidden[..., None], 255, image).astype(np.uint8)
    filled = filled_behind(broken, hidden)
    np.testing.assert_array_equal(filled[~hidden], image[~hidden])
    assert np.abs(filled.astype(int) - image)[hidden].mean() < 12
