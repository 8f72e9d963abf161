"""Single frames of very many synthetic people, with their truth, for the network to learn from.

A handful of people speak for minutes in the corpus; what tells one face from another can only be
learned from many. These are the corpus' own people and camera, each for a few frames.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from repro.corpus.figure import build_figure
from repro.corpus.film import film_camera, render_frame, room_of
from repro.corpus.noise import noise_table
from repro.corpus.people import draw_person
from repro.corpus.performance import Performance, perform
from repro.corpus.plan import sentences
from repro.corpus.settings import CorpusSettings
from repro.face.camera import Camera
from repro.face.coefficients import Coefficients
from repro.face.model import MorphableModel, load_open_model
from repro.face.pose import apply_pose
from repro.processes import side_by_side
from repro.reconstruct.network_settings import ReconstructNetworkSettings
from repro.reconstruct.samples import MARGIN, Samples, gather, joined
from repro.speech.synthesis import fitted, speak

FIRST_PERSON = 10_000_000
"""Seeds from here on: nobody of any corpus."""

_SPEECH_S, _FPS = 4.0, 25
_TURN_SD_RAD = np.deg2rad([5.0, 11.0, 5.0])
"""Further pitch, yaw and roll, beyond the corpus' calm speakers."""
_AROUND = 1.35
"""Width of the picture over that of the stored crop."""


def film_portraits(
    settings: ReconstructNetworkSettings,
    *,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Samples:
    """Film ``settings.portrait_people`` people for ``portrait_frames`` frames each.

    Parameters
    ----------
    seed : of who they are and what they do; the same seed gives the same faces
    workers : processes that film side by side
    progress : called with (people done, people planned)

    Raises
    ------
    ValueError
        The settings ask for nobody.
    """
    count = settings.portrait_people
    if count < 1:
        raise ValueError("portrait_people is 0: there is nobody to film")
    people = [FIRST_PERSON + seed * 100_000 + k for k in range(count)]
    parts = []
    tasks = [(person, settings) for person in people]
    for part in side_by_side(_portraits, tasks, workers=workers):
        parts.append(part)
        if progress is not None:
            progress(len(parts), count)
    return joined(parts)


def _portraits(seed: int, settings: ReconstructNetworkSettings) -> Samples:
    model = load_open_model()
    shown_m = settings.crop_m * MARGIN * _AROUND
    px = 2 * round(settings.input_px / settings.crop_m * shown_m / 2)
    made = film_stills(seed, model, size_px=px, shown_m=shown_m, count=settings.portrait_frames)
    return gather(
        made.frames, made.points, made.camera, model, settings, person=seed,
        vectors=made.truth.vectors(),
    )  # fmt: skip


class Stills(NamedTuple):
    """Frames of one person with what made them.

    frames  T of (H, W, 3) uint8; camera of their pixels
    points  (T, 478, 2) float32, the true landmarks, pixels
    """

    frames: list[np.ndarray]
    truth: Coefficients
    camera: Camera
    points: np.ndarray


def film_stills(
    seed: int, model: MorphableModel, *, size_px: int, shown_m: float, count: int
) -> Stills:
    """Film ``count`` moments of a person's speech, in turn, the head turned further than usual.

    Parameters
    ----------
    seed : the person's
    size_px : side of the square frames; even
    shown_m : width, in metres, of what a frame shows at one metre's distance
    """
    person, table = draw_person(seed), noise_table()
    figure = build_figure(model, person, table)
    film = CorpusSettings(image_px=size_px, supersample=1, focal_over_image=1 / shown_m)
    room = room_of(person, size_px)
    act = _act(seed, model.expression_names, count)
    frames = []
    rng = np.random.default_rng([seed, 11])
    for expression, pose in zip(act.expression, act.pose, strict=True):
        image, _ = render_frame(figure, expression, pose, room, table, film)
        image += rng.normal(0, film.noise, image.shape).astype(np.float32)
        frames.append((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8))
    camera = film_camera(film)
    light = np.tile(person.light, (len(frames), 1))
    truth = Coefficients(person.identity, act.expression, person.texture, light, act.pose)
    heads = apply_pose(model.vertices(person.identity, act.expression), act.pose)
    points = camera.project(model.landmarks(heads)).astype(np.float32)
    return Stills(frames, truth, camera, points)


def _act(seed: int, names: Sequence[str], count: int) -> Performance:
    """Moments of the person's speech, the head turned further than in calm speech."""
    person, rng = draw_person(seed), np.random.default_rng([seed, 13])
    frames = round(_SPEECH_S * _FPS)
    speech = speak(
        sentences(seed, _SPEECH_S), voice=person.voice, rate_wpm=person.rate_wpm,
        pitch=person.pitch, seed=seed % 2**31,
    )  # fmt: skip
    whole = perform(
        fitted(speech.audio, frames), speech.phonemes, person, frames=frames, seed=seed,
        names=names,
    )  # fmt: skip
    chosen = np.sort(rng.choice(frames, min(count, frames), replace=False))
    pose = whole.pose[chosen].copy()
    pose[:, :3] += rng.normal(0, _TURN_SD_RAD, (len(chosen), 3))
    return Performance(whole.expression[chosen], pose.astype(np.float32), whole.loudness[chosen])
