"""What the memory has learned: whom it retrieves for which frame (section 3.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro.frames import evenly
from repro.refine.pairs import PersonPairs
from repro.refine.refine import Refiner

EACH = 16
"""Frames of each person or clip that are looked at, spread evenly."""


def hit_rate(refiner: Refiner, pairs: Sequence[PersonPairs], *, each: int = EACH) -> float:
    """Share of rendered frames for which the memory gives the right person.

    Right is an identity feature whose cosine similarity with the real frame's own is above
    ``identity_threshold``: the memory's own rule for who is the same.

    Parameters
    ----------
    pairs : of the people learned from; ``each`` frames of each are looked at
    """
    hits = []
    for person in pairs:
        at = evenly(each, len(person))
        found = _retrieved(refiner, person, at)
        cosine = (found * _unit(person.identity[at])).sum(1)
        hits.append(cosine > refiner.settings.identity_threshold)
    return float(np.concatenate(hits).mean())


@dataclass(frozen=True)
class Retrieval:
    """Whom the memory gives for some frames of C clips of P people.

    shown   (C,) int, the person whom each clip shows, numbered as they come
    who     (C, n) int, the person whose mean identity is nearest to what the memory gives
    cosine  (C, n) float32, of the two
    """

    shown: np.ndarray
    who: np.ndarray
    cosine: np.ndarray


def retrieval(refiner: Refiner, pairs: Sequence[PersonPairs], *, each: int = EACH) -> Retrieval:
    """Whom the memory gives for ``each`` frames of each clip, or as many as the shortest has."""
    each = min(each, *map(len, pairs))
    clips = _unit(np.stack([_unit(p.identity).mean(0) for p in pairs]))
    shown = same_people(clips, refiner.settings.identity_threshold)
    people = _unit(np.stack([clips[shown == k].mean(0) for k in range(shown.max() + 1)]))
    read = [_retrieved(refiner, p, evenly(each, len(p))) for p in pairs]
    cosine = np.stack(read) @ people.T  # (C, n, P)
    return Retrieval(shown, cosine.argmax(2), cosine.max(2).astype(np.float32))


def same_people(features: np.ndarray, threshold: float) -> np.ndarray:
    """Number (C,) of the person in each clip, from the clips' mean identity features (C, D).

    A clip shows the person nearest to it whose first clip's cosine is above ``threshold``, else a
    new one.
    """
    first: list[int] = []
    shown: list[int] = []
    for feature in features:
        cosine = [float(feature @ features[k]) for k in first]
        if not cosine or max(cosine) <= threshold:
            first.append(len(shown))
            shown.append(len(first) - 1)
        else:
            shown.append(int(np.argmax(cosine)))
    return np.array(shown)


def _retrieved(refiner: Refiner, person: PersonPairs, at: np.ndarray) -> np.ndarray:
    frames, masks = ([np.asarray(a[t]) for t in at] for a in (person.rendered, person.face_mask))
    return _unit(refiner.retrieved(frames, masks=masks))


def _unit(features: np.ndarray) -> np.ndarray:
    return features / np.maximum(np.linalg.norm(features, axis=-1, keepdims=True), 1e-9)
