"""Writing videos."""

import av
import numpy as np
import pytest

from repro.corpus.clip import open_clip
from repro.corpus.truth import read_masks
from repro.corpus.video import MaskWriter, VideoWriter
from repro.errors import UserError

SIZE = (64, 48)


def frame(level=0):
    return np.full((SIZE[1], SIZE[0], 3), level, np.uint8)


def write(path, *, frames=53, audio=None, **options):
    """White at every 10th frame from 5 on."""
    with VideoWriter(path, size=SIZE, audio=audio, **options) as video:
        for t in range(frames):
            video.write(frame(255 if t % 10 == 5 else 0))
    return path


def clicks_at(frames, seconds=2.12):
    sound = np.zeros(round(16000 * seconds), np.float32)
    for t in frames:
        sound[640 * t : 640 * t + 64] = 0.9
    return sound


def test_sound_and_picture_come_back_within_a_frame(tmp_path):
    at = np.arange(5, 53, 10)
    clip = open_clip(write(tmp_path / "a.mp4", audio=clicks_at(at)))
    assert [t for t, image in enumerate(clip.read()) if image.mean() > 128] == list(at)
    loud = np.flatnonzero(np.abs(clip.audio()) > 0.35)
    heard = loud[np.r_[True, np.diff(loud) > 1600]] / 640
    assert heard == pytest.approx(at, abs=0.1)


def test_sound_and_picture_are_still_in_step_after_a_minute(tmp_path):
    at, count = 1500, 1525
    path = tmp_path / "a.mp4"
    with VideoWriter(path, size=SIZE, audio=clicks_at([at], 61), preset="ultrafast") as video:
        for t in range(count):
            video.write(frame(255 if t == at else 0))
    clip = open_clip(path)
    assert [t for t, image in enumerate(clip.read()) if image.mean() > 128] == [at]
    heard = np.flatnonzero(np.abs(clip.audio()) > 0.35)[0] / 640
    assert heard == pytest.approx(at, abs=0.1)


@pytest.mark.parametrize("seconds", [0.5, 2.12, 5.0])
@pytest.mark.parametrize("frames", [1, 53, 101])
def test_sound_is_as_long_as_the_video(tmp_path, frames, seconds):
    audio = np.full(round(16000 * seconds), 0.1, np.float32)
    path = write(tmp_path / "a.mp4", frames=frames, audio=audio)
    with av.open(str(path)) as container:
        lasts = [float(stream.duration * stream.time_base) for stream in container.streams]
    assert lasts == pytest.approx([frames / 25] * 2, abs=1e-3)
    if frames > 1:
        clip = open_clip(path)
        assert clip.frames == frames
        assert len(clip.audio()) == pytest.approx(640 * frames, abs=32)


def test_other_frame_rates_keep_their_time(tmp_path):
    clip = open_clip(write(tmp_path / "a.mp4", frames=60, fps=30, audio=np.zeros(99999)))
    assert (clip.fps_source, clip.duration_s) == (pytest.approx(30), pytest.approx(2))
    assert clip.frames == 50


def test_colours_survive(tmp_path):
    rng = np.random.default_rng(0)
    image = np.repeat(np.repeat(rng.integers(0, 256, (3, 4, 3), np.uint8), 16, 0), 16, 1)
    with VideoWriter(tmp_path / "a.mp4", size=SIZE) as video:
        for _ in range(10):
            video.write(image)
    back = list(open_clip(tmp_path / "a.mp4").read())[5]
    assert np.abs(back[8::16, 8::16].astype(int) - image[8::16, 8::16]).max() <= 6


def test_it_is_h264_with_aac_and_carries_its_label(tmp_path):
    label = {"title": "Title", "comment": "synthetic: made by a program, é"}
    path = write(tmp_path / "a.mp4", audio=clicks_at([5]), metadata=label)
    with av.open(str(path)) as container:
        assert {key: container.metadata[key] for key in label} == label
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (sound.codec_context.name, sound.rate) == ("aac", 16000)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_same_input_gives_the_same_bytes(tmp_path):
    files = [write(tmp_path / name, audio=clicks_at([5])) for name in ("a.mp4", "b.mp4")]
    assert files[0].read_bytes() == files[1].read_bytes()


def write_half(path):
    with VideoWriter(path, size=SIZE, audio=clicks_at([5])) as video:
        video.write(frame())
        assert path.with_name(".a.tmp.mp4").exists()
        raise ZeroDivisionError


def test_nothing_is_left_of_a_video_that_fails(tmp_path):
    with pytest.raises(ZeroDivisionError):
        write_half(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_fails_leaves_the_former_one_alone(tmp_path):
    path = write(tmp_path / "a.mp4")
    before = path.read_bytes()
    with pytest.raises(UserError, match="it has no frames"), VideoWriter(path, size=SIZE):
        pass
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_video_is_replaced(tmp_path):
    path = write(tmp_path / "a.mp4", frames=5)
    write(path, frames=9)
    assert open_clip(path).frames == 9


def test_places_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.mp4").mkdir()
    for name, message in [
        ("gone/a.mp4", "there is no folder"),
        ("file/a.mp4", "there is no folder"),
        ("folder.mp4", "a folder has that name"),
        ("a.avi", "ends in .mp4"),
        ("n" * 250 + ".mp4", "File name too long"),
    ]:
        with pytest.raises(UserError, match=message):
            write(tmp_path / name)


@pytest.mark.parametrize("size", [(63, 48), (64, 47), (0, 48)])
def test_sizes_that_h264_cannot_hold_are_refused(tmp_path, size):
    with pytest.raises(UserError, match=f"{size[0]} x {size[1]} pixels"):
        VideoWriter(tmp_path / "a.mp4", size=size)


def test_wrong_arguments_are_errors_of_the_program(tmp_path):
    with pytest.raises(ValueError, match="mp4 does not keep"):
        VideoWriter(tmp_path / "a.mp4", size=SIZE, metadata={"colour": "blue"})
    with pytest.raises(ValueError, match="audio has shape"):
        VideoWriter(tmp_path / "a.mp4", size=SIZE, audio=np.zeros((2, 9)))
    for wrong in (frame().astype(float), frame()[:-2], frame()[..., :2]):
        with (
            pytest.raises(ValueError, match="frame 0 is"),
            VideoWriter(tmp_path / "a.mp4", size=SIZE) as video,
        ):
            video.write(wrong)


def test_masks_come_back_as_they_were(tmp_path):
    path, masks = tmp_path / "a.mkv", np.random.default_rng(0).integers(0, 10, (5, 6, 8), np.uint8)
    with MaskWriter(path, size=(8, 6)) as writer:
        for mask in masks:
            writer.write(mask)
    np.testing.assert_array_equal(list(read_masks(path)), masks)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


def test_nothing_is_left_of_masks_that_fail(tmp_path):
    with (
        pytest.raises(ValueError, match="frame 0"),
        MaskWriter(tmp_path / "a.mkv", size=(8, 6)) as w,
    ):
        w.write(np.zeros((8, 6), np.uint8))
    assert not list(tmp_path.iterdir())


def test_masks_in_no_folder_are_refused(tmp_path):
    writer = MaskWriter(tmp_path / "gone" / "a.mkv", size=(8, 6))
    with pytest.raises(UserError, match="there is no folder"), writer:
        pass
