import dataclasses

import cv2
import numpy as np
import pytest
import torch

from repro.errors import UserError
from repro.face.camera import Camera, Crop
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.reconstruct.crop import cut
from repro.reconstruct.detect import Detection
from repro.reconstruct.network import CoefficientNetwork, network_track, predict, predict_clip
from repro.reconstruct.network_checkpoint import NetworkHistory, load_network, save_network
from repro.reconstruct.network_settings import ReconstructNetworkSettings

SETTINGS = ReconstructNetworkSettings(
    block="basic", layers=(1, 1, 1, 1), width=4, pooled=2, input_px=48, crop_m=0.2
)
CAMERA = Camera(500, 128, 128, 256, 256)


@pytest.fixture(scope="module")
def model():
    return load_open_model()


@pytest.fixture(scope="module")
def points(model):
    """A frontal mean face a metre away, twice."""
    pose = np.array([0, 0, 0, 0.02, 0.03, 1.0])
    seen = CAMERA.project(apply_pose(model.landmarks(model.mean), pose))
    return np.stack([seen, seen + 2]).astype(np.float32)


def test_an_untrained_network_answers_with_the_mean_face(model):
    network = CoefficientNetwork.untrained(model, SETTINGS, seed=0).eval()
    answers = network(torch.rand(3, 3, 48, 48))
    assert answers.shape == (3, 257)
    torch.testing.assert_close(answers, network.mean.expand(3, 257))


def test_the_untrained_answer_puts_the_mean_face_where_the_landmarks_are(model, points):
    """Alignment, crop and camera together: the crop's own geometry already tells the place."""
    network = CoefficientNetwork.untrained(model, SETTINGS, seed=0)
    frames = np.zeros((2, 256, 256, 3), np.uint8)
    vectors = predict(network, frames, points, CAMERA, model)
    pose = np.concatenate([vectors[:, 224:227], vectors[:, 254:]], 1)
    seen = CAMERA.project(apply_pose(np.stack([model.landmarks(model.mean)] * 2), pose))
    assert np.linalg.norm(seen - points, axis=-1)[:, model.landmark_valid].max() < 4
    np.testing.assert_allclose(pose[0], [0, 0, 0, 0.02, 0.03, 1.0], atol=0.05)


def test_a_clip_has_one_identity_and_one_texture(model, points):
    network = CoefficientNetwork.untrained(model, SETTINGS, seed=0)
    with torch.no_grad():
        for head in network.final_layers:
            head.weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(0))
    frames = np.random.default_rng(0).integers(0, 255, (2, 256, 256, 3), dtype=np.uint8)
    vectors = predict(network, frames, points, CAMERA, model)
    clip = predict_clip(network, frames, points, CAMERA, model)
    assert np.abs(vectors[0, :80] - vectors[1, :80]).max() > 1e-3
    np.testing.assert_allclose(clip.identity, np.median(vectors[:, :80], axis=0), atol=1e-6)
    np.testing.assert_allclose(clip.expression, vectors[:, 80:144])
    assert len(clip) == 2 and clip.expression[:, :52].min() >= 0


def test_a_track_from_the_network_alone_has_its_landmarks_and_residual(model, points):
    network = CoefficientNetwork.untrained(model, SETTINGS, seed=0)
    crop = Crop(left=40, top=30, side=128, size=256)
    seen = crop.to_source(points)
    found = Detection(
        points=seen, scores=np.zeros((2, 52)), score_names=(), found=np.ones(2, bool), people=1,
        raw=seen, bridged=np.zeros(2, bool), confidence=np.ones(2, np.float32),
        frame_size=(256, 256),
    )  # fmt: skip
    frames = np.zeros((2, 256, 256, 3), np.uint8)
    track = network_track(network, found, frames, CAMERA, crop, model)
    assert len(track) == 2 and track.residual.shape == (2, model.landmark_valid.sum())
    np.testing.assert_allclose(track.landmarks, points, atol=1e-3)
    assert np.median(track.residual) < 5


@pytest.mark.parametrize(("left", "top"), [(30, 40), (-60, 90), (170, -30)])
def test_a_shrinking_cut_is_that_of_the_picture_blurred_whole(left, top):
    image = np.random.default_rng(0).integers(0, 255, (200, 240, 3), dtype=np.uint8)
    crop = Crop(left, top, 100, 25)
    blurred = cv2.GaussianBlur(image, (0, 0), 0.4 * np.sqrt(15))
    whole = cv2.warpAffine(blurred, crop.affine, (25, 25), borderMode=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(cut(image, crop).astype(int), whole, atol=2)


def test_a_cut_beside_the_picture_repeats_its_border():
    assert cut(np.full((20, 20, 3), 7, np.uint8), Crop(400, 400, 100, 25)).max() == 7


def test_predicting_leaves_training_mode_as_it_was(model, points):
    network = CoefficientNetwork.untrained(model, SETTINGS, seed=0).train()
    predict(network, np.zeros((2, 256, 256, 3), np.uint8), points, CAMERA, model)
    assert network.training


def test_no_frame_gives_no_coefficients(model):
    network = CoefficientNetwork.untrained(model, SETTINGS, seed=0)
    assert predict(network, [], np.zeros((0, 478, 2)), CAMERA, model).shape == (0, 257)


def test_the_same_seed_gives_the_same_network(model):
    a, b = (CoefficientNetwork.untrained(model, SETTINGS, seed=3).state_dict() for _ in "ab")
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_network_comes_back_from_disk_as_it_was(model, tmp_path):
    network = CoefficientNetwork.untrained(model, SETTINGS, seed=1).eval()
    history = NetworkHistory(steps=2, seconds=1.5, train={"total": [2.0, 1.0]}, best=2)
    save_network(network, tmp_path / "n.safetensors", model, history)
    again, told = load_network(tmp_path / "n.safetensors", model)
    assert told == history and again.settings == SETTINGS and not again.training
    image = torch.rand(1, 3, 48, 48)
    torch.testing.assert_close(again(image), network(image))


def test_a_network_for_another_model_is_refused(model, tmp_path):
    network = CoefficientNetwork.untrained(model, SETTINGS, seed=1)
    save_network(network, tmp_path / "n.safetensors", model, NetworkHistory())
    other = dataclasses.replace(model, name="other", sha256="0")
    with pytest.raises(UserError, match="open-face-1"):
        load_network(tmp_path / "n.safetensors", other)


def test_missing_and_damaged_networks_are_named(model, tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        load_network(tmp_path / "n.safetensors", model)
    (tmp_path / "n.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match="cannot be read"):
        load_network(tmp_path / "n.safetensors", model)
