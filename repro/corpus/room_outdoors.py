"""Views outdoors behind a synthetic person: a garden, a street by day or at dusk."""

import numpy as np

from repro.corpus.room_scene import LEAVES, STONES, Scene


def garden(scene: Scene) -> None:
    """Trees and hedges with the sky between their leaves."""
    rng = scene.rng
    daylight(scene, horizon=rng.uniform(0.55, 0.75))
    scene.defocus(0.03)
    edge = rng.uniform(0.05, 0.35)
    for layer in range(3):
        leaf = scene.pick(LEAVES) * (0.9 - 0.18 * layer) * rng.uniform(0.9, 1.5)
        crown = scene.noise(3, 3) + 0.6 * scene.noise(9, 9) + 0.35 * scene.noise(26, 26)
        dense = np.clip(2.5 * (crown + 5 * (scene.y - edge) - 0.4 + 0.5 * layer), 0, 1)
        lit = np.clip(1 + 0.35 * scene.noise(7, 7) + 0.30 * scene.noise(22, 22), 0.25, 2.5)
        scene.cover(dense, (lit * (1.25 - 0.6 * scene.y))[..., None] * leaf)
        edge += rng.uniform(0.10, 0.25)
        blur = rng.uniform(0.020, 0.034)
        for x, y in rng.uniform((0, edge - 0.15), (1, edge + 0.35), (24, 2)):
            bright = rng.uniform(0.02, 0.5) ** 2  # sky through a gap, or a shining leaf
            warm = rng.uniform(0.3, 0.9)
            if dense[int(min(max(y, 0), 0.99) * scene.size), int(x * scene.size)] > 0.2:
                scene.point(x, y, bright, warm, blur=blur)
        scene.defocus(blur)


def street(scene: Scene) -> None:
    """House fronts and their windows, a pavement, lights."""
    rng = scene.rng
    daylight(scene, horizon=0.8)
    x, dusk = rng.uniform(-0.3, 0.0), rng.random() < 0.4
    while x < 1:
        width, top = rng.uniform(0.22, 0.5), rng.uniform(-0.15, 0.35)
        _front(scene, x, top, x + width, dusk)
        x += width
    ground = np.array([0.17, 0.165, 0.16]) * rng.uniform(0.7, 1.3)
    scene.cover(np.clip((scene.y - 0.80) / 0.02, 0, 1), ground)
    if dusk:
        scene.image *= np.array([0.30, 0.34, 0.46])
    else:
        scene.image *= np.clip(0.75 + 0.5 * scene.noise(2, 1), 0.55, 1.1)[..., None]
    scene.defocus(0.016)
    blur = rng.uniform(0.016, 0.026)
    for x, y in rng.uniform((0, 0.25), (1, 0.85), (rng.integers(10, 22) * dusk, 2)):
        scene.point(x, y, rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.9), blur=blur)
    if rng.random() < 0.6:  # a tree before the houses
        side = rng.choice([-0.1, 1.1])
        near = np.hypot(scene.x - side, scene.y - 0.3) + 0.05 * scene.noise(9, 9)
        leaf = scene.pick(LEAVES) * (0.35 if dusk else 1.0)
        lit = np.clip(1 + 0.5 * scene.noise(18, 18), 0.3, 2.5)
        scene.cover(np.clip((0.42 - near) / 0.04, 0, 1), lit[..., None] * leaf)
    scene.defocus(blur)


def _front(scene: Scene, left: float, top: float, right: float, dusk: bool) -> None:
    """One house: wall, cornice, rows of windows."""
    rng, stone = scene.rng, scene.pick(STONES) * scene.rng.uniform(0.6, 1.2)
    scene.box(left, top, right, 0.82, stone)
    scene.box(left, top, right, top + 0.02, 1.25 * stone)
    step_x, step_y = rng.uniform(0.07, 0.11), rng.uniform(0.12, 0.18)
    for y in np.arange(top + 0.06, 0.66, step_y):
        for x in np.arange(left + 0.03, right - 0.05, step_x):
            lit = dusk and rng.random() < 0.35
            pane = np.array([2.4, 1.7, 0.9]) if lit else rng.uniform(0.03, 0.22) * np.ones(3)
            scene.box(x, y, x + 0.55 * step_x, y + 0.6 * step_y, pane)
    scene.box(left, 0.68, right, 0.82, 0.6 * scene.thing())


def daylight(scene: Scene, *, horizon: float) -> None:
    """Sky above a horizon with far trees."""
    clear = np.array([0.40, 0.56, 0.80]) * scene.rng.uniform(0.8, 1.1)
    haze = np.array([0.86, 0.88, 0.90])
    down = np.clip(scene.y / max(horizon, 0.1), 0, 1)[..., None] ** 0.7
    cloud = np.clip(0.4 * scene.noise(3, 5) + 0.2, 0, 0.8)[..., None]
    scene.image[:] = (clear + (haze - clear) * down) * (1 - cloud) + 0.95 * cloud
    trees = scene.y - horizon + 0.03 * scene.noise(7, 2) + 0.015 * scene.noise(24, 5)
    scene.cover(np.clip(trees / 0.02, 0, 1), 1.6 * scene.pick(LEAVES))
