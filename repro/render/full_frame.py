"""The finished crop laid back into its source video, at the source's resolution.

Not the paper's, whose videos are the crop. The frame around a generated crop is the whole source
frame that its background was cut from: the head was fitted to that frame's pose, so nothing has
to move, and beyond the face the two agree but for resolution. Hence only the *change* of the crop
is enlarged and added to the source's own pixels. Where little changed, the source's fine detail
stays; where much did (the mouth), it would be a ghost, and goes.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from repro.corpus.clip import Clip
from repro.errors import UserError
from repro.face.camera import Crop

MARGIN_PX, FADE_PX = 12, 14
"""The change is taken as far as this beyond the face's mask, then fades out; in crop pixels."""

BORDER_PX = 12
"""It fades out, too, within this of the crop's border."""

GHOST_LEVELS = 14.0
"""A change of this much, of 255, takes e ** -1 of the source's fine detail away."""

_SMALLEST_WEIGHT = 1e-3


@dataclass(frozen=True)
class FullFrame:
    """Lays crops back into frames of (height, width); an odd last row or column is left out."""

    crop: Crop
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what comes out: even, as H.264 needs."""
        return self.width // 2 * 2, self.height // 2 * 2

    def paste(
        self, source: np.ndarray, shown: np.ndarray, made: np.ndarray, mask: np.ndarray
    ) -> np.ndarray:
        """The source frame with the face of the generated crop.

        Parameters
        ----------
        source : (height, width, 3) uint8, the frame that the background was cut from
        shown : (S, S, 3) uint8, its crop: the background
        made : (S, S, 3) uint8, the generated crop
        mask : (S, S), nonzero where the face was drawn

        Returns
        -------
        (H, W, 3) uint8 of ``size``; the source's own values beyond the face
        """
        width, height = self.size
        whole = source[:height, :width].copy()
        weight = change_weight(mask)
        change = made.astype(np.float32) - shown
        change -= tint_around(change, weight)
        amount = cv2.GaussianBlur(np.abs(change).max(-1), (0, 0), 2)
        ghost = weight * (1 - np.exp(-((amount / GHOST_LEVELS) ** 2)))
        layers = np.dstack([weight[..., None] * change, ghost]).astype(np.float32)
        left, top, right, bottom = box = self._box(weight)
        if left >= right or top >= bottom:
            return whole
        grown, coarse = self._enlarged(layers, box), self._enlarged(shown, box)
        own = whole[top:bottom, left:right].astype(np.float32)
        mixed = own + grown[..., :3] - grown[..., 3:] * (own - coarse)
        whole[top:bottom, left:right] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
        return whole

    def _box(self, weight: np.ndarray) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the frame's pixels that change."""
        rows, columns = np.flatnonzero(weight.any(1)), np.flatnonzero(weight.any(0))
        if not len(rows):
            return 0, 0, 0, 0
        corners = np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]])
        low, high = self.crop.to_source(corners)
        low, high = np.floor(low).astype(int) - 1, np.ceil(high).astype(int) + 1
        (left, top), (right, bottom) = (np.clip(end, 0, self.size) for end in (low, high))
        return int(left), int(top), int(right), int(bottom)

    def _enlarged(self, picture: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """What a picture (S, S, C) of the crop looks like in a box of the frame."""
        left, top, right, bottom = box
        if self.crop.scale > 1.4:  # it shrinks: an even blur first, or pixels are skipped
            picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * self.crop.scale)
        affine = self.crop.affine
        affine[:, 2] += affine[:, :2] @ (left, top)
        return cv2.warpAffine(
            picture.astype(np.float32),
            affine,
            (right - left, bottom - top),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )


def change_weight(mask: np.ndarray) -> np.ndarray:
    """How much of a crop's change is taken: (S, S) float32, 1 on the face, 0 away from it."""
    away = cv2.distanceTransform((mask == 0).astype(np.uint8), cv2.DIST_L2, 5)
    weight = _smooth((MARGIN_PX + FADE_PX - away) / FADE_PX)
    at = np.arange(len(mask)) + 0.5
    inside = _smooth(np.minimum(at, len(mask) - at) / BORDER_PX)
    return (weight * np.minimum.outer(inside, inside)).astype(np.float32)


def tint_around(change: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What a crop's colours (S, S, 3) were shifted by just around the face, carried over it.

    A refiner may tint the whole crop; the face is to have the colours of its surroundings.
    """
    ring = ((weight > _SMALLEST_WEIGHT) & (weight < 0.7)).astype(np.float32)
    if not ring.any():
        return np.zeros_like(change)
    reach = (0, 0), len(weight) / 8
    total = cv2.GaussianBlur(ring[..., None] * change, *reach)
    return total / (cv2.GaussianBlur(ring, *reach)[..., None] + 1e-4)


def _smooth(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


class SourceFrames:
    """Some frames of a clip, decoded once, to be read in any order.

    A context manager. They lie uncompressed in an unnamed file of a folder (a frame of 1280 x 720
    takes 2.8 MB) and go with it, so that memory grows neither with the clip nor with its use.

    Raises
    ------
    UserError
        The folder has no room for them.
    """

    def __init__(self, clip: Clip, wanted: Iterable[int], folder: Path):
        self._shape = (clip.height, clip.width, 3)
        self._place = {int(frame): k for k, frame in enumerate(sorted(set(wanted)))}
        self._size = int(np.prod(self._shape))
        self._clip, self._folder = clip, folder

    def __enter__(self) -> "SourceFrames":
        self._file = tempfile.TemporaryFile(dir=self._folder)
        try:
            for t, frame in enumerate(self._clip.read(0, max(self._place) + 1)):
                if t in self._place:
                    self._file.write(frame.data)
            self._file.flush()
        except OSError as error:
            self._file.close()
            room = self._size * len(self._place) / 2**30
            raise UserError(
                f"Folder '{self._folder}' has no room for {room:.1f} GiB of frames "
                f"({error.strerror}); make room or leave out --full-frame."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getitem__(self, t: int) -> np.ndarray:
        """Frame t: (H, W, 3) uint8."""
        self._file.seek(self._place[int(t)] * self._size)
        return np.frombuffer(self._file.read(self._size), np.uint8).reshape(self._shape)
