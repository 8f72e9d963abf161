"""From audio to motion (notebooks 03 and 04; Yi et al. 2020, section 3.2)."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from repro.config import SYNTHETIC
from repro.corpus.plan import PERSONAL, plan
from repro.face import landmarks as lm
from repro.motion.checkpoint import MotionHistory, load_mapping, save_mapping
from repro.motion.data import Example
from repro.motion.losses import vertex_metric
from repro.motion.mapping import MotionMapping
from repro.motion.performed import performed_clips
from repro.motion.settings import MotionSettings
from repro.motion.train import fine_tune, train_general
from repro.pipeline.targets import Target, general_targets
from repro.pipeline.workspace import Workspace, counting
from repro.processes import one_thread

_CODE = "speech", "motion", "training", "checkpoint", "fabric", "weights"

_PERSONAL = (
    "fine_tune_lambda_expression_continuity",
    "fine_tune_lr",
    "fine_tune_epochs",
    "members",
    "ridge_share",
    "kernel_share",
    "keep_perceptron",
)
"""Settings that nothing general depends on."""

MOUTH_WEIGHT = 10.0
"""Weight of lip vertices beside the face's, where errors are measured in vertices."""


def general_motion(ws: Workspace) -> tuple[MotionMapping, MotionHistory, str]:
    """The general mapping from audio to motion, its history and its key (notebook 03).

    A training that was cut off goes on after its last epoch.
    """
    clips = general_targets(ws)
    usual = MotionSettings()
    settings = ws.profile.motion.model_copy(
        update={name: getattr(usual, name) for name in _PERSONAL}
    )
    without = voices_held_out(ws)
    key = {
        "clips": [t.key for t in clips],
        "settings": settings,
        "seed": ws.seed,
        "without": without,
    }
    code = (*_CODE, "corpus") if without else _CODE

    def make(folder: Path) -> None:
        examples = [(t.windows, t.motion) for t in clips]
        performed = performed_examples(ws)
        state = ws.checkpoint("motion-general", key, *code)
        train = partial(
            train_general, examples, performed=performed,
            settings=settings, seed=ws.seed, checkpoint=state,
        )  # fmt: skip
        _train(ws, folder, train, "general motion")
        shutil.rmtree(state)

    folder = ws.stage("motion-general", key, make, *code)
    return *load_mapping(folder / "mapping"), folder.name


def voices_held_out(ws: Workspace) -> list[str]:
    """Voices of the synthetic corpus' personal people, where more clips are to be performed."""
    if ws.corpus != SYNTHETIC or not ws.profile.motion.performed_people:
        return []
    entries = plan(Path(), ws.profile.corpus)
    return sorted({entry.voice for entry in entries if entry.split == PERSONAL})


def performed_examples(ws: Workspace) -> list[Example]:
    """Clips that are performed and not filmed; none but beside the synthetic corpus."""
    without = voices_held_out(ws)
    if not without:
        return []
    settings = ws.profile.motion
    clips = performed_clips(
        settings, ws.model.expression_names, seed=ws.seed, without=without,
        workers=ws.profile.corpus.workers,
    )  # fmt: skip
    total = settings.performed_people
    return list(tqdm(clips, desc="speech performed", unit="clip", total=total))


def personal_motion(
    ws: Workspace, person: Target, *, frames: int, seed: int | None = None
) -> tuple[MotionMapping, MotionHistory, str]:
    """The mapping fine-tuned on the person's first ``frames`` frames (notebook 04).

    ``seed``: of the fine-tuning alone, where it is not the workspace's.
    """
    general, _, general_key = general_motion(ws)
    drawn = ws.seed if seed is None else seed
    key = {
        "general": general_key,
        "person": person.key,
        "frames": frames,
        "settings": ws.profile.motion,
        "seed": drawn,
    }

    def make(folder: Path) -> None:
        windows, motion = person.windows[:frames], person.motion[:frames]
        state = ws.checkpoint("motion-personal", key, *_CODE)
        train = partial(
            fine_tune, general, windows, motion,
            settings=ws.profile.motion, seed=drawn, checkpoint=state,
        )  # fmt: skip
        _train(ws, folder, train, "personal motion")
        shutil.rmtree(state)

    folder = ws.stage("motion-personal", key, make, *_CODE)
    return *load_mapping(folder / "mapping"), folder.name


def _train(
    ws: Workspace,
    folder: Path,
    train: Callable[..., tuple[MotionMapping, MotionHistory]],
    title: str,
) -> None:
    with one_thread(), tqdm(desc=title, unit="epoch") as bar:
        mapping, history = train(
            device=ws.device,
            metric=expression_metric(ws),
            progress=counting(bar),
        )
    save_mapping(mapping, folder / "mapping", history)


def expression_metric(ws: Workspace) -> np.ndarray | None:
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
