"""Sound of any rate, channels, format and length, and what is wrong with some of it."""

import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile

from repro.corpus.sound import read_audio, sound_blocks
from repro.errors import UserError
from repro.speech.espeak import synthesise
from repro.speech.features import mfcc_windows
from repro.speech.synthesis import speak


@pytest.fixture(scope="module")
def speech():
    """A sentence at 16 kHz, its loudest sample 0.5."""
    audio = speak("Pam bought two big blue boats.", voice="en-us").audio
    return (0.5 * audio / np.abs(audio).max()).astype(np.float32)


def write(path, sound, rate=16000, subtype="FLOAT"):
    """Sound (N,) or (N, C) as it is, whatever its values."""
    soundfile.write(path, sound, rate, subtype=subtype)
    return path


def tone(rate, seconds, hz=440.0):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", [4000, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 192000])
def test_a_click_late_in_a_file_of_any_rate_stays_where_it_was(tmp_path, rate):
    """A rate that does not divide 16 kHz must not make time drift."""
    sound = np.zeros(round(60.5 * rate))
    sound[60 * rate : 60 * rate + rate // 500] = 0.9
    heard = read_audio(write(tmp_path / "a.wav", sound, rate))
    assert len(heard) == pytest.approx(60.5 * 16000, abs=2)
    centre = np.sum(np.arange(len(heard)) * np.square(heard)) / np.sum(np.square(heard))
    assert centre == pytest.approx(60 * 16000 + 15.5, abs=4)


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
)
def test_whole_and_floating_point_numbers_have_one_scale(tmp_path, subtype):
    sound = tone(16000, 0.5)
    heard = read_audio(write(tmp_path / "a.wav", sound, subtype=subtype))
    limit = {"PCM_U8": 0.02, "ULAW": 0.02, "ALAW": 0.02, "PCM_16": 1e-4}.get(subtype, 1e-5)
    assert heard == pytest.approx(sound.astype(np.float32), abs=limit)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 8, 10, 24])
def test_a_voice_in_one_of_many_channels_is_heard(tmp_path, speech, channels):
    """In 5.1 the voice is in the middle channel alone."""
    sound = np.zeros((len(speech), channels), np.float32)
    sound[:, channels // 2] = speech
    heard = read_audio(write(tmp_path / "a.wav", sound))
    assert heard == pytest.approx(speech / channels, abs=1e-6)
    plain, spread = mfcc_windows(speech), mfcc_windows(heard)
    assert np.square(spread - plain).mean() < 0.1 * plain.var()


@pytest.mark.parametrize("rate", [16000, 44100])
def test_channels_of_opposite_sign_do_not_silence_each_other(tmp_path, rate):
    sound = tone(rate, 1.0)
    heard = read_audio(write(tmp_path / "a.wav", np.stack([sound, -sound], 1), rate))
    assert np.abs(heard[2000:14000]).max() == pytest.approx(0.5, abs=0.01)


def test_channels_are_averaged_wherever_that_leaves_something(tmp_path):
    rng = np.random.default_rng(0)
    sound = 0.1 * rng.normal(size=(16000, 2))
    heard = read_audio(write(tmp_path / "a.wav", sound))
    assert heard == pytest.approx(sound.mean(1).astype(np.float32), abs=1e-6)


@pytest.mark.parametrize("rate", [16000, 48000])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_silence_and_spoil_nothing_else(tmp_path, rate, value):
    sound = tone(rate, 1.0)
    broken = sound.copy()
    broken[rate // 2 : rate // 2 + rate // 100] = value
    heard, whole = (
        read_audio(write(tmp_path / f"{name}.wav", x, rate))
        for name, x in (("broken", broken), ("whole", sound))
    )
    assert np.isfinite(heard).all()
    assert np.all(heard[8020:8140] == 0)
    assert heard[:7960] == pytest.approx(whole[:7960], abs=1e-6)
    assert heard[8200:] == pytest.approx(whole[8200:], abs=1e-6)
    assert np.isfinite(mfcc_windows(heard)).all()


def test_an_overload_is_clipped(tmp_path):
    heard = read_audio(write(tmp_path / "a.wav", 3 * tone(16000, 0.5)))
    assert heard.max() == 1 and heard.min() == -1


def test_floating_point_sound_on_the_scale_of_whole_numbers_is_refused(tmp_path):
    sound = np.concatenate([np.zeros(5 * 16000), 32767 * tone(16000, 1.0)])
    path = write(tmp_path / "a.wav", sound)
    with pytest.raises(UserError, match=r"a\.wav' reaches 1\.64e\+04 at [3-5] s.*scale it"):
        read_audio(path)


def test_silence_is_silence(tmp_path):
    heard = read_audio(write(tmp_path / "a.wav", np.zeros(48000), 48000, "PCM_16"))
    assert np.all(heard == 0) and len(heard) == 16000
    assert np.abs(mfcc_windows(heard)).max() < 1e-4


@pytest.mark.parametrize(
    ("samples", "rate"), [(1, 16000), (100, 16000), (399, 16000), (100, 44100), (399, 44100)]
)
def test_sound_shorter_than_one_window_is_read(tmp_path, samples, rate):
    path = write(tmp_path / "a.wav", np.full(samples, 0.25), rate, "PCM_16")
    heard = read_audio(path, min_s=0)
    assert len(heard) == pytest.approx(samples * 16000 / rate, abs=1)
    assert mfcc_windows(heard).shape == (1, 28, 12)
    with pytest.raises(UserError, match=r"only 0\.0\d s of sound: give at least 0\.5 s"):
        read_audio(path)


@pytest.mark.parametrize(("samples", "rate"), [(0, 16000), (1, 44100)])
def test_a_file_without_a_sample_at_16_khz_is_refused(tmp_path, samples, rate):
    path = write(tmp_path / "a.wav", np.zeros(samples), rate)
    with pytest.raises(UserError, match=r"only 0\.00 s of sound: give at least 0\.04 s"):
        read_audio(path, min_s=0)


@pytest.mark.parametrize("voice", ["de", "fr", "cmn", "ar", "hi", "ru", "ja", "sw", "pt-br"])
def test_speech_of_other_languages_is_heard_like_english(tmp_path, voice):
    """Its features vary as those of English do, which the mapping was trained on."""
    words = {"cmn": "你好世界", "ar": "مرحبا بالعالم", "hi": "नमस्ते दुनिया", "ru": "привет мир",
             "ja": "こんにちは"}  # fmt: skip
    samples, rate, _ = synthesise(
        words.get(voice, "papa mama banana"),
        voice=voice, rate_wpm=160, pitch=50, pitch_range=50, seed=0,
    )  # fmt: skip
    windows = mfcc_windows(read_audio(write(tmp_path / "a.wav", samples, rate, "PCM_16")))
    english = mfcc_windows(speak("papa mama banana", voice="en-us").audio)
    ratio = windows.std((0, 1)) / english.std((0, 1))
    assert np.isfinite(windows).all()
    assert ratio.min() > 0.3 and ratio.max() < 3


@pytest.mark.parametrize("rate", [16000, 44100])
def test_blocks_are_the_whole_and_are_short(tmp_path, rate):
    rng = np.random.default_rng(0)
    path = write(tmp_path / "a.flac", 0.1 * rng.normal(size=(9 * rate, 2)), rate, "PCM_16")
    blocks = list(sound_blocks(path))
    assert max(map(len, blocks)) <= 5 * 16000
    assert np.array_equal(np.concatenate(blocks), read_audio(path))


def test_reading_a_long_file_in_blocks_keeps_memory_flat(tmp_path):
    """Ten minutes are 38 MB as numbers, an hour would be 230."""
    path = write(tmp_path / "a.flac", np.tile(tone(8000, 1.0), 600), 8000, "PCM_16")
    tracemalloc.start()
    windows = mfcc_windows(sound_blocks(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(windows) == 15000
    assert peak < 10e6


def write_stamped(path, starts, length=1024):
    """Blocks of 0.1, 0.2, ... at the given samples of 16 kHz."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=16000, layout="mono")
        for k, start in enumerate(starts):
            block = np.full((1, length), 0.1 * (k + 1), np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_of_sound_that_overlaps_the_earlier_is_kept(tmp_path):
    heard = read_audio(write_stamped(tmp_path / "a.mka", [0, 400]), min_s=0)
    assert len(heard) == pytest.approx(1424, abs=16)
    assert np.all(heard[:1020] == np.float32(0.1))
    assert heard[1040:1400] == pytest.approx(0.2)


def test_a_clock_that_jumps_by_hours_makes_no_hours_of_silence(tmp_path):
    day = 24 * 3600 * 16000
    heard = read_audio(write_stamped(tmp_path / "a.mka", [0, day, day + 1024]), min_s=0)
    assert len(heard) == pytest.approx(3 * 1024, abs=32)
    assert heard[-500:] == pytest.approx(0.3)
