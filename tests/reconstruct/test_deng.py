"""Deng et al.'s published layout, on weights that the test writes itself."""

import dataclasses
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from repro.errors import UserError
from repro.face.camera import Camera
from repro.face.light import irradiance
from repro.face.model import load_open_model
from repro.face.pose import apply_pose, rotation_matrix
from repro.reconstruct.alignment import NETWORK_FOCAL
from repro.reconstruct.deng import load_deng, our_convention
from repro.reconstruct.network import ANGLES_PART, LIGHT_PART, PLACE_PART, to_camera

BLOCKS = (3, 4, 6, 3)
FLIP = np.diag([1.0, -1.0, -1.0])


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published state dict (a ResNet-50 without its last layer)."""
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name, after, before, size):
        shapes[f"{name}.weight"] = (after, before, size, size)

    def norm(name, count):
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = (count,)
        shapes[f"{name}.num_batches_tracked"] = ()

    conv("backbone.conv1", 64, 3, 7)
    norm("backbone.bn1", 64)
    before = 64
    for stage, blocks in enumerate(BLOCKS):
        inner = 64 * 2**stage
        for k in range(blocks):
            name = f"backbone.layer{stage + 1}.{k}"
            conv(f"{name}.conv1", inner, before, 1)
            norm(f"{name}.bn1", inner)
            conv(f"{name}.conv2", inner, inner, 3)
            norm(f"{name}.bn2", inner)
            conv(f"{name}.conv3", 4 * inner, inner, 1)
            norm(f"{name}.bn3", 4 * inner)
            if k == 0:
                conv(f"{name}.downsample.0", 4 * inner, before, 1)
                norm(f"{name}.downsample.1", 4 * inner)
            before = 4 * inner
    for k, count in enumerate((80, 64, 80, 3, 27, 2, 1)):
        conv(f"final_layers.{k}", count, 2048, 1)
        shapes[f"final_layers.{k}.bias"] = (count,)
    return shapes


@pytest.fixture(scope="module")
def state():
    generator = torch.Generator().manual_seed(0)
    found = {}
    for name, shape in published_shapes().items():
        if name.endswith("num_batches_tracked"):
            found[name] = torch.tensor(7)
        elif name.endswith("running_var"):
            found[name] = torch.rand(shape, generator=generator) + 0.5
        else:
            fan = max(1, int(np.prod(shape[1:])))
            found[name] = torch.randn(shape, generator=generator) * (0.5 / fan) ** 0.5
    return found


@pytest.fixture(scope="module")
def basel():
    """The open model under Basel's name: what is tested does not depend on the shapes."""
    return dataclasses.replace(load_open_model(), name="basel2009")


@pytest.fixture(scope="module")
def network(state, basel, tmp_path_factory):
    path = tmp_path_factory.mktemp("deng") / "epoch_20.pth"
    torch.save({"net_recon": state, "opt_00": {"state": {}, "lr": 1e-4}, "sched_00": {}}, path)
    return load_deng(path, basel)


def test_the_published_names_are_exactly_the_networks(network, state):
    ours = {k for k in network.state_dict() if k not in ("mean", "scale", "centre")}
    assert ours == set(state)


def test_a_block_computes_what_its_weights_say(network, state):
    x = torch.randn(1, 256, 8, 8, generator=torch.Generator().manual_seed(1)).abs()
    weight = {k.removeprefix("backbone.layer2.0."): v.double().numpy() for k, v in state.items()}

    def normed(y, name):
        mean, var = weight[f"{name}.running_mean"], weight[f"{name}.running_var"]
        y = (y - mean[:, None, None]) / np.sqrt(var[:, None, None] + 1e-5)
        return y * weight[f"{name}.weight"][:, None, None] + weight[f"{name}.bias"][:, None, None]

    def one_by_one(y, name):
        return np.einsum("oi,ihw->ohw", weight[f"{name}.weight"][:, :, 0, 0], y)

    image = x[0].double().numpy()
    y = np.maximum(normed(one_by_one(image, "conv1"), "bn1"), 0)
    padded = np.pad(y, ((0, 0), (1, 1), (1, 1)))
    y = sum(
        np.einsum(
            "oi,ihw->ohw", weight["conv2.weight"][:, :, i, j], padded[:, i : i + 8, j : j + 8]
        )
        for i in range(3)
        for j in range(3)
    )[:, ::2, ::2]
    y = normed(one_by_one(np.maximum(normed(y, "bn2"), 0), "conv3"), "bn3")
    shortcut = normed(one_by_one(image[:, ::2, ::2], "downsample.0"), "downsample.1")
    with torch.no_grad():
        found = network.backbone.layer2[0](x)[0]
    np.testing.assert_allclose(found, np.maximum(y + shortcut, 0), rtol=1e-4, atol=1e-4)


def test_the_heads_stand_in_the_papers_order(network, state):
    features = torch.randn(1, 2048, 1, 1, generator=torch.Generator().manual_seed(2))
    by_hand = torch.cat(
        [
            state[f"final_layers.{k}.weight"][:, :, 0, 0] @ features[0, :, 0, 0]
            + state[f"final_layers.{k}.bias"]
            for k in range(7)
        ]
    )
    mean, scale = our_convention()
    network_said = torch.cat([head(features).flatten(1) for head in network.final_layers], 1)
    torch.testing.assert_close(network_said[0], by_hand)
    assert network(torch.rand(1, 3, 224, 224)).shape == (1, 257)
    torch.testing.assert_close(network.mean, mean)
    torch.testing.assert_close(network.scale, scale)


def test_poses_mean_the_same_picture_as_in_their_convention(basel):
    """Their code's steps, in decimetres with y up, against ours after the conversion."""
    rng = np.random.default_rng(0)
    theirs = np.zeros(257)
    theirs[ANGLES_PART], theirs[PLACE_PART] = (0.2, -0.4, 0.15), (0.3, -0.2, 0.6)
    points = basel.mean[rng.choice(len(basel.mean), 20)].astype(np.float64)
    centre = basel.mean.mean(0)
    shape_dm = (points - centre) @ FLIP * 10
    a, b, c = theirs[ANGLES_PART]
    cos, sin = np.cos, np.sin
    rx = np.array([[1, 0, 0], [0, cos(a), -sin(a)], [0, sin(a), cos(a)]])
    ry = np.array([[cos(b), 0, sin(b)], [0, 1, 0], [-sin(b), 0, cos(b)]])
    rz = np.array([[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]])
    x, y, z = (shape_dm @ (rz @ ry @ rx).T + theirs[PLACE_PART]).T
    u, v = 1015 * x / (10 - z) + 112, 1015 * y / (10 - z) + 112
    seen = np.stack([u, 224 - v], 1)

    mean, scale = (part.double() for part in our_convention())
    answers = (mean + scale * torch.from_numpy(theirs))[None]
    camera = Camera(NETWORK_FOCAL * 224, 112, 112, 224, 224)
    ours = to_camera(answers, [camera], torch.from_numpy(centre), basel)[0].astype(np.float64)
    pose = np.concatenate([ours[ANGLES_PART], ours[PLACE_PART]])
    np.testing.assert_allclose(camera.project(apply_pose(points, pose)), seen, atol=1e-3)


def test_light_means_the_same_as_in_their_convention():
    rng = np.random.default_rng(1)
    gamma, normals = rng.normal(0, 0.3, 27), rng.normal(size=(30, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    with_constant = gamma.reshape(3, 9) + 0.8 * np.eye(9)[0]
    expected = irradiance(normals, with_constant.reshape(27))  # their axes, their functions
    mean, scale = (part[LIGHT_PART].numpy() for part in our_convention())
    np.testing.assert_allclose(
        irradiance(normals @ FLIP, mean + scale * gamma), expected, atol=1e-6
    )


def test_their_rotation_is_ours_between_half_turns():
    angles = np.array([0.3, -0.2, 0.4])
    ours = our_convention()[1][ANGLES_PART].numpy() * angles
    np.testing.assert_allclose(
        rotation_matrix(ours), FLIP @ rotation_matrix(angles) @ FLIP, atol=1e-6
    )


def test_safetensors_of_the_network_part_load_too(state, basel, tmp_path):
    path = tmp_path / "deng.safetensors"
    save_file(state, path)
    assert load_deng(path, basel).final_layers[0].out_channels == 80


def test_the_open_model_is_refused(tmp_path):
    with pytest.raises(UserError, match="Basel"):
        load_deng(tmp_path / "epoch_20.pth", load_open_model())


def test_a_missing_weight_is_named(state, basel, tmp_path):
    path = tmp_path / "deng.safetensors"
    save_file({k: v for k, v in state.items() if k != "final_layers.4.bias"}, path)
    with pytest.raises(UserError, match=r"lacks 1 .*final_layers\.4\.bias"):
        load_deng(path, basel)


def test_a_weight_of_another_shape_is_named(state, basel, tmp_path):
    path = tmp_path / "deng.safetensors"
    save_file({**state, "final_layers.1.bias": torch.zeros(29)}, path)
    with pytest.raises(UserError, match=r"final_layers\.1\.bias.*\(29,\), not \(64,\)"):
        load_deng(path, basel)


def test_a_file_that_would_run_code_is_not_opened(basel, tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    path = tmp_path / "epoch_20.pth"
    path.write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(UserError, match=r"epoch_20\.pth"):
        load_deng(path, basel)


def test_a_missing_file_is_named(basel, tmp_path):
    with pytest.raises(UserError, match="do not exist"):
        load_deng(tmp_path / "epoch_20.pth", basel)
