"""Manifests, stopwatch and labels."""

import json
import mmap
import subprocess
import time

import numpy as np
import pytest

from repro import assets
from repro.provenance import (
    Stopwatch,
    code_version,
    machine,
    manifest,
    package_versions,
)


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


def test_a_stage_s_time_is_measured_and_adds_up():
    watch = Stopwatch()
    for _ in range(2):
        with watch.stage("sleep"):
            time.sleep(0.05)
    assert 0.1 <= watch.costs["sleep"].seconds < 1.0


def touch_60_mib():
    """New memory from the system: an array may come to lie in what an earlier test gave back."""
    with mmap.mmap(-1, 60 * 2**20) as fresh:
        for start in range(0, len(fresh), mmap.PAGESIZE):
            fresh[start] = 1


def test_a_stage_that_needs_memory_shows_it_and_the_next_does_not():
    watch = Stopwatch()
    with watch.stage("large"):
        touch_60_mib()
    with watch.stage("small"):
        pass
    large, small = watch.costs["large"].peak_memory_mib, watch.costs["small"].peak_memory_mib
    assert large >= small + 40, (large, small)


def test_a_stage_s_peak_includes_the_stages_inside_it():
    watch = Stopwatch()
    with watch.stage("outer"):
        touch_60_mib()
        with watch.stage("inner"):
            pass
    outer, inner = watch.costs["outer"], watch.costs["inner"]
    assert outer.peak_memory_mib >= inner.peak_memory_mib + 40
    assert outer.seconds >= inner.seconds


def test_a_stage_that_fails_is_measured_too():
    watch = Stopwatch()
    with pytest.raises(ValueError, match="no"), watch.stage("failing"):
        raise ValueError("no")
    assert "failing" in watch.summary()


def test_the_commit_and_its_changes_are_told(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a.txt").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "a")
    clean = code_version(tmp_path)
    assert len(clean.commit) == 40
    assert clean.dirty is False
    (tmp_path / "a.txt").write_text("2")
    assert code_version(tmp_path).dirty is True


def test_outside_a_checkout_there_is_no_commit(tmp_path):
    git(tmp_path, "init")
    inside = tmp_path / "site-packages"
    inside.mkdir()
    assert code_version(inside).commit is None


def test_a_manifest_is_json_with_what_makes_the_result_again():
    watch = Stopwatch()
    with watch.stage("fit"):
        pass
    record = json.loads(
        json.dumps(manifest(parameters={"frames": 300}, seed=5, stages=watch.summary()))
    )
    assert record["parameters"] == {"frames": 300}
    assert record["seed"] == 5
    assert record["stages"]["fit"]["peak_memory_mib"] == record["peak_memory_mib"] > 0
    assert record["packages"]["numpy"] == np.__version__
    assert len(record["assets"]["face-landmarker"]) == 64
    assert record["stand_ins"] == assets.stand_ins()
    assert record["machine"]["cores"] >= 1


def test_the_machine_is_named():
    told = machine()
    assert told["cpu"]
    assert told["memory_gib"] > 0.1


def test_every_installed_package_has_its_version():
    assert package_versions()["pytest"] == pytest.__version__
