"""What stands behind a synthetic person: rooms and outdoor views, out of focus.

Each kind of place is drawn in linear light by rule and blurred with a disc, as an open lens does:
small bright points become discs.
"""

from collections.abc import Callable

import numpy as np

from repro.corpus.room_indoors import lamp, shelves, wall, window
from repro.corpus.room_outdoors import garden, street
from repro.corpus.room_scene import Scene

_DRAW: dict[str, Callable[[Scene], None]] = {
    "wall": wall,
    "garden": garden,
    "shelves": shelves,
    "lamp": lamp,
    "street": street,
    "window": window,
}
ROOMS = tuple(_DRAW)
"""Kinds of places."""


def room_image(kind: str, colours: np.ndarray, *, size_px: int, seed: int) -> np.ndarray:
    """A place out of focus.

    Parameters
    ----------
    kind : one of ``ROOMS``
    colours : (k, 3) linear RGB of the things that stand there
    size_px : side of the square image
    seed : places everything; two sizes show the same place

    Returns
    -------
    (size_px, size_px, 3) float32, linear RGB
    """
    y, x = (np.mgrid[0:size_px, 0:size_px] + 0.5) / size_px
    rng = np.random.default_rng([seed, 11])
    scene = Scene(x, y, rng, np.asarray(colours), np.zeros((size_px, size_px, 3)))
    _DRAW[kind](scene)
    scene.image *= 1 + 0.02 * scene.noise(5, 5)[..., None]
    return np.clip(scene.image, 0.003, 1.3).astype(np.float32)
