"""Blinks, gaze, brows and head motion of synthetic people."""

from dataclasses import dataclass

import numpy as np
import pytest

from repro import FPS, SAMPLE_RATE
from repro.corpus.people import draw_person
from repro.corpus.performance import blink_shape, blink_times, loudness, perform, smooth_noise
from repro.face.model import load_open_model

NAMES = load_open_model().expression_names
SECONDS = 30


@dataclass(frozen=True)
class Sound:
    symbol: str
    start_s: float
    end_s: float


def babble(seconds: float, seed: int = 0) -> tuple[np.ndarray, list[Sound]]:
    """Sound that is loud in vowels, and its phonemes."""
    rng = np.random.default_rng(seed)
    phonemes, t = [], 0.0
    audio = rng.normal(0, 1e-3, int(seconds * SAMPLE_RATE)).astype(np.float32)
    while t < seconds:
        symbol = str(rng.choice(["ɑː", "b", "i", "s", "uː", "k", "_"]))
        end = min(t + rng.uniform(0.06, 0.2), seconds)
        level = 0.3 * rng.uniform(0.3, 1) if symbol in ("ɑː", "i", "uː") else 0.01
        a, b = int(t * SAMPLE_RATE), int(end * SAMPLE_RATE)
        audio[a:b] += rng.normal(0, level, b - a).astype(np.float32)
        phonemes.append(Sound(symbol, t, end))
        t = end
    return audio, phonemes


def act(person_seed: int = 0, seed: int = 0):
    audio, phonemes = babble(SECONDS)
    person = draw_person(person_seed)
    return perform(audio, phonemes, person, frames=SECONDS * FPS, seed=seed, names=NAMES)


def test_performance_has_one_row_per_frame_within_range():
    p = act()
    assert p.expression.shape == (SECONDS * FPS, 64) and p.pose.shape == (SECONDS * FPS, 6)
    assert p.expression.dtype == p.pose.dtype == np.float32
    assert p.expression.min() >= 0 and p.expression.max() <= 1 and np.isfinite(p.pose).all()


def test_the_same_seed_repeats_and_another_differs():
    np.testing.assert_array_equal(act(seed=1).pose, act(seed=1).pose)
    assert np.abs(act(seed=1).pose - act(seed=2).pose).max() > 0.02


def test_the_mouth_does_not_depend_on_the_seed():
    jaw = NAMES.index("jawOpen")
    np.testing.assert_array_equal(act(seed=1).expression[:, jaw], act(seed=2).expression[:, jaw])


@pytest.mark.parametrize("person", range(6))
def test_the_head_moves_within_a_natural_range(person):
    degrees = np.rad2deg(act(person).pose[:, :3])
    assert np.abs(degrees[:, 1]).max() < 26 and np.abs(degrees[:, [0, 2]]).max() < 18
    assert np.ptp(degrees[:, 1]) > 5 and np.ptp(degrees[:, 0]) > 3
    speed = np.abs(np.diff(degrees, axis=0)) * FPS
    assert speed.max() < 110  # degrees per second


def test_the_head_stays_in_view():
    place = act().pose[:, 3:]
    assert np.ptp(place, axis=0).max() < 0.12 and 0.8 < place[:, 2].min() < place[:, 2].max() < 1.2


def test_nods_follow_loud_syllables():
    audio, phonemes = babble(SECONDS)
    person = draw_person(0)
    quiet = np.zeros_like(audio)
    options = {"frames": SECONDS * FPS, "seed": 0, "names": NAMES}
    loud = perform(audio, phonemes, person, **options).pose[:, 0]
    still = perform(quiet, phonemes, person, **options).pose[:, 0]
    assert np.abs(np.diff(loud)).mean() > 1.3 * np.abs(np.diff(still)).mean()


def test_blinks_shut_the_eye_for_at_least_one_frame():
    for shift in np.linspace(0, 1 / FPS, 7):
        assert blink_shape(np.arange(20) / FPS - shift).max() == 1


def test_people_blink_ten_to_thirty_times_a_minute():
    times = np.arange(300 * FPS) / FPS
    for seed in range(6):
        rng = np.random.default_rng(seed)
        per_minute = len(blink_times(times, [], draw_person(seed), rng)) / 5
        assert 9 < per_minute < 30


def test_smooth_noise_has_unit_variance_and_no_jumps():
    times = np.arange(400 * FPS) / FPS
    noise = smooth_noise(times, np.random.default_rng(0), 0.3)
    assert 0.8 < noise.std() < 1.2 and np.abs(np.diff(noise)).max() < 0.25


def test_loudness_follows_the_sound():
    audio = np.zeros(2 * SAMPLE_RATE, np.float32)
    audio[SAMPLE_RATE:] = 0.2 * np.sin(np.arange(SAMPLE_RATE) * 0.2)
    level = loudness(audio, 2 * FPS)
    assert level[: FPS - 2].max() < 0.05 and level[FPS + 2 :].min() > 0.9


def test_a_breath_parts_the_lips_at_a_long_pause_and_not_at_a_short_one():
    def jaw(pause_s: float) -> float:
        said = [Sound("s", 0, 1), Sound("_", 1, 1 + pause_s), Sound("s", 1 + pause_s, 3)]
        audio = np.zeros(3 * SAMPLE_RATE, np.float32)
        made = perform(audio, said, draw_person(0), frames=75, seed=0, names=NAMES)
        return made.expression[27:31, NAMES.index("jawOpen")].max()

    assert jaw(0.6) > jaw(0.2) + 0.01
