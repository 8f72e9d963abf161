"""Small clips for studies."""

from pathlib import Path

import av
import numpy as np

from repro import SAMPLE_RATE
from repro.corpus.video import VideoWriter


def write_video(path: Path, *, frames: int, grey: int, sound: bool = True, side: int = 48) -> None:
    """A grey clip with a white square that goes to the right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(frames * SAMPLE_RATE // 25) / SAMPLE_RATE
    audio = 0.1 * np.sin(2 * np.pi * 220 * time_s).astype(np.float32) if sound else None
    label = {"comment": f"made by {path.parent.name}"}
    with VideoWriter(path, size=(side, side), audio=audio, metadata=label) as writer:
        for t in range(frames):
            frame = np.full((side, side, 3), grey, np.uint8)
            frame[10:20, t : t + 10] = 255
            writer.write(frame)


def write_odd_video(path: Path) -> None:
    """A clip of 20 frames of 49 x 47 pixels, which H.264 does not take, with silence."""
    frame = np.full((47, 49, 3), 99, np.uint8)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("ffv1", rate=25)
        picture.width, picture.height, picture.pix_fmt = 49, 47, "bgr0"
        sound = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        for t in range(20):
            of_frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
            of_frame.pts = t
            container.mux(picture.encode(of_frame))
        block = av.AudioFrame.from_ndarray(np.zeros((1, 12_800), np.int16), "s16", "mono")
        block.sample_rate, block.pts = SAMPLE_RATE, 0
        container.mux(sound.encode(block))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
