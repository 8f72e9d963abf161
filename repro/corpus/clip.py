"""Clips: any video read as frames at 25 fps, any sound read as mono float32 at 16 kHz.

Time is the file's own: frames and samples are placed by their timestamps, so that variable frame
rates, other frame rates and a sound that starts before or after the picture all come out in step.
Time 0 of a clip is its first picture; frame t is the picture on show at t / 25 seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import Colorspace

from repro import FPS
from repro.corpus.container import decodable, decoded, opened, packets
from repro.corpus.sound import read_audio
from repro.errors import UserError

_EARLY_S = 0.0015
"""A picture stamped less than this after a frame's time is on show: containers round to 1 ms."""

_UNSTATED, _HD_LINES = 2, 720
"""A file that does not state its colours is BT.709 from 720 lines on and BT.601 below."""


@dataclass(frozen=True)
class Clip:
    """A video file on disk, seen as T frames at 25 fps; no picture is kept in memory.

    path        the file
    width       pixels of a frame as shown (the file's rotation and pixel shape honoured)
    height      likewise
    frames      T
    fps_source  mean pictures per second in the file
    has_audio   whether the file has a sound stream
    duration_s  from the first picture to the end of the last
    start_s     the file's timestamp of the first picture, which is the clip's time 0
    """

    path: Path
    width: int
    height: int
    frames: int
    fps_source: float
    has_audio: bool
    duration_s: float
    start_s: float = 0.0

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
        """Frames ``start`` to ``stop`` (default: the end), each (H, W, 3) uint8 RGB, streamed.

        Exactly ``min(stop, T) - start`` frames come out. Decoding begins at the beginning of the
        file; a picture that cannot be decoded is replaced by the one before it.

        Raises
        ------
        ValueError
            A negative frame.
        UserError
            While reading: no picture of the file can be decoded.
        """
        stop = self.frames if stop is None else min(stop, self.frames)
        if start < 0 or stop < 0:
            raise ValueError(f"frames {start} to {stop}: count from the beginning of the clip")
        return self._frames(start, stop)

    def _frames(self, start: int, stop: int) -> Iterator[np.ndarray]:
        t, held = start, None
        with opened(self.path) as container:
            for picture, time_s in _pictures(container, _video_stream(container, self.path)):
                image = None
                while held and t < stop and t / FPS < time_s - self.start_s - _EARLY_S:
                    image = self._image(held) if image is None else image.copy()
                    yield image
                    t += 1
                if t >= stop:
                    return
                held = picture
        if held is None:
            raise UserError(f"No picture of '{self.path}' can be decoded: is the file damaged?")
        image = self._image(held)
        for _ in range(t, stop):
            yield image.copy()

    def _image(self, picture: av.VideoFrame) -> np.ndarray:
        turn = _orientation(picture)
        width, height = (self.height, self.width) if _sideways(turn) else (self.width, self.height)
        if picture.colorspace == _UNSTATED and picture.height >= _HD_LINES:
            picture.colorspace = Colorspace.ITU709
        rgb = picture.reformat(width=width, height=height, format="rgb24").to_ndarray()
        return np.ascontiguousarray(_oriented(rgb, turn))

    def audio(self, *, min_s: float = 0.0) -> np.ndarray:
        """The sound (N,) float32, mono 16 kHz, from the first picture on.

        Silence stands where the sound starts late or has a hole. It ends where the file's sound
        ends, which may be before or after the last frame.

        Raises
        ------
        UserError
            No sound, or less than ``min_s`` seconds of it.
        """
        return read_audio(self.path, min_s=min_s, zero_s=self.start_s)


def open_clip(path: Path | str, *, min_s: float = 0.0) -> Clip:
    """Look at a video file: its size, how many frames it has at 25 fps, whether it has sound.

    The whole file is read once for its timestamps, of which no picture but the first is decoded
    (unless the file has no timestamps: then every picture is decoded, and counted).

    Raises
    ------
    UserError
        No such file; a folder; not a media file; a still image; no video stream; a picture that
        cannot be decoded; shorter than ``min_s`` seconds.
    """
    path = Path(path)
    with opened(path) as container:
        stream = _video_stream(container, path)
        rate = float(stream.guessed_rate or stream.average_rate or FPS)
        has_audio = container.streams.best("audio") is not None
        first = next((picture for picture, _ in _pictures(container, stream)), None)
        if first is None:
            raise UserError(f"No picture of '{path}' can be decoded: is the file damaged?")
        width, height = _shown_size(first, stream)
    times_s, last_s = _timeline(path)
    if len(times_s) < 2:
        raise UserError(f"'{path}' holds a single picture: give a video of a person speaking.")
    last_s = last_s or float(np.median(np.diff(times_s))) or 1 / rate
    duration_s = float(times_s[-1] - times_s[0]) + last_s
    if duration_s < min_s:
        raise UserError(f"'{path}' lasts {duration_s:.2f} s: give a video of at least {min_s:g} s.")
    return Clip(
        path=path,
        width=width,
        height=height,
        frames=max(1, round(duration_s * FPS)),
        fps_source=len(times_s) / duration_s,
        has_audio=has_audio,
        duration_s=duration_s,
        start_s=float(times_s[0]),
    )


def _video_stream(container, path: Path) -> av.VideoStream:
    if container.format.name == "image2" or container.format.name.endswith("_pipe"):
        raise UserError(f"'{path}' is a still image: give a video of a person speaking.")
    stream = container.streams.best("video")
    if stream is None or stream.disposition & av.stream.Disposition.attached_pic:
        raise UserError(f"'{path}' has no video stream: give a video of a person speaking.")
    return decodable(stream, path)


def _pictures(container, stream) -> Iterator[tuple[av.VideoFrame, float]]:
    """Pictures and their timestamps in seconds; without timestamps, a constant rate."""
    rate = float(stream.guessed_rate or stream.average_rate or FPS)
    for k, picture in enumerate(decoded(container, stream)):
        stamped = picture.pts is not None
        time_s = float(picture.pts * stream.time_base) if stamped else k / rate
        yield picture, time_s


def _timeline(path: Path) -> tuple[np.ndarray, float]:
    """Times (n,) float64 in seconds at which pictures start, and how long the last is shown.

    The latter is 0 where the file does not say.
    """
    with opened(path) as container:
        stream = _video_stream(container, path)
        stamps = [
            (packet.pts, packet.duration or 0)
            for packet in packets(container, stream)
            if not packet.is_discard
        ]
        if stamps and all(pts is not None for pts, _ in stamps):
            times, durations = zip(*sorted(stamps), strict=True)
            unit = stream.time_base
            return np.array(times, np.float64) * float(unit), float(durations[-1] * unit)
    with opened(path) as container:
        pictures = _pictures(container, _video_stream(container, path))
        return np.sort([time_s for _, time_s in pictures]), 0.0


def _orientation(picture: av.VideoFrame) -> np.ndarray:
    """The (2, 2) matrix of -1, 0, 1 that takes source directions (x, y) to shown ones."""
    data = picture.side_data.get(SideData.DISPLAYMATRIX)  # type: ignore[call-overload]
    if data is None:
        return np.eye(2, dtype=int)
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5] / 65536
    turn = np.rint([[a, c], [b, d]]).astype(int)
    quarter_turn = sorted(np.abs(turn).ravel()) == [0, 0, 1, 1] and abs(np.linalg.det(turn)) == 1
    return turn if quarter_turn else np.eye(2, dtype=int)


def _sideways(turn: np.ndarray) -> bool:
    return turn[0, 0] == 0


def _oriented(image: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """A source image (H, W, 3) as it is shown."""
    if _sideways(turn):
        image = image.transpose(1, 0, 2)
    mirror_x, mirror_y = turn.sum(axis=1)
    return image[::mirror_y, ::mirror_x]


def _shown_size(picture: av.VideoFrame, stream) -> tuple[int, int]:
    """Width and height as shown: square pixels, after rotation."""
    aspect = stream.sample_aspect_ratio
    width = round(picture.width * float(aspect)) if aspect else picture.width
    size = width, picture.height
    return size[::-1] if _sideways(_orientation(picture)) else size
