"""How fast the synthetic corpus is made: ``repro bench corpus``."""

import resource
import tempfile
import time
from pathlib import Path

from repro import FPS
from repro.corpus.plan import GENERAL
from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic import make_corpus
from repro.provenance import machine

IMAGE_PX = 256


def bench_corpus(*, runs: int = 100, threads: int = 1) -> dict[str, object]:
    """Making the synthetic corpus at 256 x 256 with two processes, their start included.

    Two people speak for ``runs`` x 12 frames each; before, for a quarter of it, which shows whether
    memory grows with a clip's length.

    Parameters
    ----------
    threads : in each process
    """
    made: dict[str, float] = {}
    for name, frames in (("short", 3 * runs), ("long", 12 * runs)):
        settings = CorpusSettings(
            people=3, personal_people=1, general_clips=1, clip_s=max(frames, FPS) / FPS,
            threads=threads,
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            corpus = make_corpus(Path(folder), settings, splits=(GENERAL,))
            seconds = time.perf_counter() - start
        count = sum(round(e.length_s * FPS) for e in corpus.split(GENERAL))
        made[f"{name}_frames"] = count
        made[f"{name}_frames_per_s"] = round(count / seconds, 1)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        made[f"{name}_process_peak_mib"] = round(peak)
    return {"bench": "corpus", "image_px": IMAGE_PX, "processes": 2, "threads": threads,
            **made, "machine": machine()}  # fmt: skip
