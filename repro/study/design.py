"""A blinded, randomised comparison: which groups, under which codes, in which orders."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro.errors import UserError

GROUPS = 30
"""As many as in Yi et al. 2020, section 4.3."""

PARTICIPANTS = 20
"""Likewise."""

QUESTIONS = {
    "image_quality": "Which video has the best image quality?",
    "lip_sync": "In which video do the lips go best with the speech?",
    "natural": "In which video does the person talk most naturally?",
}
"""The three criteria of Yi et al. 2020, Table 1."""

RATED = {"real": "Is this video real?"}
SCALE = ("absolutely fake", "fake", "hard to judge", "real", "absolutely real")
"""What is asked of single videos, and the marks 1 to 5 (Song et al. 2020, 4.4)."""


@dataclass(frozen=True)
class Design:
    """Who sees what in which order.

    study       code of the study
    groups      code of each group shown, by name
    videos      code of each video, by group's name and method's
    orders      of each participant: the groups in the order they come (by name), and of each the
                methods in the order they stand on the page; one alone where videos are rated
    one_by_one  whether each video is rated by itself, or a group's are compared
    """

    study: str
    groups: dict[str, str]
    videos: dict[str, dict[str, str]]
    orders: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]
    one_by_one: bool = False

    def page_code(self, name: str, methods: Sequence[str]) -> str:
        """The code of what is shown at once: a group, or a video that is rated by itself."""
        return self.videos[name][methods[0]] if self.one_by_one else self.groups[name]


def make_design(
    names: Sequence[str],
    methods: Sequence[str],
    *,
    seed: int,
    groups: int | None = None,
    participants: int = PARTICIPANTS,
    original: str | None = None,
    one_by_one: bool = False,
) -> Design:
    """Choose groups, codes and orders.

    In each group, every method stands at every place equally often over each run of as many
    participants as there are methods (rotations of a random order, themselves in random order).
    Groups come in a random order of each participant's own; ``one_by_one``, all their videos do.

    Parameters
    ----------
    names : of the groups at hand
    groups : how many to show, chosen at random; 30, or all where there are fewer
    seed : codes are HMACs under it, so whoever does not know it cannot tell what they stand for
    original : the name of the real video, which has a code and no place in the orders

    Raises
    ------
    UserError
        Fewer groups than asked for, or no participant.
    """
    if groups is not None and not 1 <= groups <= len(names):
        raise UserError(f"{groups} groups were asked for, and there are {len(names)}.")
    if participants < 1:
        raise UserError(f"A study needs at least 1 participant, not {participants}.")
    rng = np.random.default_rng(seed)
    count = min(GROUPS, len(names)) if groups is None else groups
    chosen = [names[i] for i in sorted(rng.choice(len(names), count, replace=False))]
    shown = [*methods, *([original] if original else [])]
    orders = []
    if one_by_one:
        pages = [(name, (method,)) for name in chosen for method in shown]
        orders = [tuple(pages[i] for i in rng.permutation(len(pages))) for _ in range(participants)]
    else:
        places = [_placed(methods, participants, rng) for _ in chosen]
        for p in range(participants):
            come = rng.permutation(count)
            orders.append(tuple((chosen[i], places[i][p]) for i in come))
    return Design(
        study=_code(seed, "study")[:8],
        groups={name: _code(seed, "group", name) for name in chosen},
        videos={
            name: {method: _code(seed, "video", name, method) for method in shown}
            for name in chosen
        },
        orders=tuple(orders),
        one_by_one=one_by_one,
    )


def _placed(
    methods: Sequence[str], participants: int, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """An order of the methods for each participant, every method everywhere equally often."""
    orders: list[tuple[str, ...]] = []
    while len(orders) < participants:
        base = rng.permutation(len(methods))
        for turn in rng.permutation(len(methods)):
            orders.append(tuple(methods[i] for i in np.roll(base, turn)))
    return orders[:participants]


def _code(seed: int, *what: str) -> str:
    """Twelve hexadecimal digits that tell nothing without the seed."""
    text = "\0".join(what).encode()
    return hmac.new(str(seed).encode(), text, hashlib.sha256).hexdigest()[:12]
