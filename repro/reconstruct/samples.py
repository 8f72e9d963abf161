"""What the coefficient network learns from: faces cut out of clips, with or without truth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from repro.corpus.clip import open_clip
from repro.corpus.truth import Truth, truth_of
from repro.errors import UserError
from repro.face.camera import Camera
from repro.face.coefficients import SIZE, Coefficients
from repro.face.model import MorphableModel
from repro.files import atomic_path
from repro.reconstruct.alignment import aligned_crop, face_centre
from repro.reconstruct.crop import cut
from repro.reconstruct.network_settings import ReconstructNetworkSettings
from repro.reconstruct.track import FaceTrack

MARGIN = 1.4
"""Side of a stored picture over that of the network's crop: room to shift and turn."""


@dataclass(frozen=True)
class Samples:
    """N faces, aligned and with a margin around them, P pixels square.

    images     (N, P, P, 3) uint8
    focal      (N,) float32, principal (N, 2) float32: the camera, in pixels of these pictures
    landmarks  (N, 478, 2) float32, in the same pixels
    person     (N,) int64, who it is
    labelled   (N,) bool, whether ``vectors`` is the truth
    vectors    (N, 257) float32, coefficients in the clip's camera; 0 where there is no truth
    """

    images: np.ndarray
    focal: np.ndarray
    principal: np.ndarray
    landmarks: np.ndarray
    person: np.ndarray
    labelled: np.ndarray
    vectors: np.ndarray

    def __len__(self) -> int:
        """Faces."""
        return len(self.images)

    def __getitem__(self, chosen) -> "Samples":
        """Some of the faces."""
        return Samples(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def save(self, path: Path) -> None:
        """Write ``path`` (.npz) in one move."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        with atomic_path(path) as part, part.open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Samples":
        """Read what ``save`` wrote.

        Raises
        ------
        UserError
            There is no such file.
        """
        if not path.is_file():
            raise UserError(f"Faces '{path}' do not exist; gather them first.")
        with np.load(path) as f:
            return cls(**{field.name: f[field.name] for field in fields(cls)})


def joined(parts: Sequence[Samples]) -> Samples:
    """All faces of several sets, whose pictures have one size."""
    return Samples(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Samples)))


def gather(
    frames: Iterable[np.ndarray],
    points: np.ndarray,
    camera: Camera,
    model: MorphableModel,
    settings: ReconstructNetworkSettings,
    *,
    person: int,
    vectors: np.ndarray | None = None,
) -> Samples:
    """Cut faces out of pictures.

    Parameters
    ----------
    frames : T pictures (H, W, 3) uint8
    points : (T, 478, 2) landmarks in their pixels
    camera : of those pixels
    person : a number for who it is
    vectors : (T, 257) true coefficients in that camera; None where they are unknown
    """
    size = padded_px(settings)
    centre = face_centre(model)
    images, focal, principal, landmarks = [], [], [], []
    for frame, seen in zip(frames, points, strict=True):
        crop = aligned_crop(seen, model, centre, crop_m=settings.crop_m * MARGIN, size=size)
        view = camera.seen_through(crop)
        images.append(cut(frame, crop))
        focal.append(view.focal_px)
        principal.append((view.cx, view.cy))
        landmarks.append(crop.to_crop(seen))
    count = len(images)
    known = vectors is not None
    return Samples(
        np.stack(images),
        np.array(focal, np.float32),
        np.array(principal, np.float32),
        np.array(landmarks, np.float32),
        np.full(count, person, np.int64),
        np.full(count, known),
        np.asarray(vectors, np.float32) if known else np.zeros((count, SIZE), np.float32),
    )


def padded_px(settings: ReconstructNetworkSettings) -> int:
    """Side of the stored pictures in pixels."""
    return round(MARGIN * settings.input_px)


def samples_of_clip(
    video: Path, model: MorphableModel, settings: ReconstructNetworkSettings
) -> Samples:
    """Faces of a synthetic clip, evenly spread in time, with its ground truth.

    Raises
    ------
    UserError
        There is no ground truth beside the video.
    """
    truth = truth_of(video)
    if truth is None:
        raise UserError(f"'{video}' has no ground truth beside it; give its FaceTrack instead.")
    chosen = spread_frames(len(truth.pose), settings.frames_per_clip)
    frames = picked(open_clip(video).read(), chosen)
    vectors = coefficients_of(truth).vectors()[chosen]
    return gather(
        frames, truth.landmarks[chosen], truth.camera, model, settings,
        person=truth.person, vectors=vectors,
    )  # fmt: skip


def samples_of_track(
    frames: np.ndarray,
    track: FaceTrack,
    model: MorphableModel,
    settings: ReconstructNetworkSettings,
    *,
    person: int,
) -> Samples:
    """Faces of a clip without truth: frames (T, H, W, 3) of its crop, where a face was found."""
    found = np.nonzero(track.found)[0]
    chosen = found[spread_frames(len(found), settings.frames_per_clip)]
    return gather(
        frames[chosen], track.landmarks[chosen], track.camera, model, settings, person=person
    )


def coefficients_of(truth: Truth) -> Coefficients:
    """The coefficients that made a synthetic clip."""
    light = np.tile(truth.light, (len(truth.pose), 1))
    return Coefficients(truth.identity, truth.expression, truth.texture, light, truth.pose)


def spread_frames(count: int, most: int) -> np.ndarray:
    """At most ``most`` of ``count`` frames, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def picked(frames: Iterable[np.ndarray], chosen: np.ndarray):
    """Those of the frames whose numbers (sorted) are chosen."""
    wanted = set(chosen.tolist())
    last = int(chosen[-1])
    for t, frame in enumerate(frames):
        if t in wanted:
            yield frame
        if t == last:
            return
