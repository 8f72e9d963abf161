"""Landmarks of one person in every frame of a clip."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from repro import FPS
from repro.errors import UserError
from repro.face import landmarks as lm
from repro.reconstruct.confidence import confidence
from repro.reconstruct.follow import Company, Person
from repro.reconstruct.landmarker import Searcher
from repro.reconstruct.search import SMALLEST_PX, faces_anywhere
from repro.reconstruct.steady import bridge, bridge_points, smooth


@dataclass(frozen=True)
class Detection:
    """Landmarks of the followed person in T frames.

    points       (T, 478, 2) float32, source pixels, freed of noise without delay; may lie outside
                 the picture; filled where no face was found
    scores       (T, 52) float32, the landmarker's ARKit action scores in [0, 1]; likewise filled
    score_names  what the scores are of
    found        (T,) bool, where the face was seen
    people       the most people seen in one frame
    raw          (T, 478, 2) float32, points as detected; NaN where no face was found
    bridged      (T,) bool, where the face was not seen, for at most a second: there the points are
                 a good guess; where neither found nor bridged they only fill the array
    confidence   (T,) float32 in [0, 1]: low where the face is covered, blurred, partly out of the
                 picture or leaps; lower where bridged; 0 where neither found nor bridged
    frame_size   width and height of a frame, pixels
    """

    points: np.ndarray
    scores: np.ndarray
    score_names: tuple[str, ...]
    found: np.ndarray
    people: int
    raw: np.ndarray
    bridged: np.ndarray
    confidence: np.ndarray
    frame_size: tuple[int, int]

    @property
    def in_picture(self) -> np.ndarray:
        """Which points lie in the picture: (T, 478) bool."""
        inside = (self.points >= 0) & (self.points < np.array(self.frame_size))
        return np.asarray(inside.all(-1))


def detect(
    frames: Iterable[np.ndarray],
    *,
    name: str,
    max_missing: float = 0.5,
    place: tuple[float, float] | None = None,
) -> Detection:
    """Follow one face through a clip; only points are kept of its frames.

    With several people in view the one with the larger, more lasting face is followed.

    Parameters
    ----------
    frames : iterable of (H, W, 3) uint8 RGB, at 25 fps
    name : the clip's name, for messages
    max_missing : the largest share of frames without the face
    place : x, y in pixels: follow whoever is nearest to it in the first frame that shows a face

    Raises
    ------
    UserError
        No frames; no face in any; the face in fewer than ``1 - max_missing`` of them.
    """
    with Company() as company:
        for frame in frames:
            company.step(frame)
    person = company.choose(place)
    if company.frames == 0:
        raise UserError(f"Clip '{name}' has no frames: give a longer clip.")
    if person is None:
        raise UserError(
            f"Clip '{name}': no face in any of {company.frames} frames; "
            f"is the face in view and at least {SMALLEST_PX} px wide?"
        )
    found = np.zeros(company.frames, bool)
    found[person.times] = True
    if found.mean() < 1 - max_missing:
        raise UserError(_missing(name, found, max_missing, company.most_at_once()))
    return _detection(person, found, company)


def _detection(person: Person, found: np.ndarray, company: Company) -> Detection:
    raw = np.full((len(found), lm.COUNT, 2), np.nan, np.float32)
    raw[found] = [face.points for face in person.faces]
    scores = np.zeros((len(found), len(person.faces[0].scores)), np.float32)
    scores[found] = [face.scores for face in person.faces]
    points, bridged = bridge_points(smooth(raw, found), found)
    return Detection(
        points=points,
        scores=bridge(scores, found),
        score_names=company.score_names,
        found=found,
        people=company.most_at_once(),
        raw=raw,
        bridged=bridged,
        confidence=confidence(raw, found, bridged, person.looks, company.frame_size),
        frame_size=company.frame_size,
    )


def _missing(name: str, found: np.ndarray, max_missing: float, people: int) -> str:
    gap = np.flatnonzero(np.diff(np.concatenate([[0], ~found, [0]]).astype(int)))
    start, end = max(gap.reshape(-1, 2), key=lambda ends: ends[1] - ends[0])
    crowd = f", of the {people} people seen, the most lasting one," if people > 1 else ""
    return (
        f"Clip '{name}': the face{crowd} is missing in {(~found).sum()} of {len(found)} frames "
        f"(longest from frame {start}, {start / FPS:.1f} s, to {end - 1}); "
        f"give a clip that shows it in at least {1 - max_missing:.0%} of them."
    )


def detect_image(image: np.ndarray) -> np.ndarray | None:
    """Landmarks (478, 2) float32 in pixels of the face in one picture (H, W, 3) uint8, or None."""
    with Searcher() as searcher:
        faces = faces_anywhere(searcher, image)
    return max(faces, key=lambda face: face.size).points if faces else None


def face_box(points: np.ndarray) -> Iterator[float]:
    """Left, top, right, bottom over all frames (2nd to 98th percentile) of points (T, L, 2)."""
    low, high = points.min(1), points.max(1)
    yield from np.percentile(low, 2, axis=0)
    yield from np.percentile(high, 98, axis=0)
