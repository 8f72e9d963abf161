"""The quickstart's form, with a maker that only copies: what is handed on, shown and said."""

import shutil

import cv2
import numpy as np
import pytest
import soundfile

from repro.corpus.video import VideoWriter
from repro.errors import UserError
from repro.widgets import talk_panel


@pytest.fixture
def people(tmp_path):
    """Two people: one dark, one bright."""
    made = {}
    for name, grey in (("anna", 40), ("bert", 200)):
        made[name] = tmp_path / f"{name}.mp4"
        with VideoWriter(made[name], size=(64, 64)) as video:
            for t in range(10):
                video.write(np.full((64, 64, 3), grey + t, np.uint8))
    return made


@pytest.fixture
def panel(people, tmp_path):
    def copy(video, sound, out):
        soundfile.read(sound)
        shutil.copy(video, out)
        return {"from": video.name, "sound": sound.name}

    made = talk_panel(people, copy, tmp_path)
    made.sentence.value = "Good morning."
    return made


def shown(panel):
    return cv2.imdecode(np.frombuffer(panel.image.value, np.uint8), cv2.IMREAD_COLOR)


def test_another_person_is_another_picture(panel):
    before = shown(panel)
    panel.person.value = "bert"
    assert shown(panel).mean() > before.mean() + 100


def test_what_was_made_stands_under_the_person_and_plays(panel):
    height = len(shown(panel))
    assert panel.video.layout.display == "none"
    record = panel.say()
    assert record == {"from": "anna.mp4", "sound": "quickstart.wav"} == panel.record
    assert len(shown(panel)) == 2 * height
    assert panel.video.value == panel.out.read_bytes()
    assert panel.video.layout.display == ""


def test_the_button_does_what_say_does(panel):
    panel.person.value = "bert"
    panel.run.click()
    assert panel.record["from"] == "bert.mp4"
    assert panel.status.value == "" and not panel.run.disabled


def test_ones_own_files_take_the_place_of_the_choices(panel, people, tmp_path):
    soundfile.write(tmp_path / "mine.wav", np.zeros(16000, np.float32), 16000)
    panel.own_video.value, panel.own_sound.value = str(people["bert"]), str(tmp_path / "mine.wav")
    assert panel.say() == {"from": "bert.mp4", "sound": "mine.wav"}
    assert panel.sound == tmp_path / "mine.wav"


def test_a_photo_is_shown_too(panel, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((90, 60, 3), 250, np.uint8))
    panel.own_video.value = str(tmp_path / "photo.png")
    assert shown(panel).shape[1] == 100 and shown(panel).min() > 240


def test_a_path_half_typed_changes_nothing(panel):
    before = panel.image.value
    panel.own_video.value = "/no/such"
    assert panel.image.value == before and panel.status.value == ""


def test_what_the_user_can_put_right_is_said_beside_the_button(panel):
    panel.sentence.value = " "
    panel.run.click()
    assert "nothing to say" in panel.status.value
    assert not panel.run.disabled
    with pytest.raises(UserError, match="nothing to say"):
        panel.say()
