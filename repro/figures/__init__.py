"""Pictures that the notebooks show and keep.

``basics``: sheets of frames, curves, overlays, under ``figures.`` itself. Each notebook with
pictures of its own has a module, such as ``reconstruction``.
"""

from repro.figures.basics import (
    closeups,
    curves,
    keep,
    pose_curves,
    pose_styles,
    sheet,
    speech,
    stills,
    with_points,
)
from repro.frames import evenly

__all__ = [
    "closeups",
    "curves",
    "evenly",
    "keep",
    "pose_curves",
    "pose_styles",
    "sheet",
    "speech",
    "stills",
    "with_points",
]
