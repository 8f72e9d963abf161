"""The fast rasteriser against a slow, obvious one, and against embree's rays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.face.camera import Camera
from repro.render.rasterise import Raster, rasterise

CAMERA = Camera(focal_px=40.0, cx=15.0, cy=12.0, width=31, height=23)


def slow_rasterise(points: np.ndarray, triangles: np.ndarray, camera: Camera) -> Raster:
    """Every triangle against every pixel, in numpy."""
    y, x = np.mgrid[: camera.height, : camera.width] + 0.5
    triangle = np.full(x.shape, -1, np.int32)
    barycentric = np.zeros((*x.shape, 3))
    depth = np.full(x.shape, np.inf)
    for t, corners in enumerate(triangles):
        p = points[corners]
        if (p[:, 2] <= 1e-6).any():
            continue
        (ax, ay), (bx, by), (cx, cy) = (
            (camera.focal_px * q[0] / q[2] + camera.cx, camera.focal_px * q[1] / q[2] + camera.cy)
            for q in p
        )
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
        v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
        w = ((ax - x) * (by - y) - (ay - y) * (bx - x)) / area
        on_surface = np.stack([u, v, w], -1) / p[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            z = 1 / on_surface.sum(-1)
            nearer = (u >= 0) & (v >= 0) & (w >= 0) & (z < depth)
            on_surface = on_surface * z[..., None]
        triangle[nearer], depth[nearer], barycentric[nearer] = t, z[nearer], on_surface[nearer]
    return Raster(triangle, barycentric, depth)


def random_mesh(seed: int, count: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Triangles that share no vertex, some of them behind the camera: no two tie in depth."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(3 * count, 3)) * [0.4, 0.4, 0.5] + [0, 0, 1.2]
    return points, rng.permutation(3 * count).reshape(count, 3)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_agrees_with_the_slow_rasteriser_on_random_meshes(seed):
    points, triangles = random_mesh(seed)
    fast, slow = rasterise(points, triangles, CAMERA), slow_rasterise(points, triangles, CAMERA)
    np.testing.assert_array_equal(fast.triangle, slow.triangle)
    np.testing.assert_allclose(fast.depth, slow.depth, rtol=1e-5)
    np.testing.assert_allclose(fast.barycentric, slow.barycentric, atol=1e-5)
    assert (slow.triangle >= 0).any()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_result_does_not_depend_on_the_threads(threads):
    points, triangles = random_mesh(3)
    one, many = (rasterise(points, triangles, CAMERA, threads=n) for n in (1, threads))
    np.testing.assert_array_equal(one.triangle, many.triangle)
    np.testing.assert_array_equal(one.barycentric, many.barycentric)
    np.testing.assert_array_equal(one.depth, many.depth)


def test_samples_pixel_centres():
    # at z = 1 with focal 1, camera space is the image: the triangle holds only centre (1.5, 0.5)
    camera = Camera(1.0, 0.0, 0.0, 4, 3)
    points = np.array([[1.4, 0.4, 1.0], [1.7, 0.4, 1.0], [1.4, 0.7, 1.0]])
    raster = rasterise(points, np.array([[0, 1, 2]]), camera)
    assert np.argwhere(raster.triangle == 0).tolist() == [[0, 1]]
    np.testing.assert_allclose(raster.barycentric[0, 1], [1 / 3, 1 / 3, 1 / 3], atol=1e-6)


def test_barycentrics_give_back_the_ray_through_the_pixel():
    points, triangles = random_mesh(5)
    raster = rasterise(points, triangles, CAMERA)
    i, j = np.nonzero(raster.triangle >= 0)
    corners = points[triangles[raster.triangle[i, j]]]
    surface = (corners * raster.barycentric[i, j, :, None]).sum(1)
    np.testing.assert_allclose(CAMERA.project(surface), np.stack([j, i], 1) + 0.5, atol=2e-3)
    np.testing.assert_allclose(surface[:, 2], raster.depth[i, j], rtol=1e-5)


def test_nearest_triangle_wins_whatever_the_order():
    near = np.array([[-1, -1, 1], [1, -1, 1], [0, 1, 1.0]])
    far = 2 * near
    points = np.concatenate([far, near])
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        raster = rasterise(points, np.array(order), CAMERA)
        assert raster.depth[12, 15] == pytest.approx(1.0)


def test_lower_index_wins_at_the_same_depth():
    points = np.array([[-1, -1, 1], [1, -1, 1], [0, 1, 1.0]])
    raster = rasterise(points, np.array([[0, 1, 2], [0, 1, 2], [2, 1, 0]]), CAMERA)
    assert set(np.unique(raster.triangle)) <= {-1, 0}
    assert (raster.triangle == 0).any()


def test_degenerate_triangles_cover_nothing():
    points = np.array([[-0.1, 0, 1], [0, 0, 1], [0.1, 0, 1], [np.nan, 0, 1], [0, np.inf, 1.0]])
    triangles = np.array([[0, 0, 0], [0, 1, 1], [0, 1, 2], [0, 2, 3], [0, 2, 4]])
    assert (rasterise(points, triangles, CAMERA).triangle == -1).all()


def test_triangles_behind_the_camera_are_skipped():
    points = np.array([[-1, -1, 1], [1, -1, 1], [0, 1, -1], [0, 1, 0.0]])
    raster = rasterise(points, np.array([[0, 1, 2], [0, 1, 3]]), CAMERA)
    assert (raster.triangle == -1).all()
    assert np.isinf(raster.depth).all()


def test_off_screen_triangles_touch_no_pixel():
    base = np.array([[-0.1, -0.1, 1], [0.1, -0.1, 1], [0, 0.1, 1]])
    for shift in ([9, 0, 0], [-9, 0, 0], [0, 9, 0], [0, -9, 0], [1e12, 0, 0]):
        assert (rasterise(base + shift, np.array([[0, 1, 2]]), CAMERA).triangle == -1).all()


def test_a_triangle_far_larger_than_the_image_covers_all_of_it():
    points = np.array([[-1e6, -1e6, 1], [1e6, -1e6, 1], [0, 1e6, 1]])
    assert (rasterise(points, np.array([[0, 1, 2]]), CAMERA).triangle == 0).all()


def test_no_triangles_give_an_empty_raster():
    raster = rasterise(np.zeros((0, 3)), np.zeros((0, 3), int), CAMERA)
    assert (raster.triangle == -1).all() and not raster.barycentric.any()


def test_culling_keeps_the_outward_side_and_changes_nothing_on_a_closed_mesh(unit_sphere):
    points, triangles = unit_sphere
    points = 0.2 * points + [0, 0, 1]
    whole, culled = (rasterise(points, triangles, CAMERA, cull=c) for c in (False, True))
    assert (whole.triangle >= 0).sum() > 100
    np.testing.assert_array_equal(whole.triangle, culled.triangle)
    inside_out = rasterise(points, triangles[:, ::-1], CAMERA, cull=True)
    covered = inside_out.triangle >= 0
    assert (inside_out.depth[covered] > whole.depth[covered]).all()


def test_a_closed_mesh_has_no_pinholes(unit_sphere):
    points, triangles = unit_sphere
    camera = Camera(200.0, 64.3, 63.1, 128, 128)
    covered = rasterise(0.2 * points + [0, 0, 1], triangles, camera).triangle >= 0
    for row in covered:
        columns = np.nonzero(row)[0]
        assert len(columns) == 0 or len(columns) == columns[-1] - columns[0] + 1


def test_a_vertex_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="vertex"):
        rasterise(np.ones((3, 3)), np.array([[0, 1, 3]]), CAMERA)


def test_agrees_with_embree_rays(unit_sphere):
    trimesh = pytest.importorskip("trimesh")
    pytest.importorskip("embreex")
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    points, triangles = unit_sphere
    points = points * [0.2, 0.25, 0.15] + [0.02, 0, 1]
    raster = rasterise(points, triangles, CAMERA)
    i, j = (a.ravel() for a in np.mgrid[: CAMERA.height, : CAMERA.width])
    rays = np.stack(
        [
            (j + 0.5 - CAMERA.cx) / CAMERA.focal_px,
            (i + 0.5 - CAMERA.cy) / CAMERA.focal_px,
            np.ones(len(i)),
        ],
        1,
    )
    mesh = trimesh.Trimesh(points, triangles, process=False)
    seen = RayMeshIntersector(mesh).intersects_first(np.zeros_like(rays), rays)
    assert (seen != raster.triangle.ravel()).sum() <= 2  # a ray along an edge
    assert (seen >= 0).sum() > 100
