"""Writing videos: pictures and sound into an mp4 that plays everywhere, masks into an mkv."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from repro import FPS, SAMPLE_RATE
from repro.errors import UserError

METADATA = ("title", "artist", "album", "date", "comment", "genre", "copyright", "description")
"""Keys that an mp4 keeps; any other would be lost."""

_AAC_BLOCK = 1024
_THREADS = 2  # x264 cuts its work by threads: a fixed number gives the same bytes everywhere


class _Writer(ABC):
    """A video file being written.

    A context manager. Pictures are streamed to ``.<stem>.tmp.<suffix>`` beside the target, which
    appears only when the block ends well; when it ends in an exception, nothing is left.
    """

    _format: str
    _options: ClassVar[dict[str, str]]
    _picture: av.VideoStream

    def __init__(self, path: Path | str, *, size: tuple[int, int], fps: int):
        self.path = Path(path)
        self.size = size
        self.fps = fps
        self.frames = 0

    @property
    def _temporary(self) -> Path:
        return self.path.with_name(f".{self.path.stem}.tmp{self.path.suffix}")

    def __enter__(self) -> Self:
        if self.path.is_dir():
            raise UserError(f"Cannot write '{self.path}': a folder has that name.")
        if not self.path.parent.is_dir():
            raise UserError(f"Cannot write '{self.path}': there is no folder '{self.path.parent}'.")
        with self._explained():
            self._container = av.open(
                f"file:{self._temporary}", "w", format=self._format, options=self._options
            )
        try:
            with self._explained():
                self._begin()
        except BaseException:
            self._discard()
            raise
        return self

    @abstractmethod
    def _begin(self) -> None:
        """Add ``_picture`` and other streams to the container."""

    def _write_picture(self, image: np.ndarray, *, shape: tuple[int, ...], layout: str) -> None:
        """Append a picture of this shape, uint8."""
        if image.shape != shape or image.dtype != np.uint8:
            raise ValueError(
                f"frame {self.frames} is {image.shape} {image.dtype}, not {shape} uint8"
            )
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=layout)
        picture.pts = self.frames
        self._encode(self._picture, picture)
        self.frames += 1

    def _encode(self, stream, frame) -> None:
        """Append a frame to a stream; None for what the encoder still holds back."""
        with self._explained():
            self._container.mux(stream.encode(frame))

    def _end(self) -> None:
        """Write what comes after the last picture."""
        self._encode(self._picture, None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._discard()

    def _finish(self) -> None:
        if not self.frames:
            raise UserError(f"Cannot write '{self.path}': it has no frames.")
        self._end()
        with self._explained():
            self._container.close()
            os.replace(self._temporary, self.path)

    def _discard(self) -> None:
        with suppress(av.error.FFmpegError):  # the error that matters is on its way
            self._container.close()
        with suppress(OSError):
            self._temporary.unlink()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Let failures of the disk (full, read-only, not allowed) be read by people."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or "it failed"
            raise UserError(f"Cannot write '{self.path}': {reason}.") from error


class VideoWriter(_Writer):
    """An mp4 being written: H.264 (yuv420p) with AAC sound, index in front.

    A context manager. Frames are streamed to ``.<stem>.tmp.mp4`` beside the target, which appears
    only when the block ends well; when it ends in an exception, nothing is left. The same input
    gives the same bytes.

    Parameters
    ----------
    path : the target, ending in .mp4; an existing file is replaced
    size : (W, H) of the frames, both even
    fps : frames per second
    audio : (N,) float32 in [-1, 1], mono 16 kHz, cut or padded with silence to the video's length
    metadata : some of ``METADATA``, such as {"comment": "synthetic ..."}
    crf : x264's constant rate factor; 16 looks lossless, 23 is its default
    preset : x264's; faster ones give larger files

    Raises
    ------
    UserError
        The name does not end in .mp4; it cannot be written there; the size is odd; no frame.
    ValueError
        The sound is not (N,); metadata that an mp4 does not keep.
    """

    _format = "mp4"
    _options: ClassVar = {"movflags": "+faststart", "fflags": "+bitexact"}

    def __init__(
        self,
        path: Path | str,
        *,
        size: tuple[int, int],
        fps: int = FPS,
        audio: np.ndarray | None = None,
        metadata: dict[str, str] | None = None,
        crf: int = 16,
        preset: str = "medium",
    ):
        super().__init__(path, size=size, fps=fps)
        self._audio = audio
        self._metadata = dict(metadata or {})
        self._crf = crf
        self._preset = preset
        self._heard = 0
        self._check()

    def _check(self) -> None:
        width, height = self.size
        if self.path.suffix.lower() != ".mp4":
            raise UserError(f"Cannot write '{self.path}': give it a name that ends in .mp4.")
        if width < 2 or height < 2 or width % 2 or height % 2:
            raise UserError(
                f"Cannot write '{self.path}': its frames are {width} x {height} pixels, but H.264 "
                "needs even numbers."
            )
        if self._audio is not None and np.ndim(self._audio) != 1:
            raise ValueError(f"audio has shape {np.shape(self._audio)}, not (N,)")
        if unknown := set(self._metadata) - set(METADATA):
            raise ValueError(f"an mp4 does not keep {sorted(unknown)}; use some of {METADATA}")

    def _begin(self) -> None:
        self._container.metadata.update(self._metadata)
        # macroblock trees come out differently from run to run on processors with AVX-512
        options = {"crf": str(self._crf), "preset": self._preset, "x264-params": "mbtree=0"}
        picture = self._container.add_stream("libx264", rate=self.fps, options=options)
        picture.width, picture.height = self.size
        picture.pix_fmt = "yuv420p"
        picture.codec_context.thread_count = _THREADS
        picture.codec_context.colorspace = Colorspace.ITU601  # the conversion's own matrix
        picture.codec_context.color_range = ColorRange.MPEG
        self._picture, self._sound = picture, None
        if self._audio is not None:
            self._sound = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
            self._sound.bit_rate = 96_000
        self._container.start_encoding()

    def write(self, frame: np.ndarray) -> None:
        """Append a frame (H, W, 3) uint8 RGB and the sound that goes with it."""
        width, height = self.size
        self._write_picture(frame, shape=(height, width, 3), layout="rgb24")
        self._write_sound(self._samples - self._samples % _AAC_BLOCK)

    @property
    def _samples(self) -> int:
        """Samples of sound that go with the frames so far."""
        return round(self.frames * SAMPLE_RATE / self.fps)

    def _write_sound(self, stop: int) -> None:
        if self._sound is None or self._audio is None:
            return
        while self._heard < stop:
            block = np.zeros(min(_AAC_BLOCK, stop - self._heard), np.float32)
            given = self._audio[self._heard : self._heard + len(block)]
            block[: len(given)] = given
            sound = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            sound.sample_rate = SAMPLE_RATE
            sound.pts = self._heard
            self._encode(self._sound, sound)
            self._heard += len(block)

    def _end(self) -> None:
        self._write_sound(self._samples)
        super()._end()
        if self._sound is not None:
            self._encode(self._sound, None)


class MaskWriter(_Writer):
    """An mkv of pictures (H, W) uint8 being written without loss (FFV1).

    A context manager, as ``VideoWriter``. The same input gives the same bytes.

    Parameters
    ----------
    path : the target, ending in .mkv; an existing file is replaced
    size : (W, H) of the pictures
    fps : pictures per second

    Raises
    ------
    UserError
        It cannot be written there; no picture.
    """

    _format = "matroska"
    _options: ClassVar = {"fflags": "+bitexact"}

    def __init__(self, path: Path | str, *, size: tuple[int, int], fps: int = FPS):
        super().__init__(path, size=size, fps=fps)

    def _begin(self) -> None:
        self._picture = self._container.add_stream("ffv1", rate=self.fps)
        self._picture.width, self._picture.height = self.size
        self._picture.pix_fmt = "gray"
        self._picture.codec_context.thread_count = 1

    def write(self, mask: np.ndarray) -> None:
        """Append a picture (H, W) uint8."""
        width, height = self.size
        self._write_picture(mask, shape=(height, width), layout="gray")
