"""Tables 1 and 2 of Chen et al. 2020 and their ablations, on people nothing was trained on.

A person's first tau frames are known; frames after them are made and held against the real ones.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import islice
from typing import Any

import cv2
import numpy as np
import pandas as pd

from repro import assets
from repro.animate.animate import Animator
from repro.animate.drive import Wanted, seen
from repro.animate.footage import Footage
from repro.animate.settings import AnimateSettings
from repro.errors import UserError
from repro.evaluate.frechet import fid
from repro.evaluate.identity import csim, face_features
from repro.evaluate.image import SSIM_WINDOW_PX, psnr, ssim
from repro.evaluate.landmarks import MOUTH_478, landmark_distance
from repro.evaluate.measure import NONE, Measure
from repro.evaluate.seen import LANDMARKER, landmarks_in
from repro.processes import side_by_side
from repro.refine.identity import identity_network

FULL = "full model"

VARIANTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "projection": ("without 3D-aware module", {"projected": False}),
    "attention": ("without hybrid attention", {"attention": False}),
    "composition": ("without non-linear composition", {"composition": "matting"}),
    "warping": ("without warping", {"warping": False}),
    "all": (
        "baseline",
        {"projected": False, "attention": False, "composition": "matting", "warping": False},
    ),
}
"""What the generator lacks, by what is left out (figure 10; table 3 of the supplement)."""

_LOOKED_PX = 256
"""Side at which faces are looked at and told apart."""


@dataclass(frozen=True)
class Looked:
    """T pictures (256, 256, 3) uint8 with what networks see in them; NaN where no face was found.

    points (T, 478, 2) pixels, features (T, D)
    """

    pictures: np.ndarray
    points: np.ndarray
    features: np.ndarray


def looked_at(pictures: np.ndarray) -> Looked:
    """Look for faces in pictures (T, S, S, 3) uint8, enlarged."""
    size = (_LOOKED_PX, _LOOKED_PX)
    large = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_CUBIC) for p in pictures])
    points = landmarks_in(large)
    return Looked(
        large, points, face_features(identity_network(assets.find("arcface")), large, points)
    )


@dataclass(frozen=True)
class Case:
    """One held-out person.

    known    frames that are seen
    real     others, which are to be made
    numbers  (T,) int, which of the person's those are
    looked   what networks see in the real frames
    """

    known: Footage
    real: Footage
    numbers: np.ndarray
    looked: Looked

    @classmethod
    def of(cls, person: Footage, *, tau: int, frames: int) -> "Case":
        """Of the frames after the first tau, so many are made, spread evenly.

        Raises
        ------
        UserError
            There are no frames after tau.
        """
        left = len(person) - tau
        if left < 1:
            raise UserError(
                f"Clip '{person.name}' has {len(person)} frames, and the first {tau} are "
                "references: nothing is left to make."
            )
        chosen = tau + np.unique(np.linspace(0, left - 1, min(frames, left)).round().astype(int))
        real = person[chosen]
        return cls(person[:tau], real, chosen, looked_at(real.frames))


def made_for(animator: Animator, case: Case, wanted: Wanted, references: int) -> np.ndarray:
    """The person as wanted, from K of the known frames: (T, S, S, 3) uint8."""
    shown = animator.references(case.known, references)
    return np.stack(list(animator.animate(shown, wanted.landmarks, wanted.pose)))


def measured(
    made: Mapping[str, Sequence[np.ndarray]], cases: Sequence[Case], *, workers: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """LMD, SSIM, PSNR and CSIM of every method and person; FID of every method.

    Parameters
    ----------
    made : by method, for each case the pictures of its frames
    workers : processes that look at them

    Returns
    -------
    two tables of ``Measure``'s fields with ``method``, the first also with ``person``; FID is left
    out where there are too few frames for it
    """
    network = identity_network(assets.find("arcface"))
    real = [case.looked for case in cases]
    tasks = [(shown,) for pictures in made.values() for shown in pictures]
    looks = side_by_side(looked_at, tasks, workers=workers)
    rows, pooled = [], []
    for method, pictures in made.items():
        found = list(islice(looks, len(pictures)))
        for case, own, look, shown in zip(cases, real, found, pictures, strict=True):
            for measure in _measures(case, own, look, shown, network.name):
                rows.append({"method": method, "person": case.real.name, **asdict(measure)})
        features = [np.concatenate([x.features for x in of]) for of in (real, found)]
        if min(np.isfinite(f).all(1).sum() for f in features) > network.dim:
            measure = fid(*features, network=network.name, crop=_crop(cases[0]))
            pooled.append({"method": method, **asdict(measure)})
    return pd.DataFrame(rows), pd.DataFrame(pooled)


def _measures(
    case: Case, real: Looked, look: Looked, made: np.ndarray, network: str
) -> list[Measure]:
    crop, pairs = _crop(case), list(zip(made, case.real.frames, strict=True))
    values = (
        ("SSIM", ssim, "1", f"mean over frames; RGB, uniform window of {SSIM_WINDOW_PX} px"),
        ("PSNR", psnr, "dB", "mean over frames; RGB, data range 255"),
    )
    pictures = [
        Measure(name, float(np.mean([f(a, b) for a, b in pairs])), unit, len(pairs), 0, crop, NONE,
                NONE, said)
        for name, f, unit, said in values
    ]  # fmt: skip
    lmd = landmark_distance(
        real.points, look.points, image_px=_LOOKED_PX, points=MOUTH_478, crop=crop,
        network=LANDMARKER,
    )  # fmt: skip
    return [lmd, csim(real.features, look.features, network=network, crop=crop), *pictures]


def _crop(case: Case) -> str:
    size = case.real.size_px
    return f"the person's square crop, {size} x {size} px"


def table(rows: pd.DataFrame, pooled: pd.DataFrame) -> pd.DataFrame:
    """In the paper's form: a row for each method, means over people, FID with its frame count."""
    wide = rows.pivot_table(index="method", columns="name", values="value", sort=False)
    wide = wide.reindex(columns=["LMD", "CSIM", "SSIM", "PSNR"])  # no face, no number
    if len(pooled):
        own = pooled.set_index("method")
        wide = wide.assign(FID=own["value"], **{"FID frames": own["frames"]})
    counted = rows[rows["name"] == "SSIM"].groupby("method", sort=False)
    wide["frames"] = counted["frames"].sum()
    wide["undetected"] = rows[rows["name"] == "CSIM"].groupby("method")["undetected"].sum()
    return wide.rename_axis(columns=None).reset_index()


def differences(rows: pd.DataFrame, *, than: str, key: str = "method") -> pd.DataFrame:
    """What the others lose against one method, person by person (and seed by seed, where given).

    Returns
    -------
    a row for each other method and measure: ``cost``, the mean over pairs of what is lost (in the
    measure's unit, above 0 where ``than`` is better), ``noise``, 2.8 standard errors of that mean,
    ``pairs``, and ``beyond_noise``
    """
    pairing = [name for name in ("person", "seed") if name in rows]
    values = rows.pivot_table(index=[*pairing, "name"], columns=key, values="value", sort=False)
    found = []
    for other in (c for c in values.columns if c != than):
        apart = (values[than] - values[other]).groupby("name", sort=False)
        for name, lost in apart:
            sign = -1.0 if name == "LMD" else 1.0
            cost, error = sign * float(lost.mean()), float(lost.std(ddof=1)) / len(lost) ** 0.5
            found.append(
                {
                    key: other,
                    "measure": name,
                    "cost": cost,
                    "noise": 2.8 * error,
                    "pairs": len(lost),
                    "beyond_noise": abs(cost) > 2.8 * error,
                }
            )
    return pd.DataFrame(found)


def variants(
    settings: AnimateSettings, left_out: Sequence[str], *, steps: int | None
) -> dict[str, AnimateSettings]:
    """Settings of the full model and of those that lack a part, by name.

    ``steps`` of every training; None: the settings' own.
    """
    changed: dict[str, Mapping[str, object]] = {FULL: {}}
    changed |= dict(map(VARIANTS.__getitem__, left_out))
    given = settings.model_dump() | ({"steps": steps} if steps else {})
    return {name: AnimateSettings(**{**given, **change}) for name, change in changed.items()}


def landmark_driven(
    animator: Animator, cases: Sequence[Case], references: Sequence[int]
) -> dict[str, list[np.ndarray]]:
    """Table 2's pictures: the real frames' landmarks and poses, from K references each."""
    return {
        f"K = {k}": [made_for(animator, case, seen(case.real), k) for case in cases]
        for k in references
    }


def published(table: str, corpus: str) -> pd.DataFrame:
    """Rows as printed: "table_1", "table_2" or "table_3" (the supplement's), on a corpus."""
    text = (files("repro.study") / "data" / "chen2020.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text)[table]
    return pd.DataFrame(
        {"method": method, **dict(zip(record["columns"], values, strict=True))}
        for method, values in record[corpus].items()
    )
