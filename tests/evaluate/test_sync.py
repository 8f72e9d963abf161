"""The lip-sync stand-in finds offsets that are put in, and nothing where there is nothing."""

import numpy as np
import pytest

from repro.evaluate.sync import REACH_FRAMES, learn_listener, lip_sync

SAMPLES = 640


def lips(frames: int, *, seed: int) -> np.ndarray:
    """A mouth (T,) that goes from one random opening to the next every 0.1 to 0.4 s."""
    rng = np.random.default_rng(seed)
    knots = np.concatenate([[-10], np.cumsum(rng.uniform(2.5, 10, frames))])
    return np.interp(np.arange(frames), knots, rng.uniform(0, 1, len(knots)))


def speech(frames: int, *, seed: int, pitch_hz: float = 120.0) -> tuple[np.ndarray, np.ndarray]:
    """A buzz (N,) whose one resonance rises as the mouth (T,) opens, and that mouth."""
    mouth = lips(frames, seed=seed)
    fine = np.interp(np.arange(frames * SAMPLES) / SAMPLES - 0.5, np.arange(frames), mouth)
    time_s = np.arange(frames * SAMPLES) / 16_000
    sound = 0.01 * np.random.default_rng(seed).normal(size=len(time_s))
    for harmonic_hz in pitch_hz * np.arange(1, 13):
        loud = np.exp(-(((harmonic_hz - 300 - 600 * fine) / 250) ** 2))
        sound += 0.1 * loud * np.sin(2 * np.pi * harmonic_hz * time_s)
    return sound.astype(np.float32), mouth


@pytest.fixture(scope="module")
def listener():
    return learn_listener([speech(300, seed=0), speech(200, seed=1, pitch_hz=200)])


def test_a_listener_hears_the_mouth_of_sounds_it_did_not_learn_from(listener):
    sound, mouth = speech(300, seed=2, pitch_hz=160)
    found = lip_sync(listener.opening(sound, 300), mouth)
    assert found.r > 0.8
    assert found.offset == 0
    assert found.best_r == found.r
    assert found.confidence > 0.5
    assert found.r > 2 * found.chance_r
    assert listener.frames == 500


@pytest.mark.parametrize("late", [-12, -3, -1, 1, 2, 7, 15])
def test_lips_that_are_moved_in_time_are_found_out(listener, late):
    sound, mouth = speech(340, seed=3)
    shown = mouth[20 - late : 320 - late]
    heard = listener.opening(sound[20 * SAMPLES : 320 * SAMPLES], 300)
    found = lip_sync(heard, shown)
    assert found.offset == late
    assert found.r < found.best_r


def test_lips_of_another_sentence_score_no_more_than_chance(listener):
    sound, _ = speech(300, seed=4)
    above = 0
    for seed in range(5, 25):
        found = lip_sync(listener.opening(sound, 300), lips(300, seed=seed))
        above += found.r > found.chance_r
    assert above <= 2


def test_neither_loudness_nor_scale_counts(listener):
    sound, mouth = speech(200, seed=6)
    plain = lip_sync(listener.opening(sound, 200), mouth)
    other = lip_sync(listener.opening(2 * sound, 200), 40 * mouth + 7)
    assert other.r == pytest.approx(plain.r, abs=0.01)


def test_confidence_and_chance_are_as_defined():
    rng = np.random.default_rng(0)
    heard, seen = rng.normal(size=(2, 80))
    found = lip_sync(heard, seen)
    r = [
        np.corrcoef(heard[max(0, -k) : 80 - max(0, k)], seen[max(0, k) : 80 - max(0, -k)])[0, 1]
        for k in range(-REACH_FRAMES, REACH_FRAMES + 1)
    ]
    assert found.best_r == pytest.approx(max(r))
    assert found.offset == int(np.argmax(r)) - REACH_FRAMES
    assert found.confidence == pytest.approx(max(r) - np.median(r))
    moved = [np.corrcoef(heard, np.roll(seen, k))[0, 1] for k in range(16, 65)]
    assert found.chance_r == pytest.approx(max(moved))


def test_rows_name_the_stand_in():
    rng = np.random.default_rng(0)
    rows = lip_sync(*rng.normal(size=(2, 80))).measures(crop="c", network="n")
    assert [row.name for row in rows] == ["lip sync r", "lip sync offset", "lip sync confidence"]
    assert all("in place of SyncNet" in row.convention for row in rows)
    assert {row.frames for row in rows} == {80}


def test_what_cannot_be_judged_is_refused():
    sound, mouth = speech(100, seed=0)
    with pytest.raises(ValueError, match="at least 60 frames, got 40"):
        learn_listener([(sound[: 40 * SAMPLES], mouth[:40])])
    with pytest.raises(ValueError, match="never move"):
        learn_listener([(sound, np.zeros(100))])
    with pytest.raises(ValueError, match="at least 60 frames, got 59"):
        lip_sync(np.arange(59.0), np.arange(59.0))
    with pytest.raises(ValueError, match="one length"):
        lip_sync(np.arange(100.0), np.arange(99.0))
