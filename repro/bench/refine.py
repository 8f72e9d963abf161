"""How near, sharp, steady and fast refined frames are: ``repro bench refine``.

On a run's workspace: the general model on people it has not seen, and each person's own model on
frames it has not seen, both from these frames' own coefficients. The people are the corpus', or
those of any folder of videos.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from repro import FPS, assets, pipeline
from repro.bench.timing import median_ms
from repro.corpus.folder import folder_corpus
from repro.evaluate.perceptual import COEFFICIENT_NETWORK
from repro.evaluate.refinement import Truth, refinement_scores
from repro.perform import refined, retraced
from repro.provenance import Stopwatch, machine
from repro.reconstruct.resnet import ResNet
from repro.refine.identity import IdentityNetwork, identity_network
from repro.refine.inspect import hit_rate
from repro.refine.pairs import PersonPairs
from repro.refine.refine import Refiner
from repro.refine.train import RefineHistory

TESTED = 100
"""Held-out frames of a person that are looked at, at most."""

TIMED = 48
"""Frames of a timed call."""

_SHORTEST_S = 2 * pipeline.HELD_OUT / FPS
"""Of a video: half of the shortest are held out."""

Row = dict[str, object]

_GAINS = ("head_psnr", "face_psnr", "mouth_psnr", "ssim", "csim", "feature_distance")


def bench_refine(
    ws: pipeline.Workspace,
    *,
    clips: Path | None = None,
    runs: int = 6,
    threads: int = 2,
    timed_runs: int = 5,
) -> dict[str, object]:
    """Refine held-out frames of held-out people, and measure.

    Models, renderings and the coefficient network are the run's; what it lacks is made now.

    Parameters
    ----------
    clips : folder of videos, each a person of their own; None takes the corpus' held-out people
    runs : people, at most
    threads : of PyTorch, while frames per second are measured
    timed_runs : calls of which the median counts, after one that does not

    Returns
    -------
    ``people``: for each the rows of ``evaluate.refinement.refinement_scores`` for the frames as
    rendered, rendered with the paper's low-frequency albedo (which nothing here refines), refined
    by the general model, and by the person's own; ``medians`` over the people; ``gains`` of the
    models over either kind of rendering; ``memory``: how often each memory gives the right
    person for frames seen in training; ``frames_per_s`` of refinement; ``seconds`` and ``steps``
    of training; ``stages``: time and peak memory of what the bench did; the networks' names
    """
    watch = Stopwatch()
    with watch.stage("models"):
        if clips is None:
            people = pipeline.personal_targets(ws)[:runs]
        else:
            chosen = folder_corpus(clips, min_s=_SHORTEST_S)[:runs]
            people = [pipeline.target(ws, clip.path) for clip in chosen]
        general, history, _ = pipeline.general_refiner(ws)
        network, _, _ = pipeline.coefficient_network(ws)
    trunk = network.backbone.eval()
    identity = identity_network(assets.find("arcface"))
    found: dict[str, list[Row]] = {}
    hits, trained = {}, {"general": _training(history)}
    with watch.stage("memory"):
        seen = [_seen(ws, t, len(t)) for t in pipeline.general_targets(ws)]
        hits["general"] = round(hit_rate(general, seen), 4)
    for person in tqdm(people, desc="refinement", unit="person", leave=False):
        learned = min(ws.profile.talk.frames, len(person) - pipeline.HELD_OUT)
        with watch.stage("models"):
            personal, history, _ = pipeline.personal_refiner(ws, person, frames=learned)
        trained[person.name] = _training(history)
        with watch.stage("memory"):
            hits[person.name] = round(hit_rate(personal, [_seen(ws, person, learned)]), 4)
        models = {"general": general, "refined": personal}
        found[person.name] = _scores(ws, person, learned, models, identity, trunk, watch)
    medians = _medians(list(found.values()))
    return {
        "bench": "refine",
        "profile": ws.profile.name,
        "people": {n: [_rounded(row) for row in rows] for n, rows in found.items()},
        "medians": medians,
        "gains": _gains(medians),
        "memory": hits,
        "training": trained,
        "frames_per_s": round(_frames_per_s(personal, seen[0], threads, timed_runs), 1),
        "threads": threads,
        "image_px": ws.profile.refine.image_px,
        "stages": watch.summary(),
        "networks": {
            "csim": identity.name,
            "feature_distance": COEFFICIENT_NETWORK,
            "spatial": general.spatial.name,
        },
        "machine": machine(),
    }


def _training(history: RefineHistory) -> Row:
    return {"steps": history.steps, "seconds": round(history.seconds, 1)}


def _seen(ws: pipeline.Workspace, person: pipeline.Target, frames: int) -> PersonPairs:
    return pipeline.pairs(ws, person, frames=frames, albedo_frames=frames)


def _scores(
    ws: pipeline.Workspace,
    person: pipeline.Target,
    learned: int,
    models: dict[str, Refiner],
    identity: IdentityNetwork,
    trunk: ResNet,
    watch: Stopwatch,
) -> list[Row]:
    """Rows for the frames after the first ``learned`` of a person."""
    held_out = range(learned, min(learned + TESTED, len(person)))
    with watch.stage("render"):
        draw = pipeline.renderer(ws, person, frames=learned)
        inputs = list(retraced(draw, person, held_out))
        plain = pipeline.renderer(ws, person, frames=learned, albedo="low_frequency")
        pictures = {
            "rendered": [frame for frame, _ in inputs],
            "low-frequency": [frame for frame, _ in retraced(plain, person, held_out)],
        }
    with watch.stage("refine"):
        for name, model in models.items():
            pictures[name] = [frame for frame, _ in refined(model, iter(inputs))]
    with watch.stage("measure"):
        real = [np.asarray(person.frames[t]) for t in held_out]
        truth = Truth.of(real, [mask for _, mask in inputs])
        return refinement_scores(pictures, truth, identity=identity, trunk=trunk)


def _frames_per_s(refiner: Refiner, pairs: PersonPairs, threads: int, runs: int) -> float:
    """Of refining ``TIMED`` frames one after the other, all that belongs to it included."""
    frames = [np.array(pairs.rendered[t % len(pairs)]) for t in range(TIMED)]
    masks = [np.array(pairs.face_mask[t % len(pairs)]) for t in range(TIMED)]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        times = median_ms(
            lambda: list(refiner.refine_frames(frames, masks=masks)), runs=runs, warm_up=1
        )
    finally:
        torch.set_num_threads(before)
    return TIMED / (times["ms_median"] / 1000)


def _medians(people: Sequence[Sequence[Row]]) -> list[Row]:
    """Each kind of frames' medians over the people."""
    table = []
    for rows in zip(*people, strict=True):
        numbers = [k for k in rows[0] if k != "frames"]
        middle = {k: statistics.median(_number(row[k]) for row in rows) for k in numbers}
        table.append(_rounded({k: middle.get(k, rows[0][k]) for k in rows[0]}))
    return table


def _gains(medians: Sequence[Row]) -> dict[str, dict[str, Row]]:
    """What each model adds to the medians of the frames as rendered, both ways."""
    *drawn, general, personal = medians
    return {
        str(model["frames"]): {
            f"over {before['frames']}": _rounded(
                {k: _number(model[k]) - _number(before[k]) for k in _GAINS}
            )
            for before in drawn
        }
        for model in (general, personal)
    }


def _number(value: object) -> float:
    """A row's value, of which JSON's None was infinite."""
    return float("inf") if value is None else float(value)  # type: ignore[arg-type]


def _rounded(row: Row) -> Row:
    """With four digits behind the point; JSON has no inf and no nan."""
    return {
        name: (round(value, 4) if np.isfinite(value) else None)
        if isinstance(value, float)
        else value
        for name, value in row.items()
    }
