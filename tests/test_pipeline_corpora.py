"""Which recordings of a corpus the pipeline takes, and with which sound."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from repro import pipeline
from repro.config import load_profile
from repro.corpus.video import VideoWriter
from repro.errors import UserError
from repro.pipeline import Workspace, recordings, target, targets, videos

PROFILE = load_profile("smoke", {"corpus.people": 3, "corpus.general_clips": 2})
"""So that six general clips are asked for."""


def write(path, frames=29):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, size=(32, 32)) as video:
        for _ in range(frames):
            video.write(np.zeros((32, 32, 3), np.uint8))
    return path


def workspace(tmp_path, corpus):
    return Workspace.open(tmp_path / "results", PROFILE, corpus=str(corpus))


@pytest.fixture
def voxceleb2(tmp_path):
    """Four people to train on, two to test on; one of the videos is far too short."""
    root = tmp_path / "vox2"
    for person, clips in (("id00012", 1), ("id00015", 3), ("id00016", 3), ("id00018", 3)):
        for k in range(clips):
            write(root / f"dev/mp4/{person}/talk/{k:05}.mp4")
    write(root / "dev/mp4/id00018/talk/00000.mp4", 9)
    write(root / "test/mp4/id00017/talk/00001.mp4", 40)
    write(root / "test/mp4/id00061/talk/00001.mp4", 90)
    sound = root / "test/aac/id00061/talk/00001.m4a"
    sound.parent.mkdir(parents=True)
    soundfile.write(sound, np.full(38400, 0.25, np.float32), 16000, format="WAV")
    return root


def test_general_recordings_are_spread_over_the_training_speakers(tmp_path, voxceleb2):
    with pytest.warns(UserWarning, match=r"Left out: .*id00018/talk/00000\.mp4.* 0\.36 s"):
        chosen = recordings(workspace(tmp_path, voxceleb2), "general")
    assert [r.speaker for r in chosen] == ["id00012", "id00015", "id00016", "id00016", "id00018"]
    assert {r.split for r in chosen} == {"train"}


def test_the_personal_recording_is_the_longest_for_testing(tmp_path, voxceleb2):
    (chosen,) = recordings(workspace(tmp_path, voxceleb2), "personal")
    assert (chosen.speaker, chosen.split) == ("id00061", "test")
    assert videos(workspace(tmp_path, voxceleb2), "personal") == [chosen.video]


def test_clips_of_a_word_are_long_enough_for_general_training_alone(tmp_path):
    for split in ("train", "test"):
        write(tmp_path / f"lrw/ABOUT/{split}/ABOUT_00001.mp4")
    ws = workspace(tmp_path, tmp_path / "lrw")
    assert len(recordings(ws, "general")) == 1
    with pytest.raises(UserError, match=r"'ABOUT_00001\.mp4', has 29 frames, and 66 are needed"):
        recordings(ws, "personal")


def test_a_folder_of_short_videos_is_refused(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / f"own/{name}.mp4", 50)
    with pytest.raises(UserError, match="has 50 frames"):
        recordings(workspace(tmp_path, tmp_path / "own"), "personal")


def test_a_corpus_without_its_test_part_is_refused(tmp_path):
    write(tmp_path / "lrw/ABOUT/train/ABOUT_00001.mp4")
    with pytest.raises(UserError, match="none of 0 recordings of its split 'test'"):
        recordings(workspace(tmp_path, tmp_path / "lrw"), "personal")


def test_in_a_folder_of_videos_the_longest_is_personal(tmp_path):
    for name, frames in (("a", 50), ("b", 90), ("c", 55)):
        write(tmp_path / f"own/{name}.mp4", frames)
    ws = workspace(tmp_path, tmp_path / "own")
    assert [path.stem for path in videos(ws, "personal")] == ["b"]
    assert [path.stem for path in videos(ws, "general")] == ["a", "c"]


@pytest.fixture
def quick(monkeypatch):
    """Stands in for the reconstruction: as many empty frames as were asked for."""

    def reconstruct(clip, *_, frames, store):
        track = SimpleNamespace(save=lambda path: path.touch())
        count = min(frames or clip.frames, clip.frames)
        np.save(store, np.zeros((count, 8, 8, 3), np.uint8))
        return SimpleNamespace(track=track)

    monkeypatch.setattr(targets, "reconstruct", reconstruct)
    monkeypatch.setattr(targets.FaceTrack, "load", lambda _: range(60))


def test_the_sound_of_a_file_apart_goes_with_the_video(tmp_path, voxceleb2, quick):
    ws = workspace(tmp_path, voxceleb2)
    (person,) = pipeline.personal_targets(ws)
    assert person.audio.dtype == np.float32
    assert len(person.audio) == 38400
    silent = target(ws, person.clip.path)
    assert silent.audio is None
    assert silent.key != person.key


def test_only_the_synthetic_corpus_has_further_clips_of_its_people(tmp_path, voxceleb2):
    assert pipeline.further_targets(workspace(tmp_path, voxceleb2)) == []


def test_another_sound_makes_another_target(tmp_path, voxceleb2, quick):
    ws = workspace(tmp_path, voxceleb2)
    (before,) = pipeline.personal_targets(ws)
    sound = voxceleb2 / "test/aac/id00061/talk/00001.m4a"
    soundfile.write(sound, np.full(38400, 0.5, np.float32), 16000, format="WAV")
    (after,) = pipeline.personal_targets(ws)
    assert after.key != before.key
    assert after.audio[19200] == pytest.approx(0.5, abs=1e-3)


def test_a_video_given_alone_must_last_two_seconds(tmp_path, quick):
    video = write(tmp_path / "short.mp4", 29)
    ws = workspace(tmp_path, "synthetic")
    with pytest.raises(UserError, match=r"lasts 1\.16 s"):
        target(ws, video)
    assert len(target(ws, video, min_s=1).frames) == 29
