"""Audio-driven talking faces, stage by stage (Yi et al. 2020), on open stand-ins.

Letters used for array shapes everywhere in the package:

    T     frames of a clip, at 25 fps
    V     vertices of the face model
    F     triangles of the face model
    L     landmarks
    H, W  pixels: rows, columns
    B     batch
    N     audio samples, at 16 kHz
    C     channels (3: red, green, blue)

Conventions (camera axes, pose, colour range, time) stand in docs/conventions.md.
"""

__version__ = "0.1.0"

FPS = 25
"""Frames per second of every clip inside the package."""

SAMPLE_RATE = 16_000
"""Audio samples per second of every clip inside the package (mono float32)."""
