"""What the target video shows when somebody else's words are put into its mouth.

Song et al. 2020, sections 3.2.2 and 3.3.1: geometry, pose, eyes and the rest of the frame stay
those of the target frame that is shown; mouth and jaw are the sound's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from repro.corpus.performance import loudness
from repro.edit.retiming import head_speed, retimed
from repro.edit.speech_data import mouth_channels
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose
from repro.motion.person import articulate
from repro.reconstruct.track import FaceTrack

_BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
_TOGETHER = 256
"""Frames whose meshes are in memory at once."""


@dataclass(frozen=True)
class EditedTarget:
    """What is shown over T frames.

    shown       (T,) int, which of the target's frames
    expression  (T, 64) float32, of the target but for mouth and jaw
    original    (T, 478, 2) float32 pixels, the landmarks of the frames shown
    wanted      (T, 478, 2) float32 pixels, where they are to be: the same head, another mouth
    """

    shown: np.ndarray
    expression: np.ndarray
    original: np.ndarray
    wanted: np.ndarray

    def __len__(self) -> int:
        """T."""
        return len(self.shown)

    def frames(self, target: np.ndarray) -> Iterator[np.ndarray]:
        """The target's frames (M, H, W, 3), in the order in which they are shown."""
        return (np.asarray(target[t]) for t in self.shown)


def choose_frames(
    sound: np.ndarray, frames: int, track: FaceTrack, model: MorphableModel, *, learned: int
) -> np.ndarray:
    """Which of the target's first ``learned`` frames (T,) are shown to T ``frames`` of sound.

    Parameters
    ----------
    sound : (N,) at 16 kHz
    """
    expression, pose = track.coefficients.expression[:learned], track.coefficients.pose[:learned]
    chosen = [model.expression_names.index(name) for name in _BLINKS]
    blinking = expression[:, chosen].mean(1).clip(0, 1)
    return retimed(loudness(sound, frames), head_speed(pose), blinking)


def put_into_mouth(
    said: np.ndarray,
    shown: np.ndarray,
    track: FaceTrack,
    model: MorphableModel,
    *,
    learned: int,
) -> EditedTarget:
    """Give the frames shown the mouth that the sound asks for.

    Parameters
    ----------
    said : (T, 64), what the sound makes of mouth and jaw
    shown : (T,) int, the target's frames
    track : of the target, whose first ``learned`` frames say how this person speaks

    Notes
    -----
    Sound says little of how far this person opens the mouth: about its mean in those frames, its
    motion is enlarged towards the person's own (``repro.motion.person.articulate``).
    """
    known, channels = track.coefficients, mouth_channels(model.expression_names)
    expression = known.expression[shown].astype(np.float32)
    own = known.expression[:learned]
    mouth = np.array(said, np.float32)
    mouth[:, channels] += own[:, channels].mean(0) - mouth[:, channels].mean(0)
    expression[:, channels] = articulate(mouth, own, list(channels))[:, channels]
    original = track.landmarks[shown].astype(np.float32)
    wanted = original.copy()
    for first in range(0, len(shown), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        pose = known.pose[shown[some]]
        wanted[some] += _seen(expression[some], pose, track, model)
        wanted[some] -= _seen(known.expression[shown[some]], pose, track, model)
    return EditedTarget(shown, expression, original, wanted)


def _seen(
    expression: np.ndarray, pose: np.ndarray, track: FaceTrack, model: MorphableModel
) -> np.ndarray:
    """Pixels (T, 478, 2) of the person's landmarks."""
    return track.camera.project(apply_pose(track.shape_landmarks(model, expression), pose))
