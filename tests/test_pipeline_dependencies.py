"""What is made anew when one setting changes."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from repro import pipeline
from repro.config import load_profile
from repro.pipeline import Workspace
from repro.pipeline import motion as motion_stage
from repro.pipeline import refinement as refinement_stage
from repro.store import digest

PERSON = SimpleNamespace(key="person")


@pytest.fixture
def keys(monkeypatch, tmp_path):
    """Key of every stage of motion and refinement under a profile with overrides."""
    monkeypatch.setattr(motion_stage, "general_targets", lambda _: [PERSON])
    monkeypatch.setattr(refinement_stage, "general_targets", lambda _: [PERSON])
    monkeypatch.setattr(motion_stage, "load_mapping", lambda _: (None, None))
    monkeypatch.setattr(refinement_stage, "_read_refiner", lambda *_: (None, None))

    def keys_of(**overrides):
        found = {}

        def stage(_, name, key, *__):
            found[name] = digest(key)
            return Path(found[name])

        with monkeypatch.context() as patched:
            patched.setattr(Workspace, "stage", stage)
            named = {name.replace("__", "."): value for name, value in overrides.items()}
            ws = Workspace.open(tmp_path, load_profile("smoke", named))
            pipeline.personal_motion(ws, PERSON, frames=100)
            pipeline.personal_refiner(ws, PERSON, frames=100)
        return found

    return keys_of


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        ({"motion__fine_tune_lr": 0.123}, {"motion-personal"}),
        ({"motion__fine_tune_epochs": 7}, {"motion-personal"}),
        ({"motion__members": 2}, {"motion-personal"}),
        ({"motion__lr": 0.123}, {"motion-general", "motion-personal"}),
        ({"refine__fine_tune_lr": 0.123}, {"refine-personal"}),
        ({"refine__steps": 7}, {"refine-personal"}),
        ({"refine_general__steps": 7}, {"refine-general", "refine-personal"}),
        ({"talk__frames": 60}, set()),
    ],
)
def test_a_changed_setting_makes_anew_only_what_depends_on_it(keys, change, anew):
    before, after = keys(), keys(**change)
    assert {name for name in before if before[name] != after[name]} == anew
