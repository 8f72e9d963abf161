"""Stills of very many synthetic people, from whom few-shot is learned."""

from collections.abc import Callable

import numpy as np

from repro.animate.footage import Footage
from repro.animate.settings import AnimateSettings
from repro.face.model import MEDIAPIPE_OF_68, load_open_model
from repro.face.pose import apply_pose
from repro.processes import side_by_side
from repro.reconstruct.crop import cut, square_crop
from repro.reconstruct.portraits import FIRST_PERSON, film_stills
from repro.reconstruct.settings import ReconstructSettings
from repro.render.face import without_lashes

_SHOWN_M = 0.36
"""Width that a filmed still shows at one metre: it holds the crop of any turned head."""
_CROP_M = 0.28
"""About the width of that crop."""
_FILMED_OVER_SHOWN = 1.5
"""Pixels of a filmed still for one of its crop, which so is antialiased."""


def film_people(
    settings: AnimateSettings,
    *,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Footage]:
    """Film ``settings.portrait_people`` synthetic people, with their truth.

    Framed as the reconstruction frames a clip. None of them is in any corpus.

    Parameters
    ----------
    seed : of who they are and what they do
    workers : processes that film side by side
    progress : called with (people done, people planned)
    """
    # Those of the coefficient network stand before them.
    first = FIRST_PERSON + 50_000 + seed * 100_000
    tasks = [
        (first + k, settings.portrait_frames, settings.image_px)
        for k in range(settings.portrait_people)
    ]
    people: list[Footage] = []
    for person in side_by_side(film_person, tasks, workers=workers):
        people.append(person)
        if progress is not None:
            progress(len(people), len(tasks))
    return people


def film_person(seed: int, count: int, image_px: int) -> Footage:
    """``count`` stills of one synthetic person, ``image_px`` a side."""
    model = load_open_model()
    filmed_px = 2 * round(_FILMED_OVER_SHOWN * image_px * _SHOWN_M / _CROP_M / 2)
    made = film_stills(seed, model, size_px=filmed_px, shown_m=_SHOWN_M, count=count)
    crop = square_crop(made.points, ReconstructSettings(crop_px=image_px))
    truth = made.truth
    posed = apply_pose(model.vertices(truth.identity, truth.expression), truth.pose)
    return Footage(
        f"person {seed}",
        np.stack([cut(frame, crop) for frame in made.frames]),
        crop.to_crop(made.points[:, MEDIAPIPE_OF_68]).astype(np.float32),
        np.asarray(truth.pose, np.float32),
        posed.astype(np.float32),
        model.landmarks(posed)[:, MEDIAPIPE_OF_68].astype(np.float32),
        without_lashes(model).triangles,
        made.camera.seen_through(crop),
    )
