"""One clip of the synthetic corpus: spoken, acted out, filmed, and written with its truth."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import soundfile

from repro import FPS, SAMPLE_RATE, __version__
from repro.corpus.figure import Figure, build_figure
from repro.corpus.film import film_camera, render_performance
from repro.corpus.lips import lip_edges
from repro.corpus.noise import noise_table
from repro.corpus.people import draw_person
from repro.corpus.performance import Performance, perform
from repro.corpus.plan import DRIVING, Entry
from repro.corpus.settings import CorpusSettings
from repro.corpus.shade_paint import surface_albedo
from repro.corpus.truth import Truth
from repro.corpus.video import MaskWriter, VideoWriter
from repro.corpus.visemes import closure_times
from repro.face.landmarks import lip_gap
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.files import atomic_path, write_json
from repro.speech.synthesis import Phoneme, Speech, Word, fitted, speak

LABEL = "synthetic: a computer-generated person with a synthetic voice; nobody real is shown"


def make_clip(entry: Entry, settings: CorpusSettings) -> None:
    """Write the files of an entry, its note last; of a driving voice, the sound and the note."""
    if entry.split == DRIVING:
        _write_sound(entry)
    else:
        _write_film(entry, settings)


def _write_sound(entry: Entry) -> None:
    """Write a driving voice's speech as 16-bit wav."""
    rng = np.random.default_rng(entry.seed)
    speech = _speech(entry, rate_wpm=int(rng.integers(140, 176)), pitch=int(rng.integers(40, 61)))
    audio = fitted(speech.audio, round(entry.length_s * FPS))
    with atomic_path(entry.sound) as part:
        soundfile.write(part, audio, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    note = {"text": entry.text, "voice": entry.voice, "seed": entry.seed, "version": __version__}
    write_json(entry.note, note)


def _write_film(entry: Entry, settings: CorpusSettings) -> None:
    """Write the video of a person, its masks and its truth."""
    if entry.person is None:
        raise ValueError(f"{entry.name} is sound alone")
    figure = _figure(entry.person)
    person = figure.person
    speech = _speech(entry, rate_wpm=person.rate_wpm, pitch=person.pitch)
    first, frames = _window(entry, speech)
    whole = max(first + frames, round(speech.duration_s * FPS))
    performance = perform(
        fitted(speech.audio, whole), speech.phonemes, person, frames=whole, seed=entry.seed,
        names=figure.model.expression_names,
    )  # fmt: skip
    performance = performance[first : first + frames]
    speech = _cut(speech, first, frames)
    size = (settings.image_px, settings.image_px)
    about = {"comment": LABEL}
    with (
        VideoWriter(
            entry.video, size=size, fps=FPS, audio=speech.audio, metadata=about, preset="superfast"
        ) as film,
        MaskWriter(entry.masks, size=size) as masks,
    ):
        for frame, mask in render_performance(figure, performance, settings, seed=entry.seed):
            film.write(frame)
            masks.write(mask)
    _truth(figure, performance, speech, settings).save(entry.truth)
    note = {
        "split": entry.split,
        "person": entry.person,
        "text": entry.text,
        "word": entry.word,
        "voice": entry.voice,
        "seed": entry.seed,
        "frames": frames,
        "label": LABEL,
        "version": __version__,
        "settings": settings.model_dump(),
    }
    write_json(entry.note, note)


@lru_cache(maxsize=1)
def _figure(person: int) -> Figure:
    """A person's figure, kept for their next clip."""
    return build_figure(load_open_model(), draw_person(person), noise_table())


def _speech(entry: Entry, *, rate_wpm: int, pitch: int) -> Speech:
    return speak(
        entry.text, voice=entry.voice, rate_wpm=rate_wpm, pitch=pitch, seed=entry.seed % 2**31
    )


def _window(entry: Entry, speech: Speech) -> tuple[int, int]:
    """First frame and number of frames of a clip within its speech."""
    frames = round(entry.length_s * FPS)
    if not entry.word:
        return 0, frames
    (said,) = (w for w in speech.words if w.text.strip(".,").lower() == entry.word.lower())
    middle = (said.start_s + said.end_s) / 2 * FPS
    return max(0, round(middle - frames / 2)), frames


def _cut(speech: Speech, first: int, frames: int) -> Speech:
    """The part of a speech that some frames show, its times from the first of them on."""
    start_s, end_s = first / FPS, (first + frames) / FPS
    audio = fitted(speech.audio, first + frames)[first * SAMPLE_RATE // FPS :]

    def shown(parts):
        return tuple(
            replace(p, start_s=p.start_s - start_s, end_s=p.end_s - start_s)
            for p in parts
            if p.end_s > start_s and p.start_s < end_s
        )

    phonemes: tuple[Phoneme, ...] = shown(speech.phonemes)
    words: tuple[Word, ...] = shown(speech.words)
    return replace(speech, audio=audio, phonemes=phonemes, words=words)


def _truth(
    figure: Figure, performance: Performance, speech: Speech, settings: CorpusSettings
) -> Truth:
    model, person = figure.model, figure.person
    camera, lamp, edges = film_camera(settings), person.appearance.lamp, lip_edges(figure.model)
    landmarks, gaps, apertures = [], [], []
    for expression, pose in zip(performance.expression, performance.pose, strict=True):
        vertices = model.vertices(person.identity, expression)
        points = model.landmarks(vertices)
        landmarks.append(camera.project(apply_pose(points, pose)))
        gaps.append(lip_gap(points))
        apertures.append(edges.aperture(vertices))
    return Truth(
        expression=performance.expression,
        pose=performance.pose,
        identity=person.identity,
        texture=person.texture,
        light=person.light,
        lamp=np.stack([lamp.direction, lamp.key, lamp.sky, lamp.ground]).astype(np.float32),
        albedo=figure_albedo(figure),
        landmarks=np.array(landmarks, np.float32),
        landmark_valid=model.landmark_valid,
        lip_gap_m=np.array(gaps, np.float32),
        lip_aperture_m=np.array(apertures, np.float32),
        loudness=performance.loudness,
        symbols=tuple(p.symbol for p in speech.phonemes),
        times_s=_times(speech.phonemes),
        words=tuple(w.text for w in speech.words),
        word_times_s=_times(speech.words),
        closures_s=closure_times(speech.phonemes).astype(np.float32),
        camera=camera,
        person=person.seed,
    )


def _times(parts: Sequence[Phoneme] | Sequence[Word]) -> np.ndarray:
    return np.array([(p.start_s, p.end_s) for p in parts], np.float32).reshape(-1, 2)


def figure_albedo(figure: Figure) -> np.ndarray:
    """Display albedo (V, 3) float32 of the face's vertices, with what the shader adds."""
    return surface_albedo(
        figure.triangles[0], figure.materials[0], *figure.paint, figure.look, noise_table(),
        len(figure.model.mean),
    )  # fmt: skip
