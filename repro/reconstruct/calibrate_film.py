"""Synthetic people filmed and looked at by the landmarker, for ``repro.reconstruct.calibrate``.

Single pictures with the head turned further than usual teach poses; short clips, recorded and
tracked as those that will be reconstructed, teach what a landmarker that follows a calm speaker in
a compressed video does wrong: other things than in a picture (measured: a correction learned from
pictures alone leaves 1.5 % of the pupils' distance in new pictures and 2.3 % in clips).
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from repro.corpus.clip import open_clip
from repro.corpus.plan import GENERAL, Entry
from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic import make_corpus
from repro.corpus.truth import load_truth
from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.face.model import MorphableModel, load_open_model
from repro.files import atomic_path
from repro.processes import side_by_side
from repro.reconstruct.alignment import face_centre
from repro.reconstruct.correct import aligned_picture
from repro.reconstruct.crop import cut, source_camera, square_crop
from repro.reconstruct.detect import detect
from repro.reconstruct.landmarker import Searcher
from repro.reconstruct.portraits import film_stills
from repro.reconstruct.settings import ReconstructSettings

FIRST_PERSON = 20_000_000
"""Seeds from here on: nobody of any corpus, and nobody whom the network sees."""
FRAMES = 10
_CLIP_SEED, _CLIP_S = 79, 1.4
_EVERY = 3
"""Frames of a clip from one that is looked at to the next: neighbours teach the same."""
_SIZES_PX = (256, 320, 400)
_SHOWN_M = (0.34, 0.36, 0.38, 0.40, 0.42)
_TOGETHER = 20
"""People in a file."""


class Filmed(NamedTuple):
    """N frames of several people, with their truth and what the landmarker says.

    pictures  (N, 157, 157, 3) uint8, and crops (N, 3): left, top, side of what they show
    points    (N, 478, 2) of the landmarker, true_points (N, 478, 2): pixels of the frame
    scores    (N, S) of the actions score_names (S,)
    camera    (N, 3) focal length, cx, cy in pixels of the frame
    vectors   (N, 257) true coefficients
    person    (N,) int64
    """

    pictures: np.ndarray
    crops: np.ndarray
    points: np.ndarray
    true_points: np.ndarray
    scores: np.ndarray
    score_names: np.ndarray
    camera: np.ndarray
    vectors: np.ndarray
    person: np.ndarray

    def each(self) -> list["Filmed"]:
        """One person after the other."""
        parts = []
        for person in np.unique(self.person):
            own = self.person == person
            fields = {n: a if n == "score_names" else a[own] for n, a in self._asdict().items()}
            parts.append(Filmed(**fields))
        return parts

    def lens(self) -> Camera:
        """The camera of one person's frames; in clips the usual one, as in reconstruction."""
        focal, cx, cy = map(float, self.camera[0])
        return Camera(focal, cx, cy, round(2 * cx), round(2 * cy))

    def windows(self) -> list[Crop]:
        """Where the pictures lie in the frames."""
        size = self.pictures.shape[1]
        return [Crop(float(x), float(y), float(side), size) for x, y, side in self.crops]

    def truth(self) -> Coefficients:
        """The coefficients that made one person's frames."""
        return Coefficients.from_vectors(self.vectors)


def film(folder: Path, *, people: int, workers: int, progress: Callable[[int], None]) -> list[Path]:
    """Film people into files of ``folder``; what is there already stays.

    Parameters
    ----------
    progress : called with a number of people when they are done
    """
    folder.mkdir(parents=True, exist_ok=True)
    firsts = range(0, people, _TOGETHER)
    paths = [folder / f"people_{first:06d}.npz" for first in firsts]
    missing = [(p, first) for p, first in zip(paths, firsts, strict=True) if not p.is_file()]
    progress(people - len(missing) * _TOGETHER)
    for _ in side_by_side(_film_some, missing, workers=workers):
        progress(_TOGETHER)
    return paths


def film_clips(
    folder: Path, *, people: int, workers: int, progress: Callable[[int], None]
) -> list[Entry]:
    """Film a short clip of each of further people; what is there already stays.

    Parameters
    ----------
    progress : called with a number of clips when they are done
    """
    settings = CorpusSettings(
        people=people + 1, personal_people=1, general_clips=1, clip_s=_CLIP_S, workers=workers,
        seed=_CLIP_SEED,
    )  # fmt: skip
    done = 0

    def told(made: int, *_: object) -> None:
        nonlocal done
        progress(made - done)
        done = made

    return list(make_corpus(folder, settings, splits=(GENERAL,), progress=told).split(GENERAL))


def recorded(entry: Entry, model: MorphableModel) -> Filmed:
    """What reconstruction is given of a clip: landmarks, followed and smoothed, and their crop.

    Of every third frame.
    """
    settings, clip, truth = ReconstructSettings(), open_clip(entry.video), load_truth(entry.truth)
    found = detect(clip.read(), name=entry.name, max_missing=settings.max_missing)
    count = len(found.found)
    crop = square_crop(found.points[found.found | found.bridged], settings)
    camera = source_camera(crop, clip.width, clip.height, settings).seen_through(crop)
    points, centre = crop.to_crop(found.points).astype(np.float32), face_centre(model)
    looked = (
        aligned_picture(cut(frame, crop), p, model, centre)
        for frame, p in zip(clip.read(), points, strict=True)
    )
    pictures, crops = zip(*looked, strict=True)
    light = np.tile(truth.light, (count, 1))
    made = Coefficients(
        truth.identity, truth.expression[:count], truth.texture, light, truth.pose[:count]
    )
    some = slice(None, None, _EVERY)
    return Filmed(
        np.stack(pictures[some]),
        np.array([(c.left, c.top, c.side) for c in crops[some]]),
        points[some],
        crop.to_crop(truth.landmarks[:count]).astype(np.float32)[some],
        found.scores[some],
        np.array(found.score_names),
        np.tile([camera.focal_px, camera.cx, camera.cy], (count, 1))[some],
        made.vectors()[some],
        np.full(count, entry.person, np.int64)[some],
    )


def load(path: Path) -> Filmed:
    """Read what ``film`` wrote."""
    with np.load(path) as stored:
        return Filmed(**{name: stored[name] for name in Filmed._fields})


def look_at(person: int, model: MorphableModel, searcher: Searcher) -> Filmed | None:
    """Film the ``person``-th person and look; None where too few faces are found."""
    stills = film_stills(
        FIRST_PERSON + person,
        model,
        size_px=_SIZES_PX[person % len(_SIZES_PX)],
        shown_m=_SHOWN_M[person % len(_SHOWN_M)],
        count=FRAMES,
    )
    seen = [searcher.find(frame) for frame in stills.frames]
    found = [t for t, faces in enumerate(seen) if faces]
    if len(found) < FRAMES // 2:
        return None
    faces = [max(seen[t], key=lambda face: face.size) for t in found]
    points, centre, lens = np.stack([f.points for f in faces]), face_centre(model), stills.camera
    pictures, crops = zip(
        *(aligned_picture(stills.frames[t], p, model, centre)
          for t, p in zip(found, points, strict=True)), strict=True,
    )  # fmt: skip
    return Filmed(
        np.stack(pictures),
        np.array([(c.left, c.top, c.side) for c in crops]),
        points,
        stills.points[found],
        np.stack([face.scores for face in faces]),
        np.array(searcher.score_names),
        np.tile([lens.focal_px, lens.cx, lens.cy], (len(found), 1)),
        stills.truth.vectors()[found],
        np.full(len(found), person, np.int64),
    )


def _film_some(path: Path, first: int) -> None:
    model = load_open_model()
    with Searcher() as searcher:
        looked = [look_at(p, model, searcher) for p in range(first, first + _TOGETHER)]
    made = [filmed for filmed in looked if filmed is not None]
    arrays = {
        name: made[0].score_names
        if name == "score_names"
        else np.concatenate([getattr(filmed, name) for filmed in made])
        for name in Filmed._fields
    }
    with atomic_path(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
