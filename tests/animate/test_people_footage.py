import numpy as np
import pytest
from made_up_people import person

from repro.animate.footage import Footage, footage_of_clip, load_people, save_people
from repro.animate.unproject import moved
from repro.errors import UserError
from repro.face.model import MEDIAPIPE_OF_68, load_open_model


def test_a_clip_is_shrunk_with_its_camera(made_up_track):
    track, model = made_up_track, load_open_model()
    frames = np.random.default_rng(0).integers(0, 255, (6, 96, 96, 3)).astype(np.uint8)
    footage = footage_of_clip(frames, track, model, image_px=48, name="someone")
    assert len(footage) == 5 and footage.size_px == 48  # one face was not found
    assert np.allclose(footage.landmarks[0], track.landmarks[0, MEDIAPIPE_OF_68] / 2, atol=1e-4)
    # The track's landmarks are the model's: seen through the small camera they fall together.
    assert np.allclose(footage.camera.project(footage.points), footage.landmarks, atol=1e-3)
    mean = frames[0].reshape(48, 2, 48, 2, 3).mean((1, 3))
    assert np.abs(footage.frames[0] - mean).max() <= 0.5


def test_a_clip_without_a_face_is_refused(made_up_track):
    lost = made_up_track
    frames = np.zeros((1, 96, 96, 3), np.uint8)
    only_lost = type(lost)(**{**vars(lost), "found": np.zeros(6, bool)})
    with pytest.raises(UserError, match=r"'someone'.*no face"):
        footage_of_clip(frames, only_lost, load_open_model(), image_px=48, name="someone")


def test_the_mesh_is_that_of_the_least_turned_frame():
    ball = person("a")
    mesh = ball.mesh()
    k = int(np.abs(ball.pose[:, :3]).max(1).argmin())
    assert np.array_equal(mesh.frame, ball.frames[k])
    assert np.allclose(moved(mesh.vertices, mesh.pose, ball.pose[2]), ball.vertices[2], atol=1e-6)


def test_people_are_read_as_they_were_written(tmp_path):
    people = [person("a", 3), person("b", 4, hue=1.0)]
    save_people(people, tmp_path / "people.npz")
    again = load_people(tmp_path / "people.npz")
    assert [(p.name, len(p), p.camera) for p in again] == [
        (p.name, len(p), p.camera) for p in people
    ]
    for before, after in zip(people, again, strict=True):
        for name in ("frames", "landmarks", "pose", "vertices", "points", "triangles"):
            assert np.array_equal(getattr(before, name), getattr(after, name))
    with pytest.raises(UserError, match="missing"):
        load_people(tmp_path / "missing.npz")


def test_a_few_frames_do_not_keep_the_clip_in_memory():
    clip = person("a", 6)
    few = clip[:2]
    for name in ("frames", "landmarks", "pose", "vertices", "points"):
        assert np.array_equal(getattr(few, name), getattr(clip, name)[:2])
        assert not np.shares_memory(getattr(few, name), getattr(clip, name))


def test_frames_without_a_face_are_refused():
    ball = person("a")
    lost = ball.landmarks.copy()
    lost[3] = np.nan
    with pytest.raises(UserError, match="'a'"):
        Footage(**{**vars(ball), "landmarks": lost})
    with pytest.raises(ValueError, match="8 frames"):
        Footage(**{**vars(ball), "pose": ball.pose[:3]})
