"""Synthetic speech and the times of its phonemes."""

import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import librosa
import numpy as np
import pytest

from repro.corpus.visemes import visemes_of
from repro.errors import UserError
from repro.speech.sentences import SENTENCES, WORDS
from repro.speech.synthesis import PAUSE, VOICES, speak

TEXT = "Hello, Pam's map! Apples by a pier; keep a copy."


def plain(symbol):
    return symbol.strip("ˈˌː")


def level_db(speech, start_s, end_s):
    piece = speech.audio[round(start_s * 16000) : round(end_s * 16000)]
    return 10 * np.log10(np.mean(piece.astype(float) ** 2) + 1e-10)


@pytest.mark.parametrize("voice", VOICES)
def test_phonemes_cover_the_utterance_without_gaps(voice):
    speech = speak(TEXT, voice=voice)
    starts = [p.start_s for p in speech.phonemes]
    ends = [p.end_s for p in speech.phonemes]
    assert starts[0] == 0
    assert starts[1:] == ends[:-1]
    assert ends[-1] == pytest.approx(speech.duration_s)
    assert all(end - start > 0.01 for start, end in zip(starts, ends, strict=True))
    assert all(isinstance(p.start_s, float) for p in speech.phonemes)
    assert [p.symbol for p in speech.phonemes if p.symbol == PAUSE] == [PAUSE] * 5


@pytest.mark.parametrize("voice", VOICES)
def test_a_plosive_begins_with_its_silent_closure(voice):
    """The library itself stamps the release: without correction, p would be one burst."""
    speech = speak("A pot, a map, apples, keep a copy.", voice=voice)
    found = [(a, b) for a, b in zip(speech.phonemes, speech.phonemes[1:], strict=False)]
    closures = [(a, b) for a, b in found if plain(b.symbol) in "ptk" and a.symbol != PAUSE]
    assert len(closures) >= 7
    for before, plosive in closures:
        assert plosive.end_s - plosive.start_s > 0.06
        shut = level_db(speech, plosive.start_s + 0.005, plosive.start_s + 0.025)
        assert shut < level_db(speech, before.start_s, before.end_s) - 20


def test_a_plosive_after_a_pause_begins_with_its_closure():
    speech = speak("Hello. Put it back.")
    (p,) = (p for p in speech.phonemes if p.symbol == "p")
    assert p.end_s - p.start_s > 0.06
    assert level_db(speech, p.start_s, p.start_s + 0.03) < -60
    assert level_db(speech, p.end_s - 0.02, p.end_s) > -45


@pytest.mark.parametrize("voice", ["en-us", "en+f2", "en-gb-x-rp+f4"])
def test_vowels_are_loud_and_pauses_are_silent(voice):
    speech = speak(TEXT, voice=voice)
    vowels = [p for p in speech.phonemes if plain(p.symbol)[:1] in "aeiouæɑɛɪɔʊʌ"]
    pauses = [p for p in speech.phonemes if p.symbol == PAUSE]
    assert len(vowels) >= 7
    assert min(level_db(speech, p.start_s, p.end_s) for p in vowels) > -35
    assert max(level_db(speech, p.start_s + 0.01, p.end_s - 0.01) for p in pauses) < -50


def test_resampling_keeps_the_times():
    """The vowel after a pause begins where the sound begins."""
    speech = speak("Apples. Apples. Apples.")
    onsets = [
        b.start_s
        for a, b in zip(speech.phonemes, speech.phonemes[1:], strict=False)
        if a.symbol == PAUSE
    ]
    assert len(onsets) == 3
    for onset in onsets:
        assert level_db(speech, onset - 0.03, onset - 0.005) < -60
        assert level_db(speech, onset, onset + 0.03) > -35


def test_words_are_those_of_the_text_in_order():
    speech = speak("We maybe bake bread, perhaps.")
    assert [word.text for word in speech.words] == ["We", "maybe", "bake", "bread", "perhaps"]
    edges = [time for word in speech.words for time in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    bread = speech.words[3]
    symbols = [
        plain(p.symbol)
        for p in speech.phonemes
        if bread.start_s <= p.start_s and p.end_s <= bread.end_s
    ]
    assert symbols == ["b", "ɹ", "ɛ", "d"]


def test_letters_beyond_ascii_keep_words_in_place():
    assert [w.text for w in speak("A café near the pier").words][-1] == "pier"


def test_the_same_arguments_give_the_same_samples_whatever_was_said_before():
    first = {voice: speak(TEXT, voice=voice).audio for voice in ("en-us", "en+f2", "en-us+m2")}
    speak("Something else.", voice="en-us+f3", pitch=90)
    for voice, audio in reversed(first.items()):
        assert np.array_equal(speak(TEXT, voice=voice).audio, audio)
    code = (
        "from repro.speech.synthesis import speak; import zlib;"
        f"print(zlib.crc32(speak({TEXT!r}, voice='en+f2').audio.tobytes()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) == zlib.crc32(first["en+f2"].tobytes())


def test_threads_do_not_disturb_each_other():
    texts = SENTENCES[:6]
    alone = [speak(text).audio for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: speak(text).audio, texts))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def voice_hz(speech):
    """Median fundamental frequency where the voice is loud."""
    hz = librosa.yin(speech.audio, fmin=60, fmax=400, sr=16000)
    loud = librosa.feature.rms(y=speech.audio)[0]
    return np.median(hz[loud > 0.5 * loud.max()])


def test_the_seed_changes_only_the_breath():
    first, second = (speak(TEXT, voice="en+f2", seed=seed) for seed in (1, 2))
    for a, b in zip(first.phonemes, second.phonemes, strict=True):
        assert a.symbol == b.symbol
        assert a.start_s == pytest.approx(b.start_s, abs=0.002)
    assert 0 < np.abs(first.audio - second.audio).max() < 0.2


def test_rate_pitch_and_padding_do_what_they_say():
    slow, fast = speak(TEXT, rate_wpm=120), speak(TEXT, rate_wpm=220)
    assert slow.duration_s > 1.3 * fast.duration_s

    low, middle, high = (voice_hz(speak(TEXT, pitch=pitch)) for pitch in (10, 50, 90))
    assert low < middle - 10 < high - 20
    short, long = speak(TEXT, pad_s=0), speak(TEXT, pad_s=0.5)
    assert long.duration_s - short.duration_s == pytest.approx(1.0)
    assert np.all(long.audio[:8000] == 0)
    assert long.phonemes[1].start_s - short.phonemes[0].end_s == pytest.approx(0.5, abs=0.1)


def test_audio_is_mono_float_within_full_scale():
    for voice in VOICES:
        audio = speak(SENTENCES[1], voice=voice).audio
        assert audio.dtype == np.float32
        assert audio.ndim == 1
        assert 0.3 < np.abs(audio).max() <= 1


def test_voices_differ():
    rates = {}
    for voice in VOICES:
        spectrum = np.abs(np.fft.rfft(speak(SENTENCES[0], voice=voice).audio, 65536))
        rates[voice] = spectrum / np.linalg.norm(spectrum)
    for k, a in enumerate(VOICES):
        assert all(rates[a] @ rates[b] < 0.99 for b in VOICES[k + 1 :]), a
    assert len(VOICES) == len(set(VOICES)) >= 16


@pytest.mark.parametrize("voice", ["en-us", "en-gb", "en-gb-scotland", "en-029"])
def test_every_sound_of_the_texts_has_a_mouth_shape(voice):
    closures = 0
    for text in SENTENCES[::2] + WORDS[::4]:
        for phoneme in speak(text, voice=voice).phonemes:
            closures += visemes_of(phoneme.symbol) == ("p",)
    assert closures > 3 * len(SENTENCES[::2])


def test_texts_are_many_and_different():
    assert len(set(SENTENCES)) == len(SENTENCES) >= 60
    assert len(set(WORDS)) == len(WORDS) >= 60
    assert all(sentence[-1] in ".?!" for sentence in SENTENCES)


def test_an_unknown_voice_names_the_choices():
    with pytest.raises(UserError, match=r"no voice 'klingon': choose one of en-us, .*en\+f2"):
        speak("Hello", voice="klingon")


@pytest.mark.parametrize("text", ["", "  \n", "...", "—"])
def test_nothing_to_say_is_refused(text):
    with pytest.raises(UserError, match="nothing to say"):
        speak(text)


@pytest.mark.parametrize("wrong", [{"rate_wpm": 20}, {"pitch": 101}, {"pitch_range": -1}])
def test_values_out_of_range_are_errors_of_the_program(wrong):
    with pytest.raises(ValueError, match="lies between"):
        speak("Hello", **wrong)
