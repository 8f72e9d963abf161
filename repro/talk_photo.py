"""The main job with one photo of the person in place of a video (Yi et al. 2020, section 3.3).

The general models speak, for there is nothing to learn the person's own ways from; the background
is the photo, turned to the head's pose (``repro.render.single_image``).
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm.auto import tqdm

from repro import SAMPLE_RATE
from repro.config import Profile
from repro.credentials import Signer
from repro.errors import UserError
from repro.files import write_json
from repro.motion.predict import predict
from repro.output import Label, write_labelled
from repro.perform import refined
from repro.pipeline import Workspace, general_motion, general_refiner
from repro.provenance import Stopwatch, manifest
from repro.render.face import FaceRenderer
from repro.render.single_image import Photo, photo_track, single_image_frames
from repro.speech.features import frames_of, mfcc_windows

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

FARTHEST = np.radians([20, 30, 15])
"""The head is turned no farther than this from the photo's pitch, yaw and roll."""


def is_photo(path: Path) -> bool:
    """Whether a file is a photo by its name."""
    return path.suffix.lower() in SUFFIXES


def talk_photo(
    photo: Path,
    sound: np.ndarray,
    out: Path,
    *,
    audio_name: str,
    profile: Profile,
    seed: int,
    work: Path,
    signer: Signer | None,
) -> dict[str, object]:
    """Make the person of a photo say what a sound says.

    Parameters
    ----------
    photo : a picture of one person
    sound : (N,) float32, mono 16 kHz
    out : the .mp4 to write; a record goes beside it as .json
    audio_name : what the record calls the sound
    work : folder of the general models
    signer : of the video's manifest; None for none

    Returns
    -------
    the record

    Raises
    ------
    UserError
        Not a picture, or no face in it; the output cannot be written.
    """
    watch = Stopwatch()
    image = read_photo(photo)
    ws = Workspace.open(work, profile, seed=seed)
    with watch.stage("reconstruction"):
        track, crop = photo_track(image, ws.model, profile.reconstruct, name=photo.name)
        meshed = Photo.of(image, track, ws.model)
    with watch.stage("general motion"):
        mapping, _, motion_key = general_motion(ws)
    with watch.stage("general refinement"):
        refiner, _, refiner_key = general_refiner(ws)
    length = frames_of(len(sound))
    with watch.stage("motion from audio"):
        motion = predict(mapping, mfcc_windows(sound, length))
        pose = about(motion.pose, track.coefficients.pose[0])
    settings = profile.render.model_copy(update={"albedo": "detailed"})
    draw = FaceRenderer.of(ws.model, track, crop[None], settings=settings)
    models = {"face": ws.model.name, "motion": motion_key, "refiner": refiner_key}
    label = Label(models, visible=profile.talk.visible_mark, signer=signer)

    def frames() -> Iterator[np.ndarray]:
        light = track.coefficients.light[0]
        pictures = single_image_frames(meshed, draw, motion.expression, pose, light)
        for frame, _ in tqdm(refined(refiner, pictures), desc="rendering", total=length):
            yield frame

    with watch.stage("rendering"):
        size = (track.crop.size, track.crop.size)
        written = write_labelled(out, frames(), size=size, audio=sound, label=label)
    record: dict[str, object] = {
        "video": {"file": photo.name, "note": "one photo: the general models speak and refine"},
        "audio": {"file": audio_name, "seconds": round(len(sound) / SAMPLE_RATE, 3)},
        "out": written,
        "models": models,
        "mapping": "general",
        "networks": {"identity": refiner.identity_name, "spatial": refiner.spatial.name},
        "reconstruction": {
            "median_percent_of_pupil_distance": round(float(np.median(track.residual)), 3)
        },
        **manifest(parameters=profile.model_dump(), seed=seed, stages=watch.summary()),
    }
    write_json(out.with_suffix(".json"), record)
    return record


def read_photo(path: Path) -> np.ndarray:
    """A picture (H, W, 3) uint8 RGB, the right way up.

    Raises
    ------
    UserError
        No such file, or not a picture.
    """
    if not path.is_file():
        raise UserError(f"No such file: '{path}'.")
    content = np.fromfile(path, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if image is None:
        raise UserError(f"'{path}' is not a picture that can be read: give a JPEG or PNG.")
    return np.ascontiguousarray(image[..., ::-1])


def about(pose: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Motion (T, 6) about zero laid about a photo's pose (6,), within ``FARTHEST``."""
    moved = pose - pose.mean(0)
    moved[:, :3] = np.clip(moved[:, :3], -FARTHEST, FARTHEST)
    return (own + moved).astype(np.float32)
