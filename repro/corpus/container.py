"""Media files opened and decoded: what reading pictures and reading sound share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from repro.errors import UserError


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """A media file, closed when the block ends.

    Raises
    ------
    UserError
        No such file; a folder; not to be read; not a media file.
    """
    if path.is_dir():
        raise UserError(f"'{path}' is a folder: give a video or audio file.")
    if not path.exists():
        raise UserError(f"No such file: '{path}'.")
    try:
        container = av.open(f"file:{path}", metadata_errors="replace")
    except PermissionError:
        raise UserError(f"'{path}' may not be read: change its permissions.") from None
    except (av.error.FFmpegError, OSError):
        raise UserError(f"'{path}' is not a video or audio file.") from None
    with container:
        if container.format.name == "tty":  # FFmpeg draws any text file as a terminal
            raise UserError(f"'{path}' is not a video or audio file.")
        yield container


def decodable(stream, path: Path):
    """The stream, if there is a decoder for it; UserError if not."""
    if stream.codec_context is None:
        raise UserError(f"'{path}' is in a codec that cannot be read: convert it to H.264 and AAC.")
    if stream.type == "video":
        stream.thread_type = "AUTO"
    return stream


def packets(container, stream) -> Iterator[av.Packet]:
    """The stream's packets with content; a file that is cut off ends where it is cut."""
    demuxed = container.demux(stream)
    while True:
        try:
            packet = next(demuxed, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        if packet.size:
            yield packet


def decoded(container, stream) -> Iterator:
    """Pictures or sound: whatever can be decoded, in the order in which it is shown."""
    for packet in packets(container, stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue
    try:
        yield from stream.codec_context.decode(None)
    except av.error.FFmpegError:
        return
