"""From sound to finished frames: motion, backgrounds, rendering, refinement joined."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import tee
from pathlib import Path

import numpy as np

from repro.config import Profile
from repro.motion.mapping import MotionMapping
from repro.motion.motion import Motion
from repro.motion.predict import predict
from repro.pipeline import Target
from repro.refine.refine import Refiner
from repro.render.background import Backgrounds, match_backgrounds
from repro.render.face import FaceRenderer
from repro.render.full_frame import FullFrame, SourceFrames


@dataclass(frozen=True)
class Performance:
    """What is to be drawn, T frames.

    motion       expression, and the pose that fits the background
    intended     (T, 6) float32, the pose before it was fitted to the background
    backgrounds  which of the person's frames are shown
    """

    motion: Motion
    intended: np.ndarray
    backgrounds: Backgrounds


def perform(
    mapping: MotionMapping,
    windows: np.ndarray,
    person: Target,
    *,
    learned: int,
    names: tuple[str, ...],
    profile: Profile,
    seed: int,
) -> Performance:
    """Motion for sound, fitted to the person's own frames (Yi et al. 2020, sections 3.2, 3.3).

    Parameters
    ----------
    windows : (T, 28, 12) MFCCs
    learned : how many of the person's frames may be shown
    names : of the expressions
    """
    own, settings = person.motion[:learned], profile.talk
    motion = predict(
        mapping,
        windows,
        own=own,
        pose_method=settings.pose,
        eyes_method=settings.eyes,
        mouth_method=settings.mouth,
        names=names,
        seed=seed,
    )
    intended = motion.pose
    if person.audio is None and settings.pose == "paper":
        intended = intended + own.pose.mean(0)  # the general mapping's pose is about zero
    backgrounds = match_backgrounds(
        intended,
        own.pose,
        method=profile.render.background,
        frames_per_key=profile.render.frames_per_key,
    )
    return Performance(Motion(motion.expression, backgrounds.pose), intended, backgrounds)


def rendered(
    draw: FaceRenderer, performance: Performance, person: Target
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each frame (H, W, 3) uint8 with the face laid over its background, and the face's mask."""
    motion, backgrounds = performance.motion, performance.backgrounds
    lights = backgrounds.shown(person.track.coefficients.light)
    for t, (frame, light) in enumerate(zip(backgrounds.shown(person.frames), lights, strict=True)):
        frame, coverage = draw.over(frame, motion.expression[t], motion.pose[t], light)
        yield frame, (coverage > 0.5).astype(np.uint8)


def retraced(
    draw: FaceRenderer, person: Target, frames: Iterable[int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of the person with the reconstructed face laid over each, and the face's mask."""
    known = person.track.coefficients
    for t in frames:
        frame, coverage = draw.over(
            np.asarray(person.frames[t]), known.expression[t], known.pose[t], known.light[t]
        )
        yield frame, (coverage > 0.5).astype(np.uint8)


def refined(
    refiner: Refiner, pictures: Iterator[tuple[np.ndarray, np.ndarray]]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Refine frames that come with masks; each comes out with its mask. Memory stays flat."""
    first, second, third = tee(pictures, 3)
    refined_frames = refiner.refine_frames((f for f, _ in first), masks=(m for _, m in second))
    yield from zip(refined_frames, (mask for _, mask in third), strict=True)


def in_full_frame(
    pictures: Iterable[tuple[np.ndarray, np.ndarray]],
    performance: Performance,
    person: Target,
    *,
    folder: Path,
) -> Iterator[np.ndarray]:
    """Lay finished crops, each with its mask, into the source frames they were cut from.

    Parameters
    ----------
    folder : where the source frames lie meanwhile

    Yields
    ------
    (H, W, 3) uint8 of the source's size, made even; memory stays flat
    """
    backgrounds = performance.backgrounds
    whole = FullFrame(person.track.crop, person.clip.width, person.clip.height)
    with SourceFrames(person.clip, backgrounds.used, folder) as source:
        grounds = zip(backgrounds.shown(source), backgrounds.shown(person.frames), strict=True)
        for (ground, shown), (made, mask) in zip(grounds, pictures, strict=True):
            yield whole.paste(ground, shown, made, mask)
