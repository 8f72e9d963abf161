import numpy as np

from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.reconstruct.crop import cut, square_crop
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.track import FaceTrack


def test_a_track_is_read_back_as_it_was_saved(tmp_path):
    rng = np.random.default_rng(0)
    vectors = np.broadcast_to(rng.normal(size=(1, 257)), (4, 257)).astype(np.float32)
    track = FaceTrack(
        landmarks=rng.normal(size=(4, 478, 2)).astype(np.float32),
        found=np.array([True, False, True, True]),
        confidence=np.array([1, 0.2, 0.9, 1], np.float32),
        coefficients=Coefficients.from_vectors(vectors),
        shape_offset=rng.normal(size=(9, 3)).astype(np.float32),
        landmark_shift=rng.normal(size=(478, 3)).astype(np.float32),
        camera=Camera(700.5, 128, 127, 256, 256),
        crop=Crop(10.5, -3, 400, 256),
        residual=rng.uniform(size=(4, 5)).astype(np.float32),
        people=2,
    )
    track.save(tmp_path / "track.npz")
    read = FaceTrack.load(tmp_path / "track.npz")
    assert (read.camera, read.crop, read.people) == (track.camera, track.crop, 2)
    for name in ("landmarks", "found", "confidence", "shape_offset", "landmark_shift", "residual"):
        np.testing.assert_array_equal(getattr(read, name), getattr(track, name))
    np.testing.assert_allclose(read.coefficients.vectors(), vectors, rtol=1e-6)


def test_the_crop_holds_the_face_in_every_frame():
    rng = np.random.default_rng(0)
    centres = np.cumsum(rng.normal(0, 6, (60, 1, 2)), 0) + [300, 200]
    points = (centres + rng.uniform(-60, 60, (60, 478, 2))).astype(np.float32)
    crop = square_crop(points, ReconstructSettings())
    inside = crop.to_crop(points)
    assert crop.size == 256
    assert ((inside > 0) & (inside < 256)).mean() > 0.99


def test_frames_are_cropped_where_the_crop_says():
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[80:120, 140:180] = 255
    seen = cut(frame, Crop(110, 50, 100, 200))
    rows, columns = np.nonzero(seen[..., 0] > 127)
    assert abs(rows.min() - 60) <= 1 and abs(rows.max() - 139) <= 1
    assert abs(columns.min() - 60) <= 1 and abs(columns.max() - 139) <= 1
