"""Balls with faces, in front of a wall: people whom the tests need not film."""

import cv2
import numpy as np

from repro.animate.footage import Footage
from repro.animate.settings import AnimateSettings
from repro.face.camera import Camera
from repro.face.pose import apply_pose
from repro.render.rasterise import rasterise

RADIUS_M = 0.08
SIDE = 32

SMALL = AnimateSettings(
    image_px=SIDE,
    references=3,
    references_drawn=(1, 3),
    tau=5,
    ngf=4,
    levels=3,
    embedding_channels=8,
    sketch_channels=3,
    flow_channels=4,
    ndf=4,
    discriminator_layers=1,
    batch=2,
    steps=4,
)


def ball(rows: int = 24, columns: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Vertices, metres in model space, and triangles wound outwards."""
    down = np.linspace(0.02, np.pi - 0.02, rows)[:, None]
    around = np.arange(columns) * 2 * np.pi / columns
    vertices = np.stack(
        [np.sin(down) * np.sin(around), -np.cos(down) + 0 * around, -np.sin(down) * np.cos(around)],
        -1,
    ).reshape(-1, 3)
    first = np.arange(rows - 1)[:, None] * columns + np.arange(columns)
    second = np.arange(rows - 1)[:, None] * columns + (np.arange(columns) + 1) % columns
    halves = [(first, second, first + columns), (second, second + columns, first + columns)]
    triangles = np.concatenate([np.stack(half, -1).reshape(-1, 3) for half in halves])
    centre = vertices[triangles].mean(1)
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    outwards = (np.cross(b - a, c - a) * centre).sum(-1) > 0
    triangles[~outwards] = triangles[~outwards][:, ::-1]
    return (RADIUS_M * vertices).astype(np.float32), triangles.astype(np.int32)


def face_points(opening: float) -> np.ndarray:
    """The 68 landmarks on the ball, metres in model space; ``opening`` from 0 to 1."""
    jaw = np.linspace(0, np.pi, 17)
    parts = [np.stack([-0.8 * np.cos(jaw), 0.1 + 0.75 * np.sin(jaw)], -1)]
    for side in (-1, 1):
        parts.append(np.stack([side * np.linspace(0.5, 0.2, 5)[::side], np.full(5, -0.45)], -1))
    parts.append(np.stack([np.zeros(4), np.linspace(-0.3, 0.05, 4)], -1))
    parts.append(np.stack([np.linspace(-0.15, 0.15, 5), np.full(5, 0.12)], -1))
    for centre, count, wide, high in (
        ((-0.35, -0.25), 6, 0.13, 0.06),
        ((0.35, -0.25), 6, 0.13, 0.06),
        ((0, 0.42), 12, 0.3, 0.1 + 0.15 * opening),
        ((0, 0.42), 8, 0.24, 0.02 + 0.15 * opening),
    ):
        turn = np.pi + np.arange(count) * 2 * np.pi / count
        parts.append(np.stack([wide * np.cos(turn), high * np.sin(turn)], -1) + centre)
    x, y = np.concatenate(parts).T
    return RADIUS_M * np.stack([x, y, -np.sqrt(np.maximum(1 - x**2 - y**2, 0))], -1)


def person(
    name: str, frames: int = 8, *, hue: float = 0.0, turn: float = 0.3, size: int = SIDE
) -> Footage:
    """A ball that turns to and fro, opens and closes its mouth, and has colours of its own."""
    vertices, triangles = ball()
    camera = Camera(size / 0.28, size / 2, size / 2, size, size)
    t = np.arange(frames)
    pose = np.zeros((frames, 6), np.float32)
    pose[:, 1], pose[:, 0], pose[:, 5] = turn * np.sin(1.3 * t), 0.1 * np.cos(t), 1.0
    opening = 0.5 + 0.5 * np.sin(1.9 * t)
    posed = apply_pose(vertices, pose)
    points = apply_pose(np.stack([face_points(o) for o in opening]), pose)
    landmarks = camera.project(points)
    pictures = [
        _painted(own, vertices, triangles, camera, seen, hue)
        for own, seen in zip(posed, landmarks, strict=True)
    ]
    return Footage(
        name, np.stack(pictures), landmarks.astype(np.float32), pose,
        posed.astype(np.float32), points.astype(np.float32), triangles, camera,
    )  # fmt: skip


def _painted(posed, vertices, triangles, camera, landmarks, hue) -> np.ndarray:
    raster = rasterise(posed, triangles, camera, cull=True)
    shown = raster.triangle >= 0
    rows, columns = np.mgrid[: camera.height, : camera.width] / camera.width
    image = np.stack([60 + 90 * rows, 80 + 60 * columns, 90 + 50 * hue + 0 * rows], -1)
    place = (
        vertices[triangles[raster.triangle[shown]]] * raster.barycentric[shown][..., None]
    ).sum(1) / RADIUS_M
    skin = np.array([170 + 50 * hue, 140, 120 - 60 * hue])
    image[shown] = skin + 50 * np.sin(7 * place[:, :1] + 5 * hue) + 30 * np.cos(9 * place[:, 1:2])
    picture = np.clip(image, 0, 255).astype(np.uint8)
    lips = np.rint((landmarks[60:68] - 0.5) * 16).astype(np.int32)
    return cv2.fillPoly(picture, [lips], (60, 10, 20), cv2.LINE_AA, 4)
