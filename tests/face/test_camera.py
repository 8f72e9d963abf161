import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from repro.face.camera import Camera, Crop


def test_a_point_on_the_axis_falls_on_the_principal_point():
    camera = Camera(500, 320, 240, 640, 480)
    np.testing.assert_allclose(camera.project(np.array([[0, 0, 2.0]])), [[320, 240]])
    np.testing.assert_allclose(camera.project(np.array([[0.2, -0.1, 2.0]])), [[370, 215]])


@given(st.floats(-100, 300), st.floats(-100, 300), st.floats(50, 900))
def test_a_crop_of_the_projection_is_the_projection_of_the_crop(left, top, side):
    camera, crop = Camera(500, 320, 240, 640, 480), Crop(left, top, side, 256)
    points = np.random.default_rng(0).normal(size=(6, 3)) + [0, 0, 8]
    through = camera.seen_through(crop).project(points)
    np.testing.assert_allclose(through, crop.to_crop(camera.project(points)), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(
        crop.to_source(crop.to_crop(points[:, :2])), points[:, :2], atol=1e-9
    )


def test_the_affine_matrix_moves_pixel_centres_as_the_crop_does():
    image = np.zeros((100, 120), np.float32)
    image[40:44, 60:64] = 1  # a square whose centre is (62, 42) in pixel edges
    crop = Crop(40.0, 20.0, 50.0, 200)
    seen = cv2.warpAffine(image, crop.affine, (200, 200))
    ys, xs = np.nonzero(seen > 0.5)
    centre = np.array([xs.mean() + 0.5, ys.mean() + 0.5])
    np.testing.assert_allclose(centre, crop.to_crop([62.0, 42.0]), atol=0.3)
