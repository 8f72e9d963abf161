"""What the studies measure, against closed forms."""

import numpy as np
import pytest

from repro.face.model import load_open_model
from repro.motion.motion import Motion
from repro.study import metrics as m

FRAMES, SIDE = 10, 48


class Colours:
    """Stands for an identity network: a face's mean colour."""

    name, dim = "colours", 3

    def features(self, frames, *, landmarks, every=1):
        mean = np.asarray(frames, np.float32).mean((1, 2))
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)


@pytest.fixture
def real():
    rng = np.random.default_rng(0)
    return list(rng.integers(40, 200, (FRAMES, SIDE, SIDE, 3)).astype(np.uint8))


def measured(made, real):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[2:-2, 2:-2] = True
    masks = [mask] * FRAMES
    taken = m.picture_measures(made, real, masks, np.zeros((FRAMES, 478, 2)), Colours())
    return {measure.name: measure for measure in taken}


def test_a_constant_error_has_its_psnr_and_does_not_flicker(real):
    taken = measured([frame + 5 for frame in real], real)
    assert taken["face PSNR"].value == pytest.approx(20 * np.log10(255 / 5))
    assert taken["flicker of the error"].value == pytest.approx(0, abs=1e-6)
    assert taken["sharpness ratio"].value == pytest.approx(1)
    assert taken["CSIM"].frames == 2
    assert set(taken) == {metric.name for metric in m.PICTURE_METRICS}


def test_an_error_that_changes_its_sign_flickers_by_four_times_its_size(real):
    made = [frame + 3 if t % 2 else frame - 3 for t, frame in enumerate(real)]
    assert measured(made, real)["flicker of the error"].value == pytest.approx(12)


@pytest.fixture
def truth():
    t = np.linspace(0, 4 * np.pi, 60)
    expression, pose = np.zeros((60, 64), np.float32), np.zeros((60, 6), np.float32)
    expression[:, load_open_model().expression_names.index("jawOpen")] = 0.25 + 0.2 * np.sin(3 * t)
    pose[:, :3] = 0.2 * np.sin(t)[:, None]
    return Motion(expression, pose)


def motion_of(true, made, regressed, track):
    spoken = [m.Spoken(true, regressed, made, np.zeros(len(true), int))]
    return {x.name: x for x in m.motion_measures(spoken, track, load_open_model())}


def test_a_motion_that_is_the_person_s_own_is_perfect(truth, made_up_track):
    taken = motion_of(truth, truth, truth, made_up_track)
    assert taken["HS"].value == taken["HS, own range"].value == 1
    assert taken["lip gap r"].value == pytest.approx(1)
    assert taken["E_exp"].value == 0


def test_a_still_head_costs_more_over_its_own_range(truth, made_up_track):
    still = Motion(truth.expression, np.zeros_like(truth.pose))
    taken = motion_of(truth, still, truth, made_up_track)
    assert taken["HS, own range"].value < taken["HS"].value < 1


def test_the_second_difference_is_of_the_regression(truth, made_up_track):
    bent = np.zeros_like(truth.pose)
    bent[:, :3] = 0.5 * np.radians(0.1) * np.arange(len(bent))[:, None] ** 2
    still = Motion(truth.expression, np.zeros_like(truth.pose))
    taken = motion_of(truth, still, Motion(truth.expression, bent), made_up_track)
    assert taken["pose second difference"].value == pytest.approx(0.1, rel=1e-3)


def test_a_background_held_still_does_not_flicker_and_a_jumping_one_does():
    frames = np.stack([np.full((SIDE, SIDE, 3), v, np.uint8) for v in (100, 110)])
    masks = np.zeros((2, SIDE, SIDE), np.uint8)
    masks[:, 10:20, 10:20] = 1
    assert m.background_flicker(frames, masks, [np.zeros(8, int)]).value == 0
    assert m.background_flicker(frames, masks, [np.arange(8) % 2]).value == pytest.approx(20)


def test_metrics_have_their_directions():
    values = np.array([0.5, 1.0, 1.5])
    assert m.HS.loss(values).argmin() == 2
    assert m.POSE_JITTER.loss(values).argmin() == 0
    assert m.SHARPNESS.loss(values).argmin() == 1
