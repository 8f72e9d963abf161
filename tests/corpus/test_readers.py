"""Readers of real corpora, against tiny trees laid out like them."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from repro.corpus.readers import (
    CREMAD_TEST_EVERY,
    GRID_TEST,
    READERS,
    TCDTIMIT_TEST,
    read_cremad,
    read_grid,
    read_lrs3,
    read_lrw,
    read_recordings,
    read_tcdtimit,
    read_voxceleb2,
    recognise,
)
from repro.corpus.recording import Recording, spread, usable
from repro.corpus.transcripts import (
    GRID_HZ,
    LRW_S,
    grid_sentence,
    grid_words,
    lrs3_words,
    lrw_words,
    timit_sentence,
)
from repro.corpus.video import VideoWriter
from repro.errors import UserError

FILE = Path("folder/file.txt")

LRW = """Disk reference: 5535415699068794046
Channel: 2
Program start: 2011-08-01 17:00:00 +0100
Clip start: 85.84
Clip end: 87.0
Duration: 0.36 seconds
"""
ALIGN = """0 23750 sil
23750 29500 bin
29500 34000 blue
34000 35500 at
35500 41000 f
41000 47250 two
47250 53000 now
53000 74500 sil
"""
LRS3 = """Text:  WHEN WE TALK
Conf:  4
Ref:   0af00UcTOSc

FRAME X Y W H
000000 0.374 0.167 0.187 0.333
000001 0.374 0.165 0.187 0.333

WORD START END ASDSCORE
WHEN 0.07 0.23 5.2
WE 0.23 0.40 5.6
TALK 0.40 0.81 -1.1
"""


def put(root, *names, text=""):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def relative(root, recordings):
    return [str(r.video.relative_to(root)) for r in recordings]


TREES = {
    "lrw": ["ABOUT/train/ABOUT_00001.mp4", "ABOUT/train/ABOUT_00001.txt"],
    "voxceleb2": ["dev/mp4/id00012/21Uxsk56VDQ/00001.mp4"],
    "tcdtimit": ["volunteers/03F/Clips/straightcam/si1201.mp4"],
    "grid": ["s1/bbaf2n.mpg"],
    "lrs3": ["trainval/0af00UcTOSc/50001.mp4"],
    "cremad": ["VideoFlash/1001_DFA_ANG_XX.flv"],
}


# Any corpus


def test_there_is_a_tree_for_every_reader():
    assert list(TREES) == list(READERS)


@pytest.mark.parametrize("name", READERS)
def test_a_layout_is_recognised_and_read_without_opening_a_video(name, tmp_path):
    put(tmp_path, *TREES[name], text="Duration: 0.3 seconds")
    assert recognise(tmp_path) == name
    (recording,) = read_recordings(tmp_path)
    assert recording.video == tmp_path / TREES[name][0]


@pytest.mark.parametrize("name", READERS)
def test_another_layout_is_refused_with_an_example_of_the_right_one(name, tmp_path):
    put(tmp_path, "some/video.mp4")
    with pytest.raises(UserError, match=f"not laid out like '{name}'.*{TREES[name][0]}") as error:
        READERS[name](tmp_path)
    assert str(tmp_path) in str(error.value)
    with pytest.raises(UserError, match="No such folder"):
        READERS[name](tmp_path / "gone")


def test_videos_of_ones_own_are_no_known_corpus(tmp_path):
    put(tmp_path, "a.mp4", "anna/test/first.mp4", "test/anna/first.mp4", "s1/holiday.mpg")
    assert recognise(tmp_path) is None
    assert recognise(tmp_path / "gone") is None
    with pytest.raises(UserError, match="not laid out like a corpus that is known: lrw"):
        read_recordings(tmp_path)


def test_hidden_files_are_passed_over(tmp_path):
    put(tmp_path, "VideoFlash/1001_DFA_ANG_XX.flv", "VideoFlash/._1001_DFA_ANG_XX.flv")
    assert len(read_cremad(tmp_path)) == 1


# Each corpus


@pytest.mark.parametrize("top", ["", "lipread_mp4/"])
def test_lrw_has_splits_and_a_word_in_the_middle_but_no_speakers(top, tmp_path):
    put(tmp_path, *(f"{top}ABOUT/{split}/ABOUT_00001.mp4" for split in ("val", "train", "test")))
    put(tmp_path, f"{top}YOUNG/test/YOUNG_00050.mp4")
    put(tmp_path, f"{top}ABOUT/train/ABOUT_00001.txt", text=LRW)
    recordings = read_lrw(tmp_path)
    assert [r.split for r in recordings] == ["test", "train", "val", "test"]
    assert [r.text for r in recordings] == ["ABOUT", "ABOUT", "ABOUT", "YOUNG"]
    assert {(r.speaker, r.audio) for r in recordings} == {("", None)}
    ((word, start, end),) = recordings[1].words
    assert word == "ABOUT"
    assert (start, end) == pytest.approx((0.40, 0.76))
    assert recordings[0].words == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Channel: 2\n", "no line 'Duration"),
        ("Channel: 2\nDuration: short\n", "line 2: 'short' is not a time"),
        ("Duration: nan seconds", "line 1: 'nan' is not a time"),
        ("Duration: -0.2 seconds", "line 1: '-0.2' is not a time"),
    ],
)
def test_malformed_lrw_metadata_is_refused(text, message, tmp_path):
    put(tmp_path, "ABOUT/train/ABOUT_00001.mp4")
    put(tmp_path, "ABOUT/train/ABOUT_00001.txt", text=text)
    with pytest.raises(UserError, match=f"ABOUT_00001.txt'.*{message}"):
        read_lrw(tmp_path)


def test_voxceleb2_has_its_sound_in_files_apart(tmp_path):
    put(tmp_path, "dev/mp4/id00012/21Uxsk56VDQ/00001.mp4", "test/mp4/id00017/01dfn2spqyE/00002.mp4")
    put(tmp_path, "dev/aac/id00012/21Uxsk56VDQ/00001.m4a")
    first, second = read_voxceleb2(tmp_path)
    assert (first.speaker, first.split) == ("id00012", "train")
    assert first.audio == tmp_path / "dev/aac/id00012/21Uxsk56VDQ/00001.m4a"
    assert (second.speaker, second.split, second.audio) == ("id00017", "test", None)


def test_voxceleb2_without_its_upper_level_goes_by_the_folders_name(tmp_path):
    for part, split in (("test", "test"), ("vox2", "train")):
        put(tmp_path / part, "mp4/id00017/01dfn2spqyE/00001.mp4")
        put(tmp_path / part, "aac/id00017/01dfn2spqyE/00001.m4a")
        (recording,) = read_voxceleb2(tmp_path / part)
        assert (recording.speaker, recording.split) == ("id00017", split)
        assert recording.audio == tmp_path / part / "aac/id00017/01dfn2spqyE/00001.m4a"


@pytest.mark.parametrize("clips", ["Clips/", ""])
def test_tcdtimit_is_split_by_speaker_and_read_from_one_camera(clips, tmp_path):
    for name in ("volunteers/03F", "volunteers/28M", "lipspeakers/Lipspkr1"):
        put(tmp_path, f"{name}/{clips}straightcam/sa1.mp4", f"{name}/{clips}30degcam/sa1.mp4")
    put(tmp_path, f"volunteers/03F/{clips}straightcam/sa1.wav")
    put(tmp_path, f"volunteers/03F/{clips}straightcam/sa1.txt", text="0 46797 She had your suit.\n")
    recordings = read_tcdtimit(tmp_path)
    assert [(r.speaker, r.split) for r in recordings] == [
        ("Lipspkr1", "train"), ("03F", "train"), ("28M", "test"),
    ]  # fmt: skip
    assert [r.text for r in recordings] == ["", "She had your suit.", ""]
    assert [r.audio is not None for r in recordings] == [False, True, False]
    assert {r.video.parent.name for r in read_tcdtimit(tmp_path, camera="30degcam")} == {"30degcam"}
    with pytest.raises(UserError, match="camera 'sidecam'"):
        read_tcdtimit(tmp_path, camera="sidecam")


def test_tcdtimit_sets_17_of_59_volunteers_apart():
    assert len(TCDTIMIT_TEST) == 17


def test_a_list_of_sounds_is_not_a_sentence():
    assert timit_sentence("Chop it up.\n") == "Chop it up."
    assert timit_sentence("0 100 sil\n100 200 sh\n") == ""


@pytest.mark.parametrize("media", ["", "video/", "video/mpg_6000/"])
def test_grid_is_read_from_each_of_its_layouts(media, tmp_path):
    put(tmp_path, f"s1/{media}bbaf2n.mpg", f"s3/{media}swiz9a.mpg")
    put(tmp_path, "audio_25k/s3/swiz9a.wav")
    put(tmp_path, "align/s1/bbaf2n.align", text=ALIGN)
    first, second = read_grid(tmp_path)
    assert (first.speaker, first.split, first.audio) == ("s1", "test", None)
    assert first.text == "bin blue at f two now"
    assert first.words[0] == ("bin", 0.95, 1.18)
    assert [word for word, _, _ in first.words] == first.text.split()
    assert (second.speaker, second.split) == ("s3", "train")
    assert second.audio == tmp_path / "audio_25k/s3/swiz9a.wav"
    assert (second.text, second.words) == ("set white in z nine again", ())


def test_of_a_grid_sentences_videos_the_best_is_taken(tmp_path):
    put(tmp_path, "s1/bbaf2n.mpg", "s1/video/bbaf2n.mpg", "s1/video/mpg_6000/bbaf2n.mpg")
    assert relative(tmp_path, read_grid(tmp_path)) == ["s1/video/mpg_6000/bbaf2n.mpg"]


@pytest.mark.parametrize("place", ["s4/align", "align/s4", "alignments/s4"])
def test_grid_alignments_are_found_and_malformed_ones_refused(place, tmp_path):
    put(tmp_path, "s4/bbaf2n.mpg")
    put(tmp_path, f"{place}/bbaf2n.align", text="0 25000 bin\n25000 soon blue\n")
    with pytest.raises(UserError, match=r"bbaf2n.align', line 2: 'soon' is not a time"):
        read_grid(tmp_path)


def test_grid_names_are_sentences():
    assert grid_sentence("lgwz4p") == "lay green with z four please"
    assert grid_sentence("pracz6s") == ""
    assert grid_sentence("holida") == ""
    assert len(GRID_TEST) == 4


def test_lrs3_has_texts_and_times(tmp_path):
    put(tmp_path, *(f"{part}/0af00UcTOSc/50001.mp4" for part in ("test", "trainval", "pretrain")))
    put(tmp_path, "pretrain/0af00UcTOSc/50001.txt", text=LRS3)
    put(tmp_path, "test/0af00UcTOSc/50001.txt", text="Text:  WHEN WE TALK\nConf:  4\n")
    recordings = read_lrs3(tmp_path)
    assert [r.split for r in recordings] == ["train", "test", "train"]
    assert [r.text for r in recordings] == ["WHEN WE TALK", "WHEN WE TALK", ""]
    assert recordings[0].words[2] == ("TALK", 0.40, 0.81)
    assert recordings[1].words == ()
    assert {r.speaker for r in recordings} == {"0af00UcTOSc"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Conf: 4\n", "no line 'Text"),
        (LRS3 + "TALK 0.4\n", "line 13 is not of the form 'WORD START END ASDSCORE'"),
        (LRS3 + "TALK 0.9 0.4 1\n", "line 13: the word ends before it starts"),
    ],
)
def test_malformed_lrs3_metadata_is_refused(text, message):
    with pytest.raises(UserError, match=f"file.txt'.*{message}"):
        lrs3_words(text, FILE)


def test_cremad_holds_every_fifth_actor_out(tmp_path):
    for actor in range(1001, 1012):
        put(tmp_path, f"VideoFlash/{actor}_DFA_ANG_XX.flv", f"VideoFlash/{actor}_ITH_SAD_X.flv")
    put(tmp_path, "AudioWAV/1001_DFA_ANG_XX.wav")
    recordings = read_cremad(tmp_path)
    assert CREMAD_TEST_EVERY == 5
    assert {r.speaker for r in recordings if r.split == "test"} == {"1005", "1010"}
    assert recordings[0].text == "Don't forget a jacket"
    assert recordings[0].audio == tmp_path / "AudioWAV/1001_DFA_ANG_XX.wav"
    assert recordings[1].audio is None


def test_a_cremad_video_of_another_name_is_refused(tmp_path):
    put(tmp_path, "VideoFlash/holiday.flv")
    with pytest.raises(UserError, match=r"holiday.flv' is not named"):
        read_cremad(tmp_path)


# What stands in files

NUMBERS = st.integers(0, 10**6)
WORDS = st.text(st.characters(categories=("Lu", "Ll")), min_size=1, max_size=9)
SPANS = st.lists(st.tuples(WORDS, NUMBERS, NUMBERS).map(lambda e: (e[0], *sorted(e[1:]))))


@given(WORDS, st.integers(0, 116))
def test_lrw_durations_come_back(word, hundredths):
    text = LRW.replace("0.36", str(hundredths / 100))
    ((same, start, end),) = lrw_words(word, text, FILE)
    assert same == word
    assert end - start == pytest.approx(hundredths / 100)
    assert start + end == pytest.approx(LRW_S)


@given(SPANS)
def test_grid_alignments_come_back(spans):
    text = "".join(f"{start} {end} {word}\n" for word, start, end in spans)
    expected = [(w, a / GRID_HZ, b / GRID_HZ) for w, a, b in spans if w not in ("sil", "sp")]
    assert list(grid_words(text, FILE)) == expected


@given(SPANS)
def test_lrs3_tables_come_back(spans):
    said = " ".join(word for word, _, _ in spans)
    table = "".join(f"{word} {start / 100} {end / 100} 1.5\n" for word, start, end in spans)
    text = f"Text:  {said}\nConf:  4\n\nWORD START END ASDSCORE\n{table}"
    same, words = lrs3_words(text, FILE)
    assert same == said
    assert list(words) == [(w, a / 100, b / 100) for w, a, b in spans]


PIECES = st.sampled_from(
    ["Text:", "Duration:", "WORD START END ASDSCORE", "\n", " ", "0 1 a", "1e999", "nan", "-1"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3))).map("".join)))
def test_arbitrary_text_raises_nothing_but_a_sentence_for_people(text):
    for read in (lambda t, p: lrw_words("WORD", t, p), grid_words, lrs3_words):
        with suppress(UserError):
            read(text, FILE)
    timit_sentence(text)


def test_bytes_that_are_no_text_are_refused_as_malformed(tmp_path):
    put(tmp_path, "ABOUT/train/ABOUT_00001.mp4")
    (tmp_path / "ABOUT/train/ABOUT_00001.txt").write_bytes(bytes(range(128, 256)))
    with pytest.raises(UserError, match="no line 'Duration"):
        read_lrw(tmp_path)


# Recordings


def write_video(path, frames, *, loudness=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = None if loudness is None else np.full(frames * 640, loudness, np.float32)
    with VideoWriter(path, size=(32, 32), audio=sound) as video:
        for _ in range(frames):
            video.write(np.zeros((32, 32, 3), np.uint8))


def test_a_recording_opens_its_video_and_the_sound_apart_from_it(tmp_path):
    video = tmp_path / "dev/mp4/id00012/21Uxsk56VDQ/00001.mp4"
    write_video(video, 30)
    (silent,) = read_voxceleb2(tmp_path)
    with pytest.raises(UserError, match="no sound"):
        silent.sound()
    sound = tmp_path / "sound.wav"
    soundfile.write(sound, np.full(19200, 0.25, np.float32), 16000)
    recording = Recording(video, sound)
    assert recording.clip().frames == 30
    heard = recording.sound()
    assert heard.dtype == np.float32
    assert len(heard) == 19200
    assert np.allclose(heard, 0.25, atol=1e-3)
    with pytest.raises(UserError, match=r"lasts 1.20 s"):
        recording.clip(min_s=2)


def test_a_recording_without_a_sound_file_has_the_videos_sound(tmp_path):
    write_video(tmp_path / "a.mp4", 30, loudness=0.25)
    assert len(Recording(tmp_path / "a.mp4").sound()) == pytest.approx(19200, abs=1100)


def test_a_recordings_name_tells_its_speaker():
    names = [("00001.mp4", "id00012"), ("1001_DFA_ANG_XX.flv", "1001"), ("ABOUT_00001.mp4", "")]
    assert [Recording(Path(file), speaker=speaker).name for file, speaker in names] == [
        "id00012_00001", "1001_DFA_ANG_XX", "ABOUT_00001",
    ]  # fmt: skip


def recordings_of(**counts):
    return [
        Recording(Path(f"{speaker}/{k:03}.mp4"), speaker=speaker)
        for speaker, count in counts.items()
        for k in range(count)
    ]


def test_a_choice_is_spread_over_the_speakers():
    recordings = recordings_of(anna=50, bob=2, carl=40)
    chosen = spread(recordings, 12)
    speakers = [r.speaker for r in chosen]
    assert {name: speakers.count(name) for name in ("anna", "bob", "carl")} == {
        "anna": 5, "bob": 2, "carl": 5,
    }  # fmt: skip
    assert [r.video.stem for r in chosen if r.speaker == "anna"] == [
        "000", "010", "020", "030", "040",
    ]  # fmt: skip
    assert spread(reversed(recordings), 12) == chosen
    assert spread(recordings, 999) == sorted(recordings, key=lambda r: r.video)


def test_with_fewer_places_than_speakers_each_chosen_one_speaks_once():
    chosen = spread(recordings_of(a=3, b=3, c=3, d=3), 2)
    assert [r.speaker for r in chosen] == ["a", "c"]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9)), st.integers(0, 40))
def test_a_choice_is_as_large_as_asked_where_there_is_enough(counts, count):
    recordings = recordings_of(**counts)
    chosen = spread(recordings, count)
    assert len(set(chosen)) == len(chosen) == min(count, len(recordings))


def test_videos_that_cannot_be_used_are_left_out_with_a_warning(tmp_path):
    write_video(tmp_path / "long.mp4", 40)
    write_video(tmp_path / "short.mp4", 10)
    given_ = [Recording(tmp_path / name) for name in ("short.mp4", "gone.mp4", "long.mp4")]
    with pytest.warns(UserWarning, match="Left out") as warned:
        opened = usable(given_, min_s=1)
    assert [(r.video.name, clip.frames) for r, clip in opened] == [("long.mp4", 40)]
    assert len(warned) == 2
