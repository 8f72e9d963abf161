"""A person's own motion, retold: segments of a track laid end to end without seams.

Not the paper's. Sound tells little of where a head is, so the regression of Eq. 2 answers with
its mean and the head hardly moves. What the person was seen to do in the input clip is retold
instead, stretched in time and in another order, as video textures do (Schoedl et al. 2000).
"""

from dataclasses import dataclass

import numpy as np

from repro import FPS


@dataclass(frozen=True)
class Retelling:
    """Which frames of a track are shown at each of T frames; two where segments blend.

    first, second (T,) float64, places in the track, in frames
    share         (T,) float64 in [0, 1], how much of ``second`` is shown
    """

    first: np.ndarray
    second: np.ndarray
    share: np.ndarray

    def of(self, track: np.ndarray) -> np.ndarray:
        """The retold track (T, D) of a track (M, D)."""
        share = self.share[:, None]
        return (1 - share) * _at(track, self.first) + share * _at(track, self.second)


def retell(
    pose: np.ndarray,
    frames: int,
    *,
    seed: int,
    wanted: np.ndarray | None = None,
    segment_s: tuple[float, float] = (2.0, 5.0),
    blend_s: float = 0.6,
    stretch: tuple[float, float] = (0.85, 1.2),
    radians_per_metre: float = 3.0,
) -> Retelling:
    """Cut a pose track into segments and lay them end to end where they fit.

    A segment starts where the track's pose and velocity are near those of the one before, and away
    from it in time; preferably it was not shown just now. Neighbours blend over ``blend_s``.

    Parameters
    ----------
    pose : (M, 6), radians and metres, M >= 2
    frames : T, wanted
    seed : of segments' lengths, stretches and choice among the best starts
    wanted : (T, 6) or None; segments that go the way of this pose are preferred
    segment_s : shortest and longest segment, in seconds of the result
    stretch : range of slowing factors
    radians_per_metre : how a distance counts beside an angle

    Raises
    ------
    ValueError
        A track too short to be retold.
    """
    rng = np.random.default_rng(seed)
    m = len(pose)
    if m < 9:
        raise ValueError(f"a track of {m} frames is too short to be retold")
    features = _features(pose, radians_per_metre)
    goal = None if wanted is None else _features(wanted, radians_per_metre)
    velocity = np.gradient(features, axis=0) * FPS
    shortest = min(round(segment_s[0] * FPS), m - 1)
    blend = min(round(blend_s * FPS), shortest // 3)
    starts = np.arange(m - shortest)
    used = np.zeros(m)
    retelling = Retelling(np.zeros(frames), np.zeros(frames), np.zeros(frames))
    begin, at = 0, int(rng.choice(starts))
    while begin < frames:
        rate = 1 / rng.uniform(*stretch)
        length = round(FPS * rng.uniform(*segment_s))
        places = np.arange(at, min(at + rate * length, m - 1) + 1e-9, rate)
        _lay(retelling, places, begin, blend if begin else 0)
        used *= 0.98 ** len(places)
        used[at : int(places[-1]) + 1] = 1
        begin += len(places) - blend
        leave = places[[-blend]]
        cost = _seam_cost(features, velocity, leave)[starts] + 0.8 * used[starts]
        cost += 2 * np.exp(-((starts - leave) ** 2) / (2 * FPS**2))
        if goal is not None:
            cost += _detour(features, goal[begin : begin + shortest], starts)
        at = int(rng.choice(np.argsort(cost)[: 1 + len(starts) // 25]))
    return retelling


def _features(pose: np.ndarray, radians_per_metre: float) -> np.ndarray:
    """Poses (T, 6) with distances measured as angles."""
    return np.concatenate([pose[:, :3], radians_per_metre * pose[:, 3:]], 1)


def _detour(features: np.ndarray, goal: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """How far each segment stays from where the head should go, in spreads of the track."""
    if len(goal) == 0:
        return np.zeros(len(starts))
    frames = starts[:, None] + np.arange(len(goal))
    distance = np.linalg.norm(features[frames] - goal, axis=-1).mean(1)
    return distance / (features.std(0).sum() + 1e-6)


def _seam_cost(features: np.ndarray, velocity: np.ndarray, leave: np.ndarray) -> np.ndarray:
    """How visible (M,) it is to go on from each frame after the place ``leave`` (1,)."""
    gap = np.linalg.norm(features - _at(features, leave), axis=1)
    turn = np.linalg.norm(velocity - _at(velocity, leave), axis=1)
    return gap / (features.std(0).sum() + 1e-6) + 0.4 * turn / (velocity.std(0).sum() + 1e-6)


def _lay(retelling: Retelling, places: np.ndarray, begin: int, blend: int) -> None:
    """Show a segment from frame ``begin`` on, fading over from the one before it."""
    stop = min(begin + len(places), len(retelling.share))
    seam = min(begin + blend, stop)
    retelling.second[begin:stop] = places[: stop - begin]
    retelling.first[seam:stop] = places[seam - begin : stop - begin]
    u = (np.arange(seam - begin) + 1) / (blend + 1)
    retelling.share[begin:seam] = u**3 * (10 - 15 * u + 6 * u * u)


def _at(track: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A track (M, D) at places (T,) between its frames, linearly."""
    low = np.clip(np.floor(places).astype(int), 0, len(track) - 1)
    high = np.minimum(low + 1, len(track) - 1)
    u = (places - low)[:, None]
    return (1 - u) * track[low] + u * track[high]
