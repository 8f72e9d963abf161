"""A small made-up face for the tests: a mirror-symmetric ball with a mouth and a scalp."""

from dataclasses import dataclass

import numpy as np
import pytest

from repro.face.camera import Camera


def sphere(rings: int = 24, sides: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Points (V, 3) of the unit sphere and its triangles (F, 3), wound outwards; poles at +-y."""
    polar = np.linspace(0, np.pi, rings + 1)[1:-1, None]
    around = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    belt = np.stack(
        [
            np.sin(polar) * np.cos(around),
            np.cos(polar) * np.ones(sides),
            np.sin(polar) * np.sin(around),
        ],
        -1,
    ).reshape(-1, 3)
    points = np.concatenate([belt, [[0, 1, 0], [0, -1, 0]]])
    i, j = (a.ravel() for a in np.mgrid[: rings - 2, :sides])
    a, b = i * sides + j, i * sides + (j + 1) % sides
    quads = [np.stack([a, b, a + sides], 1), np.stack([b, b + sides, a + sides], 1)]
    first, last = np.arange(sides), np.arange(sides) + (rings - 2) * sides
    caps = [
        np.stack([first, np.roll(first, -1), np.full(sides, len(belt))], 1),
        np.stack([last, np.roll(last, -1), np.full(sides, len(belt) + 1)], 1),
    ]
    triangles = np.concatenate(quads + caps).astype(np.int32)
    p = points[triangles]
    outward = (np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]) * p.mean(1)).sum(1) > 0
    triangles[~outward] = triangles[~outward][:, ::-1]
    return points, triangles


@pytest.fixture(scope="session")
def unit_sphere() -> tuple[np.ndarray, np.ndarray]:
    return sphere()


@dataclass(frozen=True)
class Ball:
    """The fields of a face model that rendering reads."""

    mean: np.ndarray
    triangles: np.ndarray
    part: np.ndarray
    skin_mask: np.ndarray
    cavity_mask: np.ndarray
    landmark68: np.ndarray


@pytest.fixture(scope="session")
def ball(unit_sphere) -> Ball:
    """A head of radius 0.1 m: the face looks along -z, mask 0 in its mouth and on its back."""
    points, triangles = unit_sphere
    x, y, z = points.T
    mouth = (np.hypot(x, y - 0.3) < 0.25) & (z < 0)
    mask = (z < 0) & ~mouth
    inner_lips = np.argsort(np.abs(np.hypot(x, y - 0.3) - 0.3) + 9 * (z > 0))[:8]
    landmarks = np.zeros(68, np.int32)
    landmarks[60:68] = inner_lips
    return Ball(
        (0.1 * points).astype(np.float32),
        triangles,
        np.zeros(len(triangles), np.int8),
        mask.astype(np.float32),
        mouth.astype(np.float32),
        landmarks,
    )


@pytest.fixture(scope="session")
def camera() -> Camera:
    """96 x 96 pixels; the ball at 0.6 m fills two thirds of them."""
    return Camera(200.0, 48.0, 48.0, 96, 96)
