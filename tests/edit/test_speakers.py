"""The open speaker encoder: voices and not sentences."""

import sys

import numpy as np
import pytest
import torch

from repro import assets
from repro.edit.speakers import (
    MelOfMfcc,
    SpeakerClassifier,
    accuracy,
    embed,
    load_encoder,
    mel_powers,
    train_classifier,
)
from repro.errors import UserError
from repro.motion.data import sequence_of
from repro.speech.features import mfcc_windows
from repro.speech.synthesis import speak

VOICES = "en-us+m1", "en-us+m6", "en-us+f2", "en-us+f3"
TEXTS = "Two boats left the harbour at noon.", "Please bring me a glass of cold water."


@pytest.fixture(scope="module")
def encoder():
    return load_encoder()


@pytest.fixture(scope="module")
def said():
    return {v: [speak(text, voice=v).audio for text in TEXTS] for v in VOICES}


def test_voices_separate_and_sentences_do_not(encoder, said):
    first, second = (np.stack([embed(encoder, said[v][k]) for v in VOICES]) for k in (0, 1))
    likeness = first @ second.T
    same = np.diag(likeness)
    other = likeness[~np.eye(len(VOICES), dtype=bool)]
    assert same.min() > other.max()
    assert same.min() > 0.75


def test_a_voice_is_a_unit_vector_whatever_its_loudness(encoder, said):
    loud = said["en-us+m1"][0]
    voice = embed(encoder, loud)
    assert np.linalg.norm(voice) == pytest.approx(1, abs=1e-5)
    assert (voice >= 0).all()
    quiet = embed(encoder, 0.001 * loud)
    assert voice @ quiet > 0.9


def test_the_package_is_read_and_not_imported(encoder):
    assert "resemblyzer" not in sys.modules


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(assets, "place", lambda _: None)
    with pytest.raises(UserError, match="Resemblyzer"):
        load_encoder()


def test_mels_of_mfccs_are_those_of_the_sound_but_for_loudness_and_detail(said):
    sound = said["en-us+f2"][0]
    back = MelOfMfcc()(torch.from_numpy(sequence_of(mfcc_windows(sound)))).numpy()
    true = mel_powers(sound)
    true = (true[:-1] + true[1:]) / 2  # the middles of the MFCC's steps lie between the mels'
    a = np.log(back[12 : 12 + len(true)] + 1e-9)
    b = np.log(true[: len(a)] + 1e-9)
    sounding = true.sum(1)[: len(a)] > 0.01 * true.sum(1).max()
    a, b = (x[sounding] - x[sounding].mean(1, keepdims=True) for x in (a, b))
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.9


def test_a_spectrum_of_zeros_is_as_loud_as_noise_at_30_db():
    noise = 10 ** (-30 / 20) * np.random.default_rng(0).normal(size=32_000)
    heard = mel_powers(noise.astype(np.float32))[2:-2].mean()
    assert float(MelOfMfcc()(torch.zeros(12)).mean()) == pytest.approx(heard, rel=0.1)


def test_the_gradient_reaches_the_mfccs_and_no_weight_of_the_encoder(encoder):
    classifier = SpeakerClassifier(encoder, VOICES)
    torch.nn.init.normal_(classifier.head.weight)
    mfcc = torch.zeros(2, 30, 12, requires_grad=True)
    classifier(mfcc)[:, 0].sum().backward()
    assert mfcc.grad.abs().sum(-1).min() > 0
    assert all(p.grad is None for p in encoder.parameters())


def test_the_head_tells_voices_by_their_mfccs(encoder, said):
    """Seconds of one sentence are learned from, seconds of another tested on."""

    def seconds(k):
        windows, labels = [], []
        for label, voice in enumerate(VOICES):
            sound = sequence_of(mfcc_windows(said[voice][k]))
            starts = range(20, len(sound) - 100, 12)
            windows += [sound[s : s + 100] for s in starts]
            labels += [label] * len(starts)
        return torch.from_numpy(np.stack(windows)), torch.tensor(labels)

    classifier = train_classifier(encoder, *seconds(0), VOICES)
    assert accuracy(classifier, *seconds(0)) > 0.9
    assert accuracy(classifier, *seconds(1)) > 0.7


def test_a_spectrum_beyond_any_sound_stays_finite_and_so_does_its_gradient():
    mfcc = torch.full((1, 100, 12), 300.0, requires_grad=True)
    mels = MelOfMfcc()(mfcc)
    mels.sum().backward()
    assert torch.isfinite(mels).all() and torch.isfinite(mfcc.grad).all()
    loudest = np.float32(np.sign(np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)))
    assert np.log(mel_powers(loudest).max()) < np.log(mels.detach().numpy().max())
