"""People who are performed twice, and reconstructed clips."""

import numpy as np
import pytest

from repro.animate.landmark_pca import face_landmarks
from repro.animate.sound import sound_windows
from repro.animate.speech_data import talking_clip_of, talking_corpus
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.corpus.people import draw_person
from repro.face.model import load_open_model

MODEL = load_open_model()
FEW = AnimateSpeechSettings(
    sound="mfcc", people=2, person_s=1.0, test_people=2, test_s=1.0, reference_frames=16,
    motion_frames=16, held_out_voices=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus():
    return talking_corpus(FEW, MODEL, seed=0)


def _person(talker):
    number, take = talker[0].name.split("/")
    assert take == "0"
    return draw_person(int(number))


def test_everybody_speaks_twice(corpus):
    for talker in corpus.train + corpus.test:
        first, second = talker
        assert len(first) == len(second) == 25
        assert first.sound.shape == (25, 28, 12)
        assert first.landmarks.shape == (25, 68, 3)
        assert first.pose.shape == (25, 6)
        assert first.name.split("/")[0] == second.name.split("/")[0]
        assert not np.array_equal(first.pose, second.pose)
    sounds = [[clip.sound for clip in talker] for talker in corpus.train]
    assert not any(np.array_equal(first, second) for first, second in sounds)


def test_who_is_tested_has_voices_that_nobody_learned_from_has(corpus):
    learned, tested = ({_person(t).voice for t in part} for part in (corpus.train, corpus.test))
    assert not learned & tested


def test_voices_to_hold_out_can_be_named():
    settings = FEW.model_copy(update={"people": 1})
    made = talking_corpus(settings, MODEL, seed=0, held_out=["en-us", "en+f2"])
    assert {_person(t).voice for t in made.test} <= {"en-us", "en+f2"}


def test_people_are_learned_from_in_noise_and_tested_without(corpus):
    for talker in corpus.train:
        assert all(np.abs(clip.noisy - clip.sound).max() > 0.1 for clip in talker)
    for talker in corpus.test:
        assert all(clip.noisy is clip.sound for clip in talker)


def test_the_same_seed_performs_the_same(corpus):
    again = talking_corpus(FEW, MODEL, seed=0)
    for talker, same in zip(corpus.train + corpus.test, again.train + again.test, strict=True):
        for clip, other in zip(talker, same, strict=True):
            assert clip.name == other.name
            for part in ("sound", "noisy", "landmarks", "pose"):
                np.testing.assert_array_equal(getattr(clip, part), getattr(other, part))


def test_the_reference_is_the_most_visible_frame(corpus):
    clip = corpus.train[0][0]
    turned = np.square(clip.pose[:, :3]).sum(1)
    np.testing.assert_array_equal(clip.reference, clip.landmarks[turned.argmin()])


def test_a_reconstructed_clip_gives_its_motion_and_its_face(made_up_track):
    audio = np.random.default_rng(0).normal(0, 0.1, 6 * 640).astype(np.float32)
    clip = talking_clip_of("somebody", made_up_track, audio, MODEL, FEW)
    coefficients = made_up_track.coefficients
    own = face_landmarks(MODEL, coefficients.identity, coefficients.expression)
    assert len(clip) == 6
    assert clip.noisy is clip.sound
    np.testing.assert_array_equal(clip.sound, sound_windows(audio, 6, FEW))
    assert np.linalg.norm(clip.landmarks - own, axis=-1).mean() < 1e-3
    assert np.rad2deg(np.abs(clip.pose - coefficients.pose)[:, :3]).max() < 2
    np.testing.assert_allclose(clip.pose[0], coefficients.pose[0], atol=1e-5)  # mouth shut


def test_the_first_frames_of_a_clip_are_a_clip(corpus):
    whole = corpus.train[0][0]
    some = whole.first(10)
    assert len(some) == len(some.sound) == len(some.noisy) == len(some.landmarks) == 10
    np.testing.assert_array_equal(some.pose, whole.pose[:10])
    assert len(whole.first(1000)) == len(whole)


def test_more_of_a_person_than_tau_may_be_looked_at():
    assert FEW.seen_frames == 16
    assert FEW.model_copy(update={"frames_at_use": 20}).seen_frames == 20
