"""Other words in a video's mouth, as the command does it."""

import json

import numpy as np
import pytest
import soundfile

from repro import SAMPLE_RATE
from repro.config import load_profile
from repro.corpus.clip import open_clip
from repro.errors import UserError
from repro.label import verify
from repro.speech.synthesis import speak
from repro.talk import talk

METHOD = "everybodys-talkin"


@pytest.fixture(scope="module")
def sentence(tmp_path_factory):
    path = tmp_path_factory.mktemp("speech") / "sentence.wav"
    soundfile.write(path, speak("Pam may be home.", voice="en-us").audio, SAMPLE_RATE)
    return path


def made(smoke_run, filmed_person, sentence, out, *, full_frame=False, **overrides):
    profile = load_profile("smoke", {"talk.visible_mark": False, **overrides})
    return talk(
        filmed_person, sentence, out, profile=profile, frames=100, work=smoke_run, method=METHOD,
        full_frame=full_frame,
    )  # fmt: skip


def test_the_mouth_alone_is_made_anew_and_the_record_is_whole(
    smoke_run, filmed_person, sentence, tmp_path
):
    out = tmp_path / "said.mp4"
    record = made(smoke_run, filmed_person, sentence, out)
    assert verify(out).whole
    read = json.loads(out.with_suffix(".json").read_text())
    assert read["models"] == record["models"] and read["held_out"] == record["held_out"]
    assert (read["method"], read["mouth"]) == (METHOD, "translation network")
    assert set(record["models"]) == {"face", "speech", "completion"}
    assert {"speech", "mouth completion", "painting"} <= set(record["stages"])
    assert record["held_out"]["painted_psnr"] > 10
    shown = np.stack(list(open_clip(out).read())).astype(float)
    change = np.abs(np.diff(shown, axis=0)).mean((0, 3))
    assert change.any()  # neither head nor mouth stand still


@pytest.mark.parametrize("full_frame", [False, True])
def test_a_mapping_may_move_the_mouth(smoke_run, filmed_person, sentence, tmp_path, full_frame):
    out, source = tmp_path / "said.mp4", open_clip(filmed_person)
    record = made(
        smoke_run,
        filmed_person,
        sentence,
        out,
        full_frame=full_frame,
        **{"talk.edit_mouth": "mapping"},
    )
    assert record["mouth"] == "personal mapping"
    size = (source.width, source.height) if full_frame else (256, 256)
    clip = open_clip(out)
    assert (clip.width, clip.height) == size


def test_a_photo_has_no_frames_to_choose_from(sentence, tmp_path):
    with pytest.raises(UserError, match="needs a video"):
        made(tmp_path, tmp_path / "one.jpg", sentence, tmp_path / "o.mp4")
