"""Landmarks as they are seen in pictures, made or real."""

import cv2
import numpy as np

from repro.reconstruct.landmarker import Follower

LANDMARKER = "MediaPipe face landmarker"

_SEEN_PX = 256
"""Side to which pictures are enlarged before landmarks are looked for."""


def landmarks_in(pictures: np.ndarray) -> np.ndarray:
    """Landmarks (T, 478, 2) float32 of T pictures (S, S, 3) uint8, pixels; NaN without a face."""
    side = pictures.shape[1]
    points = np.full((len(pictures), 478, 2), np.nan, np.float32)
    with Follower() as follower:
        for t, picture in enumerate(pictures):
            size = (_SEEN_PX, _SEEN_PX)
            large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
            face = follower.settle(large) if t == 0 else follower.find(large)
            if face is not None:
                points[t] = face.points * (side / _SEEN_PX)
    return points
