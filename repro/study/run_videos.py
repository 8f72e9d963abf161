"""Videos of a run's methods: folders that a study can be made of, and strips to look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from repro.corpus.video import VideoWriter
from repro.label import container_label
from repro.provenance import code_version
from repro.study.table_two import REAL, Trial

_STUDY_PX = 256
"""Side of a study's videos: pictures are enlarged to it."""

_GAP_PX = 4


def folder_name(method: str) -> str:
    """A method as the name of a folder: ``you_said_that``."""
    return method.lower().replace(" ", "_").replace("-", "_")


def write_study_videos(
    folder: Path, trials: Sequence[Trial], models: Mapping[str, str], methods: Sequence[str]
) -> Path:
    """Write a video for each method and person, with sound, as ``repro study make`` takes them.

    What was generated says so inside the file; nothing is drawn over the pictures, which would
    tell methods apart.
    """
    label = container_label(dict(models), commit=code_version().commit)
    for trial in trials:
        for method in methods:
            path = folder / folder_name(method) / f"{trial.name}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            tags = None if method == REAL else label
            size = (_STUDY_PX, _STUDY_PX)
            with VideoWriter(path, size=size, audio=trial.audio, metadata=tags) as writer:
                for picture in trial.pictures[method]:
                    writer.write(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC))
    return folder


def write_strip(
    path: Path, trial: Trial, models: Mapping[str, str], methods: Sequence[str], *, side_px: int
) -> Path:
    """Write a video of several methods side by side, each with its name above."""
    label = container_label(dict(models), commit=code_version().commit)
    wide = len(methods) * (side_px + _GAP_PX) - _GAP_PX
    head = 24
    size = (wide + wide % 2, side_px + head + side_px % 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, size=size, audio=trial.audio, metadata=label) as writer:
        for t in range(len(trial.pictures[REAL])):
            canvas = np.full((size[1], size[0], 3), 255, np.uint8)
            for k, method in enumerate(methods):
                left = k * (side_px + _GAP_PX)
                place = (left + 2, head - 8)
                cv2.putText(
                    canvas, method, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA
                )
                picture = cv2.resize(
                    trial.pictures[method][t], (side_px, side_px), interpolation=cv2.INTER_CUBIC
                )
                canvas[head : head + side_px, left : left + side_px] = picture
            writer.write(canvas)
    return path
