"""Clips that are not as one would wish."""

import cv2
import numpy as np
import pytest

from repro.corpus.clip import open_clip
from repro.corpus.video import VideoWriter
from repro.errors import UserError
from repro.face.model import load_open_model
from repro.reconstruct.reconstruct import reconstruct
from repro.reconstruct.settings import ReconstructSettings

FRAMES = 16


def film(path, frames):
    """A clip of these frames."""
    height, width = frames[0].shape[:2]
    with VideoWriter(path, size=(width, height)) as video:
        for frame in frames:
            video.write(frame)
    return open_clip(path)


def made(clip, **more):
    return reconstruct(clip, load_open_model(), ReconstructSettings(), **more)


def lit_from_the_side(image):
    shade = np.linspace(0.25, 1.2, image.shape[1])[None, :, None]
    return np.clip(image * shade, 0, 255).astype(np.uint8)


def grey(image):
    return np.repeat(image.mean(-1, keepdims=True), 3, -1).astype(np.uint8)


def soft(image):
    return cv2.GaussianBlur(image, (0, 0), 1.5)


def blurred(image):
    return cv2.GaussianBlur(image, (0, 0), 2.5)


@pytest.fixture(scope="module")
def still(portrait, tmp_path_factory):
    clip = film(tmp_path_factory.mktemp("clips") / "still.mp4", [portrait.image] * FRAMES)
    return made(clip).track


def test_a_still_photo_is_a_head_that_does_not_move(still):
    assert still.found.all()
    assert np.ptp(np.degrees(still.coefficients.pose[:, :3]), axis=0).max() < 0.5
    assert np.median(still.residual) < 1.0


@pytest.mark.parametrize(
    ("change", "most_deg"),
    [(lit_from_the_side, 3), (grey, 3), (soft, 2), (blurred, 6)],  # blurred: 0.9 in most people
)
def test_light_colour_and_sharpness_hardly_change_the_pose(
    change, most_deg, still, portrait, tmp_path
):
    track = made(film(tmp_path / "c.mp4", [change(portrait.image)] * FRAMES)).track
    apart = np.degrees(track.coefficients.pose[:, :3] - still.coefficients.pose[:, :3])
    assert track.found.all() and np.abs(apart).max() < most_deg
    assert np.median(track.residual) < 1.2


def test_a_face_that_leaves_and_returns_is_fitted_where_it_is(portrait, tmp_path):
    empty = np.full_like(portrait.image, 90)
    frames = [portrait.image] * 12 + [empty] * 5 + [portrait.image] * 12
    track = made(film(tmp_path / "gone.mp4", frames)).track
    assert (~track.found).sum() == 5 and not track.found[12:17].any()
    assert track.confidence[12:17].max() < 0.5 <= np.median(track.confidence[:12])
    assert np.isfinite(track.coefficients.vectors()).all()
    assert np.median(track.residual[track.found]) < 1.0


def test_a_clip_without_a_face_is_refused_in_a_sentence(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    clip = film(tmp_path / "nobody.mp4", [noise] * 4)
    with pytest.raises(UserError, match=r"nobody\.mp4"):
        made(clip)


def test_4k_frames_are_followed(portrait, tmp_path):
    picture, points = portrait.placed(400, (1500, 500), (3840, 2160))
    track = made(film(tmp_path / "large.mp4", [picture] * 3)).track
    seen = track.crop.to_source(track.landmarks[1])
    assert portrait.error_percent(seen, points) < 5


def test_frames_on_disk_are_those_in_memory(portrait, tmp_path):
    clip = film(tmp_path / "c.mp4", [portrait.image] * 6)
    held, stored = made(clip), made(clip, store=tmp_path / "frames.npy")
    np.testing.assert_array_equal(held.frames, np.load(tmp_path / "frames.npy"))
    np.testing.assert_array_equal(
        held.track.coefficients.vectors(), stored.track.coefficients.vectors()
    )
