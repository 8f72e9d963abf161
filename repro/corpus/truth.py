"""The ground truth of a synthetic clip: all that made it, read from beside its video."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import av
import numpy as np

from repro.errors import UserError
from repro.face.camera import Camera
from repro.files import atomic_path

MATERIALS = (
    "background", "skin", "tongue", "eye", "upper teeth", "lower teeth", "clothes", "hair",
    "lashes", "glasses",
)  # fmt: skip
"""Names of the numbers in a mask."""


@dataclass(frozen=True)
class Truth:
    """What made a clip of T frames.

    expression (T, 64), pose (T, 6), identity (80,), texture (80,), light (27,) float32
    lamp           (4, 3) float32, linear: direction to the key light, its colour, sky, ground
    albedo         (V, 3) float32, display RGB of the face's vertices with their skin detail
    landmarks      (T, 478, 2) float32 pixels; landmark_valid (478,) bool
    lip_gap_m      (T,) float32, between the lips' landmarks; lip_aperture_m: between their edges
    loudness       (T,) float32 in [0, 1], of the sound
    symbols        IPA of each phoneme; times_s (n, 2) its start and end
    words          as written; word_times_s (m, 2)
    closures_s     (c,) float32, when p, b and m close the lips
    camera         of the whole clip
    person         the seed of who speaks
    """

    expression: np.ndarray
    pose: np.ndarray
    identity: np.ndarray
    texture: np.ndarray
    light: np.ndarray
    lamp: np.ndarray
    albedo: np.ndarray
    landmarks: np.ndarray
    landmark_valid: np.ndarray
    lip_gap_m: np.ndarray
    lip_aperture_m: np.ndarray
    loudness: np.ndarray
    symbols: tuple[str, ...]
    times_s: np.ndarray
    words: tuple[str, ...]
    word_times_s: np.ndarray
    closures_s: np.ndarray
    camera: Camera
    person: int

    def save(self, path: Path) -> None:
        """Write an npz; the same truth gives the same bytes."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays["symbols"] = np.array(self.symbols, dtype="U8")
        arrays["words"] = np.array(self.words, dtype="U32")
        c = self.camera
        arrays["camera"] = np.array([c.focal_px, c.cx, c.cy, c.width, c.height])
        with atomic_path(path) as temporary:
            np.savez_compressed(temporary, **arrays)


def load_truth(path: Path) -> Truth:
    """Read the ground truth beside a clip (its npz).

    Raises
    ------
    UserError
        No such file, or one of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"Ground truth '{path}' does not exist; make the corpus first.")
    with np.load(path) as f:
        missing = {field.name for field in fields(Truth)} - set(f.files)
        if missing:
            raise UserError(
                f"Ground truth '{path}' lacks {', '.join(sorted(missing))}; make the corpus again."
            )
        arrays = {field.name: f[field.name] for field in fields(Truth)}
    focal, cx, cy, width, height = arrays.pop("camera")
    for name in ("symbols", "words"):
        arrays[name] = tuple(str(s) for s in arrays[name])
    arrays["person"] = int(arrays["person"])
    camera = Camera(float(focal), float(cx), float(cy), int(width), int(height))
    return Truth(**arrays, camera=camera)


def truth_of(video: Path) -> Truth | None:
    """The truth beside a synthetic clip; None for a real one."""
    path = Path(video).with_suffix(".npz")
    return load_truth(path) if path.is_file() else None


def read_masks(path: Path) -> Iterator[np.ndarray]:
    """The material of every pixel, (H, W) uint8 numbers of ``MATERIALS``, frame by frame."""
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            yield picture.to_ndarray(format="gray")
