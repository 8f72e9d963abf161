"""What stands behind a synthetic person: rooms and outdoor views, out of focus.

Each kind of place is drawn in linear light by rule and blurred with a disc, as an open lens does:
small bright points become discs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

_WALLS = (
    (0.46, 0.44, 0.40), (0.38, 0.33, 0.26), (0.27, 0.31, 0.33), (0.25, 0.29, 0.23),
    (0.33, 0.22, 0.17), (0.11, 0.14, 0.18), (0.50, 0.47, 0.46), (0.19, 0.19, 0.20),
)  # fmt: skip
"""Paint: white, cream, blue grey, sage, clay, navy, chalk, slate. All colours are linear RGB."""
_WOODS = ((0.16, 0.085, 0.045), (0.28, 0.18, 0.10), (0.055, 0.035, 0.028), (0.48, 0.46, 0.43))
_LEAVES = ((0.045, 0.085, 0.022), (0.075, 0.115, 0.030), (0.035, 0.070, 0.035), (0.14, 0.10, 0.03))
_STONES = ((0.30, 0.26, 0.22), (0.24, 0.13, 0.10), (0.22, 0.23, 0.25), (0.38, 0.34, 0.28))


@dataclass
class _Scene:
    """A picture in the making.

    x, y    (n, n) run over the frame from 0 to 1
    things  (6, 3) colours of books, pictures and curtains
    image   (n, n, 3), linear
    """

    x: np.ndarray
    y: np.ndarray
    rng: np.random.Generator
    things: np.ndarray
    image: np.ndarray

    @property
    def size(self) -> int:
        return len(self.image)

    def thing(self) -> np.ndarray:
        """The colour of some thing, never quite the same twice."""
        colour = self.things[self.rng.integers(len(self.things))]
        return np.clip(colour * np.exp(self.rng.normal(0, 0.25)), 0.01, 0.6)

    def box(self, left: float, top: float, right: float, bottom: float, colour) -> None:
        """Fill a rectangle."""
        a, b, c, d = np.round(np.clip([left, top, right, bottom], 0, 1) * self.size).astype(int)
        self.image[b:d, a:c] = colour

    def cover(self, alpha: np.ndarray, colour) -> None:
        """Lay a colour, (3,) or (n, n, 3), over the picture where alpha (n, n) is 1."""
        self.image += alpha[..., None] * (np.asarray(colour) - self.image)

    def add(self, amount: np.ndarray, colour) -> None:
        """Add light."""
        self.image += amount[..., None] * np.asarray(colour)

    def defocus(self, radius: float) -> None:
        """Spread every point over a disc; ``radius`` in frames."""
        reach = radius * self.size
        half = int(np.ceil(reach))
        v, u = np.mgrid[-half : half + 1, -half : half + 1]
        disc = np.clip(reach + 0.5 - np.hypot(u, v), 0, 1)
        self.image = cv2.filter2D(
            self.image, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101
        )

    def noise(self, across: int, down: int) -> np.ndarray:
        """Smooth noise (n, n) of unit variance with so many cells; the same at every size."""
        cells = self.rng.normal(size=(down + 3, across + 3)).astype(np.float32)
        u, v = (self.x * across + 1).astype(np.float32), (self.y * down + 1).astype(np.float32)
        return cv2.remap(cells, u, v, cv2.INTER_CUBIC).astype(float)


def room_image(kind: str, colours: np.ndarray, *, size_px: int, seed: int) -> np.ndarray:
    """A place out of focus.

    Parameters
    ----------
    kind : one of ``ROOMS``
    colours : (6, 3) linear RGB of the things that stand there
    size_px : side of the square image
    seed : places everything; two sizes show the same place

    Returns
    -------
    (size_px, size_px, 3) float32, linear RGB
    """
    y, x = (np.mgrid[0:size_px, 0:size_px] + 0.5) / size_px
    scene = _Scene(
        x,
        y,
        np.random.default_rng([seed, 11]),
        np.asarray(colours),
        np.zeros((size_px, size_px, 3)),
    )
    _DRAW[kind](scene)
    scene.image *= 1 + 0.02 * scene.noise(5, 5)[..., None]
    return np.clip(scene.image, 0.003, 1.3).astype(np.float32)


# Indoors


def _wall(scene: _Scene) -> None:
    """A painted wall in soft light, with a picture, a curtain or a door."""
    _paint_wall(scene, _pick(scene, _WALLS))
    draw = (_picture, _curtain, _door)
    for k in scene.rng.permutation(len(draw))[: scene.rng.integers(1, 3)]:
        draw[k](scene, side=scene.rng.choice([-1, 1]))
    _sideboard(scene)
    _light_pool(scene, 0.45, 0.85)
    scene.defocus(scene.rng.uniform(0.014, 0.024))


def _shelves(scene: _Scene) -> None:
    """A book case: boards, uprights, spines, a few things between them."""
    rng, wood = scene.rng, _pick(scene, _WOODS)
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


def _books(scene: _Scene, left: float, right: float, top: float, bottom: float) -> None:
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


def _spine(scene: _Scene, left, top, right, bottom, colour) -> None:
    """A book's back: rounded, with a label."""
    rng = scene.rng
    scene.box(left, top, right, bottom, colour)
    scene.box(right - 0.25 * (right - left), top, right, bottom, 0.55 * colour)
    if rng.random() < 0.4:
        label = top + (bottom - top) * rng.uniform(0.1, 0.6)
        scene.box(
            left, label, right, label + rng.uniform(0.006, 0.05), np.clip(1.6 * colour, 0, 0.5)
        )


def _window(scene: _Scene) -> None:
    """Daylight through a window to one side, with curtains."""
    rng = scene.rng
    _paint_wall(scene, 0.75 * _pick(scene, _WALLS))
    side = rng.choice([-1, 1])
    width, top, bottom = rng.uniform(0.34, 0.46), rng.uniform(-0.1, 0.08), rng.uniform(0.6, 0.85)
    middle = 0.5 + side * rng.uniform(0.24, 0.36)
    left, right = middle - width / 2, middle + width / 2
    outside = _Scene(scene.x, scene.y, rng, scene.things, np.zeros_like(scene.image))
    _daylight(outside, horizon=bottom - rng.uniform(0.1, 0.35))
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


def _lamp(scene: _Scene) -> None:
    """An evening room: a shaded lamp and the light it throws on the wall."""
    rng = scene.rng
    wall = 0.5 * _pick(scene, _WALLS) * np.array([1.1, 1.0, 0.85])
    _paint_wall(scene, wall)
    if rng.random() < 0.7:
        _picture(scene, side=(away := rng.choice([-1, 1])))
    else:
        away = rng.choice([-1, 1])
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


def _paint_wall(scene: _Scene, colour: np.ndarray) -> None:
    uneven = 1 + 0.04 * scene.noise(4, 4) + 0.10 * (0.5 - scene.y)
    scene.image[:] = uneven[..., None] * colour


def _light_pool(scene: _Scene, low: float, high: float) -> None:
    """Light that falls off from one upper side."""
    x, y = scene.rng.choice([0.05, 0.95]), scene.rng.uniform(0.0, 0.4)
    off = np.hypot(scene.x - x, scene.y - y) / scene.rng.uniform(0.6, 0.9)
    scene.image *= (low + high * np.exp(-(off**2)))[..., None]


def _picture(scene: _Scene, *, side: int) -> None:
    """A framed picture, partly behind the head or outside."""
    rng = scene.rng
    width, height = rng.uniform(0.16, 0.30), rng.uniform(0.18, 0.34)
    x, y = 0.5 + side * rng.uniform(0.27, 0.45), rng.uniform(0.05, 0.30)
    left, right, bottom = x - width / 2, x + width / 2, y + height
    scene.box(left, y + 0.012, right + 0.012, bottom + 0.012, 0.45 * scene.image.mean((0, 1)))
    mount, rim = rng.uniform(0.02, 0.05), 0.013
    scene.box(left, y, right, bottom, _pick(scene, _WOODS))
    scene.box(left + rim, y + rim, right - rim, bottom - rim, np.array([0.5, 0.49, 0.46]))
    left, right, y, bottom = left + mount, right - mount, y + mount, bottom - mount
    scene.box(left, y, right, bottom, scene.thing())
    scene.box(left, y + (bottom - y) * rng.uniform(0.35, 0.7), right, bottom, scene.thing())


def _curtain(scene: _Scene, *, side: int) -> None:
    edge, colour = 0.5 + side * scene.rng.uniform(0.28, 0.40), 0.6 * scene.thing() + 0.05
    _folds(scene, edge, 0.5 + side * 0.52, colour, glow=0.0)


def _folds(scene: _Scene, start: float, end: float, colour, *, glow: float) -> None:
    """Hanging cloth between two places; ``glow`` is the light that comes through it."""
    left, right = min(start, end), max(start, end)
    phase = scene.x * scene.rng.uniform(90, 140) + 1.2 * np.sin(7 * scene.x + 1.5 * scene.y)
    shade = 0.72 + 0.28 * np.sin(phase + scene.rng.uniform(0, 6)) + glow * (1 - 0.4 * scene.y)
    inside = (scene.x > left) & (scene.x < right)
    scene.cover(inside.astype(float), shade[..., None] * colour)


def _door(scene: _Scene, *, side: int) -> None:
    """A door's frame and leaf."""
    wood = np.clip(_pick(scene, _WOODS) * scene.rng.uniform(0.8, 1.2), 0, 0.5)
    x, top = 0.5 + side * scene.rng.uniform(0.24, 0.34), scene.rng.uniform(-0.05, 0.12)
    left, right = (x, 1.0) if side > 0 else (0.0, x)
    scene.box(left, top, right, 1, 0.8 * wood)
    scene.box(left + 0.03, top + 0.03, right - 0.03, 1, wood)
    scene.box(left + 0.09, top + 0.12, right - 0.09, top + 0.50, 0.86 * wood)


def _sideboard(scene: _Scene) -> None:
    """A low piece of furniture, sometimes with a plant."""
    rng = scene.rng
    if rng.random() < 0.35:
        return
    top, side = rng.uniform(0.70, 0.85), rng.choice([-1, 1])
    left, right = (0.0, rng.uniform(0.3, 1.0)) if side < 0 else (rng.uniform(0.0, 0.7), 1.0)
    wood = _pick(scene, _WOODS)
    scene.box(left, top, right, 1, 0.7 * wood)
    scene.box(left, top, right, top + 0.02, 1.25 * wood)
    if rng.random() < 0.6:
        _plant(scene, 0.5 + side * rng.uniform(0.30, 0.44), top)


def _plant(scene: _Scene, x: float, bottom: float) -> None:
    """A pot and a crown of leaves."""
    rng = scene.rng
    scene.box(x - 0.045, bottom - 0.09, x + 0.045, bottom, scene.thing())
    leaf = _pick(scene, _LEAVES)
    for _ in range(60):
        angle, length = rng.uniform(-2.6, -0.5), rng.uniform(0.04, 0.22)
        cx = x + length * np.cos(angle)
        cy = bottom - 0.09 + length * np.sin(angle)
        u, v = scene.x - cx, scene.y - cy
        along = u * np.cos(angle) + v * np.sin(angle)
        across = -u * np.sin(angle) + v * np.cos(angle)
        blade = (along / 0.035) ** 2 + (across / 0.010) ** 2 < 1
        scene.cover(blade.astype(float), leaf * rng.uniform(0.5, 2.2))


# Outdoors


def _garden(scene: _Scene) -> None:
    """Trees and hedges with the sky between their leaves."""
    rng = scene.rng
    _daylight(scene, horizon=rng.uniform(0.55, 0.75))
    scene.defocus(0.03)
    edge = rng.uniform(0.05, 0.35)
    for layer in range(3):
        leaf = _pick(scene, _LEAVES) * (0.9 - 0.18 * layer) * rng.uniform(0.9, 1.5)
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
                _point(scene, x, y, bright, warm, blur=blur)
        scene.defocus(blur)


def _street(scene: _Scene) -> None:
    """House fronts and their windows, a pavement, lights."""
    rng = scene.rng
    _daylight(scene, horizon=0.8)
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
        _point(scene, x, y, rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.9), blur=blur)
    if rng.random() < 0.6:  # a tree before the houses
        side = rng.choice([-0.1, 1.1])
        near = np.hypot(scene.x - side, scene.y - 0.3) + 0.05 * scene.noise(9, 9)
        leaf = _pick(scene, _LEAVES) * (0.35 if dusk else 1.0)
        lit = np.clip(1 + 0.5 * scene.noise(18, 18), 0.3, 2.5)
        scene.cover(np.clip((0.42 - near) / 0.04, 0, 1), lit[..., None] * leaf)
    scene.defocus(blur)


def _front(scene: _Scene, left: float, top: float, right: float, dusk: bool) -> None:
    """One house: wall, cornice, rows of windows."""
    rng, stone = scene.rng, _pick(scene, _STONES) * scene.rng.uniform(0.6, 1.2)
    scene.box(left, top, right, 0.82, stone)
    scene.box(left, top, right, top + 0.02, 1.25 * stone)
    step_x, step_y = rng.uniform(0.07, 0.11), rng.uniform(0.12, 0.18)
    for y in np.arange(top + 0.06, 0.66, step_y):
        for x in np.arange(left + 0.03, right - 0.05, step_x):
            lit = dusk and rng.random() < 0.35
            pane = np.array([2.4, 1.7, 0.9]) if lit else rng.uniform(0.03, 0.22) * np.ones(3)
            scene.box(x, y, x + 0.55 * step_x, y + 0.6 * step_y, pane)
    scene.box(left, 0.68, right, 0.82, 0.6 * scene.thing())


def _daylight(scene: _Scene, *, horizon: float) -> None:
    """Sky above a horizon with far trees."""
    clear = np.array([0.40, 0.56, 0.80]) * scene.rng.uniform(0.8, 1.1)
    haze = np.array([0.86, 0.88, 0.90])
    down = np.clip(scene.y / max(horizon, 0.1), 0, 1)[..., None] ** 0.7
    cloud = np.clip(0.4 * scene.noise(3, 5) + 0.2, 0, 0.8)[..., None]
    scene.image[:] = (clear + (haze - clear) * down) * (1 - cloud) + 0.95 * cloud
    trees = scene.y - horizon + 0.03 * scene.noise(7, 2) + 0.015 * scene.noise(24, 5)
    scene.cover(np.clip(trees / 0.02, 0, 1), 1.6 * _pick(scene, _LEAVES))


def _point(scene: _Scene, x: float, y: float, disc: float, warm: float, *, blur: float) -> None:
    """A light so small that the lens alone gives it a size.

    disc: how bright its disc of radius ``blur`` will be; warm: how much blue it has
    """
    off = np.hypot(scene.x - x, scene.y - y) / 0.0065
    spread = np.clip(1.5 - off, 0, 1)
    amount = disc * np.pi * (blur * scene.size) ** 2 / max(spread.sum(), 1.0)
    scene.add(amount * spread, np.array([1.0, 0.5 + 0.5 * warm, warm]))


def _pick(scene: _Scene, colours) -> np.ndarray:
    colour = np.array(colours[scene.rng.integers(len(colours))])
    return colour * np.exp(scene.rng.normal(0, 0.05, 3))


_DRAW: dict[str, Callable[[_Scene], None]] = {
    "wall": _wall,
    "garden": _garden,
    "shelves": _shelves,
    "lamp": _lamp,
    "street": _street,
    "window": _window,
}
ROOMS = tuple(_DRAW)
"""Kinds of places."""
