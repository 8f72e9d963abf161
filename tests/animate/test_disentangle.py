"""Where the head is, and what the face does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from repro.animate.disentangle import STEADY, disentangle, most_visible, rigid_transform
from repro.animate.landmark_pca import face_landmarks
from repro.face.model import load_open_model
from repro.face.pose import apply_pose, rotation_matrix
from repro.motion.performed import performed, performers

MODEL = load_open_model()
NO_EXPRESSION = np.zeros(64, np.float32)
angle = st.floats(-1.5, 1.5)


@pytest.fixture(scope="module")
def spoken():
    """Two people over 4 s: (face at rest (68, 3), landmarks (T, 68, 3), pose (T, 6)) each."""
    found = []
    for number in (next(performers(k)) for k in (11, 12)):
        made = performed(number, 4.0, MODEL.expression_names)
        identity = made.person.identity
        found.append(
            (
                face_landmarks(MODEL, identity, NO_EXPRESSION),
                face_landmarks(MODEL, identity, made.motion.expression),
                made.motion.pose,
            )
        )
    return found


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, (9, 3), elements=st.floats(-1, 1)),
    st.tuples(angle, angle, angle),
    st.tuples(*[st.floats(-2, 2)] * 3),
)
def test_a_rigid_motion_is_found_again(points, angles, place):
    points = points + np.vstack([np.eye(3), -np.eye(3), np.zeros((3, 3))])
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    rotation, t = rotation_matrix(np.array(angles)), np.array(place)
    found, place_found = rigid_transform(points, points @ rotation.T + t)
    np.testing.assert_allclose(points @ found.T + place_found, points @ rotation.T + t, atol=1e-9)
    if spread[1] > 0.1:
        np.testing.assert_allclose(found, rotation, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (2, 8, 3), elements=st.floats(-1, 1)))
def test_what_is_found_is_a_rotation_even_of_mirrored_points(pair):
    rotation, _ = rigid_transform(pair[0], pair[1] * [1, 1, -1])
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_no_other_motion_is_nearer():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 12, 3))
    rotation, t = rigid_transform(source, target)
    least = np.square(source @ rotation.T + t - target).sum()
    for _ in range(50):
        turn = rotation_matrix(rng.normal(0, 0.05, 3)) @ rotation
        shift = (target - source @ turn.T).mean(0)
        assert np.square(source @ turn.T + shift - target).sum() >= least


def test_a_face_without_expression_gives_its_pose_exactly(spoken):
    rest, _, pose = spoken[0]
    found, own = disentangle(apply_pose(np.tile(rest, (len(pose), 1, 1)), pose), rest)
    np.testing.assert_allclose(found, pose, atol=1e-5)
    np.testing.assert_allclose(own, np.tile(rest, (len(pose), 1, 1)), atol=1e-5)


def test_the_paper_s_transform_is_the_pose_s_inverse(spoken):
    """p = R l + T with R = R'^T, T = -R'^T t."""
    rest, landmarks, pose = spoken[0]
    posed = apply_pose(landmarks, pose)
    found, own = disentangle(posed, rest)
    turned = rotation_matrix(found[:, :3])
    shift = -np.einsum("tji,tj->ti", turned, found[:, 3:])
    np.testing.assert_allclose(
        np.einsum("tji,tlj->tli", turned, posed) + shift[:, None], own, atol=1e-5
    )


def test_expression_disturbs_the_pose_by_less_than_half_a_degree(spoken):
    """And by less than a millimetre and a half; the landmarks' own motion is kept as well."""
    for rest, landmarks, pose in spoken:
        found, own = disentangle(apply_pose(landmarks, pose), rest)
        off = found - pose
        assert np.rad2deg(np.abs(off[:, :3])).mean() < 0.3
        assert np.rad2deg(np.abs(off[:, :3])).max() < 1.0
        assert np.linalg.norm(off[:, 3:], axis=1).mean() < 1.5e-3
        assert np.linalg.norm(own - landmarks, axis=-1).mean() < 0.5e-3


def test_the_steady_landmarks_are_27_and_steadier_than_the_rest(spoken):
    assert len(set(STEADY.tolist())) == len(STEADY) == 27
    rest_of_68 = np.setdiff1d(np.arange(68), STEADY)
    moved = [landmarks - still for still, landmarks, _ in spoken]
    size = np.sqrt(np.square(np.concatenate(moved)).sum(-1).mean(0))
    assert size[STEADY].mean() < 0.25 * size[rest_of_68].mean()
    assert size[STEADY].max() < 0.5 * size[rest_of_68].max()
    own = np.linalg.norm(MODEL.expression_basis[:52, MODEL.landmark68], axis=-1).mean(0)
    assert own[STEADY].mean() < 0.25 * own[rest_of_68].mean()


def test_the_most_visible_frame_is_the_least_turned():
    pose = np.zeros((4, 6))
    pose[:, 1] = [0.3, -0.05, 0.1, -0.2]
    pose[:, 5] = 1.0
    assert most_visible(pose) == 1


@pytest.mark.parametrize("name", ["landmarks", "canonical"])
def test_other_shapes_and_values_are_refused(name):
    good = {"landmarks": np.zeros((2, 68, 3)), "canonical": np.zeros((68, 3))}
    with pytest.raises(ValueError, match=f"{name}: expected"):
        disentangle(**good | {name: good[name][..., :2]})
    broken = good[name].copy()
    broken[..., 0] = np.nan
    with pytest.raises(ValueError, match=f"{name}: not all"):
        disentangle(**good | {name: broken})
