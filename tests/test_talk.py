import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from repro import SAMPLE_RATE
from repro.config import load_profile
from repro.corpus.clip import open_clip, read_audio
from repro.corpus.video import VideoWriter
from repro.errors import UserError
from repro.label import verify
from repro.speech.synthesis import speak
from repro.talk import talk

REAL = Path(__file__).resolve().parents[2] / "shared" / "real"
PROFILE = load_profile("smoke")


def write_video(path, frames, audio):
    height, width = frames[0].shape[:2]
    with VideoWriter(path, size=(width, height), audio=audio) as writer:
        for frame in frames:
            writer.write(frame)


@pytest.fixture(scope="module")
def sentence(tmp_path_factory):
    path = tmp_path_factory.mktemp("speech") / "sentence.mp4"
    audio = speak("Pam and Bob may be home by now.", voice="en-us").audio
    write_video(path, [np.zeros((64, 64, 3), np.uint8)] * (len(audio) * 25 // SAMPLE_RATE), audio)
    return path


@pytest.fixture(scope="module")
def record(smoke_run, filmed_person, sentence, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "said.mp4"
    made = talk(filmed_person, sentence, out, profile=PROFILE, frames=100, work=smoke_run)
    return out, made


def test_the_video_is_as_long_as_the_sound_and_carries_it(record, sentence):
    out, _made = record
    clip, sound = open_clip(out), read_audio(sentence)
    assert abs(clip.frames - len(sound) / SAMPLE_RATE * 25) <= 1
    assert (clip.width, clip.height, clip.has_audio) == (256, 256, True)
    heard = clip.audio()[: len(sound)]
    assert np.corrcoef(np.abs(heard), np.abs(sound[: len(heard)]))[0, 1] > 0.8


def test_the_video_says_that_it_is_synthetic_and_what_made_it(record):
    out, made = record
    verdict = verify(out)
    assert verdict.whole and verdict.record == "fits"
    assert verdict.label.startswith("Synthetic media")
    assert verdict.models == made["models"]


def test_the_record_beside_it_is_whole(record):
    out, _made = record
    read = json.loads(out.with_suffix(".json").read_text())
    assert read["video"]["frames_used"] == 100 and read["video"]["frames_missed"] == []
    assert read["mapping"] == "personal"
    assert 0 < read["pose"]["hs"] <= 1
    assert read["reconstruction"]["median_percent_of_pupil_distance"] < 2
    assert {"rendering", "personal motion", "personal refinement"} <= set(read["stages"])
    assert read["stand_ins"]
    assert set(read["models"]) == {"face", "motion", "refiner"}
    assert sorted(out.parent.iterdir()) == [out.with_suffix(".json"), out]


def test_neither_the_lips_nor_the_head_stand_still(record):
    frames = np.stack(list(open_clip(record[0]).read())).astype(np.float32)
    assert np.abs(np.diff(frames, axis=0)).mean() > 0.2


def test_other_speech_for_the_same_person_reuses_the_models(
    record, smoke_run, filmed_person, tmp_path
):
    stages = smoke_run / "stages"
    before = set(stages.glob("*/*"))
    other = tmp_path / "other.mp4"
    audio = speak("We saw a zebra.", voice="en-us").audio
    write_video(other, [np.zeros((64, 64, 3), np.uint8)] * 20, audio)
    talk(filmed_person, other, tmp_path / "o.mp4", profile=PROFILE, frames=100, work=smoke_run)
    assert set(stages.glob("*/*")) == before


def test_the_full_frame_is_the_source_with_another_face(record, smoke_run, filmed_person, tmp_path):
    source = open_clip(filmed_person)
    audio = speak("We saw a zebra.", voice="en-us").audio
    write_video(tmp_path / "a.mp4", [np.zeros((64, 64, 3), np.uint8)] * 20, audio)
    out = tmp_path / "o.mp4"
    made = talk(
        filmed_person, tmp_path / "a.mp4", out, profile=PROFILE, frames=100, work=smoke_run,
        full_frame=True,
    )  # fmt: skip
    whole = open_clip(out)
    assert made["out"]["size"] == [source.width, source.height] == [whole.width, whole.height]
    own, new = next(source.read()), next(whole.read())
    sides = np.s_[: source.height // 2, [0, 1, 2, -3, -2, -1]]
    assert np.abs(own[sides].astype(float) - new[sides]).mean() < 4
    assert not [p for p in smoke_run.iterdir() if p.name.startswith("tmp")]


def test_one_photo_speaks_with_the_general_models(smoke_run, filmed_person, sentence, tmp_path):
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), next(open_clip(filmed_person).read())[..., ::-1])
    out = tmp_path / "o.mp4"
    made = talk(photo, sentence, out, profile=PROFILE, work=smoke_run)
    assert made["mapping"] == "general" and "photo" in made["video"]["note"]
    frames = np.stack(list(open_clip(out).read())).astype(np.float32)
    assert frames.shape[1:] == (256, 256, 3) and verify(out).whole
    assert np.abs(frames - frames[0]).max() > 15  # a mapping that learned nothing hardly moves
    with pytest.raises(UserError, match="--full-frame needs a video"):
        talk(photo, sentence, out, profile=PROFILE, work=smoke_run, full_frame=True)


def test_a_silent_video_speaks_with_the_general_mapping_and_says_so(
    smoke_run, filmed_person, sentence, tmp_path
):
    silent = tmp_path / "silent.mp4"
    frames = [frame for frame, _ in zip(open_clip(filmed_person).read(), range(60), strict=False)]
    write_video(silent, frames, None)
    made = talk(silent, sentence, tmp_path / "o.mp4", profile=PROFILE, frames=60, work=smoke_run)
    assert made["mapping"] == "general"
    assert "no sound" in made["video"]["note"]


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("missing video", "gone.mp4"),
        ("text", "notes.mp4"),
        ("no face", "no face"),
        ("short clip", "2"),
        ("silent speech", "sound"),
        ("short speech", "0.5"),
        ("output", ".mp4"),
        ("folder", "cannot be written"),
    ],
)
def test_bad_input_gets_one_sentence_and_leaves_nothing(
    case, says, smoke_run, filmed_person, sentence, tmp_path
):
    video, audio, out = filmed_person, sentence, tmp_path / "out" / "o.mp4"
    tone = np.sin(np.arange(SAMPLE_RATE * 3) * 0.1).astype(np.float32)
    if case == "missing video":
        video = tmp_path / "gone.mp4"
    elif case == "text":
        video = tmp_path / "notes.mp4"
        video.write_text("not a video")
    elif case == "no face":
        video = tmp_path / "grey.mp4"
        write_video(video, [np.full((128, 128, 3), 120, np.uint8)] * 60, tone)
    elif case == "short clip":
        video = tmp_path / "short.mp4"
        write_video(video, [np.full((128, 128, 3), 120, np.uint8)] * 20, tone)
    elif case == "silent speech":
        audio = tmp_path / "mute.mp4"
        write_video(audio, [np.zeros((64, 64, 3), np.uint8)] * 30, None)
    elif case == "short speech":
        audio = tmp_path / "brief.mp4"
        write_video(audio, [np.zeros((64, 64, 3), np.uint8)] * 5, tone)
    elif case == "output":
        out = tmp_path / "out" / "o.avi"
    elif case == "folder":
        (tmp_path / "file").write_text("")
        out = tmp_path / "file" / "o.mp4"
    with pytest.raises(UserError, match=says) as caught:
        talk(video, audio, out, profile=PROFILE, frames=100, work=smoke_run)
    assert "\n" not in str(caught.value)
    assert not out.exists() and not list(tmp_path.glob("out/.*"))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real clips are not beside this checkout")
def test_a_real_video_and_real_speech_work(smoke_run, tmp_path):
    made = talk(
        REAL / "vrt_1.mp4",
        REAL / "voxceleb_5_00006.wav",
        tmp_path / "real.mp4",
        profile=PROFILE,
        frames=60,
        work=smoke_run,
    )
    assert made["reconstruction"]["median_percent_of_pupil_distance"] < 2
    assert made["reconstruction"]["frames_found"] == made["reconstruction"]["frames"]
