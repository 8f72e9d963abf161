"""The three systems on one person and one sound (notebook 13).

Each sees the same frames of the person and then shows what they say in another clip, which is the
truth of lips and words. All is measured in the pictures, as a viewer sees them and in the same way
for every system: none is taken at its own word.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from repro import assets
from repro.edit.target import choose_frames, put_into_mouth
from repro.edit.video import edit_frames
from repro.evaluate.identity import csim_to_person, face_features
from repro.evaluate.image import sharpness
from repro.evaluate.lips import closed_lip_recall, correlation, lip_gap
from repro.evaluate.pose import head_pose_similarity
from repro.evaluate.seen import landmarks_in
from repro.evaluate.steadiness import pixel_flicker
from repro.evaluate.sync import Listener, lip_sync
from repro.perform import perform, refined, rendered
from repro.pipeline.animation import animated
from repro.pipeline.editing import edit_completer, edit_mouth
from repro.pipeline.motion import personal_motion
from repro.pipeline.refinement import personal_refiner
from repro.pipeline.rendering import renderer
from repro.pipeline.targets import Target
from repro.pipeline.workspace import Workspace
from repro.reconstruct.start import start_pose
from repro.refine.identity import identity_network
from repro.speech.features import frames_of, mfcc_windows

NATURAL, TALKIN, RHYTHMIC, REAL = (
    "natural head pose",
    "Everybody's Talkin'",
    "rhythmic head motion",
    "real frames",
)

MEASURES = "lip_r", "closures", "sync_r", "hs", "csim", "sharpness", "flicker"
"""What ``scores`` says of the pictures."""

_EVERY = 5
"""Frames from one whose identity is measured to the next."""
_LEAST_SYNC_FRAMES = 60


@dataclass(frozen=True)
class Shown:
    """How a system shows a person over T frames.

    system        its name
    frames        (T, S, S, 3) uint8, the person's crop
    points        (T, 478, 2) float32, landmarks seen in those, pixels; NaN where no face was found
    learned_s     seconds spent in learning this person alone
    frames_per_s  from the sound to finished pictures
    """

    system: str
    frames: np.ndarray
    points: np.ndarray
    learned_s: float
    frames_per_s: float

    @property
    def found(self) -> np.ndarray:
        """In which frames (T,) bool a face was found."""
        return np.isfinite(self.points).all((1, 2))

    @property
    def gap(self) -> np.ndarray:
        """Opening (T,) of the lips, % of the inter-pupil distance; bridged where it is unknown.

        NaN where no frame has a face.
        """
        times = np.arange(len(self.points))
        if not self.found.any():
            return np.full(len(times), np.nan)
        return np.interp(times, times[self.found], lip_gap(self.points[self.found]))

    def heads(self, ws: Workspace, person: Target) -> np.ndarray:
        """Pitch, yaw and roll (T, 3), radians; NaN where no face was found."""
        angles = np.full((len(self.points), 3), np.nan)
        if self.found.any():
            seen = start_pose(ws.model, self.points[self.found], person.track.camera)
            angles[self.found] = seen[:, :3]
        return angles


def show(ws: Workspace, person: Target, sound: np.ndarray, *, frames: int) -> list[Shown]:
    """Have every system show the person, of whom it knows the first ``frames`` frames.

    ``sound``: (N,) float32, 16 kHz
    """
    windows = mfcc_windows(sound, frames_of(len(sound)))
    return [
        _natural(ws, person, windows, frames),
        _talkin(ws, person, sound, windows, frames),
        _rhythmic(ws, person, sound),
    ]


def filmed(person: Target, frames: int) -> Shown:
    """The first real frames of a clip, in which nothing was made."""
    real = np.asarray(person.frames[:frames])
    return Shown(REAL, real, landmarks_in(real), np.nan, np.nan)


def _natural(ws: Workspace, person: Target, windows: np.ndarray, frames: int) -> Shown:
    mapping, moved, _ = personal_motion(ws, person, frames=frames)
    refiner, painted, _ = personal_refiner(ws, person, frames=frames)
    draw, began = renderer(ws, person, frames=frames), time.perf_counter()
    performance = perform(
        mapping, windows, person, learned=frames, names=ws.model.expression_names,
        profile=ws.profile, seed=ws.seed,
    )  # fmt: skip
    made = (frame for frame, _ in refined(refiner, rendered(draw, performance, person)))
    return _shown(NATURAL, made, moved.seconds + painted.seconds, began)


def _talkin(
    ws: Workspace, person: Target, sound: np.ndarray, windows: np.ndarray, frames: int
) -> Shown:
    mouth = edit_mouth(ws, person, frames=frames)
    completer, painted, _ = edit_completer(ws, person, frames=frames)
    began = time.perf_counter()
    chosen = choose_frames(sound, len(windows), person.track, ws.model, learned=frames)
    edited = put_into_mouth(mouth.say(windows), chosen, person.track, ws.model, learned=frames)
    made = edit_frames(edited.frames(person.frames), edited.original, edited.wanted, completer)
    return _shown(TALKIN, made, painted.seconds + mouth.learned_s, began)


def _rhythmic(ws: Workspace, person: Target, sound: np.ndarray) -> Shown:
    began, size = time.perf_counter(), (person.track.crop.size,) * 2
    small = animated(ws, person, sound)
    made = (cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in small)
    return _shown(RHYTHMIC, made, 0.0, began)


def _shown(system: str, made: Iterable[np.ndarray], learned_s: float, began: float) -> Shown:
    pictures = np.stack(list(made))
    took = time.perf_counter() - began
    return Shown(system, pictures, landmarks_in(pictures), learned_s, len(pictures) / took)


def scores(
    ws: Workspace,
    person: Target,
    shown: Sequence[Shown],
    real: Shown,
    sound: np.ndarray,
    listener: Listener,
    *,
    frames: int,
) -> pd.DataFrame:
    """A row for each system, and for the real frames of the same words.

    Parameters
    ----------
    real : the person saying the same words (``filmed``)
    sound : (N,) float32, 16 kHz, those words
    listener : ``repro.study.table_two.general_listener``
    frames : of the person's clip that every system has seen, beside which heads and faces are held

    Returns
    -------
    columns: ``system``; ``lip_r``, correlation of the lips' opening with the real frames';
    ``closures``, the share of their closures that is met; ``sync_r``, of the opening with the one
    that is heard; ``hs`` of the head and ``csim`` of the face, to the frames seen; ``sharpness``
    of the face over theirs; ``flicker``, second difference of its pixels, grey levels;
    ``undetected`` frames; ``learned_s`` on this person; ``frames_per_s``. NaN where no frame shows
    a face
    """
    seen = np.asarray(person.frames[:frames])
    network = identity_network(assets.find("arcface"))
    own = face_features(network, seen[::_EVERY], person.track.landmarks[:frames:_EVERY])
    turned = start_pose(ws.model, person.track.landmarks[:frames], person.track.camera)[:, :3]
    crisp = np.mean([_crispness(f, p) for f, p in zip(seen, person.track.landmarks, strict=False)])
    rows = []
    for one in (*shown, real):
        row: dict[str, object] = {"system": one.system} | dict.fromkeys(MEASURES, np.nan)
        if one.found.any():
            count = min(len(one.frames), len(real.frames))
            faces = face_features(network, one.frames[::_EVERY], one.points[::_EVERY])
            pictures, points = one.frames[one.found], one.points[one.found]
            masks = [_face(p, f.shape[0]) for f, p in zip(pictures, points, strict=True)]
            sharp = np.mean([_crispness(f, p) for f, p in zip(pictures, points, strict=True)])
            row |= {
                "lip_r": correlation(real.gap[:count], one.gap[:count]),
                "closures": closed_lip_recall(real.gap[:count], one.gap[:count]),
                "sync_r": _sync(listener, sound, one.gap),
                "hs": head_pose_similarity(turned, one.heads(ws, person)[one.found]),
                "csim": csim_to_person(own, faces, network=network.name, crop="").value,
                "sharpness": sharp / crisp,
                "flicker": pixel_flicker(pictures, masks) if len(pictures) > 2 else np.nan,
            }
        cost = {"learned_s": one.learned_s, "frames_per_s": one.frames_per_s}
        rows.append({**row, "undetected": int((~one.found).sum()), **cost})
    return pd.DataFrame(rows)


def _sync(listener: Listener, sound: np.ndarray, gap: np.ndarray) -> float:
    if len(gap) < _LEAST_SYNC_FRAMES:
        return float("nan")
    return lip_sync(listener.opening(sound, len(gap)), gap).r


def _crispness(frame: np.ndarray, points: np.ndarray) -> float:
    return sharpness(frame, _face(points, frame.shape[0]))


def _face(points: np.ndarray, size: int) -> np.ndarray:
    """Where the face is (S, S) bool: the hull of its landmarks (478, 2)."""
    hull = cv2.convexHull(points.round().astype(np.int32))
    return cv2.fillConvexPoly(np.zeros((size, size), np.uint8), hull, 1) > 0
