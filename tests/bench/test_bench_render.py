import numpy as np
import pytest

from repro.bench import render as bench
from repro.face.model import load_open_model
from repro.render.rasterise import rasterise


def test_the_fine_mesh_is_the_same_surface():
    coarse = bench._mean_head(load_open_model())
    fine = bench._subdivided(coarse, 70_000)
    assert 70_000 <= len(fine.triangles) <= 70_001
    camera = bench._camera(96)
    pictures = [rasterise(m.points, m.triangles, camera) for m in (coarse, fine)]
    (one, other), seen = pictures, pictures[0].triangle >= 0
    assert ((other.triangle >= 0) != seen).sum() <= 5  # on the outline
    both = seen & (other.triangle >= 0)
    off = np.abs(one.depth[both] - other.depth[both])
    assert np.percentile(off, 99) < 1e-6


def test_every_picture_is_measured_with_every_rasteriser_at_hand(monkeypatch):
    monkeypatch.setattr(bench, "installed", lambda name: False)
    record = bench.bench_render(runs=1, threads=2)
    geometry = [row for row in record["times"] if row["what"] == "geometry"]
    assert {(r["image_px"], r["threads"]) for r in geometry} == {
        (256, 1), (256, 2), (512, 1), (512, 2),
    }  # fmt: skip
    assert all(row["ms_median"] > 0 for row in record["times"])
    assert record["times_numba"] == {}


def test_the_ratio_is_that_of_the_same_mesh():
    pytest.importorskip("embreex")
    record = bench.bench_render(runs=2, threads=1)
    rows = {
        (r["rasteriser"], r["triangles"]): r["ms_median"]
        for r in record["times"]
        if r["what"] == "geometry" and r["image_px"] == 256
    }
    for triangles in (9644, 70_000):
        ratio = rows["embree", triangles] / rows["numba", triangles]
        assert record["times_numba"][f"embree, {triangles} triangles"] == pytest.approx(ratio, 0.1)
