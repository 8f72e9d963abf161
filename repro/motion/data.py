"""Training windows of sound and motion, cut from clips."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from repro.errors import UserError
from repro.motion.motion import Motion
from repro.motion.settings import MotionSettings

HOP = 4
"""Frames of 10 ms in a video frame of 40 ms."""

_WARPS = 64
"""Voices that ``varied`` draws from."""

_STRETCH = 1000
"""Frames whose windows are looked at together where a clip may be long."""

_LEAST_SPREAD = 0.3
"""Standard deviation that counts at least: speech, real and synthetic, has 0.7 and more."""

Example = tuple[np.ndarray, Motion]
"""A clip: MFCC windows (T, 28, 12) and the motion over the same T frames."""


class Batch(NamedTuple):
    """B training windows of T frames.

    windows    (B, T, 28, 12)
    expression (B, T, 64)
    pose       (B, T, 6) relative to the clip's mean pose
    """

    windows: Tensor
    expression: Tensor
    pose: Tensor


def normalise_voice(windows: np.ndarray) -> np.ndarray:
    """Windows (T, 28, 12) with each coefficient's mean over the clip 0 and its deviation 1.

    The mean holds the microphone and much of the speaker's voice (cepstral normalisation). What
    varies less than any speech does, as in a steady tone, is not made to vary like speech.
    """
    mean, scale = _voice(windows)
    return (windows - mean) / scale


def _voice(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (12,) float32 of each coefficient; memory stays flat."""
    totals = np.zeros((2, windows.shape[-1]))
    for first in range(0, len(windows), _STRETCH):
        part = np.asarray(windows[first : first + _STRETCH], np.float64)
        totals += part.sum((0, 1)), np.square(part).sum((0, 1))
    mean, square = totals / max(len(windows) * windows.shape[1], 1)
    deviation = np.sqrt(np.maximum(square - mean**2, _LEAST_SPREAD**2))
    return mean.astype(np.float32), deviation.astype(np.float32)


class PreparedWindows:
    """Windows (T, 28, 12) as the network takes them, each computed when it is asked for.

    Windows of neighbouring frames share memory (``repro.speech.features``); an hour of them,
    normalised all at once, would not.

    Raises
    ------
    ValueError
        Windows of another size than the settings'.
    """

    def __init__(self, windows: np.ndarray, settings: MotionSettings):
        expected = (settings.mfcc_frames, settings.mfcc_coefficients)
        if windows.ndim != 3 or windows.shape[1:] != expected:
            raise ValueError(f"expected MFCC windows (T, {expected[0]}, {expected[1]}), "
                             f"got {windows.shape}")  # fmt: skip
        self._windows = windows
        self._mean = self._scale = None
        if settings.normalise_voice:
            self._mean, self._scale = _voice(windows)

    def __len__(self) -> int:
        """T."""
        return len(self._windows)

    def __getitem__(self, frames: slice | np.ndarray) -> np.ndarray:
        """Those of some frames, or of an array of frame numbers (...): (..., 28, 12) float32."""
        chosen = np.array(self._windows[frames], np.float32)
        return chosen if self._mean is None else (chosen - self._mean) / self._scale


def prepare(windows: np.ndarray, settings: MotionSettings) -> np.ndarray:
    """All windows as the network takes them; ValueError as ``PreparedWindows``."""
    return PreparedWindows(windows, settings)[:]


def sequence_of(windows: np.ndarray) -> np.ndarray:
    """The MFCC frames (28 + 4 (T - 1), 12) that overlapping windows (T, 28, 12) were cut from."""
    return np.concatenate([windows[0], windows[1:, -HOP:].reshape(-1, windows.shape[-1])])


class WindowSet:
    """All windows of ``settings.window_frames`` in some clips, drawn in batches.

    Sounds are kept as sequences of 10 ms frames, so that windows can start between video frames.
    """

    def __init__(self, clips: Sequence[Example], settings: MotionSettings):
        self.settings = settings
        self.sounds = [torch.from_numpy(sequence_of(w)) for w, _ in clips]
        self.expressions = [torch.from_numpy(np.float32(m.expression)) for _, m in clips]
        self.poses = [torch.from_numpy(np.float32(m.pose - m.pose.mean(0))) for _, m in clips]
        t = settings.window_frames
        self.starts = [
            (clip, start)
            for clip, (_, motion) in enumerate(clips)
            for start in range(0, len(motion) - t + 1, settings.stride_frames)
        ]
        if not self.starts:
            raise UserError(
                f"No clip is long enough to learn motion from: {t} frames ({t / 25:.1f} s) are "
                "needed; give longer clips."
            )

    def __len__(self) -> int:
        """Windows."""
        return len(self.starts)

    def batches(self, rng: np.random.Generator | None):
        """One pass over the windows: shuffled and varied by ``rng``, or plain and in order."""
        order = np.arange(len(self)) if rng is None else rng.permutation(len(self))
        for first in range(0, len(order), self.settings.batch):
            chosen = order[first : first + self.settings.batch]
            items = [self._window(self.starts[i], rng) for i in chosen]
            batch = Batch(*(torch.stack(part) for part in zip(*items, strict=True)))
            if rng is not None:
                batch = batch._replace(windows=varied(batch.windows, self.settings, rng))
            yield batch

    def _window(self, place: tuple[int, int], rng: np.random.Generator | None) -> Batch:
        """One window; ``u`` is how far between two video frames it starts, in frames of 10 ms."""
        s = self.settings
        clip, start = place
        last = len(self.expressions[clip]) - s.window_frames
        if rng is not None and s.stride_frames > 1:
            start = min(start + int(rng.integers(s.stride_frames)), last)
        u = int(rng.integers(HOP)) if rng is not None and s.time_jitter and start < last else 0
        begin = HOP * start + u
        rows = HOP * np.arange(s.window_frames)[:, None] + np.arange(s.mfcc_frames) + begin
        stop = start + s.window_frames
        motion = [
            torch.lerp(track[start:stop], track[start + 1 : stop + 1], u / HOP)
            if u
            else track[start:stop]
            for track in (self.expressions[clip], self.poses[clip])
        ]
        return Batch(self.sounds[clip][rows], *motion)


def varied(windows: Tensor, settings: MotionSettings, rng: np.random.Generator) -> Tensor:
    """Windows (B, T, 28, 12) as if said by other voices, into other microphones, in noise."""
    s = settings
    scale = windows.std((0, 1, 2))  # 12
    if s.voice_jitter:
        warps = _voice_warps(s.voice_jitter, s.mfcc_coefficients)
        drawn = warps[torch.from_numpy(rng.integers(len(warps), size=len(windows)))]
        windows = windows @ drawn.transpose(1, 2)[:, None]
    if s.channel_jitter:
        shift = rng.normal(size=(len(windows), 1, 1, len(scale))) * s.channel_jitter
        windows = windows + torch.from_numpy(shift).float() * scale
    if s.mfcc_noise:
        noise = rng.standard_normal(windows.shape, dtype=np.float32) * s.mfcc_noise
        windows = windows + torch.from_numpy(noise) * scale
    return windows


@functools.cache
def _voice_warps(largest: float, coefficients: int) -> Tensor:
    """Some warps (N, n, n) float32 between vocal tracts shorter and longer by so much."""
    alphas = np.linspace(-largest, largest, _WARPS)
    return torch.from_numpy(np.stack([voice_warp(a, coefficients) for a in alphas])).float()


def voice_warp(alpha: float, coefficients: int, *, points: int = 256) -> np.ndarray:
    """What warping the frequency axis does to cepstral coefficients 1 ... n.

    The bilinear (all-pass) warp w -> w + 2 atan(alpha sin w / (1 - alpha cos w)); a shorter vocal
    tract shifts a spectrum up. The constant coefficient, which is not among them, is left out.

    Returns
    -------
    (n, n) float64; the identity for alpha = 0
    """
    w = (np.arange(points) + 0.5) * np.pi / points
    warped = w + 2 * np.arctan2(alpha * np.sin(w), 1 - alpha * np.cos(w))
    k = np.arange(1, coefficients + 1)[:, None]
    return 2 / points * np.cos(k * w) @ np.cos(k * warped).T
