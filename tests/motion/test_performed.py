"""Clips that are performed and not filmed."""

import itertools

import numpy as np
import pytest

from repro.corpus.people import draw_person
from repro.errors import UserError
from repro.face.model import load_open_model
from repro.motion.performed import FIRST_PERSON, performed, performed_clips, performers
from repro.motion.settings import MotionSettings
from repro.reconstruct import portraits
from repro.speech.synthesis import VOICES_HIGH, VOICES_LOW

NAMES = load_open_model().expression_names
TWO = MotionSettings(performed_people=2, performed_s=2.0, perceptron_units=1)


def test_clips_are_as_many_and_as_long_as_asked_for_and_the_same_again():
    clips = list(performed_clips(TWO, NAMES, seed=0))
    again = list(performed_clips(TWO, NAMES, seed=0))
    assert [(w.shape, len(m)) for w, m in clips] == [((50, 28, 12), 50)] * 2
    for (windows, motion), (same_windows, same_motion) in zip(clips, again, strict=True):
        np.testing.assert_array_equal(windows, same_windows)
        np.testing.assert_array_equal(motion.expression, same_motion.expression)
    others = list(performed_clips(TWO, NAMES, seed=1))
    assert not np.array_equal(clips[0][0], others[0][0])


def test_mouths_move_with_the_sound():
    """Where there is sound, the jaw is open more than in the silence before it."""
    ((windows, motion),) = itertools.islice(performed_clips(TWO, NAMES, seed=0), 1)
    jaw = motion.expression[:, NAMES.index("jawOpen")]
    assert jaw[:3].mean() < 0.5 * jaw.mean()
    assert windows[10:].std() > 0.5


def test_held_out_voices_stay_unheard():
    without = {VOICES_LOW[0], VOICES_HIGH[1]}
    numbers = list(itertools.islice(performers(3, without=without), 40))
    assert len(set(numbers)) == 40
    heard = {draw_person(number).voice for number in numbers}
    assert heard == {*VOICES_LOW, *VOICES_HIGH} - without


def test_who_performs_says_and_does_the_same_as_in_the_clips():
    """And the phonemes fill the sound."""
    ((windows, motion),) = itertools.islice(performed_clips(TWO, NAMES, seed=0), 1)
    clip = performed(next(performers(0)), TWO.performed_s, NAMES)
    np.testing.assert_array_equal(clip.windows, windows)
    np.testing.assert_array_equal(clip.motion.pose, motion.pose)
    ends = [phoneme.end_s for phoneme in clip.phonemes]
    assert [phoneme.start_s for phoneme in clip.phonemes] == [0.0, *ends[:-1]]
    assert ends[-1] >= TWO.performed_s


def test_nobody_left_to_speak_is_said():
    with pytest.raises(UserError, match="performed_people"):
        list(performed_clips(TWO, NAMES, seed=0, without=[*VOICES_LOW, *VOICES_HIGH]))


def test_nobody_is_in_a_corpus_or_among_the_portraits():
    """Seeds of runs up to 99 leave 100 000 people each."""
    assert FIRST_PERSON - portraits.FIRST_PERSON >= 100 * 100_000


def test_another_take_is_other_speech_of_the_same_person():
    """Habits belong to the person: only what is said, and chance, differ."""
    number = next(performers(0))
    first, again, other = (performed(number, 2.0, NAMES, take=take) for take in (0, 0, 1))
    np.testing.assert_array_equal(first.audio, again.audio)
    assert first.audio.shape == other.audio.shape == (2 * 16_000,)
    assert not np.array_equal(first.audio, other.audio)
    assert not np.array_equal(first.motion.pose, other.motion.pose)
    assert first.person.voice == other.person.voice
    np.testing.assert_array_equal(first.person.identity, other.person.identity)
    np.testing.assert_array_equal(
        first.person.pose_style.mean_rad, other.person.pose_style.mean_rad
    )
