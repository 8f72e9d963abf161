"""The stage: a clip in, its square frames and its FaceTrack out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from repro.corpus.clip import Clip
from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose
from repro.reconstruct.calibration import shift_of
from repro.reconstruct.confidence import trusted
from repro.reconstruct.correct import correct
from repro.reconstruct.crop import cut, source_camera, square_crop
from repro.reconstruct.detect import Detection, detect
from repro.reconstruct.fit import Landmarks, fit_geometry
from repro.reconstruct.focal import estimate_focal
from repro.reconstruct.photometric import fit_texture_and_light
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.track import FaceTrack, residual


@dataclass(frozen=True)
class Reconstruction:
    """Frames (T, 256, 256, 3) uint8 of the square crop, and the face in them."""

    frames: np.ndarray
    track: FaceTrack


def reconstruct(
    clip: Clip,
    model: MorphableModel,
    settings: ReconstructSettings,
    *,
    frames: int | None = None,
    store: Path | None = None,
) -> Reconstruction:
    """Landmarks and 257 coefficients of the first ``frames`` frames of a clip (default: all).

    Parameters
    ----------
    store : a file (.npy) for the crop's frames, which then are mapped and not held in memory

    Raises
    ------
    UserError
        No face, or a face in too few frames.
    """
    name = clip.path.name
    found = detect(clip.read(0, frames), name=name, max_missing=settings.max_missing)
    crop = square_crop(found.points[found.found | found.bridged], settings)
    source = source_camera(crop, clip.width, clip.height, settings)
    camera = source.seen_through(crop)
    images = _held(clip.read(0, len(found.found)), len(found.found), crop, store)
    return Reconstruction(images, fit_track(found, images, camera, crop, model, settings))


def fit_track(
    found: Detection,
    images: np.ndarray,
    camera: Camera,
    crop: Crop,
    model: MorphableModel,
    settings: ReconstructSettings,
) -> FaceTrack:
    """Fit geometry to the corrected landmarks, then texture and light to the pixels."""
    points = crop.to_crop(found.points).astype(np.float32)
    sure = trusted(found.confidence)
    corrected = correct(images, points, found.scores, found.score_names, camera, model, sure)
    seen = Landmarks.found(found, corrected)
    if settings.focal == "estimated":
        camera = estimate_focal(seen, camera, model, settings)
    shape = fit_geometry(seen, camera, model, settings)
    landmarks = model.landmarks(model.vertices(shape.identity, shape.expression))
    landmarks += model.landmarks(shape.shape_offset)
    # What sets the landmarker's points apart from the corrected ones, this clip's part included.
    apart, heads = (points - corrected)[sure], apply_pose(landmarks, shape.pose)[sure]
    shift = shape.landmark_shift + shift_of(apart, heads, shape.pose[sure], camera)
    track = FaceTrack(
        landmarks=points,
        found=found.found,
        confidence=found.confidence,
        coefficients=Coefficients(
            shape.identity,
            shape.expression,
            np.zeros(80, np.float32),
            np.zeros((len(points), 27), np.float32),
            shape.pose,
        ),
        shape_offset=shape.shape_offset,
        landmark_shift=shift.astype(np.float32),
        camera=camera,
        crop=crop,
        residual=residual(points, landmarks + shift, shape.pose, camera)[:, model.landmark_valid],
        people=found.people,
    )

    def posed(t: int) -> np.ndarray:
        return apply_pose(track.vertices(model, shape.expression[t]), shape.pose[t])

    texture, light = fit_texture_and_light(images, posed, camera, model)
    return replace(track, coefficients=replace(track.coefficients, texture=texture, light=light))


def _held(frames: Iterator[np.ndarray], count: int, crop: Crop, store: Path | None) -> np.ndarray:
    """The frames' crops (T, S, S, 3) in memory, or in the file ``store``."""
    shape = (count, crop.size, crop.size, 3)
    if store is None:
        images = np.empty(shape, np.uint8)
    else:
        images = np.lib.format.open_memmap(store, mode="w+", dtype=np.uint8, shape=shape)
    for t, frame in enumerate(frames):
        images[t] = cut(frame, crop)
    return images
