"""How far the landmarks of a frame can be trusted."""

from collections.abc import Sequence

import numpy as np

from repro.face import landmarks as lm
from repro.reconstruct.look import Look, pattern_likeness

_LEAP = 3.0, 5.0
"""A leap of so many % of the inter-pupil distance, and so many times the clip's usual, halves."""
_UNLIKE = 0.12, 2.0
"""A correlation with the usual pattern that is lower by so much than usual halves; and by so much
more for a head turned away from the usual pattern's by the distance of the eyes."""
_BLURRED = 0.3
"""A sharpness of so much of the usual halves."""
_VIEWS, _FRAMES_A_VIEW = 5, 75
"""Directions of the head that have a usual pattern each, of as many frames or more: a hand that
covers the face for a second must stay the exception."""
_FRAMES_FOR_USUAL = 400
_TRUSTED = 0.5
BRIDGED = 0.2
"""Confidence in a frame that was filled, over that in the frames beside it."""


def confidence(
    points: np.ndarray,
    found: np.ndarray,
    bridged: np.ndarray,
    looks: Sequence[Look],
    frame_size: tuple[int, int],
) -> np.ndarray:
    """Confidence (T,) float32 in [0, 1]: a product of four parts, each 1 in an ordinary frame.

    The head goes on as it went, the face looks as it usually does from this side (it is not
    covered), it is as sharp as usual, and it lies in the picture. What covers little, or looks like
    the skin beside it, goes unnoticed.

    Parameters
    ----------
    points : (T, 478, 2) float32, as detected
    found, bridged : (T,) bool
    looks : one for each frame found
    frame_size : width and height, pixels
    """
    result = np.zeros(len(found))
    seen = points[found].astype(np.float64)
    inside = ((seen >= 0) & (seen <= np.array(frame_size))).all(-1).mean(1)
    result[found] = _steadiness(points, found)[found] * _likeness(seen, looks) * inside
    result[found] *= _sharpness(np.array([look.sharpness for look in looks]))
    edges = np.flatnonzero(found)
    for t in np.flatnonzero(bridged):
        k = np.searchsorted(edges, t)
        result[t] = BRIDGED * min(result[edges[k - 1]], result[edges[k]])
    return result.astype(np.float32)


def _halved_at(x: np.ndarray, half: float | np.ndarray) -> np.ndarray:
    """1 at 0, one half at ``half``, falling with the square."""
    return 1 / (1 + np.square(x / half))


def trusted(confidence: np.ndarray) -> np.ndarray:
    """Which frames (T,) bool a clip's own measures are taken from: at least one."""
    return confidence >= min(_TRUSTED, float(confidence.max()))


def _steadiness(points: np.ndarray, found: np.ndarray) -> np.ndarray:
    """From how far the head leaps out of the course between the frames before and after."""
    steady = points[:, lm.STEADY].astype(np.float64)
    pupils = max(float(np.median(lm.inter_pupil_distance(points[found]))), 1e-6)
    leap = np.zeros(len(points))
    middle = (steady[:-2] + steady[2:]) / 2
    off = np.linalg.norm(steady[1:-1] - middle, axis=-1).mean(1)
    between = found[1:-1] & found[:-2] & found[2:]
    leap[1:-1] = np.where(between, 100 * off / pupils, 0)
    # Where the frames further out are there too, a bend is no leap: a cubic through all four.
    cubic = (4 * middle[1:-1] - (steady[:-4] + steady[4:]) / 2) / 3
    off = np.linalg.norm(steady[2:-2] - cubic, axis=-1).mean(1)
    around = between[1:-1] & found[:-4] & found[4:]
    leap[2:-2] = np.where(around, np.minimum(leap[2:-2], 100 * off / pupils), leap[2:-2])
    usual = float(np.median(leap[found]))
    return _halved_at(leap, _LEAP[0] + _LEAP[1] * usual)


def _likeness(points: np.ndarray, looks: Sequence[Look]) -> np.ndarray:
    """From the correlation of each pattern with the usual one of the same view of the head."""
    patterns = np.stack([look.pattern for look in looks])
    turn = _turn(points)
    like, away = np.zeros(len(patterns)), np.zeros(len(patterns))
    views = max(1, min(_VIEWS, len(points) // _FRAMES_A_VIEW))
    for frames in np.array_split(np.argsort(turn[:, 0]), views):
        few = frames[:: 1 + len(frames) // _FRAMES_FOR_USUAL]
        like[frames] = pattern_likeness(patterns[frames], np.median(patterns[few], axis=0))
        away[frames] = np.linalg.norm(turn[frames] - np.median(turn[few], axis=0), axis=1)
    less = np.maximum(0, np.median(like) - like)
    return _halved_at(less, _UNLIKE[0] + _UNLIKE[1] * away)


def _turn(points: np.ndarray) -> np.ndarray:
    """Where the nose's tip stands (T, 2), along and below the line from outer eye corner to outer
    eye corner, over its length: told by the head's yaw and pitch.
    """
    right, left = points[:, 33], points[:, 263]
    across = (left - right) @ np.array([1, 1j])
    nose = (points[:, lm.NOSE_TIP] - right) @ np.array([1, 1j])
    place = nose * across.conj() / np.maximum(abs(across) ** 2, 1e-9)
    return np.stack([place.real, place.imag], 1)


def _sharpness(sharpness: np.ndarray) -> np.ndarray:
    usual = max(float(np.median(sharpness)), 1e-9)
    ratio = np.minimum(1, sharpness / usual)
    return ratio**2 / (ratio**2 + _BLURRED**2) * (1 + _BLURRED**2)
