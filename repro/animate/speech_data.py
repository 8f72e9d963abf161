"""People who speak: sound, landmarks without the head's motion, and that motion.

People are performed and not filmed (``repro.motion.performed``), twice each: a person's way of
moving the head is what two videos of them have in common (Chen et al. 2020, figure 3b). A
reconstructed clip of a real person gives the same (``talking_clip_of``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from repro import SAMPLE_RATE
from repro.animate.disentangle import disentangle, most_visible
from repro.animate.landmark_pca import face_landmarks
from repro.animate.sound import in_noise, noises, sound_windows
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.face.coefficients import EXPRESSION
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose
from repro.motion.performed import Performed, performed, performers
from repro.processes import side_by_side
from repro.reconstruct.track import FaceTrack
from repro.speech.synthesis import VOICES_HIGH, VOICES_LOW

_TOGETHER = 64
"""Frames whose vertices are in memory at once."""


@dataclass(frozen=True)
class TalkingClip:
    """A person speaking over T frames.

    name       whose clip it is
    sound      (T, R, C) float32, as ``repro.animate.sound.sound_windows``
    noisy      the same with noise in it; ``sound`` itself where none was added
    landmarks  (T, 68, 3) float32, metres, in the head's own space
    pose       (T, 6) float32, the head's motion, radians and metres
    """

    name: str
    sound: np.ndarray
    noisy: np.ndarray
    landmarks: np.ndarray
    pose: np.ndarray

    def __len__(self) -> int:
        """Frames."""
        return len(self.pose)

    def first(self, frames: int) -> "TalkingClip":
        """Its first frames, or all if there are fewer."""
        parts = (self.sound, self.noisy, self.landmarks, self.pose)
        return TalkingClip(self.name, *(part[:frames] for part in parts))

    @property
    def reference(self) -> np.ndarray:
        """Landmarks (68, 3) of the most visible frame, p_{t,M} of Psi."""
        return self.landmarks[most_visible(self.pose)]


Talker = tuple[TalkingClip, ...]
"""Clips of one person, two or more."""


@dataclass(frozen=True)
class TalkingCorpus:
    """Who is learned from, and who is tested on: with voices that nobody of the first has."""

    train: tuple[Talker, ...]
    test: tuple[Talker, ...]


def talking_corpus(
    settings: AnimateSpeechSettings,
    model: MorphableModel,
    *,
    seed: int,
    held_out: Sequence[str] = (),
    workers: int = 1,
) -> TalkingCorpus:
    """Perform everybody.

    Parameters
    ----------
    seed : of who they are, what they say, and whose voices are held out
    held_out : these voices, where they are not to be drawn; none for drawn ones
    workers : processes that perform side by side
    """
    rng = np.random.default_rng(seed)
    half = settings.held_out_voices // 2
    drawn = [str(v) for low in (VOICES_LOW, VOICES_HIGH) for v in rng.choice(low, half, False)]
    out = list(held_out) or drawn
    known = [voice for voice in VOICES_LOW + VOICES_HIGH if voice not in out]
    learned = islice(performers(seed, without=out), settings.people)
    tested = islice(performers(seed, without=known), settings.test_people)
    names = model.expression_names
    tasks = [(number, settings.person_s, names) for number in learned]
    tasks += [(number, settings.test_s, names) for number in tested]
    made = side_by_side(_two_takes, tasks, workers=workers)
    choice = noises(2 * round(settings.person_s * SAMPLE_RATE), seed=seed)
    train = islice(made, settings.people)
    return TalkingCorpus(
        tuple(tuple(_clips(takes, settings, model, choice, rng)) for takes in train),
        tuple(tuple(_clips(takes, settings, model)) for takes in made),
    )


def _two_takes(number: int, length_s: float, names: Sequence[str]) -> list[Performed]:
    return [performed(number, length_s, names, take=take) for take in (0, 1)]


def _clips(
    takes: Sequence[Performed],
    settings: AnimateSpeechSettings,
    model: MorphableModel,
    choice: tuple[np.ndarray, ...] = (),
    rng: np.random.Generator | None = None,
) -> Iterator[TalkingClip]:
    """Clips of what a person performed; one of some noises is added where ``rng`` draws it."""
    for take, made in enumerate(takes):
        audio, identity = made.audio, made.person.identity
        yield _talking_clip(
            f"{made.person.seed}/{take}",
            audio,
            None if rng is None else in_noise(audio, choice, settings, rng),
            face_landmarks(model, identity, made.motion.expression),
            face_landmarks(model, identity, np.zeros(EXPRESSION, np.float32)),
            made.motion.pose,
            settings,
        )


def talking_clip_of(
    name: str,
    track: FaceTrack,
    audio: np.ndarray,
    model: MorphableModel,
    settings: AnimateSpeechSettings,
) -> TalkingClip:
    """What the learners need to know of a reconstructed clip.

    Its landmarks are the model's own on this person's shape, as in the people who are performed;
    where the landmarker puts its points (``FaceTrack.landmark_shift``) does not matter here.

    Parameters
    ----------
    audio : (N,) float32, mono 16 kHz, of the track's frames
    """
    chosen = model.landmark68
    expression = track.coefficients.expression
    parts = [
        track.vertices(model, expression[first : first + _TOGETHER])[:, chosen]
        for first in range(0, len(track), _TOGETHER)
    ]
    rest = track.vertices(model, np.zeros(EXPRESSION, np.float32))[chosen]
    return _talking_clip(
        name, audio, None, np.concatenate(parts), rest, track.coefficients.pose, settings
    )


def _talking_clip(
    name: str,
    audio: np.ndarray,
    noisy: np.ndarray | None,
    landmarks: np.ndarray,
    rest: np.ndarray,
    pose: np.ndarray,
    settings: AnimateSpeechSettings,
) -> TalkingClip:
    """The clip of a face (T, 68, 3) that is moved by a pose (T, 6) and seen before the camera."""
    motion, own = disentangle(apply_pose(landmarks, pose), rest)
    sound = sound_windows(audio, len(pose), settings)
    heard = sound if noisy is None else sound_windows(noisy, len(pose), settings)
    return TalkingClip(name, sound, heard, own, motion)
