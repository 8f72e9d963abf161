"""Rendered frames made real (notebook 06; Yi et al. 2020, section 3.4)."""

from pathlib import Path

from tqdm.auto import tqdm

from repro import assets
from repro.checkpoint import Checkpoint
from repro.pipeline.rendering import pairs, render_settings
from repro.pipeline.targets import Target, general_targets
from repro.pipeline.workspace import Workspace, counting, load_curves, save_curves
from repro.refine.identity import identity_network
from repro.refine.refine import Refiner
from repro.refine.settings import RefineSettings
from repro.refine.train import RefineHistory, train_refiner

_CODE = "render", "refine", "adversarial", "fabric", "checkpoint", "weights"
_EVERY = 100
"""Steps between checkpoints: a training that was cut off goes on from the last one."""


def general_refiner(ws: Workspace) -> tuple[Refiner, RefineHistory, str]:
    """The refiner trained on the general clips, its history and its key (notebook 06)."""
    people = general_targets(ws)
    usual = RefineSettings()  # nothing general depends on how a person is fine-tuned
    settings = ws.profile.refine_general.model_copy(update={"fine_tune_lr": usual.fine_tune_lr})
    key = {
        "people": [t.key for t in people],
        "settings": settings,
        "render": ws.profile.render,
        "seed": ws.seed,
    }

    def make(folder: Path) -> None:
        data = [pairs(ws, t, frames=len(t), albedo_frames=len(t)) for t in people]
        state = ws.checkpoint("refine-general", key, *_CODE)
        _train(ws, folder, data, settings, None, "general refinement", state, ws.seed)

    folder = ws.stage("refine-general", key, make, *_CODE)
    return *_read_refiner(ws, folder), folder.name


def personal_refiner(
    ws: Workspace,
    person: Target,
    *,
    frames: int,
    albedo: str | None = None,
    seed: int | None = None,
) -> tuple[Refiner, RefineHistory, str]:
    """The refiner fine-tuned on the person's first ``frames`` frames (notebook 06).

    ``albedo`` of the person's frames, where it is not the profile's; ``seed`` of the fine-tuning
    alone, where it is not the workspace's.
    """
    drawn = ws.seed if seed is None else seed
    general, _, general_key = general_refiner(ws)
    key = {
        "general": general_key,
        "person": person.key,
        "frames": frames,
        "settings": ws.profile.refine,
        "render": render_settings(ws, albedo),
        "seed": drawn,
    }

    def make(folder: Path) -> None:
        data = [pairs(ws, person, frames=frames, albedo_frames=frames, albedo=albedo)]
        state = ws.checkpoint("refine-personal", key, *_CODE)
        _train(ws, folder, data, ws.profile.refine, general, "personal refinement", state, drawn)

    folder = ws.stage("refine-personal", key, make, *_CODE)
    return *_read_refiner(ws, folder), folder.name


def _train(
    ws, folder: Path, data, settings, init: Refiner | None, title: str, state: Path, seed: int
) -> None:
    with tqdm(desc=title, unit="step") as bar:
        refiner, history = train_refiner(
            data,
            settings,
            seed=seed,
            identity_name=identity_network(assets.find("arcface")).name,
            init=init,
            device=ws.device,
            resnet18_file=assets.find("resnet18"),
            checkpoint=Checkpoint(state, every=_EVERY),
            sheets=folder / "sheets",
            progress=counting(bar),
        )
    refiner.save(folder / "refiner")
    save_curves(folder, history)
    state.unlink(missing_ok=True)


def _read_refiner(ws: Workspace, folder: Path) -> tuple[Refiner, RefineHistory]:
    return Refiner.load(folder / "refiner", device=ws.device), RefineHistory(**load_curves(folder))
