"""How much a video's background flickers: why frames are not matched one by one (section 3.3)."""

from collections import deque
from collections.abc import Iterable

import numpy as np


def background_flicker(pictures: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean absolute second difference over time of the pixels beside the face, of 255 levels.

    0 for a still background, and for one that brightens evenly. Natural motion counts too: hold it
    against the same of the target video itself. Three frames at a time are in memory.

    Parameters
    ----------
    pictures : frames (H, W, 3) uint8, each with its face's mask (H, W), nonzero on the face; a
        pixel counts where three frames in a row show background

    Raises
    ------
    ValueError
        No three frames in a row, or no pixel that shows background in three.
    """
    recent: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=3)
    total, count = 0.0, 0
    for frame, face in pictures:
        recent.append((np.asarray(frame, np.int16), np.asarray(face) == 0))
        if len(recent) == 3:
            (first, a), (second, b), (third, c) = recent
            change = np.abs(first - 2 * second + third)[a & b & c]
            total, count = total + float(change.sum(dtype=np.int64)), count + change.size
    if count == 0:
        raise ValueError("flicker needs three frames in a row that show background")
    return total / count
