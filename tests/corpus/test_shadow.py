"""Where light cannot reach."""

import numpy as np

from repro.corpus.shadow import ambient_occlusion, view_from


def test_a_plate_hides_the_light_from_what_is_behind_it():
    plate = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float) * 0.2
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    view = view_from(
        np.array([0, 0, -1.0]), plate, triangles, centre=np.zeros(3), extent_m=0.6, size_px=64
    )
    column, row, depth = view.locate(np.array([0.0, 0.0, 0.1]))
    assert view.depth[int(row), int(column)] < depth - 0.05


def test_an_open_plate_sees_the_whole_sky_and_a_covered_one_does_not():
    plate = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]], float) * 0.2
    covered = np.concatenate([plate, plate - np.array([0, 0.05, 0])])
    triangles = np.array([[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]], np.int32)
    up = np.tile([0.0, -1.0, 0.0], (8, 1))
    middle = np.array([[0.0, 0.0, 0.0], [0.0, -0.05, 0.0]])
    points, normals = np.concatenate([covered, middle]), np.concatenate([up, up[:2]])
    sky = ambient_occlusion(points, normals, triangles)
    assert sky[9] > 0.95 and sky[8] < 0.3
