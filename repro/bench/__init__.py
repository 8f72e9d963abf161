"""Measurements of the parts whose speed or accuracy matters, each with its command:
``repro bench NAME``.
"""

from collections.abc import Callable

from repro.bench.corpus import bench_corpus
from repro.bench.motion import bench_motion
from repro.bench.pictures import bench_pictures
from repro.bench.reconstruct import bench_reconstruct
from repro.bench.refine import bench_refine
from repro.bench.render import bench_render

BENCHES: dict[str, Callable[..., dict[str, object]]] = {
    "render": bench_render,
    "pictures": bench_pictures,
    "corpus": bench_corpus,
    "reconstruct": bench_reconstruct,
    "motion": bench_motion,
    "refine": bench_refine,
}
"""By name; each takes ``runs`` and ``threads``, some the workspace of a run, and gives what is
printed as JSON."""

__all__ = [
    "BENCHES",
    "bench_corpus",
    "bench_motion",
    "bench_pictures",
    "bench_reconstruct",
    "bench_refine",
    "bench_render",
]
