"""A target video whose mouth speaks otherwise: from landmarks to finished frames."""

from collections.abc import Iterable, Iterator
from itertools import tee

import numpy as np

from repro.edit.blend import blended
from repro.edit.completion import Completer
from repro.edit.deflicker import Edited, deflicker, smooth_landmarks
from repro.edit.video_settings import EditVideoSettings


def edit_frames(
    frames: Iterable[np.ndarray],
    original: np.ndarray,
    new: np.ndarray,
    completer: Completer,
    settings: EditVideoSettings | None = None,
) -> Iterator[np.ndarray]:
    """Give target frames new mouths; all else keeps its bytes. Memory does not grow with T.

    Parameters
    ----------
    frames : T frames (H, W, 3) uint8
    original : (T, 478, 2) pixels, the landmarks of the frames as they are
    new : (T, 478, 2) pixels, those that the audio gives: the same head, another mouth
    settings : of blending and flicker removal; the completer's own, where None

    Yields
    ------
    (H, W, 3) uint8, one for each frame
    """
    settings = settings or completer.settings
    wanted = smooth_landmarks(new, settings) if settings.deflicker else new
    edited = edited_frames(frames, original, wanted, completer, settings)
    if settings.deflicker:
        yield from deflicker(edited, settings)
    else:
        yield from (one.frame for one in edited)


def edited_frames(
    frames: Iterable[np.ndarray],
    original: np.ndarray,
    new: np.ndarray,
    completer: Completer,
    settings: EditVideoSettings,
) -> Iterator[Edited]:
    """``edit_frames`` before flicker removal, with the masks under which frames were blended."""
    shown, given = tee(frames)
    completed = completer.complete(given, original, new)
    for frame, made, before, after in zip(shown, completed, original, new, strict=True):
        frame, soft = blended(frame, made, before, after, settings)
        yield Edited(frame, soft, after)
