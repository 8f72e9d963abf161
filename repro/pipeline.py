"""The stages of Yi et al. 2020 in order, each kept under the hash of its inputs and settings.

Notebooks, ``repro run`` and ``repro talk`` call the same functions. A stage that was made before
from the same inputs and settings is read, not made again; one that was cut off leaves nothing.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from repro import FPS, assets
from repro.config import Profile
from repro.corpus.clip import Clip
from repro.corpus.folder import folder_corpus
from repro.corpus.plan import GENERAL, PERSONAL, SPLITS
from repro.corpus.readers import read_recordings, recognise
from repro.corpus.recording import TEST, TRAIN, Recording, spread, usable
from repro.corpus.synthetic import Corpus, make_corpus
from repro.errors import UserError
from repro.face import landmarks as lm
from repro.face.model import MorphableModel, load_open_model
from repro.motion.checkpoint import MotionHistory, load_mapping, save_mapping
from repro.motion.losses import vertex_metric
from repro.motion.mapping import MotionMapping
from repro.motion.motion import Motion
from repro.motion.train import fine_tune, train_general
from repro.reconstruct.reconstruct import reconstruct
from repro.reconstruct.track import FaceTrack
from repro.refine.identity import identity_network
from repro.refine.pairs import PersonPairs
from repro.refine.refine import Refiner
from repro.refine.train import RefineHistory, train_refiner
from repro.render.face import FaceRenderer, RenderSettings
from repro.speech.features import mfcc_windows
from repro.store import Store, digest, file_hash

SYNTHETIC = "synthetic"
SHORTEST_S = 2.0
HELD_OUT = 50
"""Frames of the personal clip that are never learned from, at least: notebook 04 tests on them."""
LOOKED_AT = 64
"""Recordings of a large corpus of which the longest becomes the personal clip."""
MOUTH_WEIGHT = 10.0
"""Weight of lip vertices beside the face's, where errors are measured in vertices."""
DETAIL = (lm.LIPS, lm.EYELIDS[:16], lm.EYELIDS[16:])
DETAIL_MARGIN_PX = 4
IDENTITY_EVERY = 25
"""Frames between two looks of the identity network, which is slow; those between are mixed."""


@dataclass(frozen=True)
class Target:
    """A person to be made to speak: what reconstruction knows of a clip of theirs.

    name    of the clip, for messages
    key     hash of the video and of how it was reconstructed
    clip    the source video
    frames  (T, 256, 256, 3) uint8, its square crop (memory-mapped)
    track   the face in it
    audio   (N,) float32 at 16 kHz, or None for a video without sound
    """

    name: str
    key: str
    clip: Clip
    frames: np.ndarray
    track: FaceTrack
    audio: np.ndarray | None

    def __len__(self) -> int:
        """Frames."""
        return len(self.track)

    @property
    def motion(self) -> Motion:
        """Expression and pose as reconstructed."""
        return Motion(self.track.coefficients.expression, self.track.coefficients.pose)

    @property
    def windows(self) -> np.ndarray:
        """MFCC windows (T, 28, 12) of the clip's own sound.

        Raises
        ------
        UserError
            The clip has no sound.
        """
        if self.audio is None:
            raise UserError(f"Clip '{self.name}' has no sound to learn the motion from.")
        return mfcc_windows(self.audio, len(self))


@dataclass(frozen=True)
class Workspace:
    """Where results go, and with which settings, seed and face model they are made.

    root     folder of this profile's results on this corpus
    profile  settings of every stage
    corpus   "synthetic", or a folder: a corpus that ``repro.corpus.readers`` knows, or videos
    seed     the one seed from which all others are drawn
    """

    root: Path
    profile: Profile
    corpus: str
    seed: int
    model: MorphableModel

    @classmethod
    def open(
        cls, root: Path | str, profile: Profile, *, corpus: str = SYNTHETIC, seed: int = 0
    ) -> "Workspace":
        """A workspace on the open face model.

        Raises
        ------
        UserError
            The folder cannot be written.
        """
        root = Path(root)
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"Folder '{root}' cannot be written ({error.strerror}).") from error
        return cls(root, profile, corpus, seed, load_open_model())

    @functools.cached_property
    def store(self) -> Store:
        """The stages made so far."""
        return Store(self.root / "stages")

    def stage(
        self, name: str, key: Mapping[str, object], make: Callable[[Path], None], *code: str
    ) -> Path:
        """The folder of a finished stage, made now where it is missing.

        ``code``: the parts of the package whose sources belong to the key.
        """
        return self.store.stage(name, {**key, "code": source_digest(*code)}, make)

    @property
    def device(self) -> str:
        """``cuda`` where there is one, else ``cpu``."""
        return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: with tensors this small, more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def source_digest(*parts: str) -> str:
    """Hash of the sources of some parts of the package, such as ``"motion"``."""
    package = Path(__file__).parent
    content = hashlib.sha256()
    for part in parts:
        for path in sorted((package / part).glob("*.py")):
            content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:20]


# Data preparation


def corpus(ws: Workspace, *splits: str, part: tuple[int, int] = (1, 1)) -> Corpus:
    """The synthetic corpus of this profile; what is missing of some splits (all) is made.

    Notebook 01. Machines that share the results' folder can make a ``part`` (2 of 8) each before.
    """
    settings = ws.profile.corpus
    key = {
        "corpus": settings.model_dump(exclude={"workers", "threads"}),
        "model": ws.model.sha256,
        "code": source_digest("corpus", "speech"),
    }
    folder = ws.root / "corpus" / digest(key)
    with tqdm(desc="corpus", unit="clip", leave=False) as bar:

        def progress(done: int, planned: int, name: str) -> None:
            bar.total = planned
            bar.set_postfix_str(name, refresh=False)
            bar.update(done - bar.n)

        return make_corpus(folder, settings, splits=splits or SPLITS, part=part, progress=progress)


# Section 3.1


def target(
    ws: Workspace,
    video: Path | str,
    *,
    frames: int | None = None,
    audio: Path | None = None,
    min_s: float = SHORTEST_S,
) -> Target:
    """Reconstruct a video's first frames (default: all), or read what was reconstructed before.

    Parameters
    ----------
    audio : the sound, where it is not the video's own
    min_s : the shortest video that is taken

    Raises
    ------
    UserError
        Not a usable video, or no face in it.
    """
    recording = Recording(Path(video), audio)
    clip = recording.clip(min_s=min_s)
    heard = clip.has_audio or audio is not None
    key = {
        "video": file_hash(clip.path),
        "frames": min(frames or clip.frames, clip.frames),
        "settings": ws.profile.reconstruct,
        "model": ws.model.sha256,
    }
    if audio is not None:
        key["audio"] = file_hash(audio)

    def make(folder: Path) -> None:
        with one_thread():
            made = reconstruct(
                clip, ws.model, ws.profile.reconstruct, frames=frames, store=folder / "frames.npy"
            )
        made.track.save(folder / "track.npz")
        if heard:
            np.save(folder / "audio.npy", recording.sound())

    folder = ws.stage("reconstruct", key, make, "face", "reconstruct")
    return Target(
        clip.path.stem,
        folder.name,
        clip,
        np.load(folder / "frames.npy", mmap_mode="r"),
        FaceTrack.load(folder / "track.npz"),
        np.load(folder / "audio.npy") if heard else None,
    )


def recordings(ws: Workspace, split: str) -> list[Recording]:
    """The recordings of a split (``plan.SPLITS``) of the workspace's corpus.

    In a folder laid out like a known corpus (``repro.corpus.readers``), general are recordings of
    its training split, evenly over the speakers and as many as the profile's ``people`` times
    ``general_clips``; personal is the longest of some of its test split. In any other folder of
    videos the longest one is the personal clip and the others are general. Only the synthetic
    corpus has further splits.

    Raises
    ------
    UserError
        A folder with fewer than two videos; a corpus without a usable recording of the split, or
        with none that is long enough for the personal one.
    """
    if ws.corpus == SYNTHETIC:
        return [Recording(entry.video, text=entry.text) for entry in corpus(ws, split).split(split)]
    if split not in (GENERAL, PERSONAL):
        return []
    if recognise(ws.corpus) is not None:
        return _known_corpus(ws, split)
    clips = folder_corpus(ws.corpus, min_s=_window_s(ws))
    if len(clips) < 2:
        raise UserError(f"Folder '{ws.corpus}' holds {len(clips)} videos; at least 2 are needed.")
    longest = max(clips, key=lambda clip: clip.frames)
    if split == PERSONAL:
        _check_personal(ws, longest)
    chosen = [clip for clip in clips if (clip is longest) == (split == PERSONAL)]
    return [Recording(clip.path) for clip in chosen]


def _known_corpus(ws: Workspace, split: str) -> list[Recording]:
    settings = ws.profile.corpus
    count = LOOKED_AT if split == PERSONAL else settings.people * settings.general_clips
    theirs = TEST if split == PERSONAL else TRAIN
    candidates = [r for r in read_recordings(ws.corpus) if r.split == theirs]
    opened = usable(spread(candidates, count), min_s=_window_s(ws))
    if not opened:
        raise UserError(
            f"Corpus '{ws.corpus}': none of {len(candidates)} recordings of its split '{theirs}' "
            "can be used; unpack that part of it too."
        )
    if split == PERSONAL:
        opened = [max(opened, key=lambda pair: pair[1].frames)]
        _check_personal(ws, opened[0][1])
    return [recording for recording, _ in opened]


def _check_personal(ws: Workspace, longest: Clip) -> None:
    """Refuse a corpus whose personal clip leaves nothing to learn from beside what is tested on."""
    least = HELD_OUT + ws.profile.motion.window_frames
    if longest.frames < least:
        raise UserError(
            f"Corpus '{ws.corpus}': the longest clip for the personal mapping, "
            f"'{longest.path.name}', has {longest.frames} frames, and {least} are needed; clips of "
            "single words serve general training alone, so add a longer clip of one person."
        )


def _window_s(ws: Workspace) -> float:
    """The length of a training window: no shorter clip is of use."""
    return ws.profile.motion.window_frames / FPS


def videos(ws: Workspace, split: str) -> list[Path]:
    """The videos of ``recordings``."""
    return [recording.video for recording in recordings(ws, split)]


def general_targets(ws: Workspace) -> list[Target]:
    """All general clips of the corpus, reconstructed (notebook 02)."""
    return _targets(ws, GENERAL)


def personal_targets(ws: Workspace) -> list[Target]:
    """The held-out people's long clips, reconstructed (notebook 02)."""
    return _targets(ws, PERSONAL)


def _targets(ws: Workspace, split: str) -> list[Target]:
    return [
        target(ws, recording.video, audio=recording.audio, min_s=_window_s(ws))
        for recording in tqdm(recordings(ws, split), desc=f"reconstruction, {split}", unit="clip")
    ]


# Section 3.2


def general_motion(ws: Workspace) -> tuple[MotionMapping, MotionHistory, str]:
    """The general mapping from audio to motion, its history and its key (notebook 03)."""
    settings = ws.profile.motion
    clips = general_targets(ws)
    key = {"clips": [t.key for t in clips], "settings": settings, "seed": ws.seed}

    def make(folder: Path) -> None:
        with one_thread(), tqdm(desc="general motion", unit="epoch") as bar:
            mapping, history = train_general(
                [(t.windows, t.motion) for t in clips],
                settings,
                seed=ws.seed,
                device=ws.device,
                metric=_metric(ws),
                progress=_counting(bar),
            )
        save_mapping(mapping, folder / "mapping", history)

    folder = ws.stage("motion-general", key, make, "speech", "motion")
    return *load_mapping(folder / "mapping"), folder.name


def personal_motion(
    ws: Workspace, person: Target, *, frames: int
) -> tuple[MotionMapping, MotionHistory, str]:
    """The mapping fine-tuned on the person's first ``frames`` frames (notebook 04)."""
    settings = ws.profile.motion
    general, _, general_key = general_motion(ws)
    key = {
        "general": general_key,
        "person": person.key,
        "frames": frames,
        "settings": settings,
        "seed": ws.seed,
    }

    def make(folder: Path) -> None:
        with one_thread(), tqdm(desc="personal motion", unit="epoch") as bar:
            mapping, history = fine_tune(
                general,
                person.windows[:frames],
                person.motion[:frames],
                seed=ws.seed,
                settings=settings,
                device=ws.device,
                metric=_metric(ws),
                progress=_counting(bar),
            )
        save_mapping(mapping, folder / "mapping", history)

    folder = ws.stage("motion-personal", key, make, "speech", "motion")
    return *load_mapping(folder / "mapping"), folder.name


def _metric(ws: Workspace) -> np.ndarray | None:
    """What errors of expression are measured after, where the profile departs from Eq. 2."""
    if not ws.profile.motion.vertex_loss:
        return None
    model = ws.model
    corner = model.landmark_barycentrics.argmax(1)
    vertex = model.triangles[model.landmark_triangles, corner]
    return vertex_metric(
        model.expression_basis,
        model.skin_mask + MOUTH_WEIGHT * model.lip_mask,
        pairs=vertex[lm.INNER_LIP_PAIRS],
        pair_weight=1.0,
    )


def _counting(bar: tqdm):
    def progress(done: int, planned: int, *loss: float) -> None:
        bar.total = planned
        if loss:
            bar.set_postfix_str(f"loss {loss[0]:.4f}", refresh=False)
        bar.update(done - bar.n)

    return progress


# Section 3.3


def renderer(
    ws: Workspace, person: Target, *, frames: int, albedo: str | None = None
) -> FaceRenderer:
    """What draws this person: albedo from the first ``frames`` frames (notebook 05).

    ``albedo``: ``low_frequency`` or ``detailed``; the profile's by default.
    """
    settings = ws.profile.render
    if albedo is not None:
        settings = RenderSettings(**{**settings.model_dump(), "albedo": albedo})
    return FaceRenderer.of(ws.model, person.track, person.frames[:frames], settings=settings)


def pairs(ws: Workspace, person: Target, *, frames: int, albedo_frames: int) -> PersonPairs:
    """Each of the first ``frames`` frames rendered over itself, beside the real one.

    ``albedo_frames``: how many of them the albedo may come from.
    """
    key = {
        "person": person.key,
        "frames": frames,
        "albedo_frames": albedo_frames,
        "render": ws.profile.render,
        "model": ws.model.sha256,
    }

    def make(folder: Path) -> None:
        draw = renderer(ws, person, frames=albedo_frames)
        track, coefficients = person.track, person.track.coefficients
        rendered = np.empty_like(person.frames[:frames])
        mask = np.empty(rendered.shape[:3], np.uint8)
        for t in tqdm(range(frames), desc=f"rendering {person.name}", unit="frame", leave=False):
            rendered[t], coverage = draw.over(
                np.asarray(person.frames[t]),
                coefficients.expression[t],
                coefficients.pose[t],
                coefficients.light[t],
            )
            mask[t] = coverage > 0.5
        boxes = np.stack([_box(track.landmarks[:frames, group]) for group in DETAIL], 1)
        network = _identity(ws)
        identity = network.features(
            np.asarray(person.frames[:frames]),
            landmarks=track.landmarks[:frames],
            every=IDENTITY_EVERY,
        )
        for name, array in (
            ("rendered", rendered),
            ("mask", mask),
            ("detail", boxes),
            ("identity", identity),
        ):
            np.save(folder / f"{name}.npy", array)

    folder = ws.stage("pairs", key, make, "face", "render")
    stored = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r")
        for name in ("rendered", "mask", "detail", "identity")
    }
    return PersonPairs(
        stored["rendered"],
        person.frames[:frames],
        stored["mask"],
        stored["detail"],
        np.asarray(stored["identity"]),
        person.name,
    )


def _box(points: np.ndarray) -> np.ndarray:
    """Box (T, 4) int around points (T, L, 2): left, top, right, bottom."""
    low, high = points.min(1) - DETAIL_MARGIN_PX, points.max(1) + DETAIL_MARGIN_PX
    return np.round(np.concatenate([low, high], 1)).astype(int)


# Section 3.4


def general_refiner(ws: Workspace) -> tuple[Refiner, RefineHistory, str]:
    """The refiner trained on the general clips, its history and its key (notebook 06)."""
    people = general_targets(ws)
    key = {
        "people": [t.key for t in people],
        "settings": ws.profile.refine_general,
        "render": ws.profile.render,
        "seed": ws.seed,
    }

    def make(folder: Path) -> None:
        data = [pairs(ws, t, frames=len(t), albedo_frames=len(t)) for t in people]
        _train(ws, folder, data, ws.profile.refine_general, None, "general refinement")

    folder = ws.stage("refine-general", key, make, "render", "refine")
    return *_read_refiner(ws, folder), folder.name


def personal_refiner(
    ws: Workspace, person: Target, *, frames: int
) -> tuple[Refiner, RefineHistory, str]:
    """The refiner fine-tuned on the person's first ``frames`` frames (notebook 06)."""
    general, _, general_key = general_refiner(ws)
    key = {
        "general": general_key,
        "person": person.key,
        "frames": frames,
        "settings": ws.profile.refine,
        "render": ws.profile.render,
        "seed": ws.seed,
    }

    def make(folder: Path) -> None:
        data = [pairs(ws, person, frames=frames, albedo_frames=frames)]
        _train(ws, folder, data, ws.profile.refine, general, "personal refinement")

    folder = ws.stage("refine-personal", key, make, "render", "refine")
    return *_read_refiner(ws, folder), folder.name


def _identity(ws: Workspace):
    return identity_network(assets.find("arcface"))


def _train(ws, folder: Path, data, settings, init: Refiner | None, title: str) -> None:
    with tqdm(desc=title, unit="step") as bar:
        refiner, history = train_refiner(
            data,
            settings,
            seed=ws.seed,
            identity_name=_identity(ws).name,
            init=init,
            device=ws.device,
            resnet18_file=assets.find("resnet18"),
            progress=_counting(bar),
        )
    refiner.save(folder / "refiner")
    curves = {name: [round(float(v), 6) for v in values] for name, values in history.losses.items()}
    about = {**asdict(history), "losses": curves}
    (folder / "history.json").write_text(json.dumps(about) + "\n")


def _read_refiner(ws: Workspace, folder: Path) -> tuple[Refiner, RefineHistory]:
    about = json.loads((folder / "history.json").read_text())
    about["losses"] = {name: np.array(v, np.float32) for name, v in about["losses"].items()}
    return Refiner.load(folder / "refiner", device=ws.device), RefineHistory(**about)
