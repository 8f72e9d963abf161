"""Removal of what flickers in an edited video (Song et al. 2020, appendix B).

Landmarks are smoothed before the mouth is painted (Algorithm 1), and the finished frames after
(Eq. 7, modified from Bonneel et al. 2015). Both trust the frame before the more the less the
mouth has moved.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from scipy.fft import dctn, idctn

from repro.edit.masked import GUIDES
from repro.edit.video_settings import EditVideoSettings
from repro.face.landmarks import LIPS

_MARGIN_PX = 16
"""So far about the edited region the optical flow looks."""


def mouth_motion(before: np.ndarray, after: np.ndarray, settings: EditVideoSettings) -> float:
    """How far a mouth has moved, pixels: d_t of appendix B.

    Of its centre as in the paper, or the mean of its points' distances (``smooth_by``).

    Parameters
    ----------
    before, after : (478, 2) pixels
    """
    step = after[LIPS] - before[LIPS]
    if settings.smooth_by == "centre":
        return float(np.linalg.norm(step.mean(0)))
    return float(np.linalg.norm(step, axis=-1).mean())


def smooth_landmarks(landmarks: np.ndarray, settings: EditVideoSettings) -> np.ndarray:
    """Algorithm 1: mouth and jawline of a mouth at rest follow those of the frame before.

    l_{t-1} is the smoothed one: with the given one, a mouth at rest would come a frame late and
    jitter as much as before.

    Parameters
    ----------
    landmarks : (T, 478, 2) pixels

    Returns
    -------
    (T, 478, 2); points other than mouth and jawline as given
    """
    smoothed = np.array(landmarks)
    for before, after in pairwise(smoothed):
        moved = mouth_motion(before, after, settings)
        if moved <= settings.still_px:
            alpha = np.exp(-settings.smooth_strength * moved)
            after[GUIDES] = alpha * before[GUIDES] + (1 - alpha) * after[GUIDES]
    return smoothed


def steady_picture(picture: np.ndarray, previous: np.ndarray, weight: float) -> np.ndarray:
    """Eq. 7: fine structure of the picture, coarse structure of the previous one.

    O = F^-1[(4 pi^2 f^2 F(P) + lambda F(warp(O_{t-1}))) / (4 pi^2 f^2 + lambda)], with f in
    cycles per pixel. F is the Fourier transform of the picture continued by its mirror image (the
    discrete cosine transform), so that opposite edges do not mix.

    Parameters
    ----------
    picture, previous : (h, w, 3) float32; the latter already moved by the optical flow
    weight : lambda, not negative

    Returns
    -------
    (h, w, 3) float32
    """
    height, width = picture.shape[:2]
    down, across = np.arange(height) / (2 * height), np.arange(width) / (2 * width)
    squared = (4 * np.pi**2 * (down[:, None] ** 2 + across[None] ** 2)).astype(np.float32)
    share = np.divide(weight, squared + weight, out=np.zeros_like(squared), where=squared > 0)
    share[0, 0] = float(weight > 0)
    # The same as the formula, with one transform: P + share of (previous - P).
    difference = dctn(previous - picture, axes=(0, 1), norm="ortho")
    return picture + idctn(share[..., None] * difference, axes=(0, 1), norm="ortho")


def warped(
    previous: np.ndarray, before: np.ndarray, after: np.ndarray, flow: cv2.DISOpticalFlow
) -> np.ndarray:
    """A picture of the frame before, moved to where its content is now: warp(O_{t-1}).

    Each pixel is fetched from where the flow from ``after`` to ``before`` leads, so that none
    stays empty.

    Parameters
    ----------
    previous : (h, w, C) float32, what is moved
    before, after : (h, w, 3) uint8, the frames between which the flow is taken
    flow : OpenCV's DIS optical flow (Kroeger et al. 2016)

    Returns
    -------
    (h, w, C) float32
    """
    now, then = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (after, before))
    field = flow.calc(now, then, None)  # type: ignore[call-overload]
    columns, rows = np.meshgrid(np.arange(now.shape[1]), np.arange(now.shape[0]))
    at = (field + np.stack([columns, rows], axis=-1)).astype(np.float32)
    border = cv2.BORDER_REPLICATE
    return cv2.remap(previous, at, None, cv2.INTER_CUBIC, borderMode=border)  # type: ignore[call-overload]


class Edited(NamedTuple):
    """An edited frame.

    frame      (H, W, 3) uint8
    soft       (H, W) float32, how much of each pixel is made
    landmarks  (478, 2) pixels of the new mouth
    """

    frame: np.ndarray
    soft: np.ndarray
    landmarks: np.ndarray


def deflicker(edited: Iterable[Edited], settings: EditVideoSettings) -> Iterator[np.ndarray]:
    """Eq. 7 on edited frames, one after another; only the last one is held.

    Yields
    ------
    (H, W, 3) uint8; bytes outside the soft mask as given
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    last: Edited | None = None
    shown = np.empty(0)
    for now in edited:
        rows, columns = (np.flatnonzero((now.soft > 0).any(axis)) for axis in (1, 0))
        if last is None or not len(rows):
            shown = now.frame.astype(np.float32)
        else:
            box = np.s_[
                max(rows[0] - _MARGIN_PX, 0) : rows[-1] + 1 + _MARGIN_PX,
                max(columns[0] - _MARGIN_PX, 0) : columns[-1] + 1 + _MARGIN_PX,
            ]
            steady = _steadied(now, last, shown, box, flow, settings)
            shown = now.frame.astype(np.float32)
            # In full up to the middle of the mask's edge: there the made picture still flickers.
            share = np.minimum(1, 2 * now.soft[box][..., None])
            shown[box] += share * (steady - shown[box])
        last = now
        yield np.where(now.soft[..., None] > 0, np.rint(shown).clip(0, 255), now.frame).astype(
            np.uint8
        )


def _steadied(
    now: Edited,
    last: Edited,
    shown: np.ndarray,
    box: tuple[slice, slice],
    flow: cv2.DISOpticalFlow,
    settings: EditVideoSettings,
) -> np.ndarray:
    """Eq. 7 in a box; shown (H, W, 3) float32 is O_{t-1}."""
    picture = now.frame[box].astype(np.float32)
    previous = warped(shown[box], last.frame[box], now.frame[box], flow)
    if settings.deflicker_levels is not None:
        change = cv2.GaussianBlur(np.abs(previous - picture).max(-1), (0, 0), 1.0)
        trust = np.exp(-((change / settings.deflicker_levels) ** 2))[..., None]
        previous = picture + trust * (previous - picture)
    moved = mouth_motion(last.landmarks, now.landmarks, settings)
    return steady_picture(picture, previous, float(np.exp(-moved)))
