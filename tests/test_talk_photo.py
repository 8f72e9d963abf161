import cv2
import numpy as np
import pytest

from repro.errors import UserError
from repro.talk_photo import FARTHEST, about, is_photo, read_photo


def test_photos_are_told_by_their_names(tmp_path):
    assert is_photo(tmp_path / "a.JPG") and is_photo(tmp_path / "b.png")
    assert not is_photo(tmp_path / "a.mp4")


def test_a_photo_is_read_in_rgb(tmp_path):
    image = np.zeros((20, 30, 3), np.uint8)
    image[..., 0] = 200
    cv2.imwrite(str(tmp_path / "red.png"), image[..., ::-1])
    np.testing.assert_array_equal(read_photo(tmp_path / "red.png"), image)


def test_what_is_no_picture_is_told(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")
    (tmp_path / "empty.jpg").write_text("")
    for name in ("a.jpg", "empty.jpg", "gone.jpg"):
        with pytest.raises(UserError, match=name):
            read_photo(tmp_path / name)


def test_motion_goes_about_the_photos_pose_and_not_too_far():
    own = np.array([0.1, -0.2, 0.05, 0.01, 0.02, 0.9])
    wide = np.zeros((50, 6))
    wide[:, 1] = np.linspace(-2, 2, 50)
    pose = about(wide, own)
    assert pose.dtype == np.float32
    np.testing.assert_allclose(pose.mean(0), own, atol=1e-6)
    assert np.abs(pose[:, :3] - own[:3]).max() <= FARTHEST.max() + 1e-6
