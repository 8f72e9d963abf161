"""The rasterisers, by name: one interface, one set of conventions (docs/conventions.md).

``numba`` is the default. ``pytorch3d`` (an optional package) runs on a GPU too and, through
``repro.render.rasterise_pytorch3d``, hands gradients back. ``embree`` casts a ray through every
pixel: the oracle of tests and benches, not for rendering.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from repro.errors import UserError
from repro.face.camera import Camera
from repro.render.rasterise import Raster, rasterise


class Rasteriser(Protocol):
    """As ``repro.render.rasterise.rasterise``, which describes what comes in and out.

    ``threads`` is a wish: pytorch3d and embree choose for themselves.
    """

    def __call__(
        self,
        points: np.ndarray,
        triangles: np.ndarray,
        camera: Camera,
        *,
        threads: int = 1,
        cull: bool = False,
    ) -> Raster:
        """Find the nearest triangle at every pixel."""


def rasteriser(name: str) -> Rasteriser:
    """The rasteriser of a name; packages that are optional are imported now.

    Raises
    ------
    UserError
        No such rasteriser, or its package is not installed.
    """
    if name not in _MAKERS:
        raise UserError(f"There is no rasteriser '{name}'; choose one of {', '.join(_MAKERS)}.")
    package, make = _MAKERS[name]
    if not installed(name):
        raise UserError(
            f"Rasteriser '{name}' needs the package {package}, which is not installed; "
            "install it or set render.rasteriser=numba."
        )
    return make()


def installed(name: str) -> bool:
    """Whether the package that a rasteriser needs is there."""
    return find_spec(_MAKERS[name][0]) is not None


def _numba() -> Rasteriser:
    return rasterise


def _pytorch3d() -> Rasteriser:
    from repro.render.rasterise_pytorch3d import rasterise_pytorch3d

    return rasterise_pytorch3d


def _embree() -> Rasteriser:
    from repro.render.rasterise_embree import rasterise_embree

    return rasterise_embree


_MAKERS: dict[str, tuple[str, Callable[[], Rasteriser]]] = {
    "numba": ("numba", _numba),
    "pytorch3d": ("pytorch3d", _pytorch3d),
    "embree": ("embreex", _embree),
}
