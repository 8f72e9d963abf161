"""Seconds of sound, and who moves how."""

import numpy as np
import torch

from repro import FPS
from repro.corpus.visemes import visemes_of
from repro.edit.speech_data import (
    VIEWS_RAD,
    SpeechSet,
    SpokenClip,
    mouth_channels,
    seen_from,
    still,
)
from repro.edit.speech_settings import EditSpeechSettings
from repro.face.model import load_open_model
from repro.motion.data import sequence_of, voice_warp
from repro.motion.performed import performed, performers
from repro.speech.features import mfcc_windows

NAMES = load_open_model().expression_names
PAPER = EditSpeechSettings()


def test_a_click_is_heard_for_the_paper_s_second():
    """800 ms before the frame and 200 ms after it: so a click lies in 25 frames' windows."""
    sound = np.zeros(4 * 16_000, np.float32)
    sound[2 * 16_000 : 2 * 16_000 + 80] = 0.5
    frames = 100
    windows = mfcc_windows(sound, frames)
    clip = _clip(windows)
    heard = SpeechSet([clip], PAPER).windows(torch.arange(frames)).abs().amax((1, 2)) > 0.1
    first, last = np.flatnonzero(heard.numpy())[[0, -1]] / FPS
    assert abs(first - (2 - 0.2)) <= 1.5 / FPS
    assert abs(last - (2 + 0.8)) <= 1.5 / FPS


def _clip(windows) -> SpokenClip:
    frames = len(windows)
    return SpokenClip(
        "a", sequence_of(windows), np.zeros((frames, 64), np.float32),
        np.zeros((frames, 6), np.float32), np.zeros(80, np.float32), np.full(frames, "_"),
    )  # fmt: skip


def test_windows_hold_the_sound_of_their_frame_in_the_right_place():
    """Step 80 of 100 begins at the middle of the frame: 5 ms later lies its own middle."""
    sound = np.random.default_rng(0).normal(size=(28 + 4 * 29, 12)).astype(np.float32)
    clip = SpokenClip(
        "a", sound, np.zeros((30, 64), np.float32), np.zeros((30, 6), np.float32),
        np.zeros(80, np.float32), np.full(30, "_"),
    )  # fmt: skip
    window = SpeechSet([clip], PAPER).windows(torch.tensor([25]))[0].numpy()
    assert window.shape == (100, 12)
    np.testing.assert_array_equal(window[80], sound[4 * 25 + 14])
    np.testing.assert_array_equal(window[-1], sound[4 * 25 + 33])
    early = SpeechSet([clip], PAPER).windows(torch.tensor([0]))[0].numpy()
    assert not early[:66].any()
    np.testing.assert_array_equal(early[66:], sound[:34])


def test_clips_do_not_hear_each_other(speaking):
    pair = SpeechSet([speaking(0), speaking(1, "b", 30)], PAPER, speakers="ab")
    alone = SpeechSet([speaking(1, "b", 30)], PAPER)
    torch.testing.assert_close(pair.windows(pair.frames(1)), alone.windows(slice(None)))
    assert pair.label[pair.frames(0)].unique().tolist() == [0]
    assert pair.label[pair.frames(1)].unique().tolist() == [1]
    assert SpeechSet([speaking(1, "b")], PAPER, speakers="a").label.unique().tolist() == [-1]


def test_a_batch_takes_several_windows_of_each_of_its_utterances(speaking):
    settings = EditSpeechSettings(batch=24, utterance_windows=6)
    data = SpeechSet([speaking(k, frames=20 + k) for k in range(40)], settings)
    frames = data.draw(np.random.default_rng(0))
    people = data.person[frames].view(4, 6)
    assert (people == people[:, :1]).all()
    assert len(people[:, 0].unique()) > 1
    assert len(frames.unique()) > 12


def test_a_performed_person_is_taken_over_with_what_is_said():
    made = performed(next(performers(5)), 2.0, NAMES)
    clip = SpokenClip.of(made, "me")
    assert len(clip) == len(clip.visemes) == 50
    assert clip.speaker == "me"
    for frame in (10, 25, 40):
        time = (frame + 0.5) / FPS
        (phoneme,) = (p for p in made.phonemes if p.start_s <= time < p.end_s)
        assert clip.visemes[frame] in visemes_of(phoneme.symbol)


def test_another_vocal_tract_changes_speech_and_not_silence():
    made = performed(next(performers(5)), 2.0, NAMES)
    plain, other = (SpokenClip.of(made, "me", warp).sound for warp in (0.0, 0.1))
    np.testing.assert_allclose(plain, sequence_of(made.windows), atol=1e-5)
    silent = np.abs(plain).max(1) < 1e-3
    assert silent.any()
    assert np.abs(other[silent]).max() < 1e-2
    back = other @ np.linalg.inv(voice_warp(0.1, 12)).T
    np.testing.assert_allclose(back, plain, atol=1e-2)
    assert np.abs(other - plain).max() > 1


def test_a_still_head_keeps_its_mean_and_a_turned_one_its_motion(speaking):
    clip = speaking(3)
    np.testing.assert_allclose(still(clip).pose.std(0), 0, atol=1e-7)
    np.testing.assert_allclose(still(clip).pose[0], clip.pose.mean(0), atol=1e-6)
    for view, turn in enumerate(VIEWS_RAD):
        turned = seen_from(clip, view).pose - clip.pose
        np.testing.assert_allclose(turned[:, :2], np.tile(turn, (len(clip), 1)), atol=1e-6)
        assert not turned[:, 2:].any()


def test_the_mouth_s_channels_are_those_of_mouth_and_jaw():
    chosen = {NAMES[k] for k in mouth_channels(NAMES)}
    assert {"jawOpen", "mouthPucker"} <= chosen
    assert not any(name.startswith(("eye", "brow", "cheek")) for name in chosen)
