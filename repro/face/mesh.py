"""What every triangle mesh has: vertex normals and the graph of its edges."""

import numba
import numpy as np
from scipy.sparse import coo_array, csr_array


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (V, 3) float32 of a mesh, outward as ``cross(b - a, c - a)``.

    A vertex without any triangle of positive area has the normal (0, 0, 0).
    """
    return _normals(
        np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(triangles, np.int32)
    )


def mesh_graph(triangles: np.ndarray, count: int) -> csr_array:
    """Symmetric adjacency (V, V) of the mesh's edges, 1 for each edge."""
    a, b, c = np.asarray(triangles).T
    start, end = np.concatenate([a, b, c, b, c, a]), np.concatenate([b, c, a, a, b, c])
    graph = csr_array(coo_array((np.ones(len(start)), (start, end)), shape=(count, count)))
    graph.data[:] = 1
    return graph


@numba.njit(cache=True, nogil=True)
def _normals(vertices, triangles):
    normals = np.zeros_like(vertices)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for vertex in (a, b, c):
            normals[vertex, 0] += nx
            normals[vertex, 1] += ny
            normals[vertex, 2] += nz
    for i in range(normals.shape[0]):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 0.0:
            for k in range(3):
                normals[i, k] /= length
    return normals
