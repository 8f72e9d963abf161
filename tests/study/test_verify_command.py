"""``repro verify``: what it prints and how it exits."""

import json

import pytest

from repro.study.cells import read_results
from repro.study.verdict import make_reference, write_reference

MANIFEST = {
    "made_at": "2026-01-01T00:00:00+00:00",
    "code": {"version": "0.1.0", "commit": "a" * 40, "dirty": False},
    "parameters": {"profile": "smoke", "corpus": "synthetic", "overrides": {}},
    "machine": {"python": "3.11.7", "cpu": "Z80", "cores": 2, "gpus": []},
    "packages": {"torch": "2.13.0"},
}


def write_run(results, *, seed: int = 0, torch: str = "2.13.0", **cells: float):
    root = results / "smoke" / "synthetic"
    root.mkdir(parents=True, exist_ok=True)
    (root / "06_gan_refinement.json").write_text(json.dumps({**cells, "seconds": 3.0 + seed}))
    manifest = {**MANIFEST, "seed": seed, "packages": {"torch": torch}}
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


@pytest.fixture
def reference(tmp_path):
    roots = [write_run(tmp_path / f"r{s}", seed=s, psnr=30.0 + s, steps=800) for s in range(2)]
    path = tmp_path / "smoke.json"
    write_reference(path, make_reference([read_results(root) for root in roots]))
    return path


def verify(call, results, reference):
    return call("verify", "--profile", "smoke", "--results", results, "--reference", reference)


def test_the_same_numbers_exit_with_0(call, tmp_path, reference):
    code, printed, _ = verify(call, tmp_path / "r0", reference)
    assert code == 0
    assert "2 reproduced, 0 within noise, 0 deviates, 0 not comparable" in printed
    assert "2 cores of Z80, no GPU" in printed
    assert "seconds" not in printed


def test_noise_exits_with_0_and_versions_are_told(call, tmp_path, reference):
    write_run(tmp_path / "new", psnr=31.5, steps=800, torch="2.14.0")
    code, printed, _ = verify(call, tmp_path / "new", reference)
    assert code == 0
    assert "1 reproduced, 1 within noise" in printed
    assert "torch 2.14.0 instead of 2.13.0" in printed


def test_a_deviation_exits_with_1_and_says_by_how_much(call, tmp_path, reference):
    write_run(tmp_path / "new", psnr=33.0, steps=800)
    code, printed, _ = verify(call, tmp_path / "new", reference)
    assert code == 1
    assert "deviates: off by 3, tolerance 1.98" in printed


def test_a_missing_cell_exits_with_1(call, tmp_path, reference):
    write_run(tmp_path / "new", psnr=30.0)
    code, printed, _ = verify(call, tmp_path / "new", reference)
    assert code == 1
    assert "not comparable: not in this run" in printed


def test_nothing_to_compare_exits_with_2(call, tmp_path, reference):
    code, _, error = verify(call, tmp_path / "nowhere", reference)
    assert code == 2 and "holds no results" in error
    code, _, error = verify(call, tmp_path / "r0", tmp_path / "none.json")
    assert code == 2 and "none.json' cannot be read" in error
    assert len(error.splitlines()) == 1


def make(call, to, *results):
    return call("reference", *results, "--profile", "smoke", "--out", to)


def test_repeat_runs_make_a_reference_that_each_of_them_holds_to(call, tmp_path):
    runs = [tmp_path / f"r{seed}" for seed in range(3)]
    for seed, folder in enumerate(runs):
        write_run(folder, seed=seed, psnr=30.0 + seed, steps=800)
    path = tmp_path / "reference" / "smoke.json"
    code, printed, _ = make(call, path, *runs)
    assert code == 0
    assert "3, of seeds 0, 1, 2" in printed
    assert "2: 1 the same in all runs, 0 whose noise could not be measured" in printed
    cell = json.loads(path.read_text())["stages"]["06_gan_refinement"]["cells"]["psnr"]
    assert cell == {"value": 30.0, "tolerance": pytest.approx(2.8), "n": 3}
    for folder in runs:
        assert verify(call, folder, path)[0] == 0


def test_runs_that_are_no_repeats_make_no_reference(call, tmp_path):
    write_run(tmp_path / "a", seed=0, psnr=30.0)
    write_run(tmp_path / "b", seed=1, psnr=30.0, ssim=0.9)
    code, _, error = make(call, tmp_path / "smoke.json", tmp_path / "a", tmp_path / "b")
    assert code == 2 and "no repeats: cell 'ssim'" in error
    assert not (tmp_path / "smoke.json").exists()
