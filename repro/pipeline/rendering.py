"""The person drawn from coefficients (notebook 05; Yi et al. 2020, section 3.3)."""

from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from repro import assets
from repro.face import landmarks as lm
from repro.pipeline.targets import Target
from repro.pipeline.workspace import Workspace
from repro.refine.identity import identity_network
from repro.refine.pairs import PersonPairs
from repro.render.face import FaceRenderer, RenderSettings

DETAIL = (lm.LIPS, lm.EYELIDS[:16], lm.EYELIDS[16:])
DETAIL_MARGIN_PX = 4
IDENTITY_EVERY = 25
"""Frames between two looks of the identity network; those between are mixed."""


def renderer(
    ws: Workspace, person: Target, *, frames: int, albedo: str | None = None
) -> FaceRenderer:
    """What draws this person: albedo from the first ``frames`` frames (notebook 05).

    ``albedo``: ``low_frequency`` or ``detailed``; the profile's by default.
    """
    settings = render_settings(ws, albedo)
    return FaceRenderer.of(ws.model, person.track, person.frames[:frames], settings=settings)


def render_settings(ws: Workspace, albedo: str | None = None) -> RenderSettings:
    """The profile's, with another ``albedo`` where one is given."""
    settings = ws.profile.render
    if albedo is None:
        return settings
    return RenderSettings(**{**settings.model_dump(), "albedo": albedo})


def pairs(
    ws: Workspace, person: Target, *, frames: int, albedo_frames: int, albedo: str | None = None
) -> PersonPairs:
    """Each of the first ``frames`` frames rendered over itself, beside the real one.

    ``albedo_frames``: how many of them the albedo may come from; ``albedo``: as ``renderer``'s.
    """
    key = {
        "person": person.key,
        "frames": frames,
        "albedo_frames": albedo_frames,
        "render": render_settings(ws, albedo),
        "model": ws.model.sha256,
    }

    def make(folder: Path) -> None:
        draw = renderer(ws, person, frames=albedo_frames, albedo=albedo)
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
        network = identity_network(assets.find("arcface"))
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
