"""Clips of the synthetic corpus: sound, frames, masks and truth belong together."""

import json

import av
import numpy as np
import pytest

from repro import FPS
from repro.corpus.clip import open_clip, read_audio
from repro.corpus.plan import WORD_FRAMES
from repro.corpus.synthetic_clip import LABEL
from repro.corpus.truth import MATERIALS, load_truth, read_masks, truth_of
from repro.errors import UserError
from repro.face.model import load_open_model
from repro.face.pose import apply_pose

MODEL = load_open_model()


def test_clips_have_sound_and_as_many_frames_as_their_truth_and_masks(filmed):
    for entry in filmed:
        clip, truth = open_clip(entry.video), load_truth(entry.truth)
        masks = list(read_masks(entry.masks))
        assert clip.frames == len(truth.pose) == len(masks) == round(entry.length_s * FPS)
        assert clip.has_audio and np.abs(clip.audio()).max() > 0.02
        assert (clip.width, clip.height) == (64, 64) == masks[0].shape


def test_a_word_stands_in_the_middle_of_its_clip(corpus):
    (entry,) = (e for e in corpus.entries if e.word)
    truth = load_truth(entry.truth)
    assert len(truth.pose) == WORD_FRAMES
    k = [w.strip(".").lower() for w in truth.words].index(entry.word)
    middle = truth.word_times_s[k].mean()
    assert abs(middle - WORD_FRAMES / FPS / 2) < 0.05
    assert len(truth.words) > 1, "the clip begins and ends in mid-speech"


def test_driving_speech_is_sound_alone_in_a_voice_of_nobody(corpus, filmed):
    (entry,) = corpus.split("driving")
    assert len(read_audio(entry.sound)) == 16000
    assert entry.voice not in {e.voice for e in filmed}
    assert not entry.video.exists()


def test_masks_name_the_material_of_every_pixel(corpus):
    entry = corpus.entries[0]
    truth, mask = load_truth(entry.truth), next(read_masks(entry.masks))
    assert mask.max() < len(MATERIALS)
    nose = np.round(truth.landmarks[0, 1]).astype(int)
    assert MATERIALS[mask[nose[1], nose[0]]] == "skin"
    assert MATERIALS[mask[0, 0]] == "background"
    assert {MATERIALS[k] for k in np.unique(mask)} >= {"background", "skin", "clothes", "hair"}


def test_truth_albedo_is_the_models_where_nothing_is_painted(corpus):
    truth = load_truth(corpus.entries[0].truth)
    plain = MODEL.albedo(truth.texture)
    cheek = MODEL.landmark68[[2, 14, 30]]
    assert truth.albedo.shape == plain.shape
    assert np.abs(truth.albedo[cheek] - plain[cheek]).max() < 0.2
    assert truth.albedo.min() >= 0 and truth.albedo.max() <= 1


def test_truth_landmarks_are_the_projected_model(corpus):
    truth = load_truth(corpus.entries[0].truth)
    vertices = MODEL.vertices(truth.identity, truth.expression)
    points = apply_pose(MODEL.landmarks(vertices), truth.pose)
    np.testing.assert_allclose(truth.camera.project(points), truth.landmarks, atol=0.01)


def test_truth_holds_phonemes_in_order(corpus):
    truth = load_truth(corpus.entries[0].truth)
    assert len(truth.symbols) == len(truth.times_s) > 3
    assert (np.diff(truth.times_s[:, 0]) >= 0).all() and truth.times_s[0, 0] >= 0


def test_videos_are_labelled_synthetic(corpus):
    entry = corpus.entries[0]
    assert json.loads(entry.note.read_text())["label"] == LABEL
    with av.open(str(entry.video)) as container:
        assert container.metadata["comment"] == LABEL


def test_a_missing_truth_is_named_and_a_real_clip_has_none(tmp_path):
    with pytest.raises(UserError, match=r"gone\.npz"):
        load_truth(tmp_path / "gone.npz")
    assert truth_of(tmp_path / "real.mp4") is None
