"""Filming a synthetic person: geometry and shading put together, frame by frame."""

from collections.abc import Iterator

import numpy as np

from repro.corpus.figure import Figure, pose_figure
from repro.corpus.noise import noise_table
from repro.corpus.people import Person
from repro.corpus.performance import Performance
from repro.corpus.room import room_image
from repro.corpus.settings import CorpusSettings
from repro.corpus.shade import Backdrop, shade_image
from repro.corpus.shadow import view_from
from repro.face.camera import Camera
from repro.render.rasterise import rasterise

_SHADOW_PX, _SHADOW_M = 320, 0.62
"""Size of the key light's shadow map."""
_NOISE_POOL = 1 << 21
"""Least size of a clip's camera noise, which is drawn once; each frame takes a stretch of it."""


def film_camera(settings: CorpusSettings) -> Camera:
    """The camera of every clip: centred on the frame."""
    size = settings.image_px
    return Camera(settings.focal_over_image * size, 0.5 * size, 0.5 * size, size, size)


def room_of(person: Person, size_px: int) -> Backdrop:
    """What stands behind a person, drawn once for a clip."""
    a = person.appearance
    return Backdrop.of(room_image(a.room, a.room_colours, size_px=size_px, seed=person.seed))


def render_performance(
    figure: Figure, performance: Performance, settings: CorpusSettings, *, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Film a performance, one frame at a time.

    Parameters
    ----------
    seed : of the camera's noise

    Yields
    ------
    frame : (H, W, 3) uint8 RGB
    mask : (H, W) uint8, the material of each pixel: ``truth.MATERIALS``
    """
    room = room_of(figure.person, settings.image_px)
    table = noise_table()
    rng = np.random.default_rng([seed, 5])
    size = max(_NOISE_POOL, 6 * settings.image_px**2)
    pool = rng.normal(0, settings.noise, size).astype(np.float32)
    for expression, pose in zip(performance.expression, performance.pose, strict=True):
        image, mask = render_frame(figure, expression, pose, room, table, settings)
        start = rng.integers(0, size - image.size)
        image += pool[start : start + image.size].reshape(image.shape)
        yield (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), mask


def render_frame(
    figure: Figure, expression, pose, room: Backdrop, table, settings: CorpusSettings
) -> tuple[np.ndarray, np.ndarray]:
    """One noiseless frame (H, W, 3) float32 in [0, 1] of expression (64,), pose (6,); its mask.

    Parameters
    ----------
    room : from ``room_of``, of the frame's size; table : from ``noise_table``
    """
    camera, threads, s = film_camera(settings), settings.threads, settings.supersample
    fine = Camera(
        camera.focal_px * s, camera.cx * s, camera.cy * s, camera.width * s, camera.height * s
    )
    surface = pose_figure(figure, expression, pose)
    base = rasterise(surface.points, figure.triangles[0], fine, threads=threads, cull=True)
    windows = [_window(surface.points[used], fine) for used in figure.layer_vertices]
    layers = [
        rasterise(surface.points, t, window, threads=threads, cull=closed)
        for t, closed, (window, _) in zip(
            figure.triangles[1:], figure.one_sided, windows, strict=True
        )
    ]
    lamp = figure.person.appearance.lamp
    view = view_from(
        lamp.direction,
        surface.points,
        figure.occluders,
        centre=figure.person.pose_style.place_m + np.array([0, 0.04, 0]),
        extent_m=_SHADOW_M,
        size_px=_SHADOW_PX,
        threads=threads,
        cull=True,
    )
    return shade_image(
        base, layers, [corner for _, corner in windows], figure.triangles, figure.materials,
        surface, figure.look, lamp, view, table, room, supersample=s, threads=threads,
    )  # fmt: skip


def _window(points, camera: Camera) -> tuple[Camera, np.ndarray]:
    """The part of the image that points can touch, and its first row and column."""
    xy = camera.project(points)
    size = np.array([camera.width, camera.height])
    low = np.clip(np.floor(xy.min(0)) - 1, 0, size - 1).astype(int)
    high = np.clip(np.ceil(xy.max(0)) + 1, low + 1, size).astype(int)
    left, top = low
    width, height = high - low
    window = Camera(camera.focal_px, camera.cx - left, camera.cy - top, int(width), int(height))
    return window, np.array([top, left])
