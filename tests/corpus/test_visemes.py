"""Mouth shapes of speech."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro import FPS
from repro.corpus.lips import lip_edges
from repro.corpus.people import draw_person
from repro.corpus.visemes import (
    LIKE,
    TARGETS,
    closure_times,
    mouth_actions,
    seal,
    segments,
    visemes_of,
)
from repro.errors import UserError
from repro.face.model import load_open_model
from repro.speech.synthesis import SENTENCES, VOICES, speak

MODEL = load_open_model()
EDGES = lip_edges(MODEL)
NAMES = MODEL.expression_names[:52]


@dataclass(frozen=True)
class Sound:
    symbol: str
    start_s: float
    end_s: float


def sounds(symbols: str, each_s: float = 0.08) -> list[Sound]:
    return [Sound(s, i * each_s, (i + 1) * each_s) for i, s in enumerate(symbols.split())]


def actions_of(symbols: str, times=None, each_s: float = 0.08, **options):
    spoken = sounds(symbols, each_s)
    if times is None:
        times = np.arange(0, spoken[-1].end_s, 0.005)
    return mouth_actions(spoken, np.asarray(times), NAMES, **options)


def column(actions, name):
    return actions[:, NAMES.index(name)]


def test_every_target_names_an_action_of_the_face_model():
    for weights in TARGETS.values():
        for action in weights:
            assert action in NAMES or f"{action}Left" in NAMES


def test_every_alias_leads_to_a_target():
    assert set(LIKE.values()) <= set(TARGETS)


def test_diphthongs_affricates_and_marks_are_taken_apart():
    assert visemes_of("aɪ") == ("a", "ɪ")
    assert visemes_of("tʃ") == ("t", "ʃ")
    assert visemes_of("ˈɑː") == ("ɑ",)
    assert visemes_of("n̩") == ("t",)
    assert visemes_of("") == ("_",)


@pytest.mark.parametrize("voice", VOICES[::4])
def test_every_phoneme_of_the_sentences_has_a_mouth_shape(voice):
    for sentence in SENTENCES[::6]:
        for phoneme in speak(sentence, voice=voice).phonemes:
            assert all(key in TARGETS for key in visemes_of(phoneme.symbol))


def test_an_unknown_letter_is_named():
    with pytest.raises(UserError, match="ʘ"):
        visemes_of("ʘ")


def test_segments_fill_the_time_of_their_phonemes():
    parts = segments(sounds("aɪ t oʊ", 0.2))
    assert parts[0][1] == 0 and parts[-1][2] == pytest.approx(0.6)
    assert all(a[2] == pytest.approx(b[1]) for a, b in itertools.pairwise(parts))


@given(
    st.lists(st.sampled_from(sorted(set(TARGETS) | set(LIKE))), min_size=1, max_size=12),
    st.floats(0.03, 0.3),
)
def test_weights_stay_between_zero_and_one(symbols, each_s):
    actions = actions_of(" ".join(symbols), each_s=each_s)
    assert np.isfinite(actions).all() and actions.min() >= 0 and actions.max() <= 1


def test_open_vowels_open_the_jaw_more_than_close_ones():
    times = [0.15]
    jaw = {v: column(actions_of(f"_ {v} _", times, 0.1), "jawOpen")[0] for v in "ɑɛiu"}
    assert jaw["ɑ"] > jaw["ɛ"] > jaw["i"] > 0 and jaw["u"] < jaw["ɛ"]


def test_rounded_vowels_pucker_and_spread_ones_do_not():
    assert column(actions_of("_ u _", [0.15], 0.1), "mouthPucker")[0] > 0.4
    assert column(actions_of("_ i _", [0.15], 0.1), "mouthPucker")[0] < 0.1


def test_rounding_begins_before_the_rounded_vowel():
    before_u = column(actions_of("s t u", [0.10]), "mouthPucker")[0]
    before_i = column(actions_of("s t i", [0.10]), "mouthPucker")[0]
    assert before_u > before_i + 0.1


def test_a_frame_at_25_fps_falls_into_every_seal():
    for shift in np.linspace(0, 1 / FPS, 9):
        spoken = [Sound("b", 0.3 + shift, 0.36 + shift)]
        assert seal(spoken, np.arange(25) / FPS).max() == 1


def test_actions_change_smoothly():
    actions = actions_of("_ h ɛ l oʊ b ɪ ɡ w ɜː l d _", each_s=0.09)
    assert np.abs(np.diff(actions, axis=0)).max() < 0.12


@pytest.mark.parametrize("vowel", ["ɑː", "æ", "i", "uː", "oʊ"])
@pytest.mark.parametrize("stop", ["p", "b", "m"])
def test_lips_close_within_a_millimetre_at_p_b_m(vowel, stop):
    spoken = sounds(f"{vowel} {stop} {vowel}", 0.12)
    loud = np.full(1, 1.3)
    closed = mouth_actions(
        spoken, closure_times(spoken), NAMES, strength=np.full(52, 1.3), vigour=loud
    )
    opened = mouth_actions(spoken, np.array([0.06]), NAMES)
    for seed in range(6):
        identity = draw_person(seed).identity
        assert aperture_mm(closed, identity) < 1.0
        assert aperture_mm(opened, identity) > aperture_mm(closed, identity) + 1.8


def test_open_vowels_part_the_lips_by_about_a_centimetre():
    assert 7 < aperture_mm(actions_of("_ ɑː _", [0.15], 0.1)) < 15
    assert 2 < aperture_mm(actions_of("_ i _", [0.15], 0.1)) < 8


def test_lips_rest_closed_in_silence():
    assert aperture_mm(actions_of("_ _ _", [0.15], 0.1)) < 0.5


def test_the_lower_lip_rises_to_the_teeth_at_f():
    at_f, at_a = actions_of("ɑː f ɑː", [0.12]), actions_of("ɑː f ɑː", [0.03])
    assert column(at_f, "mouthRollLower")[0] > 0.35
    assert aperture_mm(at_f) < 0.35 * aperture_mm(at_a)


def aperture_mm(actions: np.ndarray, identity: np.ndarray | None = None) -> float:
    """The largest gap between the lips over the given times, on the face model's surface."""
    expression = np.zeros((len(actions), 64), np.float32)
    expression[:, :52] = actions
    identity = np.zeros(80, np.float32) if identity is None else identity
    vertices = MODEL.vertices(identity, expression)
    return float(EDGES.aperture(vertices).max() * 1000)
