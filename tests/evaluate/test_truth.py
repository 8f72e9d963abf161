"""Errors against the truth, for tracks whose errors are known."""

from dataclasses import replace

import numpy as np
import pytest

from repro.evaluate.truth import (
    against_truth,
    closed_share,
    mouth_motion_errors,
    mouth_vertices,
    shape_error_mm,
)
from repro.face import landmarks as lm
from repro.face.pose import rotation_matrix


def errors(known, track):
    return against_truth(track, known.truth, known.model)


def test_an_exact_track_has_no_error(known):
    got = errors(known, known.track)
    assert all(np.isfinite(v) for v in got.values())
    for name, value in got.items():
        if name.startswith("mean_face"):
            continue
        right = 1 if name.endswith("_r") or "_r_" in name or name == "lips_closed_share" else 0
        assert value == pytest.approx(right, abs=2e-3), name
    assert got["mean_face_error_mm"] > 0.5


def test_a_turned_zero_counts_only_as_an_absolute_error(known):
    pose = known.track.coefficients.pose.copy()
    pose[:, 1] += np.deg2rad(3)
    pose[3, 0] += 0.5  # one frame does not move a median
    got = errors(known, known.with_coefficients(pose=pose))
    assert got["yaw_error_absolute_deg"] == pytest.approx(3, abs=1e-3)
    assert got["yaw_error_deg"] == pytest.approx(0, abs=1e-3)
    assert got["pitch_error_absolute_deg"] == pytest.approx(0, abs=1e-3)


def test_a_yaw_that_is_wrong_by_turns_counts_in_full(known):
    pose = known.track.coefficients.pose.copy()
    pose[:, 1] += np.deg2rad(2) * np.where(np.arange(len(pose)) % 2, 1, -1)
    got = errors(known, known.with_coefficients(pose=pose))
    assert got["yaw_error_deg"] == pytest.approx(2, abs=1e-3)


def test_distance_and_focal_length_together_are_no_error_of_place(known):
    """A camera of twice the focal length with the face twice as far, seen through the same crop."""
    pose = known.track.coefficients.pose.copy()
    middle = known.model.landmarks(known.track.vertices(known.model))[:, lm.STEADY].mean(1)
    turned = np.einsum("tij,tj->ti", rotation_matrix(pose[:, :3]), middle)
    place = turned + pose[:, 3:]
    pose[:, 3:] = place * (1, 1, 2) - turned
    camera = replace(known.track.camera, focal_px=2 * known.track.camera.focal_px)
    got = errors(known, replace(known.with_coefficients(pose=pose), camera=camera))
    assert got["translation_error_mm"] == pytest.approx(0, abs=0.01)
    assert got["depth_error_percent"] == pytest.approx(0, abs=1e-3)


def test_a_face_two_millimetres_aside_is_two_millimetres_wrong(known):
    pose = known.track.coefficients.pose.copy()
    pose[:, 3] += 0.002
    got = errors(known, known.with_coefficients(pose=pose))
    assert got["translation_error_mm"] == pytest.approx(2, abs=0.01)


def test_landmarks_a_known_way_off(known):
    """All points two source pixels to the right."""
    crop = replace(known.track.crop, left=known.track.crop.left + 2)
    pupils = lm.inter_pupil_distance(known.truth.landmarks)
    got = errors(known, replace(known.track, crop=crop))
    assert got["landmark_error_percent"] == pytest.approx(np.median(200 / pupils), rel=1e-3)
    assert got["landmark_error_p95_percent"] == pytest.approx(200 / pupils.min(), rel=0.02)


def test_half_the_motion_is_half_wrong_and_no_motion_wholly(known):
    true, model = known.truth.expression, known.model
    half = mouth_motion_errors(true / 2, true, model)
    assert list(half.values()) == pytest.approx([50, 50], abs=1e-3)
    still = mouth_motion_errors(np.tile(true.mean(0), (len(true), 1)), true, model)
    assert still["mouth_motion_error_percent"] == pytest.approx(100, abs=1e-3)
    assert still["mouth_displacement_error_percent"] > 50


def test_another_rest_is_no_error_of_motion(known):
    true, model = known.truth.expression, known.model
    other = true.copy()
    other[:, model.expression_names.index("mouthSmileLeft")] += 0.4
    got = mouth_motion_errors(other, true, model)
    assert got["mouth_motion_error_percent"] == pytest.approx(0, abs=1e-3)
    assert got["mouth_displacement_error_percent"] > 10


def test_the_mouth_is_around_the_lips(known):
    model = known.model
    near, wide = mouth_vertices(model, 0.0), mouth_vertices(model)
    assert set(near) < set(wide) < set(mouth_vertices(model, 0.03))
    assert (model.cavity_mask[wide] < 0.5).all()
    eyes = model.landmarks(model.mean)[[lm.RIGHT_PUPIL, lm.LEFT_PUPIL]]
    apart = np.linalg.norm(model.mean[wide][:, None] - eyes, axis=-1)
    assert apart.min() > 0.03


def test_lips_are_closed_up_to_a_millimetre():
    true = np.array([-0.002, 0.0, 0.010, -0.001])
    made = np.array([0.0009, 0.0016, 0.0, -0.003])
    assert closed_share(made, true) == pytest.approx(2 / 3)
    assert np.isnan(closed_share(made, true + 0.003))


def test_a_missed_blink_of_one_eye_is_the_worse_eye_s(known):
    expression = known.track.coefficients.expression.copy()
    expression[:, known.model.expression_names.index("eyeBlinkLeft")] = 0
    got = errors(known, known.with_coefficients(expression=expression))
    assert got["blink_r"] == 0
    assert got["jaw_open_r"] == pytest.approx(1)


def test_shape_error_is_what_no_rigid_move_takes_away(known):
    shape = known.model.mean[known.model.skin_mask > 0.5].astype(np.float64)
    turn = rotation_matrix(np.array([0.2, -0.3, 0.1]))
    assert shape_error_mm(shape @ turn.T + 0.1, shape) == pytest.approx(0, abs=1e-9)
    larger = 1.1 * shape
    radius = np.linalg.norm(shape - shape.mean(0), axis=1).mean()
    assert shape_error_mm(larger, shape) == pytest.approx(100 * radius, rel=1e-6)
    assert shape_error_mm(larger @ turn.T, shape, scaled=True) == pytest.approx(0, abs=1e-9)


def test_the_mean_face_is_as_good_as_itself(known):
    zero = np.zeros(80, np.float32)
    got = errors(known, known.with_coefficients(identity=zero, texture=zero))
    assert got["neutral_error_mm"] == pytest.approx(got["mean_face_error_mm"])
    assert got["albedo_r"] == pytest.approx(got["mean_face_albedo_r"], abs=1e-3)
    assert got["albedo_r"] < 0.999


def test_brighter_light_from_the_same_side_is_right_and_from_the_other_side_wrong(known):
    light = known.track.coefficients.light
    assert errors(known, known.with_coefficients(light=2 * light))["light_r"] == pytest.approx(1)
    turned = light.copy().reshape(-1, 3, 9)
    turned[..., 1:] *= -1
    other = known.with_coefficients(light=turned.reshape(-1, 27))
    assert errors(known, other)["light_r"] == pytest.approx(-1)
