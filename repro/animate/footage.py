"""What the generative network learns from: people's frames with landmarks, pose and geometry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from repro.animate.disentangle import most_visible
from repro.animate.unproject import Mesh
from repro.errors import UserError
from repro.face.camera import Camera, Crop
from repro.face.model import MEDIAPIPE_OF_68, MorphableModel
from repro.face.pose import apply_pose
from repro.files import atomic_path
from repro.reconstruct.track import FaceTrack
from repro.render.face import without_lashes


@dataclass(frozen=True)
class Footage:
    """T frames of one person, square, S pixels a side.

    name       for messages
    frames     (T, S, S, 3) uint8
    landmarks  (T, 68, 2) float32 pixels, the iBUG points as seen
    pose       (T, 6) float32, radians and metres
    vertices   (T, V, 3) float32, metres, camera space: the head's surface in each frame
    points     (T, 68, 3) float32, metres, camera space: where the landmarks lie on it
    triangles  (F, 3) int32
    camera     of the frames
    """

    name: str
    frames: np.ndarray
    landmarks: np.ndarray
    pose: np.ndarray
    vertices: np.ndarray
    points: np.ndarray
    triangles: np.ndarray
    camera: Camera

    def __post_init__(self):
        count = len(self.frames)
        arrays = (self.landmarks, self.pose, self.vertices, self.points)
        if not count or any(len(array) != count for array in arrays):
            lengths = ", ".join(str(len(array)) for array in arrays)
            raise ValueError(f"footage of '{self.name}': {count} frames, but {lengths}")
        if not all(np.isfinite(array).all() for array in arrays):
            raise UserError(
                f"Footage of '{self.name}': a frame's face is unknown; leave out such frames."
            )

    def __len__(self) -> int:
        """Frames."""
        return len(self.frames)

    def __getitem__(self, chosen) -> "Footage":
        """The same person for some of the frames: a slice, or an array of numbers.

        They are copied, so that a few frames do not keep the whole clip in memory.
        """
        return replace(
            self,
            frames=np.array(self.frames[chosen]),
            landmarks=np.array(self.landmarks[chosen]),
            pose=np.array(self.pose[chosen]),
            vertices=np.array(self.vertices[chosen]),
            points=np.array(self.points[chosen]),
        )

    @property
    def size_px(self) -> int:
        """S."""
        return self.frames.shape[1]

    def mesh(self) -> Mesh:
        """The head as the most visible frame shows it (Chen et al. 2020, section 4.1)."""
        t = most_visible(self.pose)
        return Mesh(
            self.vertices[t], self.points[t], self.triangles, self.frames[t], self.pose[t],
            self.camera,
        )  # fmt: skip


def footage_of_clip(
    frames: np.ndarray,
    track: FaceTrack,
    model: MorphableModel,
    *,
    image_px: int,
    name: str,
) -> Footage:
    """A reconstructed clip, shrunk; frames in which no face was found are left out.

    Parameters
    ----------
    frames : (T, H, H, 3) uint8, the track's crop; the first of the track where they are fewer
    image_px : side of the result's frames

    Raises
    ------
    UserError
        No face was found in any frame.
    """
    kept = np.flatnonzero(track.found[: len(frames)])
    if not len(kept):
        raise UserError(f"Clip '{name}': no face in any of {len(frames)} frames.")
    size = frames.shape[1]
    pictures = [_resized(frames[t], image_px) for t in kept]
    expression, pose = track.coefficients.expression[kept], track.coefficients.pose[kept]
    shape = track.vertices(model, expression)
    points = track.shape_landmarks(model, expression)[:, MEDIAPIPE_OF_68]
    return Footage(
        name,
        np.stack(pictures),
        (track.landmarks[kept][:, MEDIAPIPE_OF_68] * (image_px / size)).astype(np.float32),
        np.asarray(pose, np.float32),
        apply_pose(shape, pose).astype(np.float32),
        apply_pose(points, pose).astype(np.float32),
        without_lashes(model).triangles,
        track.camera.seen_through(Crop(0, 0, size, image_px)),
    )


def save_people(people: Sequence[Footage], path: Path) -> None:
    """Write ``path`` (.npz) in one move; all people share one mesh's triangles.

    Raises
    ------
    UserError
        The folder cannot be written.
    """
    arrays: dict[str, Any] = {"count": np.array(len(people))}
    if people:
        arrays["triangles"] = people[0].triangles
    for k, person in enumerate(people):
        camera = person.camera
        arrays |= {
            f"{k}/name": np.array(person.name),
            f"{k}/frames": person.frames,
            f"{k}/landmarks": person.landmarks,
            f"{k}/pose": person.pose,
            f"{k}/vertices": person.vertices,
            f"{k}/points": person.points,
            f"{k}/camera": np.array([camera.focal_px, camera.cx, camera.cy]),
        }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def load_people(path: Path) -> list[Footage]:
    """Read what ``save_people`` wrote.

    Raises
    ------
    UserError
        There is no such file.
    """
    if not path.is_file():
        raise UserError(f"Footage '{path}' does not exist; film or reconstruct people first.")
    with np.load(path) as stored:
        return [_stored(stored, f"{k}/") for k in range(int(stored["count"]))]


def _stored(stored, prefix: str) -> Footage:
    frames = stored[f"{prefix}frames"]
    focal, cx, cy = (float(x) for x in stored[f"{prefix}camera"])
    size = frames.shape[1]
    return Footage(
        str(stored[f"{prefix}name"]),
        frames,
        stored[f"{prefix}landmarks"],
        stored[f"{prefix}pose"],
        stored[f"{prefix}vertices"],
        stored[f"{prefix}points"],
        stored["triangles"],
        Camera(focal, cx, cy, size, size),
    )


def _resized(frame: np.ndarray, size_px: int) -> np.ndarray:
    if frame.shape[0] == size_px:
        return frame
    way = cv2.INTER_AREA if frame.shape[0] > size_px else cv2.INTER_CUBIC
    return cv2.resize(frame, (size_px, size_px), interpolation=way)
