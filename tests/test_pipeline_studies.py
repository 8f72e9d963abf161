"""Parts of the studies' models."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from repro.config import load_profile
from repro.evaluate.measure import NONE, Measure
from repro.face.model import load_open_model
from repro.motion.motion import Motion
from repro.perform import Performance
from repro.pipeline import motion as motion_stage
from repro.pipeline import refinement as refinement_stage
from repro.pipeline import studies
from repro.pipeline.workspace import Workspace
from repro.refine.generator import Generator
from repro.refine.refine import Refiner, empty_memory
from repro.refine.settings import RefineSettings
from repro.refine.spatial import spatial_encoder
from repro.render.background import match_backgrounds

DIM = 8


@pytest.fixture
def refiner():
    settings = RefineSettings(
        image_px=32, levels=3, ngf=4, memory_slots=6, spatial_dim=4, read_smoothing_frames=1
    )
    torch.manual_seed(0)
    memory = empty_memory(settings, identity_dim=DIM)
    memory.update(torch.randn(4, 4), torch.randn(4, DIM))
    generator = Generator(settings, identity_dim=DIM).eval()
    with torch.no_grad():  # a fresh generator hardly listens to the feature
        generator.style[-1].weight.normal_(0, 3)
    return Refiner(generator, spatial_encoder(dim=4).eval(), memory.eval(), "made up", settings)


def frames(count):
    return np.random.default_rng(1).integers(0, 255, (count, 32, 32, 3)).astype(np.uint8)


def test_a_memory_of_one_identity_answers_every_query_with_it(refiner):
    wanted = np.eye(DIM)[3]
    fixed = studies.with_one_identity(refiner, wanted)
    answers = fixed.memory.read(torch.randn(5, 4)).numpy()
    np.testing.assert_allclose(answers, np.tile(wanted, (5, 1)), atol=1e-6)


def test_only_the_memory_is_exchanged(refiner):
    fixed = studies.with_one_identity(refiner, np.eye(DIM)[3])
    assert fixed.generator is refiner.generator
    assert fixed.settings == refiner.settings
    assert int(refiner.memory.used.sum()) == 4
    changed = np.stack(list(fixed.refine_frames(frames(3)))) != np.stack(
        list(refiner.refine_frames(frames(3)))
    )
    assert changed.any()


def test_a_head_held_still_keeps_what_the_face_says():
    rng = np.random.default_rng(0)
    expression = rng.random((12, 64)).astype(np.float32)
    pose = rng.normal(0, 0.1, (12, 6)).astype(np.float32)
    own = rng.normal(0, 0.1, (30, 6)).astype(np.float32)
    performance = Performance(Motion(expression, pose), pose, match_backgrounds(pose, own))
    still = studies.held_still(performance, own[0])
    np.testing.assert_array_equal(still.motion.expression, expression)
    np.testing.assert_array_equal(still.motion.pose, np.repeat(own[:1], 12, 0))
    assert not still.backgrounds.frame.any()


def test_curves_are_degrees_and_the_lips_opening_and_may_be_empty(made_up_track):
    ws = SimpleNamespace(model=load_open_model())
    subject = SimpleNamespace(person=SimpleNamespace(track=made_up_track), ws=ws)
    known = made_up_track.coefficients
    pose = known.pose + np.radians([2, 7, 0, 0, 0, 0]).astype(np.float32)
    motion = Motion(known.expression, pose)
    curves = studies.motion_curves(subject, motion)
    assert curves["yaw (degrees)"] == pytest.approx(7, rel=1e-5)
    assert curves["pitch (degrees)"] == pytest.approx(2, rel=1e-5)
    assert (np.diff(curves["lip gap (%)"]) > 0).all()
    empty = studies.motion_curves(subject, motion[:0])
    assert {name: len(curve) for name, curve in empty.items()} == dict.fromkeys(curves, 0)


def outcome(value, picture=0):
    measure = Measure("HS", value, "1", 3, 0, NONE, NONE, NONE, "")
    return studies.Outcome(
        (measure,), np.full((2, 4, 4, 3), picture), np.zeros((0, 4, 4, 3)), {},
        {"motion": value, "refinement": 2 * value},
    )  # fmt: skip


def test_tables_name_model_seed_and_measure():
    found = {("a", 50): [outcome(1.0), outcome(3.0)], ("a", 300): [outcome(5.0)]}
    table = studies.outcome_table(found, ["person", "frames_learned"], first_seed=7)
    assert table[["person", "frames_learned", "seed", "name", "value"]].values.tolist() == [
        ["a", 50, 7, "HS", 1.0], ["a", 50, 8, "HS", 3.0], ["a", 300, 7, "HS", 5.0],
    ]  # fmt: skip
    costs = studies.cost_table(found)
    expected = pd.DataFrame({
        "frames": [50, 50, 300, 300], "part": ["motion", "refinement"] * 2,
        "seconds": [2.0, 4.0, 5.0, 10.0],
    })  # fmt: skip
    pd.testing.assert_frame_equal(costs, expected)


def test_pictures_that_a_variant_leaves_alone_are_not_shown_twice():
    found = {("full",): [outcome(1, 5)], ("same",): [outcome(1, 5)], ("other",): [outcome(1, 6)]}
    assert list(studies.changed_pictures(found)) == ["full", "other"]


@pytest.mark.parametrize(("own", "people"), [([1], 1), ([1], 3), ([], 2)])
def test_the_study_clip_stands_for_its_person(monkeypatch, own, people):
    study = [f"study {k}" for k in own]
    monkeypatch.setattr(studies, "study_targets", lambda _: study)
    monkeypatch.setattr(studies, "personal_targets", lambda _: ["clip 1", "clip 2", "clip 3"])
    ws = SimpleNamespace(profile=load_profile("smoke", {"frame_count.people": people}))
    expected = [*study, *["clip 1", "clip 2", "clip 3"][len(study) :]][:people]
    assert studies.frame_count_people(ws) == expected


class Clip(SimpleNamespace):
    """A clip of ten frames."""

    def __len__(self):
        return 10


def test_every_count_of_a_clip_is_tested_on_its_last_frames(tmp_path):
    few = {"frame_count.counts": [3, 6, 50], "frame_count.test_frames": 10, "refine.steps": 7}
    ws = Workspace.open(tmp_path, load_profile("smoke", {**few, "frame_count.refine_steps": 5}))
    subjects = studies.frame_count_subjects(ws, [Clip(name="a"), Clip(name="b")])
    assert [(s.person.name, s.learned) for s in subjects] == [
        ("a", 3), ("a", 6), ("b", 3), ("b", 6),
    ]  # fmt: skip
    assert {(s.tested.start, s.tested.stop) for s in subjects} == {(8, 10)}
    assert {s.ws.profile.refine.steps for s in subjects} == {5}


@pytest.mark.parametrize(("albedo", "of"), [("detailed", [1, 4]), ("low_frequency", [None, None])])
def test_the_albedo_frame_is_the_most_neutral_one_learned_from(monkeypatch, tmp_path, albedo, of):
    effort = np.array([9, 2, 5, 5, 1, 0, 0, 0, 0, 0], np.float32)
    known = SimpleNamespace(
        expression=effort[:, None].repeat(64, 1), pose=effort[:, None].repeat(6, 1)
    )
    person = Clip(name="a", track=SimpleNamespace(coefficients=known), frames=frames(10))
    few = {"frame_count.counts": [3, 5], "render.albedo": albedo}
    ws = Workspace.open(tmp_path, load_profile("smoke", few))
    drawn = np.clip(person.frames[8:].astype(int) + 10, 0, 255).astype(np.uint8)
    np.save(tmp_path / "frames.npy", drawn)
    np.save(tmp_path / "masks.npy", np.tile(np.arange(32) < 16, (2, 32, 1)).astype(np.float32))
    monkeypatch.setattr(studies, "_traced", lambda *_: tmp_path)
    table = studies.before_refinement(studies.frame_count_subjects(ws, [person]))
    assert table["frames_learned"].tolist() == [3, 5]
    assert table["albedo_frame"].tolist() == of
    error = (drawn.astype(float) - person.frames[8:])[:, :, :16] ** 2
    psnr = np.mean([10 * np.log10(255**2 / frame.mean()) for frame in error])
    assert table["value"].tolist() == pytest.approx([psnr, psnr])


@pytest.fixture
def trained(monkeypatch):
    """What trainings are given, by the seeds and settings of their calls; nothing is trained."""
    calls = []

    class Nothing:
        def save(self, path):
            path.with_suffix(".json").write_text("{}")

    def train_refiner(data, settings, *, seed, **_):
        calls.append((data[0], settings, seed))
        return Nothing(), refinement_stage.RefineHistory(1, 1, 0.0, {})

    monkeypatch.setattr(refinement_stage, "train_refiner", train_refiner)
    monkeypatch.setattr(refinement_stage, "general_targets", lambda _: [Clip(key="g")])
    monkeypatch.setattr(refinement_stage, "_read_refiner", lambda *_: (None, None))
    monkeypatch.setattr(refinement_stage, "pairs", lambda *_, albedo=None, **__: albedo)
    return calls


def test_another_seed_or_albedo_fine_tunes_anew_from_the_same_general_refiner(trained, tmp_path):
    ws = Workspace.open(tmp_path, load_profile("smoke"))
    person = SimpleNamespace(key="p")
    keys = [
        refinement_stage.personal_refiner(ws, person, frames=30, **given)[2]
        for given in ({}, {"seed": ws.seed}, {"seed": 5}, {"albedo": "low_frequency"})
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert [(albedo, seed) for albedo, _, seed in trained] == [
        (None, 0), (None, 0), (None, 5), ("low_frequency", 0),
    ]  # fmt: skip


def heard_clip():
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        key="0",
        windows=rng.normal(0, 1, (40, 28, 12)).astype(np.float32),
        motion=Motion(
            rng.uniform(0, 0.3, (40, 64)).astype(np.float32),
            rng.normal(0, 0.1, (40, 6)).astype(np.float32),
        ),
    )


def test_another_seed_fine_tunes_the_mapping_anew(monkeypatch, tmp_path):
    clip = heard_clip()
    monkeypatch.setattr(motion_stage, "general_targets", lambda _: [clip])
    few = {"motion.epochs": 1, "motion.fine_tune_epochs": 1}
    ws = Workspace.open(tmp_path, load_profile("smoke", few))
    made = {
        seed: motion_stage.personal_motion(ws, clip, frames=30, seed=seed) for seed in (None, 0, 1)
    }
    assert made[None][2] == made[0][2] != made[1][2]
    assert len(list((ws.root / "stages" / "motion-general").iterdir())) == 1
    weights = [made[seed][0].state_dict() for seed in (0, 1)]
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
