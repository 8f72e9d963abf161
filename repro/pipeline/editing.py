"""The stages of Song et al. 2020 (notebook 12): their corpus, face model and target are shared."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from repro.checkpoint import Checkpoint
from repro.edit.completion import Completer, load_completer, save_completer
from repro.edit.completion_losses import PerceptualNetwork
from repro.edit.completion_train import CompletionHistory, train_completion
from repro.edit.speech_data import speech_corpus
from repro.edit.translation import Translator
from repro.edit.translation_train import heard, load_translator, save_translator
from repro.edit.video_settings import EditVideoSettings
from repro.edit.windows import Footage
from repro.motion.predict import predict
from repro.pipeline.motion import general_motion, personal_motion, voices_held_out
from repro.pipeline.perceptual import perceptual_network
from repro.pipeline.targets import Target, general_targets
from repro.pipeline.workspace import Workspace, counting, load_curves, save_curves
from repro.processes import side_by_side
from repro.study import edit_video
from repro.study.edit_tables import MOVING, EditStudy, studies

_SPEECH = (
    "speech", "corpus", "face", "motion", "edit", "evaluate", "study", "training", "fabric",
    "checkpoint", "weights",
)  # fmt: skip
_VIDEO = (
    "face", "edit", "refine", "evaluate", "study", "adversarial", "fabric", "checkpoint", "weights",
)  # fmt: skip
_EVERY = 100
"""Steps between checkpoints: a training that was cut off goes on from the last one."""


def edit_translator(ws: Workspace) -> tuple[Translator, list[float], str]:
    """From sound to expression (3.2), the loss of every step, and the key.

    Learned from people who are performed, without the voices of the corpus' personal people.
    """
    settings, without = ws.profile.edit_speech, voices_held_out(ws)
    key = {"settings": settings, "seed": ws.seed, "without": without, "model": ws.model.sha256}

    def make(folder: Path) -> None:
        people = speech_corpus(settings, ws.model.expression_names, seed=ws.seed, held_out=without)
        states = ws.checkpoint("edit-translation", key, *_SPEECH)
        study = EditStudy(people, settings, ws.model, seed=ws.seed, checkpoints=states)
        with tqdm(desc="translation", unit="step") as bar:
            translator, history = study.trained(
                "3d", MOVING, settings.remove_identity, progress=counting(bar)
            )
        save_translator(translator, folder / "translator.safetensors", history)
        shutil.rmtree(states)

    folder = ws.stage("edit-translation", key, make, *_SPEECH)
    translator, history = load_translator(folder / "translator.safetensors")
    return translator, history.losses, folder.name


class Mouth(NamedTuple):
    """Who says how a mouth moves.

    name       for the record: which network
    key        of its stage
    say        MFCC windows (T, 28, 12) -> expression (T, 64), of which mouth and jaw are used
    learned_s  seconds spent on this person alone
    """

    name: str
    key: str
    say: Callable[[np.ndarray], np.ndarray]
    learned_s: float = 0.0


def edit_mouth(ws: Workspace, person: Target, *, frames: int) -> Mouth:
    """Who moves the person's mouth, as the profile's ``talk.edit_mouth`` has it.

    A mapping is fine-tuned on the person's first ``frames`` frames if they have sound.
    """
    if ws.profile.talk.edit_mouth == "translation":
        translator, _, key = edit_translator(ws)
        return Mouth("translation network", key, partial(heard, translator))
    name, (mapping, _, key), learned_s = "general mapping", general_motion(ws), 0.0
    if person.audio is not None:
        mapping, history, key = personal_motion(ws, person, frames=frames)
        name, learned_s = "personal mapping", history.seconds
    return Mouth(name, key, lambda windows: predict(mapping, windows).expression, learned_s)


def general_completer(ws: Workspace) -> tuple[Completer, CompletionHistory, str]:
    """One network for all people of the general clips (section 4.1), where the profile asks for it.

    Raises
    ------
    ValueError
        The profile's ``edit_video.general_steps`` is None.
    """
    steps = ws.profile.edit_video.general_steps
    if steps is None:
        raise ValueError("edit_video.general_steps is None: nothing is learned from general clips")
    people = general_targets(ws)
    settings = ws.profile.edit_video.model_copy(update={"steps": steps})
    key = {"people": [person.key for person in people], "settings": settings, "seed": ws.seed}
    learned = [footage(person) for person in people]
    return _completer(ws, "edit-general", key, learned, settings, None, "general completion")


def edit_completer(
    ws: Workspace, person: Target, *, frames: int
) -> tuple[Completer, CompletionHistory, str]:
    """The network that paints the person's mouth (3.3), learned from their first ``frames``.

    It goes on from ``general_completer`` where the profile asks for one.
    """
    settings, init, general = ws.profile.edit_video, None, None
    if settings.general_steps is not None:
        init, _, general = general_completer(ws)
    key = {
        "person": person.key,
        "frames": frames,
        "settings": settings,
        "general": general,
        "seed": ws.seed,
    }
    learned = [footage(person)[:frames]]
    return _completer(ws, "edit-completion", key, learned, settings, init, "mouth completion")


def _completer(
    ws: Workspace,
    name: str,
    key: Mapping[str, object],
    people: Sequence[Footage],
    settings: EditVideoSettings,
    init: Completer | None,
    title: str,
) -> tuple[Completer, CompletionHistory, str]:
    perceptual, named = _perceptual(ws)
    key = {**key, "perceptual": named}

    def make(folder: Path) -> None:
        state = ws.checkpoint(name, key, *_VIDEO)
        with tqdm(desc=title, unit="step") as bar:
            completer, history = train_completion(
                people,
                settings,
                seed=ws.seed,
                perceptual=perceptual,
                init=init,
                device=ws.device,
                checkpoint=Checkpoint(state, every=_EVERY),
                progress=counting(bar),
            )
        save_completer(completer, folder / "completer.safetensors")
        save_curves(folder, history)
        state.unlink(missing_ok=True)

    folder = ws.stage(name, key, make, *_VIDEO)
    completer = load_completer(folder / "completer.safetensors")
    return completer, CompletionHistory(**load_curves(folder)), folder.name


def footage(person: Target) -> Footage:
    """A person's frames and landmarks, as the completion sees them."""
    return Footage(person.frames, person.track.landmarks, person.name)


def edit_speech_tables(ws: Workspace) -> dict[str, pd.DataFrame]:
    """Tables 1, 2 and 6 and figure 11, of every seed (``repro.study.edit_tables``).

    ``table_one``, ``table_two``, ``speakers``, ``limits``, ``tsne``
    """
    settings = ws.profile.edit_speech
    key = {"settings": settings, "seed": ws.seed, "model": ws.model.sha256}

    def make(folder: Path) -> None:
        state = ws.checkpoint("edit-tables", key, *_SPEECH)
        tasks = [(ws, ws.seed + k, state) for k in range(settings.seeds)]
        made = side_by_side(_speech_tables, tasks, workers=ws.profile.corpus.workers)
        parts = list(tqdm(made, desc="speech tables", total=len(tasks), unit="seed"))
        for name in parts[0]:
            pd.concat([part[name] for part in parts]).to_csv(folder / f"{name}.csv", index=False)
        shutil.rmtree(state)

    return _tables(ws.stage("edit-tables", key, make, *_SPEECH))


def _speech_tables(ws: Workspace, seed: int, state: Path) -> dict[str, pd.DataFrame]:
    one_seed = ws.profile.edit_speech.model_copy(update={"seeds": 1})
    (study,) = studies(one_seed, ws.model, seed=seed, checkpoints=state)
    return {
        "table_one": study.table_one(),
        "table_two": study.table_two(),
        "speakers": study.speakers(),
        "limits": study.limits(),
        "tsne": study.tsne(),
    }


def edit_video_tables(
    ws: Workspace, people: Sequence[Target], *, frames: int
) -> dict[str, pd.DataFrame]:
    """Tables 3 and 5, and what flicker removal does (``repro.study.edit_video``).

    ``table_three`` where there are two people at least, ``table_five``, ``deflicker``

    Parameters
    ----------
    people : of whom the profile's ``edit_tables.people`` are learned from
    frames : learned from of each; Table 3 also learns from a quarter of them
    """
    perceptual, named = _perceptual(ws)
    chosen = ws.profile.edit_tables
    people, settings, tested = people[: chosen.people], ws.profile.edit_video, chosen.test_frames
    if chosen.steps is not None:
        settings = settings.model_copy(update={"steps": chosen.steps})
    key = {
        "people": [person.key for person in people],
        "frames": frames,
        "tested": tested,
        "settings": settings,
        "steady": ws.profile.edit_video,
        "perceptual": named,
        "seed": ws.seed,
    }

    def make(folder: Path) -> None:
        learned = [footage(person)[:frames] for person in people]
        held_out = [footage(person)[frames : frames + tested] for person in people]
        how: dict[str, object] = {
            "seed": ws.seed, "perceptual": perceptual, "device": ws.device,
        }  # fmt: skip
        five = edit_video.table_five(learned[:1], held_out[:1], settings, **how)  # type: ignore[arg-type]
        completer, _, _ = edit_completer(ws, people[0], frames=frames)
        steady = edit_video.deflicker_rows(completer, held_out[0], ws.profile.edit_video)
        made = {"table_five": five, "deflicker": steady}
        if len(people) > 1:
            lengths = sorted({max(frames // 4, settings.window + 1), frames})
            made["table_three"] = edit_video.table_three(
                learned,
                held_out,
                lengths,
                settings,
                **how,  # type: ignore[arg-type]
            )
        for name, table in made.items():
            table.to_csv(folder / f"{name}.csv", index=False)

    return _tables(ws.stage("edit-video-tables", key, make, *_VIDEO))


def _tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}


def _perceptual(ws: Workspace) -> tuple[PerceptualNetwork | None, Mapping[str, str]]:
    """The network of the perceptual term where it counts, and what names it in keys."""
    return perceptual_network(ws) if ws.profile.edit_video.lambda_perceptual else (None, {})
