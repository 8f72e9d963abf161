"""How personal the generated head is (Yi et al. 2020, section 4.4): HS of real and generated poses.

As in the paper a person's first frames are learned from, the sound of the others drives the
mapping, and the angles that come out are held against those seen in the same frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from repro.evaluate.pose import (
    ANGLES,
    BINS,
    RANGE_RAD,
    convention,
    head_pose_scores,
    head_pose_similarity,
    head_pose_similarity_by_axis,
)
from repro.motion.mapping import MotionMapping
from repro.motion.person import PoseMethod
from repro.motion.predict import predict
from repro.pipeline.targets import Target
from repro.processes import one_thread

PAPER_MEAN_HS = 0.859
"""Average over the paper's 15 pairs of personalised videos."""

SAME = "same person, other frames"
STILL = "still head"
GENERAL = "general, paper"
"""What is held against the real frames, beside ``personal``: the frames that were learned from, a
head that never leaves their mean pose, and the general mapping about that mean."""


def personal(method: str) -> str:
    """The name of what the personal mapping makes with a ``PoseMethod``."""
    return f"personal, {method}"


@dataclass(frozen=True)
class Heads:
    """Pitch, yaw and roll (radians) of one person, real and made.

    name     of the person's clip
    learned  (M, 3), seen in the frames that were learned from
    tested   (T, 3), seen in the others
    made     by name, for the sound of those others: (T, 3), one or several draws of it
    """

    name: str
    learned: np.ndarray
    tested: np.ndarray
    made: dict[str, tuple[np.ndarray, ...]]

    def draws(self, kind: str) -> tuple[np.ndarray, ...]:
        """What is to be held against ``tested``: ``SAME``, ``STILL`` or one of ``made``."""
        if kind == SAME:
            return (self.learned,)
        if kind == STILL:
            return (np.broadcast_to(self.learned.mean(0), self.tested.shape),)
        return self.made[kind]


def heads_of(
    person: Target,
    others: Sequence[Target],
    *,
    learned: int,
    general: MotionMapping,
    mapping: MotionMapping,
    methods: Sequence[PoseMethod],
    draws: int = 5,
    seed: int,
) -> Heads:
    """What a person's head did and what is made of the sound.

    Parameters
    ----------
    person : the clip of which ``learned`` frames were learned from; the rest is tested
    others : further clips of the person, tested as a whole
    mapping : the person's own
    methods : of the pose; those that draw at random are drawn ``draws`` times
    seed : of the first draw

    Returns
    -------
    Heads; poses of the general mapping, which are about zero, are moved to the mean of what was
    learned from, as where they are rendered
    """
    own = person.motion[:learned]
    sounds = [person.windows[learned:], *(clip.windows for clip in others)]
    seen = [person.motion.pose[learned:], *(clip.motion.pose for clip in others)]

    def made(used: MotionMapping, method: PoseMethod, draw: int) -> np.ndarray:
        with one_thread():
            poses = [
                predict(used, sound, own=own, pose_method=method, seed=seed + draw).pose
                for sound in sounds
            ]
        return np.concatenate(poses)[:, :3]

    return Heads(
        person.name,
        own.pose[:, :3],
        np.concatenate(seen)[:, :3],
        {GENERAL: (made(general, "paper", 0) + own.pose.mean(0)[:3],)}
        | {
            personal(method): tuple(
                made(mapping, method, draw) for draw in range(1 if method == "paper" else draws)
            )
            for method in methods
        },
    )


def kinds_of(heads: Sequence[Heads]) -> list[str]:
    """All that can be held against the real frames."""
    return [SAME, STILL, *heads[0].made]


def pair_scores(heads: Sequence[Heads]) -> pd.DataFrame:
    """HS of every person and kind: the mean over its draws.

    Returns
    -------
    a row for each: person, against, draws, hs_sd (over the draws), the columns of
    ``head_pose_scores``, hs_own_range (``in_own_range``) and variance_ratio
    """
    rows = []
    for head in heads:
        for kind in kinds_of(heads):
            scores = pd.DataFrame(
                {
                    **head_pose_scores(head.tested, x),
                    "hs_own_range": in_own_range(head.tested, x),
                    "variance_ratio": variance_ratio(head.tested, x),
                }
                for x in head.draws(kind)
            )
            rows.append(
                {
                    "person": head.name,
                    "against": kind,
                    "draws": len(scores),
                    "hs_sd": scores["hs"].std(ddof=0),
                    **scores.mean(),
                }
            )
    table = pd.DataFrame(rows)
    whole = ["bins", "frames_real", "frames_generated"]
    return table.astype(dict.fromkeys(whole, int))


def variance_ratio(real: np.ndarray, generated: np.ndarray) -> float:
    """Variance of generated angles (M, 3) over that of real ones (T, 3), each summed over the axes.

    A regression to the mean moves less than its truth: this is near 0 for a head that hardly
    moves, 1 where it moves as far as the person, whenever it does so. nan for a real head at rest.
    """
    whole = float(np.var(real, axis=0).sum())
    return float(np.var(generated, axis=0).sum()) / whole if whole > 0 else float("nan")


def averages(pairs: pd.DataFrame) -> pd.DataFrame:
    """For each kind, the mean HS over the people beside the paper's, and who is above it."""
    grouped = pairs.groupby("against", sort=False)
    table = grouped.agg(
        mean_hs=("hs", "mean"),
        sd=("hs", "std"),
        least=("hs", "min"),
        mean_hs_own_range=("hs_own_range", "mean"),
        median_variance_ratio=("variance_ratio", "median"),
        people=("hs", "count"),
    ).reset_index()
    ours = table["against"].str.startswith("personal")
    table["paper"] = np.where(ours, PAPER_MEAN_HS, np.nan)
    table["share_above_general"] = [
        share_above(pairs, kind) if kind != GENERAL else np.nan for kind in table["against"]
    ]
    return table.assign(**convention())


def share_above(pairs: pd.DataFrame, kind: str, other: str = GENERAL) -> float:
    """Share of the people whose HS is greater with one kind than with another."""
    return float((hs_by_person(pairs, kind) > hs_by_person(pairs, other)).mean())


def hs_by_person(pairs: pd.DataFrame, kind: str) -> pd.Series:
    """The HS of one kind, by person."""
    return pairs[pairs["against"] == kind].set_index("person")["hs"]


def matrix(heads: Sequence[Heads], kind: str) -> np.ndarray:
    """HS (people, people) of row i's real tested frames and column j's first draw of a kind."""
    made = [head.draws(kind)[0] for head in heads]
    return np.array([[head_pose_similarity(head.tested, x) for x in made] for head in heads])


def told_apart(heads: Sequence[Heads], kind: str) -> dict[str, float]:
    """HS of the same person beside that of different people, on average.

    Returns
    -------
    same; different; nearer, the share of people whose real frames are nearer to what was made of
    themselves than to the others' on average; first, to that of every other. nan with one person.
    """
    scores = matrix(heads, kind)
    same = np.diag(scores)
    others = scores[~np.eye(len(scores), dtype=bool)].reshape(len(scores), -1)
    if not others.size:
        return {"same": float(same[0]), **dict.fromkeys(("different", "nearer", "first"), np.nan)}
    return {
        "same": float(same.mean()),
        "different": float(others.mean()),
        "nearer": float((same > others.mean(1)).mean()),
        "first": float((same > others.max(1)).mean()),
    }


def same_and_different(heads: Sequence[Heads]) -> pd.DataFrame:
    """``told_apart`` for every kind, a row each."""
    rows = [{"against": kind, **told_apart(heads, kind)} for kind in kinds_of(heads)]
    return pd.DataFrame(rows).assign(**convention())


def conventions(
    heads: Sequence[Heads],
    *,
    bins: Sequence[int] = (15, BINS, 240),
    ranges_deg: Sequence[float] = (15, 30, 60, 90),
) -> pd.DataFrame:
    """The same heads under other histograms: what HS owes to a convention the paper leaves open.

    The last row has each angle's own range in the two videos, so that it is normalised by how far
    the heads turn at all.

    Returns
    -------
    a row for each: bins, range_deg (half of it, as text), and the mean HS over people of each kind
    """
    kinds = kinds_of(heads)

    def row(count: int, half: float) -> dict[str, object]:
        limits = -np.deg2rad(half), np.deg2rad(half)
        values = {
            kind: np.mean([
                head_pose_similarity(h.tested, h.draws(kind)[0], bins=count, range_rad=limits)
                for h in heads
            ])
            for kind in kinds
        }  # fmt: skip
        return {"bins": count, "range_deg": f"±{half:g}", **values}

    half_deg = float(np.rad2deg(RANGE_RAD[1]))
    rows = [row(BINS, half) for half in ranges_deg]
    rows += [row(count, half_deg) for count in bins if count != BINS]
    own = {
        kind: np.mean([in_own_range(h.tested, h.draws(kind)[0]) for h in heads]) for kind in kinds
    }
    return pd.DataFrame([*rows, {"bins": BINS, "range_deg": "the pair's own", **own}])


def in_own_range(real: np.ndarray, made: np.ndarray) -> float:
    """HS whose histograms reach, for each angle, from the least to the greatest seen in either.

    It asks how far apart two ways of moving are beside how far the heads move at all; so it does
    not forgive a person for holding the head rather still, as a fixed range does.

    Parameters
    ----------
    real : (T, 3) radians
    made : (M, 3)
    """
    both = np.concatenate([real, made])
    values = []
    for k, angle in enumerate(ANGLES):
        limits = float(both[:, k].min()), float(both[:, k].max()) + 1e-9
        values.append(head_pose_similarity_by_axis(real, made, range_rad=limits)[angle])
    return float(np.mean(values))
