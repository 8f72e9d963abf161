"""A person animated from a few frames, as the command does it."""

import json

import numpy as np
import pytest
import soundfile

from repro import SAMPLE_RATE
from repro.config import load_profile
from repro.corpus.clip import open_clip
from repro.corpus.video import VideoWriter
from repro.errors import UserError
from repro.label import verify
from repro.speech.synthesis import speak
from repro.talk import talk

METHOD = "rhythmic-head-motion"


@pytest.fixture(scope="module")
def sentence(tmp_path_factory):
    path = tmp_path_factory.mktemp("speech") / "sentence.wav"
    soundfile.write(path, speak("Pam may be home.", voice="en-us").audio, SAMPLE_RATE)
    return path


def made(video, sentence, out, work, **how):
    return talk(
        video, sentence, out, profile=load_profile("smoke"), work=work, method=METHOD, **how
    )


def test_whole_frames_are_made_and_the_record_says_from_what(
    smoke_run, filmed_person, sentence, tmp_path
):
    out = tmp_path / "said.mp4"
    record = made(filmed_person, sentence, out, smoke_run, references=100)
    assert verify(out).whole
    read = json.loads(out.with_suffix(".json").read_text())
    assert read["method"] == METHOD and read["models"] == record["models"]
    assert set(record["models"]) == {"face", "speech", "generator"}
    tau = load_profile("smoke").animate.tau
    assert (record["video"]["references"], record["video"]["frames_used"]) == (tau, 80)
    assert 0 <= record["hs"] <= 1
    assert {"expression and head motion", "generator", "animating"} <= set(record["stages"])
    clip = open_clip(out)
    assert clip.width == clip.height == load_profile("smoke").animate.image_px
    shown = np.stack(list(clip.read())).astype(float)
    assert np.abs(np.diff(shown, axis=0)).max() > 0  # it moves


def test_what_does_not_go_with_it_is_refused(filmed_person, sentence, tmp_path):
    out = tmp_path / "o.mp4"
    with pytest.raises(UserError, match="leave out --full-frame"):
        made(filmed_person, sentence, out, tmp_path, full_frame=True)
    with pytest.raises(UserError, match="needs a video"):
        made(tmp_path / "one.jpg", sentence, out, tmp_path)
    with pytest.raises(UserError, match="--references is for --method rhythmic-head-motion"):
        talk(filmed_person, sentence, out, profile=load_profile("smoke"), references=3)
    assert not out.exists()


def test_a_silent_video_is_refused(smoke_run, filmed_person, sentence, tmp_path):
    silent = tmp_path / "silent.mp4"
    with VideoWriter(silent, size=(256, 256)) as writer:
        for frame in open_clip(filmed_person).read(0, 70):
            writer.write(frame)
    with pytest.raises(UserError, match="has no sound: how the head goes with speech"):
        made(silent, sentence, tmp_path / "o.mp4", smoke_run)
