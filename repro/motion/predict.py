"""From sound to motion with a trained mapping (Yi et al. 2020, Eq. 1)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from repro.motion.data import PreparedWindows
from repro.motion.mapping import MotionMapping
from repro.motion.motion import Motion
from repro.motion.network import MotionNetwork
from repro.motion.person import EyesMethod, MouthMethod, PoseMethod, with_habits

_CHUNK = 256
"""Frames, or windows, that are in memory at once."""


def predict(
    mapping: MotionMapping,
    windows: np.ndarray,
    *,
    own: Motion | None = None,
    pose_method: PoseMethod = "paper",
    eyes_method: EyesMethod = "paper",
    mouth_method: MouthMethod = "paper",
    names: Sequence[str] = (),
    seed: int = 0,
) -> Motion:
    """Motion of sound of any length.

    The defaults are the paper's regression. Beside it, the methods of head, eyes and mouth add a
    person's own ways (``repro.motion.person.with_habits``).

    Parameters
    ----------
    mapping : general or personal
    windows : (T, 28, 12), MFCCs
    own : what the person did in the input clip; needed unless all methods are "paper"
    names : of the expression basis, needed unless the methods of eyes and mouth are "paper"
    seed : of what cannot be heard

    Returns
    -------
    Motion of T frames; the pose is about the person's mean, or about zero before fine-tuning

    Raises
    ------
    ValueError
        A method that adds the person's ways without their own motion.
    """
    heard = regress(mapping, windows)
    if {pose_method, eyes_method, mouth_method} == {"paper"}:
        return heard
    if own is None:
        raise ValueError("a person's own motion is needed to add the person's ways")
    return with_habits(
        heard,
        own,
        seed=seed,
        pose_method=pose_method,
        eyes_method=eyes_method,
        mouth_method=mouth_method,
        names=names,
    )


@torch.inference_mode()
def regress(mapping: MotionMapping, windows: np.ndarray) -> Motion:
    """Eq. 1 on windows (T, 28, 12): the networks' mean, and the regressions' shares of it.

    Beside windows and motion, memory does not grow with T.
    """
    settings = mapping.settings
    sound = PreparedWindows(windows, settings)
    run = _overlap if settings.stitching == "overlap" else _sequence
    mapping.eval()
    parts = [run(network, sound) for network in mapping.members]
    expression = torch.stack([p[0] for p in parts]).mean(0)
    pose = torch.stack([p[1] for p in parts]).mean(0) + mapping.pose_mean
    chunks = [slice(first, first + _CHUNK) for first in range(0, len(sound), _CHUNK)]
    said = [mapping.answers(torch.from_numpy(sound[chunk])) for chunk in chunks]
    answer, regressed = (
        torch.cat([part for part in parts if part is not None]) if parts[0] is not None else None
        for parts in zip(*said, strict=True)
    )
    return Motion(mapping.mixed(expression, answer, regressed).numpy(), pose.numpy())


def _sequence(network: MotionNetwork, sound: PreparedWindows) -> tuple[Tensor, Tensor]:
    """The LSTM run through the clip, chunk by chunk with its state."""
    state, parts = None, []
    for first in range(0, len(sound), _CHUNK):
        chunk = torch.from_numpy(sound[first : first + _CHUNK])
        expression, pose, state = network(chunk[None], state)
        parts.append((expression[0], pose[0]))
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def _overlap(network: MotionNetwork, sound: PreparedWindows) -> tuple[Tensor, Tensor]:
    """Windows as long as in training, at every second frame, averaged where they overlap.

    Weights rise over the first frames of a window, while the state warms up, and fall to its end.
    """
    length = min(network.settings.window_frames, len(sound))
    last = len(sound) - length
    starts = torch.tensor([*range(0, last, 2), last])
    offsets = torch.arange(length)
    ramp = torch.minimum((offsets + 1) / (length / 2), (length - offsets) / (length / 4))
    ramp = ramp.clamp(max=1)  # length
    sums = [torch.zeros(len(sound), size) for size in (64, 6)]
    weight = torch.zeros(len(sound), 1)
    for first in range(0, len(starts), _CHUNK // length + 1):
        frames = starts[first : first + _CHUNK // length + 1, None] + offsets  # B, length
        expression, pose, _ = network(torch.from_numpy(sound[frames.numpy()]))
        index = frames.flatten()
        share = ramp.repeat(len(frames))[:, None]
        for total, track in zip(sums, (expression, pose), strict=True):
            total.index_add_(0, index, track.flatten(0, 1) * share)
        weight.index_add_(0, index, share)
    return sums[0] / weight, sums[1] / weight
