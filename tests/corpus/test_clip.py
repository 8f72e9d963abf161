"""Reading any video and any sound."""

import struct
import weakref
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.corpus.clip import open_clip, read_audio
from repro.corpus.video import VideoWriter
from repro.errors import UserError

SIZE = 32
STEP = 5  # grey levels from one picture to the next


def write_pictures(path, times_ms, *, codec="ffv1", pix_fmt="yuv420p", rate=25, aspect=None):
    """A video without sound; picture k is grey, of level STEP * k, and appears at times_ms[k]."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for k, time in enumerate(times_ms):
            grey = np.full((SIZE, SIZE, 3), STEP * k, np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="rgb24")
            picture.pts, picture.time_base = int(time), Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def levels(clip, *span):
    """Which picture each frame shows."""
    return [round(frame.mean() / STEP) for frame in clip.read(*span)]


def write_flashes(path, *, video_codec, audio_codec, rate, channels, shift_s=0.0, frames=50):
    """White with a click at every 10th frame from 5 on; the sound track starts ``shift_s`` late."""
    sound = np.zeros((channels, round(frames / 25 * rate)), np.float32)
    for k in range(5, frames, 10):
        at = round((k / 25 - shift_s) * rate)
        sound[:, at : at + rate // 250] = 0.9
    layout = {1: "mono", 2: "stereo"}[channels]
    with av.open(str(path), "w") as container:
        video = container.add_stream(video_codec, rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream(audio_codec, rate=rate, layout=layout)
        for k in range(frames):
            level = 255 if k % 10 == 5 else 0
            picture = av.VideoFrame.from_ndarray(
                np.full((64, 64, 3), level, np.uint8), format="rgb24"
            )
            picture.pts = k
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        write_sound(container, audio, sound, rate, layout, round(shift_s * rate))
    return path


def write_sound(container, stream, sound, rate, layout, start=0):
    step = stream.codec_context.frame_size or 1024
    for at in range(0, sound.shape[1], step):
        block = np.ascontiguousarray(sound[:, at : at + step])
        block = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        block.sample_rate, block.pts, block.time_base = rate, start + at, Fraction(1, rate)
        convert = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate)
        for part in convert.resample(block):
            container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def write_wav(path, sound, *, rate, codec="pcm_s16le"):
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(sound)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        write_sound(container, stream, np.asarray(sound, np.float32), rate, layout)
    return path


def clicks(sound):
    """Times in seconds at which the sound rises out of silence."""
    loud = np.flatnonzero(np.abs(sound) > 0.35)
    return loud[np.r_[True, np.diff(loud) > 1600]] / 16000


def test_25_fps_maps_one_to_one(tmp_path):
    clip = open_clip(write_pictures(tmp_path / "a.mkv", np.arange(40) * 40))
    assert (clip.frames, clip.width, clip.height) == (40, SIZE, SIZE)
    assert clip.fps_source == pytest.approx(25)
    assert not clip.has_audio
    assert levels(clip) == list(range(40))


@pytest.mark.parametrize("fps", [10, 24, Fraction(30000, 1001), 30, 50])
def test_other_rates_show_the_picture_on_show_at_each_time(tmp_path, fps):
    times_ms = np.round(np.arange(48) * 1000 / float(fps))
    clip = open_clip(write_pictures(tmp_path / "a.mkv", times_ms, rate=fps))
    shown = levels(clip)
    assert clip.frames == len(shown) == round(48 / fps * 25)
    expected = np.searchsorted(times_ms, np.arange(len(shown)) * 40 + 1, side="right") - 1
    assert shown == list(expected)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(5, 200), min_size=2, max_size=45), st.integers(0, 3000))
def test_variable_rates_follow_the_timestamps(tmp_path_factory, gaps, first):
    times_ms = first + np.cumsum([0, *gaps])
    path = write_pictures(tmp_path_factory.mktemp("vfr") / "a.mkv", times_ms)
    clip = open_clip(path)
    shown = levels(clip)
    latest = np.searchsorted(times_ms - first, np.arange(len(shown)) * 40 + 1, side="right") - 1
    assert shown == list(latest)
    assert len(shown) == clip.frames
    assert clip.frames * 0.04 == pytest.approx(clip.duration_s, abs=0.0201)


def test_a_span_is_the_same_frames_as_in_the_whole(tmp_path):
    clip = open_clip(write_pictures(tmp_path / "a.mkv", np.round(np.arange(45) * 1000 / 30)))
    assert levels(clip, 7, 19) == levels(clip)[7:19]
    assert levels(clip, 30, 999) == levels(clip)[30:]
    assert levels(clip, 20, 20) == levels(clip, 999) == []
    with pytest.raises(ValueError, match="from the beginning"):
        clip.read(-1)


def test_reading_keeps_no_frame(tmp_path):
    clip = open_clip(write_pictures(tmp_path / "a.mkv", np.arange(45) * 40))
    alive = [weakref.ref(frame) for frame in clip.read()]
    assert len(alive) == 45
    assert sum(ref() is not None for ref in alive) <= 2


def test_repeated_frames_do_not_share_memory(tmp_path):
    clip = open_clip(write_pictures(tmp_path / "a.mkv", [0, 400, 800]))
    frames = list(clip.read(0, 4))
    frames[0][:] = 77
    assert frames[1].max() == 0


@pytest.mark.parametrize(
    ("name", "video_codec", "audio_codec", "rate", "channels"),
    [
        ("a.mp4", "libx264", "aac", 44100, 2),
        ("a.mkv", "libx264", "flac", 48000, 1),
        ("a.mov", "libx264", "pcm_s16le", 22050, 2),
        ("a.avi", "mpeg4", "pcm_s16le", 16000, 1),
        ("a.webm", "libvpx", "libopus", 48000, 2),
        ("a.ts", "libx264", "aac", 48000, 2),
        ("a.mpg", "mpeg1video", "mp2", 44100, 2),
        ("a.flv", "flv1", "aac", 44100, 1),
    ],
)
def test_flashes_and_clicks_stay_together_in_every_container(
    tmp_path, name, video_codec, audio_codec, rate, channels
):
    path = write_flashes(
        tmp_path / name,
        video_codec=video_codec,
        audio_codec=audio_codec,
        rate=rate,
        channels=channels,
    )
    clip = open_clip(path)
    assert clip.frames == 50
    assert clip.has_audio
    flashes = [t for t, frame in enumerate(clip.read()) if frame.mean() > 128]
    assert flashes == [5, 15, 25, 35, 45]
    heard = clicks(clip.audio())
    assert heard == pytest.approx(np.array(flashes) / 25, abs=0.02)


@pytest.mark.parametrize("shift_s", [0.1, 0.18])
def test_a_late_sound_stays_with_its_picture(tmp_path, shift_s):
    path = write_flashes(
        tmp_path / "a.mkv",
        video_codec="libx264",
        audio_codec="flac",
        rate=16000,
        channels=1,
        shift_s=shift_s,
    )
    expected = np.arange(5, 50, 10) / 25
    assert clicks(open_clip(path).audio()) == pytest.approx(expected, abs=0.002)
    assert clicks(read_audio(path)) == pytest.approx(expected - shift_s, abs=0.002)


def test_an_early_sound_is_cut_at_the_first_picture(tmp_path):
    path = tmp_path / "a.mkv"
    sound = np.zeros((1, 32000), np.float32)
    sound[0, [4000, 16000]] = 0.9
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = SIZE, SIZE, "yuv420p"
        audio = container.add_stream("pcm_f32le", rate=16000, layout="mono")
        write_sound(container, audio, sound, 16000, "mono")
        for k in range(10, 50):
            picture = av.VideoFrame(SIZE, SIZE, "yuv420p")
            picture.pts = k
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    clip = open_clip(path)
    assert (clip.frames, clip.start_s) == (40, pytest.approx(0.4))
    assert clicks(clip.audio()) == pytest.approx([0.6], abs=0.002)
    assert len(clip.audio()) == pytest.approx(1.6 * 16000, abs=16)


def test_a_hole_in_the_sound_becomes_silence(tmp_path):
    path = tmp_path / "a.mka"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=16000, layout="mono")
        for start in (0, 1024, 20 * 1024, 21 * 1024):
            block = np.full((1, 1024), 0.5, np.float32)
            block = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
            block.sample_rate, block.pts, block.time_base = 16000, start, Fraction(1, 16000)
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    sound = read_audio(path)
    assert len(sound) == 22 * 1024
    assert np.all(sound[2100 : 20 * 1024 - 50] == 0)
    assert np.all(sound[20 * 1024 + 50 :] == 0.5)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), ["red", "green", "blue", "white"]),
        ((0, 1, -1, 0), ["blue", "red", "white", "green"]),  # a quarter turn clockwise
        ((-1, 0, 0, -1), ["white", "blue", "green", "red"]),
        ((0, -1, 1, 0), ["green", "white", "red", "blue"]),
        ((-1, 0, 0, 1), ["green", "red", "white", "blue"]),  # a mirror
        ((0, 1, 1, 0), ["red", "blue", "green", "white"]),
    ],
)
def test_the_files_rotation_is_honoured(tmp_path, matrix, expected):
    colours = {"red": (220, 0, 0), "green": (0, 220, 0), "blue": (0, 0, 220), "white": (220,) * 3}
    image = np.zeros((48, 64, 3), np.uint8)
    corners = [(0, 0), (0, 32), (24, 0), (24, 32)]
    for (row, column), colour in zip(corners, colours.values(), strict=True):
        image[row : row + 24, column : column + 32] = colour
    path = tmp_path / "a.mp4"
    with VideoWriter(path, size=(64, 48)) as video:
        for _ in range(5):
            video.write(image)
    a, b, c, d = (65536 * value for value in matrix)
    upright = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    data = path.read_bytes()
    track = data.index(b"tkhd")
    path.write_bytes(data[:track] + data[track:].replace(upright, turned, 1))

    clip = open_clip(path)
    frame = next(clip.read())
    assert frame.shape == (clip.height, clip.width, 3)
    assert (clip.width, clip.height) == ((64, 48) if matrix[0] else (48, 64))
    half_height, half_width = clip.height // 2, clip.width // 2
    seen = [
        frame[row + 4 : row + half_height - 4, column + 4 : column + half_width - 4].mean((0, 1))
        for row in (0, half_height)
        for column in (0, half_width)
    ]
    for mean, name in zip(seen, expected, strict=True):
        assert np.abs(mean - colours[name]).max() < 12, name


@pytest.mark.parametrize("pix_fmt", ["gray", "yuv420p10le", "yuv444p", "bgr0", "bgra"])
def test_every_pixel_format_becomes_rgb(tmp_path, pix_fmt):
    clip = open_clip(write_pictures(tmp_path / "a.mkv", np.arange(45) * 40, pix_fmt=pix_fmt))
    frames = list(clip.read())
    assert frames[0].shape == (SIZE, SIZE, 3)
    assert frames[0].dtype == np.uint8
    assert [round(frame.mean() / STEP) for frame in frames] == list(range(45))


def test_pixels_that_are_not_square_are_made_square(tmp_path):
    times_ms = np.arange(5) * 40
    path = tmp_path / "a.mp4"
    clip = open_clip(write_pictures(path, times_ms, codec="libx264", aspect=Fraction(3, 2)))
    assert (clip.width, clip.height) == (48, 32)
    assert next(clip.read()).shape == (32, 48, 3)


def test_a_stream_without_timestamps_is_counted_by_decoding(tmp_path):
    path = write_pictures(tmp_path / "a.h264", np.arange(30) * 40, codec="libx264")
    with av.open(str(path)) as container:
        assert any(packet.pts is None for packet in container.demux(video=0) if packet.size)
    clip = open_clip(path)
    assert clip.frames == 30
    assert levels(clip) == list(range(30))


def test_a_file_cut_off_gives_the_frames_it_still_holds(tmp_path):
    path = write_pictures(tmp_path / "a.mkv", np.arange(45) * 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    clip = open_clip(path)
    assert 10 < clip.frames < 40
    assert levels(clip)[:10] == list(range(10))
    assert len(list(clip.read())) == clip.frames


def test_a_damaged_picture_does_not_stop_the_reading(tmp_path):
    path = write_pictures(tmp_path / "a.avi", np.arange(45) * 40, codec="mjpeg", pix_fmt="yuvj420p")
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = np.frombuffer(path.read_bytes(), np.uint8).copy()
    for place, size in places[20:22]:
        data[place + 10 : place + size] ^= 0x5A
    path.write_bytes(data.tobytes())
    assert levels(open_clip(path)) == [*range(20), 19, 19, *range(22, 45)]


def tone(rate, seconds=1.0, hz=440):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "channels"),
    [
        ("a.wav", "pcm_s16le", 48000, 1),
        ("a.wav", "pcm_s24le", 44100, 2),
        ("a.wav", "pcm_u8", 8000, 1),
        ("a.flac", "flac", 96000, 2),
        ("a.mp3", "libmp3lame", 44100, 2),
        ("a.ogg", "libopus", 48000, 2),
        ("a.m4a", "aac", 16000, 1),
    ],
)
def test_any_sound_becomes_mono_16_khz(tmp_path, name, codec, rate, channels):
    path = write_wav(tmp_path / name, [tone(rate)] * channels, rate=rate, codec=codec)
    sound = read_audio(path)
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(16000, abs=640)
    middle = sound[4000:12000]
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, abs=0.03)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=2)


def test_resampling_moves_no_click(tmp_path):
    sound = np.zeros((1, 48000), np.float32)
    sound[0, 24000:24096] = 0.9
    heard = read_audio(write_wav(tmp_path / "a.wav", sound, rate=48000))
    assert len(heard) == 16000
    centre = np.sum(np.arange(16000) * heard**2) / np.sum(heard**2)
    assert centre == pytest.approx(8000 + 15.5, abs=1)


def test_a_tone_above_the_new_limit_is_filtered_not_folded(tmp_path):
    path = write_wav(tmp_path / "a.wav", [tone(48000, hz=11000)], rate=48000)
    assert np.abs(read_audio(path)[1000:-1000]).max() < 0.02


def picture_file(path):
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "rgb24"
        picture = av.VideoFrame.from_ndarray(np.zeros((SIZE, SIZE, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture))
    return path


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "noise.mp4", "noise.dat", "empty.mp4"])
@pytest.mark.parametrize("read", [open_clip, read_audio])
def test_what_is_no_media_file_is_refused(tmp_path, name, read):
    contents = {
        "notes": b"not a video\n" * 200,
        "noise": np.random.default_rng(0).bytes(9000),
        "empty": b"",
    }
    path = tmp_path / name
    path.write_bytes(contents[path.stem])
    with pytest.raises(UserError, match=f"{name}' is not a video or audio file"):
        read(path)


@pytest.mark.parametrize("read", [open_clip, read_audio])
def test_a_missing_file_and_a_folder_are_refused(tmp_path, read):
    with pytest.raises(UserError, match=r"No such file: .*gone\.mp4"):
        read(tmp_path / "gone.mp4")
    with pytest.raises(UserError, match="is a folder"):
        read(tmp_path)


def test_a_file_that_is_no_video_of_a_person_is_refused(tmp_path):
    with pytest.raises(UserError, match="still image"):
        open_clip(picture_file(tmp_path / "a.png"))
    with pytest.raises(UserError, match="single picture"):
        open_clip(write_pictures(tmp_path / "one.mkv", [0]))
    with pytest.raises(UserError, match="no video stream"):
        open_clip(write_wav(tmp_path / "a.wav", [tone(16000)], rate=16000))
    with pytest.raises(UserError, match=r"lasts 1\.60 s: give a video of at least 2 s"):
        open_clip(write_pictures(tmp_path / "short.mkv", np.arange(40) * 40), min_s=2)


def test_sound_that_is_missing_or_too_short_is_refused(tmp_path):
    silent = write_pictures(tmp_path / "a.mkv", np.arange(40) * 40)
    with pytest.raises(UserError, match="has no sound"):
        read_audio(silent)
    with pytest.raises(UserError, match="has no sound"):
        open_clip(silent).audio()
    short = write_wav(tmp_path / "a.wav", [tone(16000, 0.4)], rate=16000)
    with pytest.raises(UserError, match=r"only 0\.40 s of sound: give at least 0\.5 s"):
        read_audio(short)
    assert len(read_audio(short, min_s=0.3)) == 6400


def test_names_with_colons_and_percent_signs_are_names(tmp_path):
    path = write_pictures(tmp_path / "a.mkv", np.arange(5) * 40)
    odd = path.rename(tmp_path / "http:%03d é.mkv")
    assert open_clip(odd).frames == 5
