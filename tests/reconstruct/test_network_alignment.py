import numpy as np
import pytest
import torch

from repro.face.camera import Camera
from repro.face.light import irradiance
from repro.face.model import load_open_model
from repro.face.pose import apply_pose, euler_angles, rotation_matrix
from repro.reconstruct.alignment import (
    NETWORK_FOCAL,
    aligned_crop,
    face_centre,
    ray_rotation,
    rotated_light,
    to_clip,
    to_network,
)
from repro.reconstruct.network import (
    ANGLES_PART,
    LIGHT_PART,
    PLACE_PART,
    to_camera,
)

SIZE = 112
RNG = np.random.default_rng(0)
FOCAL = torch.tensor([400.0, 520.0, 700.0], dtype=torch.float64)
PRINCIPAL = torch.tensor([[60.0, 50.0], [130.0, 10.0], [-40.0, 90.0]], dtype=torch.float64)
ANGLES = torch.from_numpy(RNG.uniform(-0.6, 0.6, (3, 3)))
PLACE = torch.tensor([[0.01, -0.02, 0.9], [0.0, 0.0, 1.0], [-0.03, 0.01, 1.1]]).double()


@pytest.fixture(scope="module")
def model():
    return load_open_model()


def test_to_the_clip_and_back_is_where_it_began():
    rotation = rotation_matrix(ANGLES)
    there = to_clip(rotation, PLACE, FOCAL, PRINCIPAL, SIZE)
    back = to_network(*there, FOCAL, PRINCIPAL, SIZE)
    torch.testing.assert_close(back[0], rotation)
    torch.testing.assert_close(back[1], PLACE)


def test_the_place_keeps_its_pixel_and_its_size():
    network = Camera(NETWORK_FOCAL * SIZE, SIZE / 2, SIZE / 2, SIZE, SIZE)
    _, moved = to_clip(rotation_matrix(ANGLES), PLACE, FOCAL, PRINCIPAL, SIZE)
    for k in range(3):
        clip = Camera(float(FOCAL[k]), *PRINCIPAL[k].tolist(), SIZE, SIZE)
        np.testing.assert_allclose(
            clip.project(moved[k].numpy()), network.project(PLACE[k].numpy())
        )
        assert clip.focal_px / moved[k, 2] == pytest.approx(network.focal_px / PLACE[k, 2])


def test_the_networks_own_camera_changes_nothing():
    focal, principal = torch.tensor([NETWORK_FOCAL * SIZE]), torch.tensor([[SIZE / 2, SIZE / 2]])
    rotation, place = rotation_matrix(ANGLES[:1].float()), PLACE[:1].float()
    turned, moved = to_clip(rotation, place, focal, principal, SIZE)
    torch.testing.assert_close(turned, rotation)
    torch.testing.assert_close(moved, place)


def test_the_ray_rotation_takes_the_axis_to_the_crops_middle():
    ray = ray_rotation(FOCAL, PRINCIPAL, SIZE)[:, :, 2]
    slope = (SIZE / 2 - PRINCIPAL) / FOCAL[:, None]
    torch.testing.assert_close(ray[:, :2] / ray[:, 2:], slope)
    torch.testing.assert_close(
        torch.linalg.det(ray_rotation(FOCAL, PRINCIPAL, SIZE)), torch.ones(3).double()
    )


def test_a_head_that_faces_an_eccentric_camera_looks_frontal_to_the_network(model):
    """The same head, at the image's middle and at its side turned to the camera, gives one crop."""
    camera = Camera(600, 320, 240, 640, 480)
    centre = face_centre(model).astype(np.float64)
    slope = np.array([0.3, -0.1])
    ray = ray_rotation(torch.ones(1).double(), torch.tensor([[-slope[0], -slope[1]]]).double(), 0)
    side = np.append(slope, 1.0) * 0.95
    pose = np.concatenate([euler_angles(ray[0].numpy()), side - ray[0].numpy() @ centre])
    points = camera.project(apply_pose(model.landmarks(model.mean), pose))
    crop = aligned_crop(points, model, centre, crop_m=0.2, size=SIZE)
    view = camera.seen_through(crop)
    rotation, _ = to_network(
        ray, torch.from_numpy(side)[None], torch.tensor([view.focal_px]).double(),
        torch.tensor([[view.cx, view.cy]]).double(), SIZE,
    )  # fmt: skip
    assert np.degrees(np.abs(euler_angles(rotation[0].numpy()))).max() < 0.5


def test_the_crop_has_the_face_in_its_middle_at_the_wanted_size(model):
    camera, centre = Camera(900, 400, 300, 800, 600), face_centre(model)
    pose = np.array([0, 0, 0, 0.05, -0.02, 1.0])
    points = camera.project(apply_pose(model.landmarks(model.mean), pose))
    crop = aligned_crop(points, model, centre, crop_m=0.2, size=SIZE)
    seen = camera.project(apply_pose(centre[None], pose))[0]
    np.testing.assert_allclose(crop.to_crop(seen), SIZE / 2, atol=2)
    assert crop.side == pytest.approx(0.2 * 900 / (1.0 + centre[2]), rel=0.05)


def test_turned_light_lights_the_turned_normals_as_before():
    light = torch.from_numpy(RNG.normal(0, 1, (3, 27)))
    normals = torch.nn.functional.normalize(torch.from_numpy(RNG.normal(size=(3, 50, 3))), dim=-1)
    rotation = rotation_matrix(ANGLES)
    turned = irradiance(normals @ rotation.transpose(1, 2), rotated_light(light, rotation))
    torch.testing.assert_close(turned, irradiance(normals, light))


def test_answers_become_coefficients_of_the_clips_camera(model):
    """An answer made from a known pose gives that pose back, in the package's terms."""
    centre = torch.from_numpy(face_centre(model)).double()
    cameras = [
        Camera(float(f), *p.tolist(), SIZE, SIZE) for f, p in zip(FOCAL, PRINCIPAL, strict=True)
    ]
    rotation = rotation_matrix(ANGLES)
    near, place = to_network(rotation, PLACE, FOCAL, PRINCIPAL, SIZE)
    light = torch.from_numpy(RNG.normal(0, 0.3, (3, 27)))
    ray = ray_rotation(FOCAL, PRINCIPAL, SIZE)
    answers = torch.zeros(3, 257, dtype=torch.float64)
    answers[:, ANGLES_PART] = torch.from_numpy(euler_angles(near.numpy()))
    answers[:, PLACE_PART] = place
    answers[:, LIGHT_PART] = rotated_light(light, ray.transpose(1, 2))
    answers[:, 80:144] = 1.5
    vectors = to_camera(answers, cameras, centre, model)
    np.testing.assert_allclose(vectors[:, ANGLES_PART], ANGLES, atol=1e-6)
    pivot = PLACE - (rotation @ centre)
    np.testing.assert_allclose(vectors[:, PLACE_PART], pivot, atol=1e-6)
    np.testing.assert_allclose(vectors[:, LIGHT_PART], light, atol=1e-5)
    assert vectors[:, 80:132].max() == 1 and vectors[:, 132:144].max() == 1.5
