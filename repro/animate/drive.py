"""What a person is to look like: landmarks and head motion for the generator.

Expression and head motion come apart (Chen et al. 2020, sections 3.2, 3.3) and from anywhere: from
a sound, or each from another clip (B.1). An expression is how far the 68 landmarks are moved in the
head's own space from where the person's most visible frame has them.
"""

from typing import NamedTuple

import numpy as np

from repro.animate.disentangle import most_visible
from repro.animate.expression import ExpressionNetwork, spoken_landmarks
from repro.animate.footage import Footage
from repro.animate.head_motion import HeadMotionNetwork, extrapolate
from repro.animate.speech_data import TalkingClip
from repro.face.pose import apply_pose, rotation_matrix


class Wanted(NamedTuple):
    """T frames to be made.

    landmarks  (T, 68, 2) float32 pixels
    pose       (T, 6) float32, radians and metres
    """

    landmarks: np.ndarray
    pose: np.ndarray


def spoken(network: ExpressionNetwork, clip: TalkingClip, windows: np.ndarray) -> np.ndarray:
    """Psi's displacements (T, 68, 3), metres, of a person who says something.

    Parameters
    ----------
    clip : of the person, whose most visible frame is the reference
    windows : (T, R, C) of the sound, as ``repro.animate.sound.sound_windows`` cuts them
    """
    return spoken_landmarks(network, windows, clip.reference) - clip.reference


def nodded(network: HeadMotionNetwork, clip: TalkingClip, windows: np.ndarray) -> np.ndarray:
    """Phi's head motion (T, 6) of the clip's person, whose way of moving all its frames tell."""
    return extrapolate(network, clip.pose, clip.sound, windows)


def own_landmarks(person: Footage) -> np.ndarray:
    """Landmarks (T, 68, 3), metres, in the head's own space: without its motion."""
    return (person.points - person.pose[:, None, 3:]) @ rotation_matrix(person.pose[:, :3])


def expression_of(person: Footage) -> np.ndarray:
    """Displacements (T, 68, 3), metres, of a clip's landmarks from its most visible frame's."""
    own = own_landmarks(person)
    return own - own[most_visible(person.pose)]


def moved_like(pose: np.ndarray, person: Footage) -> np.ndarray:
    """Another clip's head motion (T, 6) about this person's mean pose."""
    return (pose - pose.mean(0) + person.pose.mean(0)).astype(np.float32)


def driven(references: Footage, expression: np.ndarray, pose: np.ndarray) -> Wanted:
    """A person with an expression (T, 68, 3) and a head motion (T, 6); the shorter ends both.

    The landmarks are those of the references' most visible frame, displaced, moved and projected.
    """
    count = min(len(expression), len(pose))
    rest = own_landmarks(references)[most_visible(references.pose)]
    posed = apply_pose(rest + expression[:count], pose[:count])
    landmarks = references.camera.project(posed)
    return Wanted(landmarks.astype(np.float32), np.asarray(pose[:count], np.float32))


def seen(person: Footage) -> Wanted:
    """A clip's own landmarks and motion: the paper's landmark-driven setting."""
    return Wanted(person.landmarks, person.pose)
