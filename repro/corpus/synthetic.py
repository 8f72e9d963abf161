"""The synthetic corpus: people of the face model who speak, filmed, with exact ground truth.

Every clip is an mp4 with sound, an npz with all that made it (``truth.Truth``), an mkv with the
material of every pixel, and a json to read. The same settings give the same clips again.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from repro import FPS, SAMPLE_RATE, __version__
from repro.corpus.figure import Figure, build_figure
from repro.corpus.film import film_camera, render_performance
from repro.corpus.lips import lip_edges
from repro.corpus.noise import noise_table
from repro.corpus.people import Person, draw_person
from repro.corpus.performance import Performance, perform
from repro.corpus.plan import DRIVING, SPLITS, Entry, plan, share
from repro.corpus.settings import CorpusSettings
from repro.corpus.shade_paint import surface_albedo
from repro.corpus.truth import Truth
from repro.corpus.video import MaskWriter, VideoWriter
from repro.corpus.visemes import closure_times
from repro.errors import UserError
from repro.face.landmarks import lip_gap
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.files import atomic_path
from repro.speech.synthesis import Phoneme, Speech, Word, fitted, speak

LABEL = "synthetic: a computer-generated person with a synthetic voice; nobody real is shown"

Progress = Callable[[int, int, str], None]
"""Called after every clip: clips done, clips planned, name of the clip."""


@dataclass(frozen=True)
class Corpus:
    """A synthetic corpus on disk; ``entries`` are planned, and made by ``make_corpus``."""

    folder: Path
    settings: CorpusSettings
    entries: tuple[Entry, ...]

    def split(self, name: str) -> tuple[Entry, ...]:
        """The entries of one of ``plan.SPLITS``."""
        return tuple(e for e in self.entries if e.split == name)


def make_corpus(
    folder: Path,
    settings: CorpusSettings,
    *,
    splits: Sequence[str] = SPLITS,
    part: tuple[int, int] = (1, 1),
    progress: Progress | None = None,
) -> Corpus:
    """Make every clip of some splits that is not there yet, with ``settings.workers`` processes.

    Parameters
    ----------
    part : which share of them, of how many: machines with a common folder make a share each

    Raises
    ------
    UserError
        The folder holds a corpus made with other settings, or cannot be written; or there is no
        such share.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Folder '{folder}' cannot be written ({error.strerror}).") from error
    corpus = Corpus(folder, settings, plan(folder, settings))
    wanted = share([e for e in corpus.entries if e.split in splits], *part)
    _keep_settings(folder, settings)
    missing = [e for e in wanted if not e.note.is_file()]
    done = len(wanted) - len(missing)
    for name in _made(missing, settings):
        done += 1
        if progress is not None:
            progress(done, len(wanted), name)
    return corpus


def load_corpus(folder: Path) -> Corpus:
    """The corpus whose settings stand in a folder.

    Raises
    ------
    UserError
        There is none.
    """
    folder = Path(folder)
    index = folder / _INDEX
    if not index.is_file():
        raise UserError(f"Folder '{folder}' holds no synthetic corpus; make it first.")
    settings = CorpusSettings(**json.loads(index.read_text())["settings"])
    return Corpus(folder, settings, plan(folder, settings))


def _made(entries: list[Entry], settings: CorpusSettings) -> Iterator[str]:
    """Make clips, one at a time in each process; gives the name of every clip made."""
    workers = min(settings.workers, len(entries))
    if workers < 2:
        yield from (_make(entry, settings) for entry in entries)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        tasks = [pool.submit(_make, entry, settings) for entry in entries]
        try:
            for task in as_completed(tasks):
                yield task.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _make(entry: Entry, settings: CorpusSettings) -> str:
    """Make one clip, or a driving voice's sound; gives its name."""
    if entry.split == DRIVING:
        _make_sound(entry)
    else:
        make_clip(entry, settings)
    return entry.name


@lru_cache(maxsize=1)
def _figure(person: int) -> Figure:
    """A person's figure, kept for their next clip."""
    return build_figure(load_open_model(), draw_person(person), noise_table())


def make_clip(entry: Entry, settings: CorpusSettings, *, figure: Figure | None = None) -> Path:
    """Film one entry and write its files.

    Parameters
    ----------
    figure : of the entry's person, where the caller has it

    Returns
    -------
    The mp4's path.
    """
    figure = figure or _figure(_person(entry))
    model, person = figure.model, figure.person
    speech = _speech(entry, person)
    first, frames = _window(entry, speech)
    whole = max(first + frames, round(speech.duration_s * FPS))
    performance = perform(
        fitted(speech.audio, whole), speech.phonemes, person, frames=whole, seed=entry.seed,
        names=model.expression_names,
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
    _save_note(entry, frames, settings)
    return entry.video


def _person(entry: Entry) -> int:
    if entry.person is None:
        raise ValueError(f"{entry.name} is sound alone")
    return entry.person


def _speech(entry: Entry, person: Person) -> Speech:
    return speak(
        entry.text, voice=entry.voice, rate_wpm=person.rate_wpm, pitch=person.pitch,
        seed=entry.seed % 2**31,
    )  # fmt: skip


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


def _make_sound(entry: Entry) -> None:
    """Write a driving voice's speech as 16-bit wav."""
    rng = np.random.default_rng(entry.seed)
    speech = speak(
        entry.text, voice=entry.voice, rate_wpm=int(rng.integers(140, 176)),
        pitch=int(rng.integers(40, 61)), seed=entry.seed % 2**31,
    )  # fmt: skip
    part = entry.sound.with_suffix(".wav.part")
    audio = fitted(speech.audio, round(entry.length_s * FPS))
    soundfile.write(part, audio, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    os.replace(part, entry.sound)
    _save_json(
        entry.note,
        {"text": entry.text, "voice": entry.voice, "seed": entry.seed, "version": __version__},
    )


def _save_note(entry: Entry, frames: int, settings: CorpusSettings) -> None:
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
    _save_json(entry.note, note)


_INDEX = "corpus.json"
_FREE = {"people", "personal_people", "general_clips", "word_clips", "driving_clips"}
"""Settings that may grow: they only add clips."""
_SPEED = {"workers", "threads"}
"""Settings that change no clip."""


def _keep_settings(folder: Path, settings: CorpusSettings) -> None:
    """A folder keeps its settings; a later run may only add clips."""
    index = folder / _INDEX
    if index.is_file():
        have = json.loads(index.read_text())["settings"]
        for key, value in settings.model_dump(exclude=_FREE | _SPEED).items():
            if have.get(key) != value:
                raise UserError(
                    f"Folder '{folder}' holds clips made with {key}={have.get(key)}, not {value}; "
                    "choose another folder or delete it."
                )
        if have == settings.model_dump():
            return
    _save_json(index, {"settings": settings.model_dump(), "version": __version__})


def _save_json(path: Path, data: dict) -> None:
    with atomic_path(path) as part:
        part.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
