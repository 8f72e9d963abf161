"""The completion network: a U-Net that paints the mouth region (Song et al. 2020, 3.3.1)."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.edit import masked
from repro.edit.video_settings import EditVideoSettings
from repro.edit.windows import (
    Moment,
    Windows,
    assemble,
    box_corner,
    box_size,
    check_mouths,
    moment,
    stacked,
)
from repro.fabric import channels_last, in_bf16
from repro.refine.generator import initialise, normalised
from repro.weights import save_weights, saved_weights


class CompletionNetwork(nn.Module):
    """U-Net (Ronneberger et al. 2015): its skip connections carry the heat maps' structure."""

    def __init__(self, settings: EditVideoSettings):
        super().__init__()
        before = 4 * settings.frames_in
        widths = [settings.ngf * min(2**level, 8) for level in range(settings.levels)]
        decoded = widths[-2::-1]  # channels that each decoder block but the last gives
        taken = [widths[-1]] + [2 * width for width in decoded]  # with the skip connection
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1)
            for a, b in zip([before, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1)
            for a, b in zip(taken, decoded, strict=False)
        )
        full = settings.full_resolution_channels
        self.full = nn.ConvTranspose2d(taken[-1], full, 4, stride=2, padding=1) if full else None
        self.last = (
            nn.Conv2d(full + before, 3, 3, padding=1)
            if full
            else nn.ConvTranspose2d(taken[-1], 3, 4, stride=2, padding=1)
        )
        initialise(self)
        channels_last(self)

    def forward(self, window: Tensor) -> Tensor:
        """Complete frames (B, 3, H, W) in [0, 1] of windows (B, 4 F, H, W) in [0, 1].

        Sides must be multiples of 2^levels.
        """
        scaled = window * 2 - 1
        features: list[Tensor] = []
        x = scaled
        for level, conv in enumerate(self.down):
            x = conv(x if level == 0 else nnf.leaky_relu(x, 0.2))
            if 0 < level < len(self.down) - 1:
                x = normalised(x)
            features.append(x)
        x = features.pop()
        for block in self.up:
            x = torch.cat([normalised(block(nnf.relu(x))), features.pop()], dim=1)
        x = nnf.relu(x)
        if self.full is not None:
            x = torch.cat([nnf.leaky_relu(self.full(x), 0.2), scaled], dim=1)
        return (torch.tanh(self.last(x).float()) + 1) / 2


def seeded_network(settings: EditVideoSettings, *, seed: int) -> CompletionNetwork:
    """An untrained network; no other generator of random numbers is moved."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CompletionNetwork(settings)


class Completed(NamedTuple):
    """A frame whose hidden part has been painted.

    frame      (H, W, 3) uint8: as painted in the rectangle, as given outside it; painted wholly
               where ``whole_frame`` is set
    rectangle  left, top, right, bottom in pixels
    """

    frame: np.ndarray
    rectangle: tuple[int, int, int, int]


@dataclass(frozen=True)
class Completer:
    """A trained completion network.

    perceptual  the network of Eq. 4's perceptual term, by name
    people      whose footage it was trained on
    """

    network: CompletionNetwork
    settings: EditVideoSettings
    perceptual: str
    people: tuple[str, ...]

    def complete(
        self,
        frames: Iterable[np.ndarray],
        original: np.ndarray,
        new: np.ndarray,
        *,
        batch: int = 8,
    ) -> Iterator[Completed]:
        """Paint new mouths into frames, one after another; memory does not grow with their number.

        The noise under the mask is the same in every frame: what it does to the picture cannot
        flicker.

        Parameters
        ----------
        frames : T frames (H, W, 3) uint8
        original, new : (T, 478, 2) pixels, the face as it is and as it is to be
        batch : frames in one pass of the network

        Raises
        ------
        UserError
            A frame without a mouth, or frames whose sides cannot be halved as often as the
            network has levels.
        """
        for points, name in ((original, "the target video"), (new, "the new landmarks")):
            check_mouths(points, name)
        steps = self._windows(frames, original, new)
        while group := list(islice(steps, batch)):
            yield from self._paint(group)

    def _windows(
        self, frames: Iterable[np.ndarray], original: np.ndarray, new: np.ndarray
    ) -> Iterator[tuple[Windows, tuple[int, int], Moment]]:
        """(window, corner of its box, its last moment), frame by frame."""
        recent: deque[Moment] = deque(maxlen=self.settings.window)
        placed: tuple[tuple[int, int], np.ndarray] | None = None
        for frame, before, after in zip(frames, original, new, strict=True):
            if placed is None:
                size = box_size(original, new, frame.shape[:2], self.settings)
                placed = size, masked.draw_noise(size, np.random.default_rng(0))
            size, noise = placed
            recent.append(moment(frame, before, after, self.settings))
            while len(recent) < self.settings.window:
                recent.appendleft(recent[0])
            corner = box_corner(recent[-1], size)
            yield assemble(tuple(recent), corner, noise, self.settings), corner, recent[-1]

    @torch.inference_mode()
    def _paint(self, group) -> Iterator[Completed]:
        device = next(self.network.parameters()).device
        windows = stacked([window for window, _, _ in group]).to(device)
        low = in_bf16(self.settings.precision, device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
            made = self.network(windows.window)
        pictures = (made.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        for picture, (_, (top, left), at) in zip(pictures, group, strict=True):
            frame = at.frame.copy()
            x0, y0, x1, y1 = at.rectangle
            if self.settings.whole_frame:
                frame[:] = picture
            else:
                frame[y0:y1, x0:x1] = picture[y0 - top : y1 - top, x0 - left : x1 - left]
            yield Completed(frame, at.rectangle)


def save_completer(completer: Completer, path: Path) -> None:
    """Write ``path`` (.safetensors) and, beside it, what else must be known as .json."""
    about = {
        "settings": completer.settings.model_dump(mode="json"),
        "perceptual": completer.perceptual,
        "people": list(completer.people),
    }
    save_weights(path, completer.network.state_dict(), about)


def load_completer(path: Path) -> Completer:
    """Read what ``save_completer`` wrote.

    Raises
    ------
    UserError
        A file is missing, damaged, or of another version.
    """
    with saved_weights(path, "Completion network") as (tensors, about):
        settings = EditVideoSettings(**about["settings"])
        network = seeded_network(settings, seed=0)
        network.load_state_dict(tensors)
        people = tuple(about["people"])
        return Completer(network.eval(), settings, about["perceptual"], people)
