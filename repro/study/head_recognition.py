"""Whether head motion is the person's own, and lips follow the sound (Chen et al. 2020, section 3).

Figure 3b shows that one person's head moves alike in several videos, and otherwise than other
people's. So whom does motion belong to that was extrapolated from 64 frames and another sound?
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import uniform_filter1d

from repro.animate.expression import ExpressionNetwork, spoken_landmarks
from repro.animate.head_motion import HeadMotionNetwork, extrapolate
from repro.animate.sketch import lip_gap_68
from repro.animate.speech_data import Talker, TalkingClip
from repro.evaluate.pose import head_pose_similarity

PHI, COPY, STILL = "Phi", "reference's poses", "reference's mean"
"""Extrapolated; the reference's frames as they are; the head still at their mean."""
PHI_LONG, COPY_LONG = "Phi, whole clip", "whole clip's poses"
"""The same from all of the clip that the reference is from: what more than tau frames tell, and
what is looked at outside tables (``animate_speech.frames_at_use``)."""

LIPS = np.arange(48, 68)
_SECOND = 25
_MM = 1000.0

Generate = Callable[[TalkingClip, TalkingClip], np.ndarray]
"""Poses (T, 6) from a clip that is seen and one that is only heard."""

Turn = tuple[Sequence[np.ndarray], Sequence[np.ndarray]]
"""Motion (T, 6) that was made, and the real one, of the same people in the same order."""


def head_recognition(network: HeadMotionNetwork, talkers: Sequence[Talker]) -> pd.DataFrame:
    """Whether motion made from the start of one clip is recognised as the person's in another.

    HS (``repro.evaluate.pose``) holds the motion that was made for each person against the real
    motion of every person's other clip; then the two clips change places.

    Parameters
    ----------
    talkers : people, each with two clips, whom the network does not know

    Returns
    -------
    a row for each method: ``method``; ``pairs``, the share of (person, other) in which the right
    person's HS is higher, with its standard error over people ``pairs_se``; ``top1``, the share of
    people whose HS is the highest of all; ``hs_own``, ``hs_other``, the mean HS; ``mean_deg``, the
    mean distance of the angles' means, and ``sd_ratio``, of their deviations' sums, made over real;
    ``correlation`` of pitch with what it really was, and ``correlation_fast`` of what in it is
    faster than a second: nods on loud syllables, which the sound decides; and how many ``people``

    Raises
    ------
    ValueError
        Fewer than two people.
    """
    if len(talkers) < 2:
        raise ValueError("recognition needs two people or more")
    rows = []
    for method, generate in _methods(network).items():
        turns = []
        for seen, other in ((0, 1), (1, 0)):
            made = [generate(talker[seen], talker[other]) for talker in talkers]
            turns.append((made, [talker[other].pose for talker in talkers]))
        rows.append({"method": method, **_recognised(turns), **_likeness(turns)})
    return pd.DataFrame(rows).assign(people=len(talkers))


def _methods(network: HeadMotionNetwork) -> Mapping[str, Generate]:
    tau = network.settings.reference_frames
    return {
        PHI: lambda seen, heard: extrapolate(
            network, seen.pose[:tau], seen.sound[:tau], heard.sound
        ),
        COPY: lambda seen, heard: np.resize(seen.pose[:tau], heard.pose.shape),
        STILL: lambda seen, heard: np.broadcast_to(seen.pose[:tau].mean(0), heard.pose.shape),
        PHI_LONG: lambda seen, heard: extrapolate(network, seen.pose, seen.sound, heard.sound),
        COPY_LONG: lambda seen, heard: np.resize(seen.pose, heard.pose.shape),
    }


def _recognised(turns: Sequence[Turn]) -> dict[str, float]:
    """Shares and means of HS."""
    hs = np.array(
        [
            [[head_pose_similarity(r[:, :3], m[:, :3]) for r in real] for m in made]
            for made, real in turns
        ]
    )
    own, others = hs.diagonal(axis1=1, axis2=2), ~np.eye(hs.shape[1], dtype=bool)
    better = (own[..., None] > hs) + 0.5 * (own[..., None] == hs)  # a tie is a guess
    shares = (better * others).sum(2).mean(0) / others.sum(1)
    return {
        "pairs": float(shares.mean()),
        "pairs_se": float(shares.std(ddof=1) / np.sqrt(len(shares))),
        "top1": float(np.mean(hs.argmax(2) == np.arange(hs.shape[1]))),
        "hs_own": float(own.mean()),
        "hs_other": float(hs[:, others].mean()),
    }


def _likeness(turns: Sequence[Turn]) -> dict[str, float]:
    """Means, deviations and correlations of the angles, averaged over people."""
    pairs = [(m[:, :3], r[:, :3]) for turn in turns for m, r in zip(*turn, strict=True)]
    return {
        "mean_deg": float(np.mean([np.rad2deg(np.abs(m.mean(0) - r.mean(0))) for m, r in pairs])),
        "sd_ratio": float(np.mean([m.std(0).sum() / r.std(0).sum() for m, r in pairs])),
        "correlation": float(np.mean([_correlation(m[:, 0], r[:, 0]) for m, r in pairs])),
        "correlation_fast": float(
            np.mean([_correlation(_fast(m[:, 0]), _fast(r[:, 0])) for m, r in pairs])
        ),
    }


def _fast(angle: np.ndarray) -> np.ndarray:
    """What of an angle (T,) is faster than a second."""
    return angle - uniform_filter1d(angle.astype(np.float64), _SECOND, mode="nearest")


def _correlation(made: np.ndarray, real: np.ndarray) -> float:
    """Pearson's; 0 where one of them does not move."""
    a, b = (x - x.mean(dtype=np.float64) for x in (made, real))
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 1e-9 else 0.0


def lips(network: ExpressionNetwork, talkers: Sequence[Talker]) -> pd.DataFrame:
    """How far lips are from where they should be.

    Psi sees the most visible frame of one clip and hears another.

    Parameters
    ----------
    talkers : people, each with two clips or more, whom the network does not know

    Returns
    -------
    a row each for ``"Psi"``, for ``"held still"``, the reference's mouth as it is, and for
    ``"components"``, what the PCA leaves of the true landmarks, which nothing can undercut:
    ``method``; ``lips_mm``, the mean distance of the lips' 20 landmarks from the true ones in the
    head's own space; ``gap_correlation`` of the distance between the inner lips
    """
    pca = network.pca
    found: dict[str, list[tuple[float, float]]] = {}
    for seen, heard, *_ in talkers:
        true = heard.landmarks
        still = pca.landmarks_of(pca.components_of(seen.reference))
        for method, made in (
            ("Psi", spoken_landmarks(network, heard.sound, seen.reference)),
            ("held still", np.broadcast_to(still, true.shape)),
            ("components", pca.landmarks_of(pca.components_of(true))),
        ):
            distance = np.linalg.norm((made - true)[:, LIPS], axis=-1).mean()
            alike = _correlation(lip_gap_68(made), lip_gap_68(true))
            found.setdefault(method, []).append((float(distance) * _MM, alike))
    means = {method: np.mean(rows, axis=0) for method, rows in found.items()}
    return pd.DataFrame(
        {"method": method, "lips_mm": float(mm), "gap_correlation": float(alike)}
        for method, (mm, alike) in means.items()
    )
