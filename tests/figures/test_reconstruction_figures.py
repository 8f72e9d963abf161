"""Pictures of a reconstruction, on a made-up track whose truth is known."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from repro import figures
from repro.face.light import ambient_light, key_light
from repro.face.model import load_open_model
from repro.figures import reconstruction as views

T, SIZE = 6, 96  # of the made-up track


@pytest.fixture(scope="module")
def model():
    return load_open_model()


@pytest.fixture
def track(made_up_track):
    return made_up_track


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def axes_with_pictures(figure):
    return [axis for axis in figure.axes if axis.images]


def test_a_sheet_has_a_picture_for_every_frame_under_its_words():
    frames = [np.zeros((8, 8, 3), np.uint8)] * 2
    figure = figures.sheet(
        {"a": frames, "b": frames}, titles=["x", "y"], captions={"b": ["p", "q"]}
    )
    assert [axis.get_title() for axis in axes_with_pictures(figure)] == ["x", "y", "p", "q"]


def test_the_grid_is_drawn_on_the_face_alone(model, track):
    frame = np.full((SIZE, SIZE, 3), 100, np.uint8)
    drawn = views.grid_over(frame, model, track, 0, zoom=3)
    assert drawn.shape == (3 * SIZE, 3 * SIZE, 3)
    changed = (drawn != 100).any(-1)
    assert not changed[:5].any() and not changed[-5:].any()
    face = changed[3 * SIZE // 2 - 30 : 3 * SIZE // 2 + 30, 3 * SIZE // 2 - 30 : 3 * SIZE // 2 + 30]
    assert 0.05 < face.mean() < 0.7


def test_a_close_up_holds_all_landmarks_whatever_the_size_of_the_picture(track):
    for zoom in (1, 2):
        whole = np.zeros((zoom * SIZE, zoom * SIZE, 3), np.uint8)
        for x, y in (zoom * track.landmarks[0]).astype(int):
            whole[y, x] = 255
        part = views.close_up(whole, track)
        assert len(part) < len(whole)
        assert (part > 0).sum() == (whole > 0).sum()


def test_an_even_light_makes_an_even_sphere():
    sphere = views.light_sphere(ambient_light(), size_px=40, albedo=0.5)
    assert (np.abs(sphere[10:30, 10:30].astype(int) - 128) <= 1).all()
    assert (sphere[0, 0] == 255).all()


def test_a_sphere_is_bright_on_the_side_of_the_lamp():
    light = key_light(np.array([1.0, 0.0, -0.2]), ambient=0.5, key=0.5)
    sphere = views.light_sphere(light, size_px=40)
    assert sphere[20, 35, 0] > sphere[20, 5, 0] + 50


def test_the_true_light_correlates_with_itself(track):
    light = key_light(np.array([1.0, -1.0, -1.0]), ambient=0.5, key=0.4)
    lit = replace(track.coefficients, light=np.tile(light, (T, 1)))
    frames = [np.zeros((SIZE, SIZE, 3), np.uint8)] * T
    figure = views.light_spheres(frames, replace(track, coefficients=lit), [0, 5], light)
    titles = [axis.get_title() for axis in axes_with_pictures(figure)]
    assert titles[2:4] == ["r = 1.00", "r = 1.00"]


def test_vertex_distance_ignores_rigid_moves(model):
    part = model.skin_mask > 0.5
    turned = Rotation.from_euler("xyz", [0.2, -0.1, 0.3]).apply(model.mean) + [0.1, 0, 0.2]
    assert views.vertex_distance_mm(turned, model.mean, part).max() < 1e-3


def test_vertex_distance_is_in_millimetres(model):
    part = model.skin_mask > 0.5
    pulled = model.mean.copy()
    one = np.flatnonzero(part)[0]
    pulled[one, 2] -= 0.004
    distance = views.vertex_distance_mm(pulled, model.mean, part)
    assert distance[one] == pytest.approx(4, abs=0.1)


def test_the_error_of_a_perfect_rendering_is_zero(track):
    frame = np.full((SIZE, SIZE, 3), 90, np.uint8)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[40:60, 40:60] = 1
    off = frame.copy()
    off[mask > 0] += 10
    drawn = {"same": [(frame, mask)], "brighter": [(off, mask)]}
    figure = views.photometric_errors([frame], track, [0], drawn)
    titles = [axis.get_title() for axis in axes_with_pictures(figure)]
    assert titles == ["0.0 s", "mean 0.0", "mean 10.0"]


def test_shapes_are_shown_from_two_sides(model):
    figure = views.meshes(model, {"mean": model.mean})
    front, turned = (axis.images[0].get_array() for axis in axes_with_pictures(figure))
    assert front.shape == turned.shape and (front != turned).any()


def test_the_map_of_shape_errors_has_a_bar_in_millimetres(model):
    figure = views.shape_errors(model, {"mean": model.mean}, model.mean)
    assert len(axes_with_pictures(figure)) == 2
    assert "mean 0.00 mm" in axes_with_pictures(figure)[0].get_title()
    assert any("(mm)" in axis.get_ylabel() for axis in figure.axes)


def test_curves_mark_the_frames_without_a_face(model, track):
    for figure in (views.expression_curves(model, track), views.residual_curve(model, track)):
        assert sum(len(axis.patches) for axis in figure.axes) == 1
        assert figure.axes[-1].get_xlabel() == "seconds"


def test_a_model_without_these_actions_shows_its_first_ones(model, track):
    other = replace(model, expression_names=tuple(f"direction{k}" for k in range(64)))
    figure = views.expression_curves(other, track)
    assert figure.axes[0].get_ylabel() == "direction0"
