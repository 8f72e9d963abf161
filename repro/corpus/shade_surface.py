"""What the shader reads: the surface of a person in one frame, and what lasts of their look."""

from dataclasses import dataclass

import numba
import numpy as np

SKIN, TONGUE, EYE, UPPER_TEETH, LOWER_TEETH, CLOTH, HAIR, LASH, FRAME = range(9)
"""Materials of triangles."""

LIP, CAVITY, SCALP, BEARD, FLUSH, AO, HEIGHT, DENSITY = range(8)
"""Columns of the marks of vertices; HEIGHT and DENSITY belong to hair and lashes."""

CREASES_LEFT_M, CREASES_TOP_M, CREASES_M = -0.080, -0.075, 0.0004
"""Where a map of creases begins, right of and below the middle of the eyes, and its cells."""

GREY = 0.36
"""Reflectance of grey hair."""


@dataclass(frozen=True)
class Surface:
    """Vertices as the shader reads them, all (n, ...) float32.

    points, normals  (n, 3) camera space, metres and unit
    places           (n, 3) where patterns are looked up: the vertex of the mean face, metres; of
                     neck, glasses and clothes their own at rest; of hair its strand coordinates
    albedo           (n, 3) linear RGB
    marks            (n, 8), see the column names
    strands          (n, 3) unit direction of the hair, camera space; zero elsewhere
    gape             share of the light that enters the mouth, in [0, 1] (float)
    """

    points: np.ndarray
    normals: np.ndarray
    places: np.ndarray
    albedo: np.ndarray
    marks: np.ndarray
    strands: np.ndarray
    gape: float

    @property
    def vertices(self) -> tuple:
        """All of the vertices as the compiled functions take them."""
        return (self.points, self.normals, self.places, self.albedo, self.marks, self.strands)


@dataclass(frozen=True)
class Look:
    """A person's constants, as arrays for the compiled shader, all float32.

    eyes     (2, 3) centres on the mean face, metres
    brow     (8,) from x to x of the curve y = a + b x + c x^2, its a, b, c, half width, strength,
             and the z beyond which there is no brow
    iris     (3,) linear RGB; hair likewise
    traits   (6,) freckles, beard, ageing, curl, grey, where in the noise the skin is
    cloth    (2, 3) linear RGB of the clothes, and of the shirt under a jacket
    jacket   whether the clothes are a jacket (bool)
    creases  (rows, columns, 3) from ``complexion.creases``
    """

    eyes: np.ndarray
    brow: np.ndarray
    iris: np.ndarray
    hair: np.ndarray
    traits: np.ndarray
    cloth: np.ndarray
    jacket: bool
    creases: np.ndarray

    @property
    def constants(self) -> tuple:
        """All of it as the compiled functions take it."""
        return (
            self.eyes, self.brow, self.iris, self.hair, self.traits, self.cloth, self.jacket,
            self.creases,
        )  # fmt: skip


@numba.njit(nogil=True, fastmath=True, inline="always")
def mix3(a, corners, t, w):
    """A (n, 3) attribute at the point of triangle t with barycentric weights w."""
    p, q, s = corners[t, 0], corners[t, 1], corners[t, 2]
    return (
        w[0] * a[p, 0] + w[1] * a[q, 0] + w[2] * a[s, 0],
        w[0] * a[p, 1] + w[1] * a[q, 1] + w[2] * a[s, 1],
        w[0] * a[p, 2] + w[1] * a[q, 2] + w[2] * a[s, 2],
    )


@numba.njit(nogil=True, fastmath=True, inline="always")
def mix1(a, column, corners, t, w):
    """A column of a (n, k) attribute at a point of triangle t."""
    return (
        w[0] * a[corners[t, 0], column]
        + w[1] * a[corners[t, 1], column]
        + w[2] * a[corners[t, 2], column]
    )


@numba.njit(nogil=True, fastmath=True, inline="always")
def unit(x, y, z):
    """The unit vector of a direction."""
    s = 1.0 / np.sqrt(x * x + y * y + z * z + 1e-20)
    return x * s, y * s, z * s


@numba.njit(nogil=True, fastmath=True, inline="always")
def step(low, high, x):
    """A smooth step from 0 at ``low`` to 1 at ``high``."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)
