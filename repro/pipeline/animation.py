"""The stages of Chen et al. 2020 (notebook 11): their corpus, face model and target are shared."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from repro.animate.animate import Animator, load_animator, save_animator
from repro.animate.drive import driven, nodded, spoken
from repro.animate.expression import ExpressionNetwork
from repro.animate.film import film_people
from repro.animate.footage import Footage, footage_of_clip, load_people, save_people
from repro.animate.head_motion import HeadMotionNetwork
from repro.animate.settings import AnimateSettings
from repro.animate.sound import sound_windows
from repro.animate.speech_data import Talker, TalkingClip, talking_clip_of, talking_corpus
from repro.animate.speech_train import (
    Learner,
    SpeechHistory,
    load_learner,
    save_learner,
    train_expression,
    train_head_motion,
)
from repro.animate.train import History, train_generator
from repro.checkpoint import Checkpoint
from repro.errors import UserError
from repro.frames import evenly
from repro.pipeline.motion import voices_held_out
from repro.pipeline.perceptual import perceptual_network
from repro.pipeline.targets import Target, general_targets
from repro.pipeline.workspace import Workspace, counting, load_curves, save_curves
from repro.processes import beside_others, one_thread, side_by_side
from repro.speech.features import frames_of
from repro.study import animation as study
from repro.study.head_recognition import head_recognition, lips

_SPEECH = (
    "speech", "corpus", "face", "motion", "animate", "evaluate", "study", "training", "adversarial",
    "fabric", "checkpoint", "weights",
)  # fmt: skip
_FILMED = "speech", "corpus", "face", "motion", "reconstruct", "animate"
_VIDEO = (
    "face", "render", "edit", "refine", "animate", "adversarial", "fabric", "checkpoint", "weights",
)  # fmt: skip
_EVERY = 100
"""Steps between checkpoints: a training that was cut off goes on from the last one."""


class Ablations(NamedTuple):
    """Generators that lack a part, trained alike.

    rows      a row for each variant, seed, person and measure: ``variant``, ``seed``, ``person``
              and ``Measure``'s fields
    pictures  of the first person, by variant: frames (S, S, 3) uint8
    """

    rows: pd.DataFrame
    pictures: Mapping[str, list[np.ndarray]]


class Learners(NamedTuple):
    """Psi and Phi, how they were learned, and what they are worth on people they do not know.

    histories  by name, "expression" and "head motion"
    tables     "recognition" (``repro.study.head_recognition.head_recognition``) and "lips"
    key        of the stage
    """

    expression: ExpressionNetwork
    motion: HeadMotionNetwork
    histories: Mapping[str, SpeechHistory]
    tables: Mapping[str, pd.DataFrame]
    key: str


def animate_speech(ws: Workspace) -> Learners:
    """From sound to expression and head motion (3.2, 3.3).

    Learned from people who are performed, without the voices of the corpus' personal people.
    """
    settings, without = ws.profile.animate_speech, voices_held_out(ws)
    key = {"settings": settings, "seed": ws.seed, "without": without, "model": ws.model.sha256}

    def learned(
        folder: Path,
        name: str,
        train: Callable[..., tuple[Learner, SpeechHistory]],
        people: Sequence[Talker],
    ) -> Learner:
        file = name.replace(" ", "_")
        state = ws.checkpoint(f"animate-{file}", key, *_SPEECH)
        with one_thread(), tqdm(desc=name, unit="step") as bar:
            network, history = train(
                people, settings, seed=ws.seed, device=ws.device,
                checkpoint=Checkpoint(state, every=500), progress=counting(bar),
            )  # fmt: skip
        save_learner(network, folder / f"{file}.safetensors", history)
        state.unlink(missing_ok=True)
        return network

    def make(folder: Path) -> None:
        people = talking_corpus(
            settings, ws.model, seed=ws.seed, held_out=without, workers=ws.profile.corpus.workers
        )
        expression = learned(folder, "expression", train_expression, people.train)
        motion = learned(folder, "head motion", train_head_motion, people.train)
        head_recognition(motion, people.test).to_csv(folder / "recognition.csv", index=False)
        lips(expression, people.test).to_csv(folder / "lips.csv", index=False)

    folder = ws.stage("animate-speech", key, make, *_SPEECH)
    expression, said = load_learner(ExpressionNetwork, folder / "expression.safetensors")
    motion, moved = load_learner(HeadMotionNetwork, folder / "head_motion.safetensors")
    tables = {name: pd.read_csv(folder / f"{name}.csv") for name in ("recognition", "lips")}
    histories = {"expression": said, "head motion": moved}
    return Learners(expression, motion, histories, tables, folder.name)


def animate_people(ws: Workspace, settings: AnimateSettings | None = None) -> list[Footage]:
    """Whom the generator learns from: the general clips, and people filmed for some frames each."""
    settings = settings or ws.profile.animate
    size = settings.image_px
    key = {
        "people": settings.portrait_people,
        "frames": settings.portrait_frames,
        "size": size,
        "seed": ws.seed,
        "model": ws.model.sha256,
    }

    def make(folder: Path) -> None:
        with tqdm(desc="people filmed", unit="person") as bar:
            people = film_people(
                settings, seed=ws.seed, workers=ws.profile.corpus.workers, progress=counting(bar)
            )
        save_people(people, folder / "people.npz")

    filmed: list[Footage] = []
    if settings.portrait_people:
        folder = ws.stage("animate-people", key, make, *_FILMED)
        filmed = load_people(folder / "people.npz")
    return [*(footage(ws, clip, image_px=size) for clip in general_targets(ws)), *filmed]


def footage(
    ws: Workspace, person: Target, *, image_px: int, frames: slice = slice(None)
) -> Footage:
    """A person's clip as the generator sees it."""
    whole = footage_of_clip(
        np.asarray(person.frames), person.track, ws.model, image_px=image_px, name=person.name
    )
    return whole[frames]


def animator(
    ws: Workspace, settings: AnimateSettings | None = None, *, seed: int | None = None
) -> tuple[Animator, History, str]:
    """The 3D-aware generative network (section 4), its history and its key.

    ``settings``: in place of the profile's, for ablations; ``seed``: of this training alone.
    """
    settings = settings or ws.profile.animate
    drawn = ws.seed if seed is None else seed
    perceptual, named = perceptual_network(ws) if settings.lambda_perceptual else (None, {})
    key = {
        "clips": [clip.key for clip in general_targets(ws)],
        "settings": settings,
        "perceptual": named,
        "seeds": [ws.seed, drawn],
        "model": ws.model.sha256,
    }

    def make(folder: Path) -> None:
        state = ws.checkpoint("animate-generator", key, *_VIDEO)
        with tqdm(desc="generator", unit="step", disable=beside_others()) as bar:
            made, history = train_generator(
                animate_people(ws, settings), settings, seed=drawn, perceptual=perceptual,
                device=ws.device, checkpoint=Checkpoint(state, every=_EVERY),
                sheets=folder / "sheets", progress=counting(bar),
            )  # fmt: skip
        save_animator(made, folder / "animator.safetensors")
        save_curves(folder, history)
        state.unlink(missing_ok=True)

    folder = ws.stage("animate-generator", key, make, *_VIDEO)
    made = load_animator(folder / "animator.safetensors")
    return made, History(**load_curves(folder)), folder.name


def animated(
    ws: Workspace, person: Target, sound: np.ndarray, *, references: int | None = None
) -> Iterator[np.ndarray]:
    """The person says what a sound says: frames (S, S, 3) uint8, one after another.

    Of the person, the first tau frames with their sound are known.

    Parameters
    ----------
    sound : (N,) float32, 16 kHz
    references : K; the profile's by default

    Raises
    ------
    UserError
        The person's clip has no sound, or is shorter than tau frames.
    """
    learners, settings = animate_speech(ws), ws.profile.animate
    network, _, _ = animator(ws)
    clip = talking_clip(ws, person).first(ws.profile.animate_speech.seen_frames)
    heard = sound_windows(sound, frames_of(len(sound)), ws.profile.animate_speech)
    known = footage(ws, person, image_px=settings.image_px, frames=slice(settings.tau))
    shown = network.references(known, references)
    expression = spoken(learners.expression, clip, heard)
    wanted = driven(shown, expression, nodded(learners.motion, clip, heard))
    yield from network.animate(shown, *wanted)


def head_motion(ws: Workspace, person: Target, sound: np.ndarray) -> np.ndarray:
    """Phi's head motion (T, 6) of the person, to a sound (N,); raises as ``animated`` does."""
    settings = ws.profile.animate_speech
    heard = sound_windows(sound, frames_of(len(sound)), settings)
    clip = talking_clip(ws, person).first(settings.seen_frames)
    return nodded(animate_speech(ws).motion, clip, heard)


def talking_clip(ws: Workspace, person: Target) -> TalkingClip:
    """A person's clip as Psi and Phi see it; raises as ``animated`` does.

    Raises
    ------
    UserError
        No sound, or too few frames.
    """
    settings = ws.profile.animate_speech
    if person.audio is None:
        raise UserError(
            f"Clip '{person.name}' has no sound: how the head goes with speech is learned from it."
        )
    if len(person) < settings.reference_frames:
        raise UserError(
            f"Clip '{person.name}' has {len(person)} frames, and {settings.reference_frames} are "
            "needed to know how the head moves; give a longer one."
        )
    sound = np.asarray(person.audio)
    return talking_clip_of(person.name, person.track, sound, ws.model, settings)


def animate_ablations(ws: Workspace, people: Sequence[Target]) -> Ablations:
    """Figure 10: what the generator is worth without a part (``repro.study.animation``)."""
    tables, settings = ws.profile.animate_tables, ws.profile.animate
    key = {
        "people": [person.key for person in people],
        "clips": [clip.key for clip in general_targets(ws)],
        "settings": settings,
        "tables": tables,
        "seed": ws.seed,
    }

    def make(folder: Path) -> None:
        cases = [
            study.Case.of(
                footage(ws, person, image_px=settings.image_px),
                tau=settings.tau,
                frames=tables.ablation_frames,
            )
            for person in people
        ]
        animate_people(ws, settings)  # made once, and not by each process
        tasks = [
            (ws, name, changed, seed, cases)
            for name, changed in study.variants(
                settings, tables.variants, steps=tables.ablation_steps
            ).items()
            for seed in range(ws.seed, ws.seed + tables.ablation_seeds)
        ]
        workers = ws.profile.corpus.workers if ws.device == "cpu" else 1  # a GPU is filled by one
        made = side_by_side(_ablation, tasks, workers=workers)
        found: list[pd.DataFrame] = []
        pictures: dict[str, np.ndarray] = {}
        bar = tqdm(made, desc="generators without a part", total=len(tasks), unit="training")
        for (_, name, *_), (rows, shown) in zip(tasks, bar, strict=True):
            found.append(rows)
            pictures.setdefault(name, shown)
        pd.concat(found).to_csv(folder / "rows.csv", index=False)
        np.savez(folder / "pictures.npz", **pictures)  # type: ignore[arg-type]

    folder = ws.stage("animate-ablations", key, make, *_VIDEO, "evaluate", "study")
    with np.load(folder / "pictures.npz") as stored:
        shown = evenly(6, len(stored[study.FULL]))
        pictures = {name: list(stored[name][shown]) for name in stored.files}
    return Ablations(pd.read_csv(folder / "rows.csv"), pictures)


def _ablation(
    ws: Workspace, name: str, changed: AnimateSettings, seed: int, cases: Sequence[study.Case]
) -> tuple[pd.DataFrame, np.ndarray]:
    """One generator's rows, and its pictures (T, S, S, 3) of the first case."""
    with one_thread():
        network, _, _ = animator(ws, changed, seed=seed)
        (frames,) = study.landmark_driven(network, cases, [changed.references]).values()
        rows, _ = study.measured({name: frames}, cases)
    return rows.rename(columns={"method": "variant"}).assign(seed=seed), frames[0]
