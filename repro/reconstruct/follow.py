"""Everybody in a clip, followed from frame to frame, so that one person can be chosen at the end.

Each person has a landmarker of their own, which sees only a square around the face where the last
frame had it. Whoever is lost is looked for around the place where they would be now, further and
further, and known again by the colours of face, hair and collar.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from copy import copy

import numpy as np

from repro.face.camera import Crop
from repro.reconstruct.landmarker import MOST_FACES, Face, Follower, Searcher, square, view
from repro.reconstruct.look import (
    OTHER,
    SAME,
    Look,
    colour_distance,
    look_of,
    pattern_likeness,
)
from repro.reconstruct.search import (
    faces_anywhere,
    faces_in_view,
    faces_in_whole,
    same_place,
)

_SEARCH_EVERY = 25
"""Frames between two looks for further people, and between two thorough ones."""
_KEEN, _RARELY, _LONGEST = 10, 5, 250
"""A lost person is looked for nearby in each of so many frames, then in every fifth, until they
have been away for so many. A face found later may still be theirs."""
_VIEW = 2.3
"""Side of the square in which a face is followed, over the face's size."""
_DRIFT, _SLACK, _STILL = 0.2, 0.3, 0.08
"""How much of the way to the face its square goes in a frame; how far it may stay behind, and from
where on it moves, over the face's size. The landmarker starts from where in the square the face
was: a square that jumped to the face would hand the points' own noise on, twofold."""
_LEAST_PX, _MOST_PX = 256, 512
_FARTHEST, _GROWTH = 0.5, 1.4
"""What a face may move, over its size, and grow from one frame to the next."""
_IN_PICTURE = 0.5
"""Share of a face's points that must lie in the picture."""
_ALIKE, _BREAK = 0.75, 0.6
"""Likeness of a face to itself a frame before under which it is not the same face: with colours
that are strange to the person, and with any (in six real clips it was never under 0.82)."""
_SLIP = 3
"""Frames at most that a face takes to slip away."""
_SHORT = 25
"""Frames after which a lost face may be anywhere."""
_BRIEF = 5
"""Whoever is seen in fewer frames is no person, or only passes."""


class Person:
    """One person's faces so far.

    times    frames in which the face was found, ascending
    faces    one for each of them, in pixels of the picture
    looks    likewise
    colours  (4608,) the person's usual ones
    window   the square in which to look next
    """

    def __init__(self, colours: np.ndarray, window: Crop):
        self.times: list[int] = []
        self.faces: list[Face] = []
        self.looks: list[Look] = []
        self.colours = colours
        self.follower: Follower | None = None
        self.window = window

    @property
    def area(self) -> float:
        """Sum over the frames of the squared size: large for a large, lasting face."""
        return sum(face.size**2 for face in self.faces)

    def add(self, t: int, face: Face, look: Look) -> None:
        """Take a face as the person's in frame ``t``."""
        self.times.append(t)
        self.faces.append(face)
        self.looks.append(look._replace(colours=_NONE))
        self._move_window(face)
        if colour_distance(look.colours, self.colours) < SAME:
            share = max(0.05, 1 / len(self.times))
            mixed = (1 - share) * self.colours + share * look.colours
            self.colours = mixed / np.linalg.norm(mixed)

    def _move_window(self, face: Face) -> None:
        """Let the window drift after a face that moves."""
        old = self.window
        centre = np.array([old.left, old.top]) + old.side / 2
        offset = face.centre - centre
        far = float(np.linalg.norm(offset)) / face.size
        growth = _VIEW * face.size / old.side - 1
        if far < _STILL and abs(growth) < _STILL:
            return
        step = max(_DRIFT, 1 - _SLACK / far) if far > 0 else 0.0
        side = old.side * (1 + 0.5 * _DRIFT * growth)
        self.window = square(centre + step * offset, side, least_px=_LEAST_PX, most_px=_MOST_PX)

    def take_back(self) -> None:
        """Drop the last face: it was somebody else's."""
        self.times.pop()
        self.faces.pop()
        self.looks.pop()

    def place_at(self, t: int) -> np.ndarray:
        """Where the middle (2,) of the face would be in frame ``t``."""
        back = min(5, len(self.faces) - 1)
        here = self.faces[-1].centre
        if back == 0:
            return here
        pace = (here - self.faces[-1 - back].centre) / (self.times[-1] - self.times[-1 - back])
        return here + pace * min(t - self.times[-1], _KEEN)


_NONE = np.zeros(0, np.float32)


class Company:
    """The people of one clip; use as a context manager, ``step`` through its frames."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.frames = 0
        self.frame_size = (0, 0)
        self._open = ExitStack()
        self._searcher = self._open.enter_context(Searcher())
        self._spare: list[Follower] = []

    def __enter__(self) -> "Company":
        return self

    def __exit__(self, *_) -> None:
        self._open.close()

    @property
    def score_names(self) -> tuple[str, ...]:
        """Names of the scores, once a face was found."""
        return self._searcher.score_names

    def step(self, image: np.ndarray) -> None:
        """Look at the next frame (H, W, 3) uint8."""
        self.frame_size = image.shape[1], image.shape[0]
        for person in self._followed():
            self._follow(person, image)
        self._settle(image)
        for face in self._further_faces(image):
            self._welcome(face, image)
        self.frames += 1

    def most_at_once(self) -> int:
        """The most people seen in one frame; those seen in few frames do not count."""
        least = min(_BRIEF, self.frames)
        times = [p.times for p in self.people if len(p.times) >= least]
        return int(np.bincount(np.concatenate(times)).max()) if times else 0

    def choose(self, place: tuple[float, float] | None = None) -> Person | None:
        """The person with the largest, most lasting face, or the one nearest to a place.

        Parameters
        ----------
        place : x, y in pixels of the first frame that shows a face
        """
        people = joined(self.people)
        if not people:
            return None
        if place is None:
            return max(people, key=lambda p: p.area)
        first = min(p.times[0] for p in people)
        there = [p for p in people if p.times[0] == first]
        return min(there, key=lambda p: np.linalg.norm(p.faces[0].centre - np.array(place)))

    # ------------------------------------------------------------------------------ following

    def _followed(self) -> list[Person]:
        return [p for p in self.people if p.follower is not None]

    def _follow(self, person: Person, image: np.ndarray) -> None:
        last = person.faces[-1]
        crop = person.window
        shown = view(image, crop)
        seen = person.follower.find(shown) if person.follower else None
        if seen is not None and self._plausible(_in_image(seen, crop), last):
            look = self._look(shown, crop, seen)
            if not self._changed(person, look):
                person.add(self.frames, _in_image(seen, crop), look)
                return
        self._lose(person)

    def _plausible(self, face: Face, last: Face) -> bool:
        moved = np.linalg.norm(face.centre - last.centre) / last.size
        growth = max(face.size / last.size, last.size / face.size)
        return bool(moved < _FARTHEST and growth < _GROWTH) and self._visible(face)

    def _visible(self, face: Face) -> bool:
        inside = (face.points >= 0) & (face.points < np.array(self.frame_size))
        return bool(inside.all(1).mean() >= _IN_PICTURE)

    def _look(self, shown: np.ndarray, crop: Crop, seen: Face) -> Look:
        """Look of a face ``seen`` in what a crop shows."""
        corners = crop.to_crop(np.array([(0, 0), self.frame_size]))
        return look_of(shown, seen.points, inside=corners)

    def _changed(self, person: Person, look: Look) -> bool:
        """Whether another face stands where the person's was: after a cut, or when one passes."""
        likeness = float(pattern_likeness(look.pattern, person.looks[-1].pattern))
        strange = colour_distance(look.colours, person.colours) > OTHER
        return likeness < (_ALIKE if strange else _BREAK)

    def _lose(self, person: Person) -> None:
        """Stop following; the frames in which the face was just slipping away do not count."""
        if person.follower is not None:
            self._spare.append(person.follower)
            person.follower = None
        for _ in range(_SLIP):
            if len(person.looks) < 2:
                break
            last, before = person.looks[-1].pattern, person.looks[-2].pattern
            if float(pattern_likeness(last, before)) >= _ALIKE:
                break
            person.take_back()

    def _settle(self, image: np.ndarray) -> None:
        """Where two are followed on one face, the one to whom it is less like is lost.

        Whoever slid over from a face that was covered saw another pattern on the way.
        """
        people = self._followed()
        for i, a in enumerate(people):
            for b in people[i + 1 :]:
                both = a.follower is not None and b.follower is not None
                if both and same_place(a.faces[-1], [b.faces[-1]]):
                    loser = max(a, b, key=lambda p: self._strangeness(p, image))
                    loser.take_back()
                    self._lose(loser)
                    if not loser.times:
                        self.people.remove(loser)

    def _strangeness(self, person: Person, image: np.ndarray) -> float:
        face = person.faces[-1]
        crop = _around(face)
        shown = Face(crop.to_crop(face.points), face.scores)
        look = self._look(view(image, crop), crop, shown)
        patterns = np.stack([look.pattern for look in person.looks[-_KEEN:]])
        slide = 1 - float(pattern_likeness(patterns[1:], patterns[:-1]).min(initial=1))
        return colour_distance(look.colours, person.colours) + slide

    # ------------------------------------------------------------------------------ searching

    def _further_faces(self, image: np.ndarray) -> Iterable[Face]:
        """Faces of nobody who is followed already."""
        followed = [p.faces[-1] for p in self._followed()]
        thorough = self.frames % _SEARCH_EVERY == 0
        faces: list[Face] = []
        if not followed:
            faces = (faces_anywhere if thorough else faces_in_whole)(self._searcher, image)
        elif thorough:
            faces = faces_in_whole(self._searcher, image)
        for person in self.people:
            if person.follower is None and not faces:
                faces = self._near(person, image)
        new: list[Face] = []
        for face in faces:
            if self._visible(face) and not same_place(face, followed + new):
                new.append(face)
        return sorted(new, key=lambda f: -f.size)

    def _near(self, person: Person, image: np.ndarray) -> list[Face]:
        """Faces around the place where a lost person would be now."""
        lost_for = self.frames - person.times[-1]
        if lost_for > _LONGEST or (lost_for > _KEEN and lost_for % _RARELY):
            return []
        size = person.faces[-1].size
        side = min(size * (_VIEW + 0.3 * lost_for), 5 * size, 1.2 * max(self.frame_size))
        place = np.clip(person.place_at(self.frames), 0, self.frame_size)
        crop = square(place, side, least_px=_LEAST_PX, most_px=_MOST_PX)
        return faces_in_view(self._searcher, image, crop)

    def _welcome(self, face: Face, image: np.ndarray) -> None:
        """Follow a face that was found, as the person it belongs to or as a new one."""
        if len(self._followed()) >= MOST_FACES:
            return
        follower = self._spare.pop() if self._spare else self._open.enter_context(Follower())
        crop = _around(face)
        shown = view(image, crop)
        seen = follower.settle(shown)
        if seen is None or not same_place(_in_image(seen, crop), [face]):
            self._spare.append(follower)
            return
        look = self._look(shown, crop, seen)
        person = self._known(_in_image(seen, crop), look)
        if person is None:
            person = Person(look.colours, crop)
            self.people.append(person)
        person.follower, person.window = follower, crop
        person.add(self.frames, _in_image(seen, crop), look)

    def _known(self, face: Face, look: Look) -> Person | None:
        """Whom of the lost a face belongs to."""
        fits: list[tuple[float, int, Person]] = []
        for person in self.people:
            if person.follower is None:
                distance = colour_distance(look.colours, person.colours)
                likeness = float(pattern_likeness(look.pattern, person.looks[-1].pattern))
                near = self._near_enough(person, face)
                if distance < (OTHER if near else SAME + 0.05) or (near and likeness > 0.85):
                    fits.append((distance - 0.1 * near, len(fits), person))
        return min(fits)[2] if fits else None

    def _near_enough(self, person: Person, face: Face) -> bool:
        """Whether a person lost a moment ago could be there by now."""
        lost_for = self.frames - person.times[-1]
        size = person.faces[-1].size
        reach = size * (_FARTHEST + 0.15 * lost_for)
        growth = max(face.size / size, size / face.size)
        away = np.linalg.norm(face.centre - person.place_at(self.frames))
        return bool(lost_for <= _SHORT and away < reach and growth < 1.5)


def joined(people: list[Person]) -> list[Person]:
    """People who look alike and are never seen together, each as one person.

    Someone who comes back half in the picture or in other light is first taken for a new person.
    """
    whole: list[Person] = []
    for person in sorted(people, key=lambda p: -p.area):
        for other in whole:
            apart = not set(person.times) & set(other.times)
            if apart and colour_distance(person.colours, other.colours) < SAME:
                order = np.argsort(other.times + person.times)
                other.times = [(other.times + person.times)[k] for k in order]
                other.faces = [(other.faces + person.faces)[k] for k in order]
                other.looks = [(other.looks + person.looks)[k] for k in order]
                break
        else:
            whole.append(copy(person))
    return whole


def _around(face: Face) -> Crop:
    return square(face.centre, _VIEW * face.size, least_px=_LEAST_PX, most_px=_MOST_PX)


def _in_image(face: Face, crop: Crop) -> Face:
    return face._replace(points=crop.to_source(face.points).astype(np.float32))
