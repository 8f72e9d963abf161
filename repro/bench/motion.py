"""How well and how fast motion follows sound: ``repro bench motion``.

On the held-out people of a run's synthetic corpus, against their truth; or on any folder of
videos, each learned from in its first part and tested on the rest.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from repro import FPS, SAMPLE_RATE, pipeline
from repro.bench.timing import median_ms
from repro.corpus.folder import folder_corpus
from repro.evaluate.pose import convention
from repro.motion.mapping import MotionMapping
from repro.motion.predict import regress
from repro.motion.train import fine_tune
from repro.pipeline.motion import expression_metric
from repro.pipeline.targets import Target
from repro.pipeline.workspace import Workspace
from repro.provenance import machine
from repro.speech.features import mfcc_windows
from repro.study import head_pose
from repro.study import motion as study

LEARNED_SHARE = 2 / 3
"""Part of a video that is learned from, at most ``talk.frames``."""
_LISTENED_S = 60
"""Seconds of sound of which inference is timed."""


def bench_motion(
    ws: Workspace, *, clips: Path | None = None, runs: int = 5, threads: int = 2
) -> dict[str, object]:
    """Measure the mappings of a run; what the run has not made yet is made.

    Parameters
    ----------
    ws : the run's workspace, on the synthetic corpus
    clips : folder of videos, each a person of their own; None takes the corpus' held-out people
    runs : timed inferences
    threads : of PyTorch, where one person is fine-tuned for its time

    Returns
    -------
    ``scores``, of each person (``study.motion.scores``), ``means`` over them, ``better``, the
    share of people in whom the personal mapping is better than the others, HS (``hs``; of each
    person in ``hs_by_person``); of synthetic people also ``actions``, r against the truth of every
    speech-related action; ``fine_tuning`` of one person, and ``inference``

    Raises
    ------
    UserError
        There is no video in the folder, or one without a face, without sound, or too short.
    """
    general, _, _ = pipeline.general_motion(ws)
    if clips is None:
        people = pipeline.personal_targets(ws)
        further = pipeline.further_targets(ws)
        others = [further[k : k + 1] for k in range(len(people))]
        cuts = [min(ws.profile.talk.frames, len(p) - pipeline.HELD_OUT) for p in people]
    else:
        found = folder_corpus(clips)
        people = [pipeline.target(ws, c.path) for c in tqdm(found, "reconstruction", unit="clip")]
        others = [[] for _ in people]
        cuts = [min(ws.profile.talk.frames, round(LEARNED_SHARE * len(p))) for p in people]
    heard, heads = [], []
    for person, more, learned in zip(people, others, cuts, strict=True):
        personal, _, _ = pipeline.personal_motion(ws, person, frames=learned)
        heard.append(
            study.hear(
                person, more, learned=learned,
                mappings={study.GENERAL: general, study.PERSONAL: personal},
                mouth=ws.profile.talk.mouth, names=ws.model.expression_names,
            )
        )  # fmt: skip
        heads.append(
            head_pose.heads_of(
                person, more, learned=learned, general=general, mapping=personal,
                methods=list(dict.fromkeys(["paper", ws.profile.talk.pose])), seed=ws.seed,
            )
        )  # fmt: skip
    table = study.scores(heard, ws.model)
    made: dict[str, object] = {
        "bench": "motion",
        "profile": ws.profile.name,
        "people": {
            p.name: {"frames_learned": cut, "frames_tested": len(h)}
            for p, cut, h in zip(people, cuts, heard, strict=True)
        },
        "means": _rows(study.means(table)),
        "better": _better(table),
        "hs": _similarities(heads),
        "scores": _rows(table),
    }
    if study.TRUTH in heard[0].true:
        made["actions"] = _rounded(study.action_correlations(heard, ws.model, against=study.TRUTH))
    made["fine_tuning"] = _fine_tuning(ws, general, people[0], cuts[0], threads)
    made["inference"] = _inference(general, people[0], runs)
    return {**made, "machine": machine()}


def _better(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Shares of people in whom the personal mapping beats another, by score and comparison."""
    return {
        f"{against}: personal above {other}": {
            score: round(study.share_better(table, score, against=against, than=other), 4)
            for score in study.SCORES
        }
        for against in table["against"].unique()
        for other in (study.GENERAL, study.RIDGE)
    }


def _similarities(heads: Sequence[head_pose.Heads]) -> dict[str, object]:
    """HS of every kind: its mean, and of each person; who is above the general mapping."""
    pairs = head_pose.pair_scores(heads)
    kinds = head_pose.kinds_of(heads)
    return {
        "convention": convention(),
        **{
            kind: {
                "mean": round(float(head_pose.hs_by_person(pairs, kind).mean()), 4),
                "share_above_general": round(head_pose.share_above(pairs, kind), 4),
                **_rounded(head_pose.hs_by_person(pairs, kind).to_dict()),
            }
            for kind in kinds
        },
    }


def _fine_tuning(
    ws: Workspace, general: MotionMapping, person: Target, learned: int, threads: int
) -> dict[str, object]:
    """Seconds that one person's fine-tuning takes."""
    windows, motion = person.windows[:learned], person.motion[:learned]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        wall, spent = time.perf_counter(), time.process_time()
        fine_tune(
            general, windows, motion, seed=ws.seed, settings=ws.profile.motion,
            metric=expression_metric(ws),
        )  # fmt: skip
        wall, spent = time.perf_counter() - wall, time.process_time() - spent
    finally:
        torch.set_num_threads(before)
    return {
        "frames": learned,
        "threads": threads,
        "seconds": round(wall, 3),
        "processor_seconds": round(spent, 3),
    }


def _inference(mapping: MotionMapping, person: Target, runs: int) -> dict[str, object]:
    """Frames per second on one thread, from the sound's samples to the motion."""
    sound = np.resize(np.asarray(person.audio), _LISTENED_S * SAMPLE_RATE)
    frames = _LISTENED_S * FPS
    with pipeline.one_thread():
        timed = median_ms(
            lambda: regress(mapping, mfcc_windows(sound, frames)), runs=runs, warm_up=1
        )
    return {
        "frames": frames,
        "threads": 1,
        "frames_per_s": round(1000 * frames / timed["ms_median"]),
        **timed,
    }


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """A table's rows for JSON, which has no nan."""
    return [_rounded(row) for row in table.to_dict("records")]


def _rounded(values: Mapping) -> dict:
    """Numbers with four significant digits, nan as None, in nested mappings too."""
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return _rounded(value)
    if isinstance(value, float):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return value
