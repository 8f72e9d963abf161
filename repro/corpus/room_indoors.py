"""Rooms behind a synthetic person: a wall, book shelves, a window by day, a lamp in the evening."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from repro.corpus.room_outdoors import daylight
from repro.corpus.room_scene import LEAVES, WALLS, WOODS, Scene


def wall(scene: Scene) -> None:
    """A painted wall in soft light, with a picture, a curtain or a door."""
    _paint_wall(scene, scene.pick(WALLS))
    draw = (_picture, _curtain, _door)
    for k in scene.rng.permutation(len(draw))[: scene.rng.integers(1, 3)]:
        draw[k](scene, side=scene.rng.choice([-1, 1]))
    _sideboard(scene)
    _light_pool(scene, 0.45, 0.85)
    scene.defocus(scene.rng.uniform(0.014, 0.024))


def shelves(scene: Scene) -> None:
    """A book case: boards, uprights, spines, a few things between them."""
    rng, wood = scene.rng, scene.pick(WOODS)
    scene.image[:] = 0.35 * wood
    pitch = rng.uniform(0.24, 0.31)
    board = 0.022
    upright = rng.uniform(0.0, 0.45)
    columns = [upright - 0.62, upright, upright + 0.62, upright + 1.24]
    top = rng.uniform(-0.25, -0.05)
    while top < 1:
        for left, right in pairwise(columns):
            _books(scene, left + board, right, top + board, top + pitch)
        deep = np.clip((scene.y - top - board) / (pitch - board), 0, 1)
        inside = (scene.y > top + board) & (scene.y < top + pitch)
        scene.image *= np.where(inside, 0.45 + 0.55 * deep**0.6, 1.0)[..., None]
        scene.box(0, top, 1, top + board, wood * rng.uniform(0.85, 1.1))
        top += pitch
    for column in columns:
        scene.box(column, 0, column + board, 1, wood * 0.8)
    _light_pool(scene, 0.5, 0.8)
    scene.defocus(rng.uniform(0.010, 0.017))


def _books(scene: Scene, left: float, right: float, top: float, bottom: float) -> None:
    """One shelf: rows of books, gaps, and things between them."""
    rng, room = scene.rng, bottom - top
    at = left
    while at < right:
        what = rng.random()
        if what < 0.07:  # a gap
            at += rng.uniform(0.03, 0.10)
        elif what < 0.12:  # a vase, box or ball
            width = rng.uniform(0.05, 0.09)
            height = min(room * 0.8, width * rng.uniform(0.8, 2.0))
            u = (scene.x - at - width / 2) / (width / 2)
            v = (scene.y - bottom + height / 2) / (height / 2)
            power = rng.choice([2.0, 2.6, 8.0])
            shape = (np.abs(u) ** power + np.abs(v) ** power < 1).astype(float)
            shade = (1.1 - 0.5 * u**2)[..., None]
            scene.cover(shape * (scene.x < right), shade * scene.thing())
            at += width + 0.01
        else:  # books of one kind beside each other
            tall, colour = room * rng.uniform(0.6, 0.95), scene.thing()
            alike = rng.random() < 0.3
            for _ in range(rng.integers(2, 9)):
                thick = rng.uniform(0.014, 0.036)
                if at + thick > right:
                    return
                if not alike:
                    tall, colour = room * rng.uniform(0.6, 0.95), scene.thing()
                _spine(scene, at, bottom - tall, at + thick, bottom, colour)
                at += thick + 0.001
        at += 0.002


def _spine(scene: Scene, left, top, right, bottom, colour) -> None:
    """A book's back: rounded, with a label."""
    rng = scene.rng
    scene.box(left, top, right, bottom, colour)
    scene.box(right - 0.25 * (right - left), top, right, bottom, 0.55 * colour)
    if rng.random() < 0.4:
        label = top + (bottom - top) * rng.uniform(0.1, 0.6)
        scene.box(
            left, label, right, label + rng.uniform(0.006, 0.05), np.clip(1.6 * colour, 0, 0.5)
        )


def window(scene: Scene) -> None:
    """Daylight through a window to one side, with curtains."""
    rng = scene.rng
    _paint_wall(scene, 0.75 * scene.pick(WALLS))
    side = rng.choice([-1, 1])
    width, top, bottom = rng.uniform(0.34, 0.46), rng.uniform(-0.1, 0.08), rng.uniform(0.6, 0.85)
    middle = 0.5 + side * rng.uniform(0.24, 0.36)
    left, right = middle - width / 2, middle + width / 2
    outside = replace(scene, image=np.zeros_like(scene.image))
    daylight(outside, horizon=bottom - rng.uniform(0.1, 0.35))
    outside.defocus(0.03)
    glass = (scene.x > left) & (scene.x < right) & (scene.y > top) & (scene.y < bottom)
    scene.cover(glass.astype(float), 1.25 * outside.image)
    frame = np.array([0.42, 0.41, 0.39]) * rng.uniform(0.4, 1.0)
    bars = (left, middle - 0.01, right - 0.02)
    for bar in bars[:: rng.choice([1, 2])]:
        scene.box(bar, top, bar + 0.02, bottom, frame)
    scene.box(left, bottom - 0.02, right, bottom, frame)
    scene.box(left - 0.02, bottom, right + 0.02, bottom + 0.025, 1.2 * frame)
    off = np.hypot((scene.x - middle) / 0.5, (scene.y - 0.4) / 0.6)
    scene.image *= np.where(glass, 1.0, 0.4 + 0.7 * np.exp(-(off**2)))[..., None]
    cloth = np.clip(scene.thing() * 0.5 + 0.15, 0.05, 0.5)
    for edge, way in ((left, -1), (right, 1)):
        _folds(scene, edge - 0.02 * way, edge + way * rng.uniform(0.07, 0.14), cloth, glow=0.5)
    scene.defocus(rng.uniform(0.013, 0.021))


def lamp(scene: Scene) -> None:
    """An evening room: a shaded lamp and the light it throws on the wall."""
    rng = scene.rng
    _paint_wall(scene, 0.5 * scene.pick(WALLS) * np.array([1.1, 1.0, 0.85]))
    pictured, away = rng.random() < 0.7, rng.choice([-1, 1])
    if pictured:
        _picture(scene, side=away)
    _sideboard(scene)
    scene.image *= 0.55
    x, y = 0.5 - away * rng.uniform(0.27, 0.38), rng.uniform(0.22, 0.45)
    width, height = rng.uniform(0.07, 0.10), rng.uniform(0.10, 0.14)
    u, v = (scene.x - x) / width, (scene.y - y) / height
    pool = np.exp(-((np.hypot(u * 0.35, (v + 0.2) * 0.3)) ** 1.3))
    scene.image *= 1 + 2.4 * pool[..., None] * np.array([1.15, 0.95, 0.68])
    scene.box(x - 0.006, y, x + 0.006, 1, np.array([0.05, 0.04, 0.035]))
    flare = np.abs(u) < 0.72 + 0.28 * np.clip(0.5 + 0.5 * v, 0, 1)
    shade = (flare & (np.abs(v) < 1)).astype(float)
    glow = 1.0 - 0.30 * u**2 - 0.18 * np.abs(v - 0.2)
    scene.cover(shade, glow[..., None] * np.array([1.05, 0.78, 0.46]))
    scene.defocus(rng.uniform(0.013, 0.022))


def _paint_wall(scene: Scene, colour: np.ndarray) -> None:
    """Fill the picture with a wall, a little uneven and brighter at the top."""
    uneven = 1 + 0.04 * scene.noise(4, 4) + 0.10 * (0.5 - scene.y)
    scene.image[:] = uneven[..., None] * colour


def _light_pool(scene: Scene, low: float, high: float) -> None:
    """Light that falls off from one upper side."""
    x, y = scene.rng.choice([0.05, 0.95]), scene.rng.uniform(0.0, 0.4)
    off = np.hypot(scene.x - x, scene.y - y) / scene.rng.uniform(0.6, 0.9)
    scene.image *= (low + high * np.exp(-(off**2)))[..., None]


def _picture(scene: Scene, *, side: int) -> None:
    """A framed picture, partly behind the head or outside."""
    rng = scene.rng
    width, height = rng.uniform(0.16, 0.30), rng.uniform(0.18, 0.34)
    x, y = 0.5 + side * rng.uniform(0.27, 0.45), rng.uniform(0.05, 0.30)
    left, right, bottom = x - width / 2, x + width / 2, y + height
    scene.box(left, y + 0.012, right + 0.012, bottom + 0.012, 0.45 * scene.image.mean((0, 1)))
    mount, rim = rng.uniform(0.02, 0.05), 0.013
    scene.box(left, y, right, bottom, scene.pick(WOODS))
    scene.box(left + rim, y + rim, right - rim, bottom - rim, np.array([0.5, 0.49, 0.46]))
    left, right, y, bottom = left + mount, right - mount, y + mount, bottom - mount
    scene.box(left, y, right, bottom, scene.thing())
    scene.box(left, y + (bottom - y) * rng.uniform(0.35, 0.7), right, bottom, scene.thing())


def _curtain(scene: Scene, *, side: int) -> None:
    """A curtain at the picture's border."""
    edge, colour = 0.5 + side * scene.rng.uniform(0.28, 0.40), 0.6 * scene.thing() + 0.05
    _folds(scene, edge, 0.5 + side * 0.52, colour, glow=0.0)


def _folds(scene: Scene, start: float, end: float, colour, *, glow: float) -> None:
    """Hanging cloth between two places; ``glow`` is the light that comes through it."""
    left, right = min(start, end), max(start, end)
    phase = scene.x * scene.rng.uniform(90, 140) + 1.2 * np.sin(7 * scene.x + 1.5 * scene.y)
    shade = 0.72 + 0.28 * np.sin(phase + scene.rng.uniform(0, 6)) + glow * (1 - 0.4 * scene.y)
    inside = (scene.x > left) & (scene.x < right)
    scene.cover(inside.astype(float), shade[..., None] * colour)


def _door(scene: Scene, *, side: int) -> None:
    """A door's frame and leaf."""
    wood = np.clip(scene.pick(WOODS) * scene.rng.uniform(0.8, 1.2), 0, 0.5)
    x, top = 0.5 + side * scene.rng.uniform(0.24, 0.34), scene.rng.uniform(-0.05, 0.12)
    left, right = (x, 1.0) if side > 0 else (0.0, x)
    scene.box(left, top, right, 1, 0.8 * wood)
    scene.box(left + 0.03, top + 0.03, right - 0.03, 1, wood)
    scene.box(left + 0.09, top + 0.12, right - 0.09, top + 0.50, 0.86 * wood)


def _sideboard(scene: Scene) -> None:
    """A low piece of furniture, sometimes with a plant."""
    rng = scene.rng
    if rng.random() < 0.35:
        return
    top, side = rng.uniform(0.70, 0.85), rng.choice([-1, 1])
    left, right = (0.0, rng.uniform(0.3, 1.0)) if side < 0 else (rng.uniform(0.0, 0.7), 1.0)
    wood = scene.pick(WOODS)
    scene.box(left, top, right, 1, 0.7 * wood)
    scene.box(left, top, right, top + 0.02, 1.25 * wood)
    if rng.random() < 0.6:
        _plant(scene, 0.5 + side * rng.uniform(0.30, 0.44), top)


def _plant(scene: Scene, x: float, bottom: float) -> None:
    """A pot and a crown of leaves."""
    rng = scene.rng
    scene.box(x - 0.045, bottom - 0.09, x + 0.045, bottom, scene.thing())
    leaf = scene.pick(LEAVES)
    for _ in range(60):
        angle, length = rng.uniform(-2.6, -0.5), rng.uniform(0.04, 0.22)
        cx = x + length * np.cos(angle)
        cy = bottom - 0.09 + length * np.sin(angle)
        u, v = scene.x - cx, scene.y - cy
        along = u * np.cos(angle) + v * np.sin(angle)
        across = -u * np.sin(angle) + v * np.cos(angle)
        blade = (along / 0.035) ** 2 + (across / 0.010) ** 2 < 1
        scene.cover(blade.astype(float), leaf * rng.uniform(0.5, 2.2))
