"""Normals of meshes."""

import numpy as np

from repro.face.mesh import vertex_normals


def test_normals_of_an_octahedron_point_outwards():
    points = np.concatenate([np.eye(3), -np.eye(3)])
    corners = [(x, y, z) for x in (0, 3) for y in (1, 4) for z in (2, 5)]
    outward = [c if np.linalg.det(points[list(c)]) > 0 else c[::-1] for c in corners]
    normals = vertex_normals(points, np.array(outward, np.int32))
    np.testing.assert_allclose(normals, points, atol=1e-9)
