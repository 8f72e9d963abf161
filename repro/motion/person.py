"""What sound does not tell: a person's own ways of moving the head and the eyes.

Not the paper's: Eq. 2 minimises a squared error, and the best guess of a head's pose from sound is
nearly the mean pose. What is generated here moves as far, as fast and in the same places as the
person did in the input clip, which is also where backgrounds exist for it (section 3.3).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from repro.motion.blinks import add_blinks, blink_habit
from repro.motion.motion import Motion
from repro.motion.retrieve import retell

PoseMethod = Literal["paper", "person"]
EyesMethod = Literal["paper", "blinks", "person"]
MouthMethod = Literal["paper", "person"]

MOUTH = ("mouth", "jaw")
"""Beginnings of the names of the actions that speak."""

_GAZE = ("eyeLook", "eyeSquint", "eyeWide", "brow")
"""Beginnings of the names of upper-face actions that go with the head's motion."""


def with_habits(
    heard: Motion,
    own: Motion,
    *,
    seed: int,
    pose_method: PoseMethod = "person",
    eyes_method: EyesMethod = "paper",
    mouth_method: MouthMethod = "paper",
    names: Sequence[str] = (),
) -> Motion:
    """Add a person's own ways to what was heard.

    Parameters
    ----------
    heard : the regression from the new sound, T frames
    own : what the person did in the input clip, M frames
    seed : of the order and times in which it is retold
    pose_method : "paper" keeps the regression's pose; "person" retells the person's own, by
        segments near the regression's, and gives it the person's mean and spread
    eyes_method : "paper" keeps the regression; "blinks" puts the person's blinks at new times;
        "person" also takes gaze, lids and brows from where the pose was taken
    mouth_method : "paper" keeps the regression's, which mumbles; "person" opens and shuts the mouth
        as far as the person does
    names : of the expression basis, needed for eyes and mouth
    """
    motion = heard
    if mouth_method == "person":
        chosen = [k for k, name in enumerate(names) if name.startswith(MOUTH)]
        motion = replace(motion, expression=articulate(heard.expression, own.expression, chosen))
    if pose_method == "paper" and eyes_method == "paper":
        return motion
    retelling = retell(own.pose, len(heard), seed=seed, wanted=heard.pose)
    if pose_method == "person":
        pose = match_moments(retelling.of(own.pose), own.pose)
        motion = replace(motion, pose=pose.astype(np.float32))
    if eyes_method == "person":
        chosen = [k for k, name in enumerate(names) if name.startswith(_GAZE)]
        expression = motion.expression.copy()
        expression[:, chosen] = retelling.of(own.expression)[:, chosen]
        motion = replace(motion, expression=expression)
    if eyes_method != "paper":
        habit = blink_habit(own.expression, names)
        motion = replace(motion, expression=add_blinks(motion.expression, habit, seed=seed + 1))
    return motion


def articulate(
    expression: np.ndarray,
    own: np.ndarray,
    channels: Sequence[int],
    *,
    scale: tuple[float, float] = (1.0, 1.8),
) -> np.ndarray:
    """Give some channels of an expression (T, 64) the spread that they have in ``own`` (M, 64).

    One factor for all of them, about their mean, so that mouth shapes stay what they are; nothing
    leaves the person's own range.
    """
    said, seen = expression[:, channels], own[:, channels]
    spread = np.sqrt(said.var(0).sum())
    factor = np.clip(np.sqrt(seen.var(0).sum()) / (spread + 1e-9), *scale)
    mean = said.mean(0)
    result = np.array(expression, np.float32)
    result[:, channels] = np.clip(mean + factor * (said - mean), seen.min(0), seen.max(0))
    return result


def match_moments(
    pose: np.ndarray, own: np.ndarray, *, scale: tuple[float, float] = (0.7, 1.5)
) -> np.ndarray:
    """Move and scale each axis of a pose (T, 6) towards the mean and spread of ``own`` (M, 6).

    Short clips need not show a person's whole range: the shorter the clip beside ``own``, the less
    of the difference is made up. Nothing leaves the range of ``own`` by more than a tenth of it.
    """
    trust = min(1.0, len(pose) / len(own))
    factor = np.clip(own.std(0) / (pose.std(0) + 1e-9), *scale) ** trust
    mean = pose.mean(0)
    moved = own.mean(0) * trust + mean * (1 - trust) + (pose - mean) * factor
    low, high = own.min(0), own.max(0)
    return soft_clip(moved, low, high, margin=0.1 * (high - low) + 1e-9)


def soft_clip(values: np.ndarray, low, high, *, margin) -> np.ndarray:
    """Values bent smoothly to stay within ``margin`` of [low, high]; unchanged inside."""
    over, under = np.maximum(values - high, 0), np.maximum(low - values, 0)
    inside = np.clip(values, low, high)
    return inside + margin * np.tanh(over / margin) - margin * np.tanh(under / margin)
