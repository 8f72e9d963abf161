"""The stage: a clip in, its square frames and its FaceTrack out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from repro.corpus.clip import Clip
from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose
from repro.reconstruct.detect import Detection, detect, face_box
from repro.reconstruct.fit import fit_geometry
from repro.reconstruct.photometric import fit_texture_and_light
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.track import FaceTrack


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
    source = Camera(
        settings.focal_over_crop * crop.side,
        clip.width / 2,
        clip.height / 2,
        clip.width,
        clip.height,
    )
    camera = source.seen_through(crop)
    images = _held(cropped(clip.read(0, len(found.found)), crop), len(found.found), crop, store)
    return Reconstruction(images, fit_track(found, images, camera, crop, model, settings))


def fit_track(
    found: Detection,
    images: np.ndarray,
    camera: Camera,
    crop: Crop,
    model: MorphableModel,
    settings: ReconstructSettings,
) -> FaceTrack:
    """Fit geometry to the landmarks, then texture and light to the pixels."""
    points = crop.to_crop(found.points).astype(np.float32)
    shape = fit_geometry(
        points,
        found.scores,
        found.score_names,
        camera,
        model,
        settings,
        confidence=found.confidence,
        inside=found.in_picture,
    )
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
        landmark_shift=shape.landmark_shift,
        camera=camera,
        crop=crop,
        residual=shape.residual,
        people=found.people,
    )

    def posed(t: int) -> np.ndarray:
        return apply_pose(track.vertices(model, shape.expression[t]), shape.pose[t])

    texture, light = fit_texture_and_light(images, posed, camera, model)
    return replace(track, coefficients=replace(track.coefficients, texture=texture, light=light))


def _held(frames: Iterator[np.ndarray], count: int, crop: Crop, store: Path | None) -> np.ndarray:
    """Frames (T, S, S, 3) in memory, or in the file ``store``."""
    shape = (count, crop.size, crop.size, 3)
    if store is None:
        images = np.empty(shape, np.uint8)
    else:
        images = np.lib.format.open_memmap(store, mode="w+", dtype=np.uint8, shape=shape)
    for t, frame in enumerate(frames):
        images[t] = frame
    return images


def square_crop(points: np.ndarray, settings: ReconstructSettings) -> Crop:
    """One square for the whole clip that holds the moving head with hair and chin."""
    left, top, right, bottom = face_box(points)
    sizes = np.ptp(points, axis=1)
    face = float(np.median(sizes.max(1)))
    side = max(settings.crop_margin * face, 1.15 * max(right - left, bottom - top) + 0.3 * face)
    # Hair reaches further above the landmarks than anything needed below them.
    centre_x, centre_y = (left + right) / 2, (top + bottom) / 2 - 0.06 * face
    return Crop(
        float(centre_x - side / 2), float(centre_y - side / 2), float(side), settings.crop_px
    )


def cropped(frames: Iterator[np.ndarray], crop: Crop) -> Iterator[np.ndarray]:
    """The crop of each frame, (size, size, 3) uint8; the border is repeated outside the image."""
    shrink = crop.scale < 0.7
    for frame in frames:
        if shrink:  # an even blur first: bilinear sampling alone would skip pixels
            sigma = 0.4 / crop.scale
            frame = cv2.GaussianBlur(frame, (0, 0), sigma)
        yield cv2.warpAffine(
            frame,
            crop.affine,
            (crop.size, crop.size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
