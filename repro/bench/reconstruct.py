"""How accurate, steady and fast reconstruction is: ``repro bench reconstruct``.

On synthetic people whom no training and no calibration has seen, against their truth; or on any
folder of videos, against the landmarks.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from repro.corpus.clip import Clip, open_clip
from repro.corpus.folder import folder_corpus
from repro.corpus.plan import GENERAL
from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic import make_corpus
from repro.corpus.truth import load_truth
from repro.errors import UserError
from repro.evaluate.compare_reconstruction import (
    FIT,
    TRANSFORM,
    UNFILTERED,
    Measured,
    compare,
    measure,
)
from repro.evaluate.reprojection import against_landmarks
from repro.evaluate.steadiness import angle_jitter_deg
from repro.evaluate.truth import against_truth
from repro.face.model import MorphableModel, load_open_model
from repro.provenance import Stopwatch, machine
from repro.reconstruct.network import CoefficientNetwork
from repro.reconstruct.settings import ReconstructSettings

FIRST_SEED = 7000
"""The test people's corpus has this seed and the following: their numbers, a thousand times that,
lie above those of usual corpora and below those of portraits and of the fit's calibration."""
MOST_SEEDS = 1000
_WARM_UP_FRAMES = 12

Row = Mapping[str, str | float | None]


def bench_reconstruct(
    *,
    runs: int = 10,
    threads: int = 1,
    clips: Path | None = None,
    seed: int = 0,
    clip_s: float = 4.0,
    image_px: int = 256,
    settings: ReconstructSettings | None = None,
    network: CoefficientNetwork | None = None,
) -> dict[str, object]:
    """Reconstruct test people, or the videos of a folder, and measure.

    Parameters
    ----------
    runs : synthetic people, a clip each; of a folder, all videos count
    threads : of PyTorch, one as in the pipeline; the landmarker has its own
    clips : folder of videos; None makes synthetic people
    seed : of who the people are and what they say, from 0 to 999
    clip_s, image_px : length and size of their clips
    network : compared too, where one is given

    Returns
    -------
    Medians over the clips of ``evaluate.truth.against_truth`` (``truth``; for a folder, of
    ``evaluate.reprojection.against_landmarks``, and each clip's; there the worst frame is that of
    all clips, and frames far off are counted over all) and of the ``comparison``'s rows;
    frames per second of detection, fit and both, over all frames; the largest peak of memory in
    MiB. Of synthetic people also the share whose neutral face is nearer to the truth than the mean
    face.

    Raises
    ------
    UserError
        There is no video in the folder, a clip without a face, or no such seed.
    """
    model, settings = load_open_model(), settings or ReconstructSettings()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        if clips is None:
            found = _on_people(model, settings, network, runs, seed, clip_s, image_px)
        else:
            found = _on_clips(model, settings, network, folder_corpus(clips))
    finally:
        torch.set_num_threads(before)
    return {"bench": "reconstruct", "threads": threads, **found, "machine": machine()}


def _on_people(
    model: MorphableModel,
    settings: ReconstructSettings,
    network: CoefficientNetwork | None,
    people: int,
    seed: int,
    clip_s: float,
    image_px: int,
) -> dict[str, object]:
    if not 0 <= seed < MOST_SEEDS:
        raise UserError(f"The test people's seed {seed} must be from 0 to {MOST_SEEDS - 1}.")
    corpus = CorpusSettings(
        people=people + 1, personal_people=1, general_clips=1, clip_s=clip_s, image_px=image_px,
        workers=min(2, people), seed=FIRST_SEED + seed,
    )  # fmt: skip
    errors, rows, costs = [], [], _Costs()
    with tempfile.TemporaryDirectory() as folder:
        with tqdm(desc="test people", unit="clip", total=people, leave=False) as bar:
            made = make_corpus(
                Path(folder), corpus, splits=(GENERAL,),
                progress=lambda done, *_: bar.update(done - bar.n),
            )  # fmt: skip
        entries = made.split(GENERAL)
        _warm_up(open_clip(entries[0].video), model, settings)
        for entry in tqdm(entries, desc="reconstruction", unit="clip", leave=False):
            truth = load_truth(entry.truth)
            measured = costs.measure(open_clip(entry.video), model, settings)
            true_jitter = angle_jitter_deg(truth.pose[: len(measured), 1])
            found = against_truth(measured.made.track, truth, model)
            errors.append({**found, "true_yaw_jitter_deg": true_jitter})
            rows.append(compare(measured, model, network=network, truth=truth))
    better = {
        key: round(float(np.mean([e[f"{n}_error_mm"] < e[f"{m}_error_mm"] for e in errors])), 4)
        for key, n, m in (
            ("neutral_better_than_mean_share", "neutral", "mean_face"),
            ("neutral_scaled_better_than_mean_share", "neutral_scaled", "mean_face_scaled"),
        )
    }
    return {
        "people": people,
        "seed": seed,
        "truth": _medians(errors),
        **better,
        "comparison": _comparison(rows),
        **costs.summary(),
    }


def _on_clips(
    model: MorphableModel,
    settings: ReconstructSettings,
    network: CoefficientNetwork | None,
    clips: Sequence[Clip],
) -> dict[str, object]:
    seen, rows, costs = [], [], _Costs()
    _warm_up(clips[0], model, settings)
    for clip in tqdm(clips, desc="reconstruction", unit="clip", leave=False):
        measured = costs.measure(clip, model, settings)
        compared = compare(measured, model, network=network)
        jitter = {row["method"]: float(row["yaw_jitter_deg"]) for row in compared}
        seen.append({
            **against_landmarks(measured.made.track, model),
            "yaw_jitter_over_transform": jitter[FIT] / jitter[TRANSFORM],
            "yaw_jitter_over_unfiltered": jitter[FIT] / jitter[UNFILTERED],
            "fit_lag_frames": float(compared[0]["lag_frames"]),
            "frames_per_s": len(measured) / measured.total_s,
        })  # fmt: skip
        rows.append(compared)
    names = [clip.path.name for clip in clips]
    return {
        "landmarks": {**_medians(seen), **_totals(seen)},
        "clips": {n: _rounded(values) for n, values in zip(names, seen, strict=True)},
        "comparison": _comparison(rows),
        **costs.summary(),
    }


class _Costs:
    """Frames, seconds and peak memory of the clips so far."""

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self.frames, self.detection_s, self.total_s = 0, 0.0, 0.0

    def measure(self, clip: Clip, model: MorphableModel, settings: ReconstructSettings) -> Measured:
        with self.watch.stage("reconstruct"):
            measured = measure(clip, model, settings)
        self.frames += len(measured)
        self.detection_s += measured.detection_s
        self.total_s += measured.total_s
        return measured

    def summary(self) -> dict[str, object]:
        fit_s = max(self.total_s - self.detection_s, 1e-9)
        spent = {"detection": self.detection_s, "fit": fit_s, "total": self.total_s}
        return {
            "frames": self.frames,
            "frames_per_s": {name: round(self.frames / s, 1) for name, s in spent.items()},
            "peak_memory_mib": round(self.watch.costs["reconstruct"].peak_memory_mib),
        }


def _warm_up(clip: Clip, model: MorphableModel, settings: ReconstructSettings) -> None:
    """Compile and load what the first call compiles and loads."""
    from repro.reconstruct.reconstruct import reconstruct

    reconstruct(clip, model, settings, frames=_WARM_UP_FRAMES)


def _comparison(clips: Sequence[Sequence[Mapping[str, str | float]]]) -> list[Row]:
    """Each method's medians over the clips."""
    table: list[Row] = []
    for rows in zip(*clips, strict=True):
        numbers = [{k: float(v) for k, v in row.items() if k != "method"} for row in rows]
        table.append({"method": rows[0]["method"], **_medians(numbers)})
    return table


def _medians(rows: Sequence[dict[str, float]]) -> dict[str, float | None]:
    """Of each name, over the rows that have a number; names without any are left out."""
    found = {name: np.array([row[name] for row in rows], float) for name in rows[0]}
    return _rounded({n: float(np.nanmedian(v)) for n, v in found.items() if np.isfinite(v).any()})


def _totals(clips: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Failures are not to be lost in a median: the worst frame of all, and how many are far off."""
    return {
        "worst_frame": max(round(clip["worst_frame"], 4) for clip in clips),
        **{k: sum(clip[k] for clip in clips) for k in ("far_frames", "far_frames_unflagged")},
    }


def _rounded(values: dict[str, float]) -> dict[str, float | None]:
    """With four digits behind the point; JSON has no nan."""
    return {n: round(float(v), 4) if np.isfinite(v) else None for n, v in values.items()}
