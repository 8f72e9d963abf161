"""Motion from sound that is not clean English speech."""

import tracemalloc

import numpy as np
import pytest

from repro.evaluate.expression import expression_correlation
from repro.face.model import load_open_model
from repro.motion.predict import predict
from repro.motion.retrieve import retell
from repro.speech.espeak import synthesise
from repro.speech.features import mfcc_windows
from repro.speech.synthesis import SAMPLE_RATE, speak

NAMES = load_open_model().expression_names
JAW = NAMES.index("jawOpen")


@pytest.fixture(scope="module")
def unheard(spoken):
    """A person whom the mapping has never heard."""
    return spoken(20)


def heard(mapping, sound):
    return predict(mapping, mfcc_windows(sound)).expression


def agreement(mapping, clip, sound):
    said = predict(mapping, mfcc_windows(sound, len(clip.motion))).expression
    return expression_correlation(clip.motion.expression, said, NAMES)


def chords(seconds):
    """Music: three notes with overtones, another chord every half second, and a drum."""
    t = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    root = 220 * 2 ** (np.array([0, 5, 7, 3])[(t / 0.5).astype(int) % 4] / 12)
    sound = sum(
        np.sin(2 * np.pi * np.cumsum(root * ratio * k) / SAMPLE_RATE) / k
        for ratio in (1, 1.25, 1.5)
        for k in (1, 2, 3, 4)
    )
    drum = np.random.default_rng(0).normal(size=len(t)) * np.exp(-20 * (t % 0.5))
    return (0.05 * sound + 0.1 * drum).astype(np.float32)


def test_clean_speech_of_a_stranger_is_understood(linear_mapping, unheard):
    assert agreement(linear_mapping, unheard, unheard.audio) > 0.5


@pytest.mark.parametrize("change", [
    lambda x: x + 0.2,
    lambda x: 0.05 * x,
    lambda x: np.clip(x, -0.5 * np.abs(x).max(), 0.5 * np.abs(x).max()),
])  # fmt: skip
def test_an_offset_another_level_and_clipping_cost_little(linear_mapping, unheard, change):
    clean = agreement(linear_mapping, unheard, unheard.audio)
    changed = agreement(linear_mapping, unheard, change(unheard.audio).astype(np.float32))
    assert changed > clean - 0.06


SOUNDS = {
    "nothing": np.zeros(0, np.float32),
    "one sample": np.zeros(1, np.float32),
    "silence": np.zeros(64000, np.float32),
    "offset": np.full(64000, 0.3, np.float32),
    "square": np.sign(np.sin(np.arange(64000) / 20)).astype(np.float32),
    "noise": np.random.default_rng(0).normal(size=64000).astype(np.float32),
    "click": np.eye(1, 64000, 32000, dtype=np.float32)[0],
    "music": chords(4),
}


@pytest.mark.parametrize("name", list(SOUNDS))
def test_sound_without_speech_gives_a_face_that_a_person_could_make(linear_mapping, unheard, name):
    """Whatever is heard, no action goes far beyond what speech makes of it."""
    sound = SOUNDS[name]
    made = heard(linear_mapping, sound)
    speech = heard(linear_mapping, unheard.audio)
    assert len(made) == max(1, round(len(sound) / 640))
    assert np.isfinite(made).all()
    reach = speech.max(0) - speech.min(0)
    assert (np.abs(made - speech.mean(0)) <= 2.5 * reach + 0.05).all()


def test_in_silence_the_mouth_is_still(linear_mapping):
    made = heard(linear_mapping, np.zeros(64000, np.float32))
    assert np.ptp(made, axis=0).max() < 1e-3


@pytest.mark.parametrize("voice", ["de", "fr", "es", "cmn", "ru"])
def test_the_mouth_opens_to_the_speech_of_other_languages(linear_mapping, unheard, voice):
    """The jaw moves about as far as to English, and more in vowels than in pauses."""
    text = {"cmn": "爸爸 妈妈 爸爸", "ru": "папа мама папа"}.get(voice, "papa mama papa")
    samples, rate, marks = synthesise(
        text, voice=voice, rate_wpm=140, pitch=50, pitch_range=50, seed=0
    )
    assert rate == 22050
    sound = np.interp(
        np.arange(0, len(samples) / rate, 1 / SAMPLE_RATE),
        np.arange(len(samples)) / rate,
        samples / 32768,
    )
    pause = np.zeros(SAMPLE_RATE // 2)
    jaw = heard(linear_mapping, np.concatenate([pause, sound, pause]).astype(np.float32))[:, JAW]
    english = heard(linear_mapping, unheard.audio)[:, JAW]
    assert 0.4 < jaw.std() / english.std() < 2.5
    inside = [
        jaw[round((0.5 + m.sample / rate + 0.08) * 25)]
        for m in marks
        if getattr(m, "symbol", "").lstrip("ˈˌ").startswith(("a", "ɑ"))
    ]
    assert len(inside) >= 3
    assert np.mean(inside) > np.concatenate([jaw[:8], jaw[-8:]]).mean() + english.std() / 2


def test_ten_minutes_from_blocks_of_sound_to_motion_take_few_megabytes(linear_mapping, unheard):
    """38 MB of sound; windows and motion that stay take 7, the rest does not grow."""
    blocks = np.tile(unheard.audio, 1 + 600 * SAMPLE_RATE // len(unheard.audio))
    blocks = np.array_split(blocks[: 600 * SAMPLE_RATE], 600)
    predict(linear_mapping, mfcc_windows(blocks[:2]))
    tracemalloc.start()
    windows = mfcc_windows(iter(blocks))
    made = predict(linear_mapping, windows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(made) == 15000
    assert peak < 25e6


def test_a_minute_of_head_motion_is_retold_for_an_hour():
    own = np.cumsum(np.random.default_rng(0).normal(0, 0.002, (1500, 6)), 0)
    told = retell(own, 90_000, seed=0)
    assert told.of(own).shape == (90_000, 6)
    assert np.isfinite(told.of(own)).all()


def test_speech_in_another_voice_is_still_speech(linear_mapping):
    text = "Pam bought two big blue boats."
    jaws = [heard(linear_mapping, speak(text, voice=v).audio)[:, JAW] for v in ("en-us", "en+f2")]
    assert all(jaw.std() > 0.01 for jaw in jaws)
