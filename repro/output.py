"""The finished video: frames and sound written as a stream, with all its labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from repro import FPS, __version__
from repro.corpus.video import VideoWriter
from repro.credentials import Signer
from repro.label import container_label
from repro.provenance import code_version
from repro.store import file_hash

_MARK = "AI-generated"


@dataclass(frozen=True)
class Label:
    """How a video is to say that it is generated.

    models   what made it, by what each is for
    visible  draw a small mark on every frame
    signer   puts a C2PA manifest into it; None for none
    """

    models: dict[str, str]
    visible: bool = True
    signer: Signer | None = None


def write_labelled(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    size: tuple[int, int],
    audio: np.ndarray,
    label: Label,
) -> dict[str, object]:
    """Write an mp4 that says what it is; no more than a few frames are held in memory.

    Parameters
    ----------
    path : the target, ending in .mp4
    frames : (H, W, 3) uint8 RGB, one after another
    size : their (W, H), both even
    audio : (N,) float32, mono 16 kHz

    Returns
    -------
    What the record beside the video says of it: size, frames, labels, and the file's SHA-256.
    """
    tags = container_label(label.models, commit=code_version().commit)
    with VideoWriter(path, size=size, audio=audio, metadata=tags) as writer:
        for frame in frames:
            writer.write(marked(frame) if label.visible else frame)
    if label.signer is not None:
        about = {"models": label.models, "label": tags["description"]}
        label.signer.sign(path, title=path.name, version=__version__, about=about)
    return {
        "file": path.name,
        "frames": writer.frames,
        "fps": FPS,
        "size": list(size),
        "label": tags,
        "signed": label.signer is not None,
        "sha256": file_hash(path),
    }


def marked(frame: np.ndarray) -> np.ndarray:
    """A copy of a frame (H, W, 3) uint8 with a small mark that says it is generated."""
    copy = frame.copy()
    scale = frame.shape[0] / 256 * 0.32
    left, bottom = 4, frame.shape[0] - 5
    # The shadow is as thick as the letters: OpenCV sets thicker ones wider.
    for colour, aside in (((0, 0, 0), 1), ((255, 255, 255), 0)):
        at = left + aside, bottom + aside
        cv2.putText(copy, _MARK, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
    return copy
