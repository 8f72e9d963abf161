"""The two earlier systems of Table 2, trained on the general clips (notebook 08)."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from repro.baselines.atvg import Atvg
from repro.baselines.faces import (
    FaceClip,
    PointClip,
    face_clip,
    face_crop,
    face_pictures,
    point_clip,
)
from repro.baselines.train import (
    BaselineHistory,
    load_baseline,
    save_baseline,
    train_atvg,
    train_you_said_that,
)
from repro.baselines.you_said_that import YouSaidThat
from repro.checkpoint import Checkpoint
from repro.corpus.film import film_camera
from repro.face.coefficients import IDENTITY
from repro.face.pose import apply_pose
from repro.pipeline.motion import performed_examples, voices_held_out
from repro.pipeline.targets import Target, general_targets
from repro.pipeline.workspace import Workspace, counting
from repro.processes import one_thread

_CODE = (
    "speech",
    "corpus",
    "face",
    "motion",
    "baselines",
    "training",
    "fabric",
    "checkpoint",
    "weights",
)
_EVERY = 500
"""Steps between checkpoints: a training that was cut off goes on from the last one."""


def you_said_that(ws: Workspace) -> tuple[YouSaidThat, BaselineHistory, str]:
    """You Said That trained on the general clips, its history and its key."""
    return _baseline(ws, "you-said-that", YouSaidThat, train_you_said_that, {})


def atvg(ws: Workspace) -> tuple[Atvg, BaselineHistory, str]:
    """ATVG trained on the general clips, its history and its key.

    Its first network makes no pictures, and hears the speakers that the general mapping hears.
    """
    heard = {
        "without": voices_held_out(ws),
        **ws.profile.motion.model_dump(include={"performed_people", "performed_s"}),
    }

    def train(*given, **how):
        return train_atvg(*given, performed=_performed(ws), **how)

    return _baseline(ws, "atvg", Atvg, train, heard)


def _performed(ws: Workspace) -> list[PointClip]:
    """Where the points of people who are performed and not filmed are, before the corpus' camera.

    All with the mean face: the network learns what moves.
    """
    camera, nobody = film_camera(ws.profile.corpus), np.zeros(IDENTITY, np.float32)
    return [
        point_clip(
            windows,
            camera.project(
                apply_pose(
                    ws.model.landmarks(ws.model.vertices(nobody, motion.expression)), motion.pose
                )
            ),
            ws.profile.baselines,
        )
        for windows, motion in performed_examples(ws)
    ]


def _baseline(ws: Workspace, name: str, kind: type, train: Callable, further: Mapping[str, object]):
    people = [person for person in general_targets(ws) if person.audio is not None]
    settings = ws.profile.baselines
    key = {
        "people": [person.key for person in people],
        "settings": settings.model_dump(exclude={"test_frames", "measured_every"}, mode="json"),
        "seed": ws.seed,
        **further,
    }

    def make(folder: Path) -> None:
        state = ws.checkpoint(f"baseline-{name}", key, *_CODE)
        with one_thread(), tqdm(desc=name, unit="step") as bar:
            network, history = train(
                [_clip(ws, person) for person in people],
                settings,
                seed=ws.seed,
                device=ws.device,
                checkpoint=Checkpoint(state, every=_EVERY),
                progress=counting(bar),
            )
        save_baseline(network, folder / "network.safetensors", settings, history)
        for left in state.parent.glob(f"{state.name}*"):
            left.unlink()

    folder = ws.stage(f"baseline-{name}", key, make, *_CODE)
    return *load_baseline(kind, folder / "network.safetensors"), folder.name


def _clip(ws: Workspace, person: Target) -> FaceClip:
    """A clip's face, cut out once: all trainings read it."""
    settings = ws.profile.baselines
    crop = face_crop(person.track.landmarks[0], settings)
    key = {"person": person.key, "crop": asdict(crop)}

    def make(folder: Path) -> None:
        np.save(folder / "pictures.npy", face_pictures(person.frames, crop))

    folder = ws.stage("faces", key, make, "reconstruct", "baselines")
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    return face_clip(pictures, crop, person.track.landmarks, person.windows, settings)
