"""The synthetic corpus: people of the face model who speak, filmed, with exact ground truth.

Every clip is an mp4 with sound, an npz with all that made it, and a json to read. A person, a
text and a seed give the same clip again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repro import FPS, SAMPLE_RATE, __version__
from repro.corpus import appearance
from repro.corpus.figure import Figure, build_figure, pose_figure
from repro.corpus.lips import lip_edges
from repro.corpus.noise import noise_table
from repro.corpus.people import Person, draw_person
from repro.corpus.performance import Performance, perform
from repro.corpus.room import room_image
from repro.corpus.settings import CorpusSettings
from repro.corpus.shadow import view_from
from repro.corpus.video import VideoWriter
from repro.corpus.visemes import closure_times
from repro.errors import UserError
from repro.face.camera import Camera
from repro.face.landmarks import lip_gap
from repro.face.model import MorphableModel, load_open_model
from repro.face.pose import apply_pose
from repro.render.rasterise import rasterise
from repro.speech.synthesis import SENTENCES, Speech, speak

GENERAL, PERSONAL = "general", "personal"
LABEL = "synthetic: a computer-generated person with a synthetic voice; nobody real is shown"
_SHADOW_PX, _SHADOW_M = 320, 0.62
_NOISE_POOL = 1 << 21


@dataclass(frozen=True)
class Entry:
    """A clip of the corpus: its split, its person's seed, and its three files."""

    split: str
    person: int
    text: str
    video: Path
    truth: Path

    @property
    def name(self) -> str:
        """The clip's name without folder and suffix."""
        return self.video.stem


@dataclass(frozen=True)
class Corpus:
    """A synthetic corpus on disk."""

    folder: Path
    entries: tuple[Entry, ...]
    settings: CorpusSettings

    def split(self, name: str) -> tuple[Entry, ...]:
        """The entries of ``"general"`` or ``"personal"``."""
        return tuple(e for e in self.entries if e.split == name)


@dataclass(frozen=True)
class Truth:
    """What made a clip of T frames; see ``load_truth``.

    expression (T, 64), pose (T, 6), identity (80,), texture (80,), light (27,) float32;
    landmarks (T, 478, 2) float32 pixels, landmark_valid (478,) bool; lip_gap_m (T,) between the
    lips' landmarks and lip_aperture_m (T,) between their edges, float32; phonemes: symbols with
    start and end (n, 2) seconds; camera
    """

    expression: np.ndarray
    pose: np.ndarray
    identity: np.ndarray
    texture: np.ndarray
    light: np.ndarray
    landmarks: np.ndarray
    landmark_valid: np.ndarray
    lip_gap_m: np.ndarray
    lip_aperture_m: np.ndarray
    symbols: tuple[str, ...]
    times_s: np.ndarray
    camera: Camera
    person: int


def film_camera(settings: CorpusSettings) -> Camera:
    """The camera of every clip: centred on the frame."""
    size = settings.image_px
    return Camera(settings.focal_over_image * size, 0.5 * size, 0.5 * size, size, size)


def render_performance(
    figure: Figure, performance: Performance, settings: CorpusSettings, *, seed: int
) -> Iterator[np.ndarray]:
    """Film a performance: (H, W, 3) uint8 RGB frames, one at a time."""
    size = settings.image_px
    room = room_image(figure.person.appearance.room_colours, size_px=size, seed=figure.person.seed)
    table = noise_table()
    rng = np.random.default_rng([seed, 5])
    pool = rng.normal(0, settings.noise, _NOISE_POOL).astype(np.float32)
    for expression, pose in zip(performance.expression, performance.pose, strict=True):
        image = render_frame(figure, expression, pose, room, table, settings)
        start = rng.integers(0, _NOISE_POOL - image.size)
        image += pool[start : start + image.size].reshape(image.shape)
        yield (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def render_frame(
    figure: Figure, expression, pose, room, table, settings: CorpusSettings
) -> np.ndarray:
    """One noiseless frame (H, W, 3) float32 in [0, 1] of expression (64,) and pose (6,)."""
    camera, threads, s = film_camera(settings), settings.threads, settings.supersample
    fine = Camera(
        camera.focal_px * s, camera.cx * s, camera.cy * s, camera.width * s, camera.height * s
    )
    surface = pose_figure(figure, expression, pose)
    base = rasterise(surface.points, figure.triangles[0], fine, threads=threads)
    window, corner = _window(surface.points, figure.triangles[1:], fine)
    layers = [
        rasterise(surface.points, t, window, threads=threads, cull=closed)
        for t, closed in zip(figure.triangles[1:], figure.one_sided, strict=True)
    ]
    lamp = figure.person.appearance.lamp
    view = view_from(
        lamp.direction,
        surface.points,
        figure.occluders,
        centre=figure.person.pose_style.place_m + np.array([0, 0.04, 0]),
        extent_m=_SHADOW_M,
        size_px=_SHADOW_PX,
        threads=threads,
    )
    return appearance.shade_image(
        base, layers, corner, figure.triangles, figure.materials, surface, figure.look, lamp, view,
        table, room, supersample=s, threads=threads,
    )  # fmt: skip


def _window(points, meshes, camera: Camera) -> tuple[Camera, np.ndarray]:
    """The part of the image that the translucent meshes can touch, and its first row, column."""
    used = np.unique(np.concatenate([m.ravel() for m in meshes]))
    xy = camera.project(points[used])
    size = np.array([camera.width, camera.height])
    low = np.clip(np.floor(xy.min(0)) - 1, 0, size - 1).astype(int)
    high = np.clip(np.ceil(xy.max(0)) + 1, low + 1, size).astype(int)
    left, top = low
    width, height = high - low
    window = Camera(camera.focal_px, camera.cx - left, camera.cy - top, int(width), int(height))
    return window, np.array([top, left])


def make_clip(
    person: Person,
    text: str,
    out_stem: Path,
    settings: CorpusSettings,
    *,
    seed: int,
    model: MorphableModel | None = None,
    figure: Figure | None = None,
    length_s: float | None = None,
) -> Path:
    """Let a person say a text and write ``<out_stem>.mp4``, ``.npz`` and ``.json``.

    Parameters
    ----------
    length_s : cut or pad (with silence) to this length; by default as long as the speech
    model, figure : given by a caller who makes several clips; else loaded and built here

    Returns
    -------
    The mp4's path. The json is written last: where it stands the clip is whole.
    """
    out_stem = Path(out_stem)
    model = model or load_open_model()
    figure = figure or build_figure(model, person, noise_table())
    speech = speak(
        text, voice=person.voice, rate_wpm=person.rate_wpm, pitch=person.pitch, seed=seed % 2**31
    )
    frames = round((length_s or len(speech.audio) / SAMPLE_RATE) * FPS)
    audio = np.zeros(frames * SAMPLE_RATE // FPS, np.float32)
    audio[: len(speech.audio)] = speech.audio[: len(audio)]
    performance = perform(
        audio, speech.phonemes, person, frames=frames, seed=seed, names=model.expression_names
    )
    video = out_stem.with_suffix(".mp4")
    size = (settings.image_px, settings.image_px)
    with VideoWriter(video, size=size, fps=FPS, audio=audio, metadata={"comment": LABEL}) as out:
        for frame in render_performance(figure, performance, settings, seed=seed):
            out.write(frame)
    arrays = _truth_arrays(figure, performance, speech, settings)
    _save_npz(out_stem.with_suffix(".npz"), arrays)
    _save_json(
        out_stem.with_suffix(".json"),
        {
            "text": text,
            "person": person.seed,
            "voice": person.voice,
            "seed": seed,
            "frames": frames,
            "label": LABEL,
            "version": __version__,
            "settings": settings.model_dump(),
        },
    )
    return video


def _truth_arrays(figure: Figure, performance: Performance, speech: Speech, settings) -> dict:
    model, person = figure.model, figure.person
    camera = film_camera(settings)
    end = len(performance) / FPS
    said = [p for p in speech.phonemes if p.start_s < end]
    edges = lip_edges(model)
    times = np.array([(p.start_s, p.end_s) for p in said], np.float32).reshape(-1, 2)
    landmarks, gaps, apertures = [], [], []
    for expression, pose in zip(performance.expression, performance.pose, strict=True):
        vertices = model.vertices(person.identity, expression)
        points = model.landmarks(vertices)
        landmarks.append(camera.project(apply_pose(points, pose)))
        gaps.append(lip_gap(points))
        apertures.append(edges.aperture(vertices))
    return {
        "expression": performance.expression,
        "pose": performance.pose,
        "loudness": performance.loudness,
        "identity": person.identity,
        "texture": person.texture,
        "light": person.light,
        "landmarks": np.array(landmarks, np.float32),
        "landmark_valid": model.landmark_valid,
        "lip_gap_m": np.array(gaps, np.float32),
        "lip_aperture_m": np.array(apertures, np.float32),
        "phoneme_symbols": np.array([p.symbol for p in said], dtype="U8"),
        "phoneme_times_s": times,
        "closure_times_s": closure_times(said).astype(np.float32),
        "camera": np.array([camera.focal_px, camera.cx, camera.cy, camera.width, camera.height]),
        "person": np.array(person.seed),
    }


def load_truth(path: Path) -> Truth:
    """Read the ground truth beside a clip (its npz)."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"Ground truth '{path}' does not exist; make the corpus first.")
    same = ("expression", "pose", "identity", "texture", "light", "landmarks", "landmark_valid")
    with np.load(path) as f:
        focal, cx, cy, width, height = f["camera"]
        return Truth(
            **{name: f[name] for name in (*same, "lip_gap_m", "lip_aperture_m")},
            symbols=tuple(str(s) for s in f["phoneme_symbols"]),
            times_s=f["phoneme_times_s"],
            camera=Camera(float(focal), float(cx), float(cy), int(width), int(height)),
            person=int(f["person"]),
        )


def truth_of(video: Path) -> Truth | None:
    """The truth beside a synthetic clip; None for a real one."""
    path = Path(video).with_suffix(".npz")
    return load_truth(path) if path.is_file() else None


def make_corpus(
    folder: Path,
    settings: CorpusSettings,
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> Corpus:
    """Make every clip that is not there yet.

    Parameters
    ----------
    progress : called with (clips done, clips in all, name of the clip just done)

    Raises
    ------
    UserError
        The folder holds a corpus made with other settings, or cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Folder '{folder}' cannot be written ({error.strerror}).") from error
    _check_settings(folder, settings)
    plan = _plan(folder, settings)
    model, figure = load_open_model(), None
    for done, (entry, length_s, seed) in enumerate(plan, start=1):
        if not entry.video.with_suffix(".json").is_file():
            person = draw_person(entry.person)
            if figure is None or figure.person.seed != person.seed:
                figure = build_figure(model, person, noise_table())
            make_clip(
                person, entry.text, entry.video.with_suffix(""), settings, seed=seed, model=model,
                figure=figure, length_s=length_s,
            )  # fmt: skip
        if progress is not None:
            progress(done, len(plan), entry.name)
    _save_json(folder / "corpus.json", _index(plan, settings))
    return load_corpus(folder)


def load_corpus(folder: Path) -> Corpus:
    """Read the list of a corpus that ``make_corpus`` has finished."""
    folder = Path(folder)
    index = folder / "corpus.json"
    if not index.is_file():
        raise UserError(f"Folder '{folder}' holds no synthetic corpus; make it first.")
    data = json.loads(index.read_text())
    entries = tuple(
        Entry(e["split"], e["person"], e["text"], folder / e["video"], folder / e["truth"])
        for e in data["entries"]
    )
    return Corpus(folder, entries, CorpusSettings(**data["settings"]))


def _plan(folder: Path, settings: CorpusSettings) -> list[tuple[Entry, float, int]]:
    """Every clip with its length in seconds and its seed."""
    plan = []
    general = settings.people - settings.personal_people
    for k in range(settings.people):
        split = GENERAL if k < general else PERSONAL
        clips = settings.general_clips if split == GENERAL else 1
        length_s = settings.clip_s if split == GENERAL else settings.personal_s
        person = settings.seed * 1000 + k
        for c in range(clips):
            seed = int.from_bytes(hashlib.sha256(f"{person}/{c}".encode()).digest()[:4], "big")
            stem = folder / f"{split}_{person:03d}_{c:02d}"
            entry = Entry(
                split,
                person,
                _text(seed, length_s),
                stem.with_suffix(".mp4"),
                stem.with_suffix(".npz"),
            )
            plan.append((entry, length_s, seed))
    return plan


def _text(seed: int, length_s: float) -> str:
    """Sentences enough for a length, at 180 words a minute."""
    order = np.random.default_rng(seed).permutation(len(SENTENCES))
    words, chosen = 0, []
    for k in np.tile(order, 1 + int(length_s)):
        chosen.append(SENTENCES[k])
        words += len(SENTENCES[k].split())
        if words >= 3.0 * length_s:
            break
    return " ".join(chosen)


def _index(plan, settings: CorpusSettings) -> dict:
    entries = [
        {"split": e.split, "person": e.person, "text": e.text, "video": e.video.name,
         "truth": e.truth.name}
        for e, _, _ in plan
    ]  # fmt: skip
    return {"settings": settings.model_dump(), "entries": entries, "version": __version__}


def _check_settings(folder: Path, settings: CorpusSettings) -> None:
    """A folder keeps the settings of its first clip; a later run may only add clips."""
    free = {"people", "general_clips", "personal_people", "threads"}
    wanted = settings.model_dump(exclude=free)
    for path in sorted(folder.glob("*_*.json"))[:1]:
        have = json.loads(path.read_text())["settings"]
        for key, value in wanted.items():
            if have.get(key) != value:
                raise UserError(
                    f"Folder '{folder}' holds clips made with {key}={have.get(key)}, not {value}; "
                    "choose another folder or delete it."
                )


def _save_npz(path: Path, arrays: dict) -> None:
    part = path.with_suffix(".npz.part")
    with part.open("wb") as f:
        np.savez_compressed(f, **arrays)
    os.replace(part, path)


def _save_json(path: Path, data: dict) -> None:
    part = path.with_suffix(".json.part")
    part.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    os.replace(part, path)
