"""A folder as a corpus."""

import numpy as np
import pytest

from repro.corpus.folder import folder_corpus
from repro.corpus.video import VideoWriter
from repro.errors import UserError


def write(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, size=(32, 32)) as video:
        for _ in range(frames):
            video.write(np.zeros((32, 32, 3), np.uint8))


def test_every_video_is_found_in_order(tmp_path):
    write(tmp_path / "b" / "1.mp4", 5)
    write(tmp_path / "a.mp4", 6)
    write(tmp_path / "c.mp4", 7)
    (tmp_path / "C.mp4").write_bytes((tmp_path / "c.mp4").read_bytes())
    (tmp_path / "b" / "upper.MP4").write_bytes((tmp_path / "a.mp4").read_bytes())
    clips = folder_corpus(tmp_path)
    names = [str(clip.path.relative_to(tmp_path)) for clip in clips]
    assert names == ["C.mp4", "a.mp4", "b/1.mp4", "b/upper.MP4", "c.mp4"]
    assert [clip.frames for clip in clips] == [7, 6, 5, 6, 7]


def test_hidden_files_and_other_files_are_passed_over(tmp_path):
    write(tmp_path / "a.mp4", 5)
    write(tmp_path / ".hidden" / "b.mp4", 5)
    write(tmp_path / ".c.mp4", 5)
    (tmp_path / "notes.txt").write_text("notes")
    assert len(folder_corpus(tmp_path)) == 1


def test_a_bad_file_is_left_out_with_a_warning(tmp_path):
    write(tmp_path / "a.mp4", 50)
    write(tmp_path / "short.mp4", 10)
    (tmp_path / "broken.mp4").write_bytes(b"nonsense" * 99)
    with pytest.warns(UserWarning, match="Left out") as warned:
        clips = folder_corpus(tmp_path, min_s=1)
    assert [clip.path.name for clip in clips] == ["a.mp4"]
    told = sorted(str(warning.message) for warning in warned)
    assert "broken.mp4' is not a video" in told[0]
    assert "short.mp4' lasts 0.40 s" in told[1]


def test_a_folder_without_videos_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no video"):
        folder_corpus(tmp_path)
    with pytest.raises(UserError, match="No such folder"):
        folder_corpus(tmp_path / "gone")
    (tmp_path / "file.mp4").write_bytes(b"")
    with pytest.raises(UserError, match="is a file"):
        folder_corpus(tmp_path / "file.mp4")
