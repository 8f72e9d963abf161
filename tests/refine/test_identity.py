import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import UserError
from repro.refine.dlib_resnet import load_dlib_resnet
from repro.refine.identity import (
    ArcFaceIdentity,
    DlibIdentity,
    aligned_face,
    between,
    dlib_network_file,
    identity_network,
    similarity_transform,
    spread,
)

ANGLES = st.floats(-3, 3)


@given(ANGLES, st.floats(0.2, 5), st.floats(-50, 50), st.floats(-50, 50))
def test_a_similarity_transform_is_recovered_exactly(angle, scale, dx, dy):
    points = np.array([[0.0, 0.0], [10.0, 1.0], [4.0, 8.0], [-3.0, 5.0]])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity_transform(points, points @ turn.T + [dx, dy])
    np.testing.assert_allclose(found, np.column_stack([turn, [dx, dy]]), atol=1e-9)


def test_an_aligned_face_has_its_points_on_the_template():
    frame = np.zeros((100, 100, 3), np.uint8)
    points = np.array([[30, 40], [60, 40], [45, 70]])
    for x, y in points:
        frame[y - 1 : y + 2, x - 1 : x + 2] = 255
    template = (points - [20, 30]) / 60
    face = aligned_face(frame, points, template, side_px=120)  # twice as large
    for x, y in (template * 120).astype(int):
        assert face[y, x].min() > 200
    assert (face > 128).mean() < 0.01


def test_frames_between_computed_ones_are_interpolated_to_unit_length():
    at = spread(6, 4)
    assert at.tolist() == [0, 4, 5]
    filled = between(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), at, 6)
    np.testing.assert_allclose(np.linalg.norm(filled, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(filled[2], [0.5**0.5, 0.5**0.5], rtol=1e-6)
    np.testing.assert_allclose(filled[5], [0, 1], atol=1e-7)


def test_dlibs_features_are_unit_and_follow_the_face(tmp_path):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (3, 96, 96, 3), dtype=np.uint8)
    landmarks = np.zeros((3, 478, 2), np.float32)
    landmarks[:, [263, 362, 33, 133, 2]] = [[70, 35], [56, 36], [26, 35], [40, 36], [48, 60]]
    network = DlibIdentity()
    features = network.features(frames, landmarks=landmarks)
    assert features.shape == (3, network.dim) and features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-5)
    doubled = np.repeat(np.repeat(frames[:1], 2, axis=1), 2, axis=2)
    larger = network.features(doubled, landmarks=2 * landmarks[:1])
    assert (features[0] @ larger[0]) > max(features[0] @ features[1], 0.97)


def test_dlibs_network_is_calculated_as_by_dlib():
    import dlib

    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (5, 150, 150, 3), dtype=np.uint8)
    faces = [cv2.GaussianBlur(face, (0, 0), 2.0**k) for k, face in enumerate(noise)]
    given = dlib.face_recognition_model_v1(str(dlib_network_file()))
    found = load_dlib_resnet(dlib_network_file())(
        torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float()
    )
    np.testing.assert_allclose(found, given.compute_face_descriptor(faces), atol=1e-5)


@pytest.mark.parametrize("kept", [0, 1000, -100_000])
def test_a_damaged_file_of_dlibs_network_is_refused(tmp_path, kept):
    broken = tmp_path / "network.dat"
    broken.write_bytes(dlib_network_file().read_bytes()[:kept])
    with pytest.raises(UserError, match=r"network\.dat.* cannot be read"):
        load_dlib_resnet(broken)


def test_more_layers_than_dlibs_are_refused(tmp_path):
    longer = tmp_path / "network.dat"
    longer.write_bytes(dlib_network_file().read_bytes() * 2)
    with pytest.raises(UserError, match="more layers"):
        load_dlib_resnet(longer)


def test_dlibs_file_is_found_without_importing_its_package():
    import sys

    assert dlib_network_file().is_file()
    assert "face_recognition_models" not in sys.modules


def test_frames_and_landmarks_must_be_as_many():
    with pytest.raises(ValueError, match="2 frames with 1"):
        DlibIdentity().features(
            np.zeros((2, 8, 8, 3), np.uint8), landmarks=np.zeros((1, 478, 2), np.float32)
        )


def test_arcface_is_taken_where_its_pack_is_and_dlib_elsewhere(tmp_path):
    assert identity_network(tmp_path / "missing").name == "dlib-resnet-v1"
    with pytest.raises(UserError, match="no ArcFace network"):
        identity_network(tmp_path)
    (tmp_path / "w600k_r50.onnx").touch()
    network = identity_network(tmp_path)
    assert isinstance(network, ArcFaceIdentity)
    assert (network.name, network.dim) == ("arcface-w600k_r50", 512)
