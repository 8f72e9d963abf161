"""Shoulders for a synthetic person: a lofted torso in clothes, in the head's model space."""

import numpy as np

# Below the neck's base (metres): half width, half depth, centre further back.
_LOFT = np.array(
    [
        [-0.022, 0.0600, 0.0600, 0.000],
        [-0.012, 0.0625, 0.0630, -0.001],
        [0.000, 0.0660, 0.0660, -0.002],
        [0.010, 0.0780, 0.0700, -0.003],
        [0.020, 0.0960, 0.0760, -0.004],
        [0.032, 0.1200, 0.0820, -0.006],
        [0.046, 0.1450, 0.0880, -0.008],
        [0.062, 0.1660, 0.0940, -0.010],
        [0.085, 0.1850, 0.1000, -0.012],
        [0.120, 0.1980, 0.1060, -0.014],
        [0.180, 0.2030, 0.1120, -0.016],
        [0.320, 0.1950, 0.1150, -0.018],
    ]
)


def torso(
    neck_base: np.ndarray,
    *,
    neck_width_m: float,
    broad: float,
    collar_m: float,
    rings: int = 40,
    around: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """A torso below a neck.

    Parameters
    ----------
    neck_base : (3,) centre of the neck where the shoulders begin, model space, metres
    neck_width_m : half width of the neck there
    broad : about the factor on the shoulders' width
    collar_m : how far the collar rises above 22 mm over the neck's base
    rings, around : vertices from top to bottom, and along each ring

    Returns
    -------
    vertices (n, 3) float32 metres; triangles (m, 3) int32, wound outward
    """
    down = np.concatenate([[-0.022 - collar_m], _LOFT[:, 0]])
    loft = np.concatenate([_LOFT[:1], _LOFT])
    s = np.linspace(0, 1, rings) ** 1.4
    y = down[0] + s * (down[-1] - down[0])
    width, depth, back = (np.interp(y, down, loft[:, k]) for k in (1, 2, 3))
    back = back + 0.35 * np.minimum(y, 0)  # the neck leans forward
    grown = np.clip((width - 0.066) / 0.13, 0, 1)
    width = width + (neck_width_m + 0.004 - 0.066) * (1 - grown) + 0.2 * (broad - 1) * grown
    depth = depth + (neck_width_m + 0.004 - 0.066) * (1 - grown)
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    power = (2 / (2 + 0.9 * grown))[:, None]
    c, t = np.cos(angle), np.sin(angle)
    x = width[:, None] * np.sign(c) * np.abs(c) ** power
    z = depth[:, None] * np.sign(t) * np.abs(t) ** power + back[:, None]
    lift = -0.010 * np.abs(c) * grown[:, None] * np.exp(-(((y - 0.06) / 0.06) ** 2))[:, None]
    rise = 0.30 * z * (1 - grown[:, None])  # the collar stands higher at the nape
    vertices = np.stack([x, y[:, None] - rise + lift, z], -1) + neck_base
    return vertices.reshape(-1, 3).astype(np.float32), grid(rings, around)


def grid(rows: int, columns: int, *, closed: bool = True) -> np.ndarray:
    """Triangles (m, 3) int32 of a grid of vertices.

    In a ``closed`` one the last column is joined to the first.
    Where rows go down and columns from x towards z, the outer side faces away from the axis.
    """
    i, j = np.mgrid[0 : rows - 1, 0 : columns if closed else columns - 1]
    k = (j + 1) % columns
    a, b, c, d = (
        v.ravel()
        for v in (i * columns + j, i * columns + k, (i + 1) * columns + j, (i + 1) * columns + k)
    )
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)


def neck_below(
    neutral: np.ndarray, skin: np.ndarray, *, length_m: float = 0.07, rings: int = 9
) -> tuple[np.ndarray, np.ndarray]:
    """Lengthen the neck downwards from the open lower edge of the face model's skin.

    Parameters
    ----------
    neutral : (V, 3) model space, metres
    skin : (F, 3) triangles of the skin

    Returns
    -------
    vertices (rings, n, 3) for an edge of n vertices; triangles (m, 3) int32 that join them, from
    index V on, to the edge
    """
    edge = _lower_edge(neutral, skin)
    loop = neutral[edge]
    centre = loop.mean(0)
    angle = np.arctan2(loop[:, 2] - centre[2], loop[:, 0] - centre[0])
    target = centre + np.array([0, length_m, 0.35 * length_m])
    width, depth = np.ptp(loop[:, 0]) / 2 * 1.06, np.ptp(loop[:, 0]) / 2 * 1.04
    base = np.stack([width * np.cos(angle), 0 * angle, depth * np.sin(angle)], 1) + target
    down = np.linspace(0, 1, rings + 1)[1:, None, None]
    vertices = loop * (1 - down) + base * down
    narrowed = 1 - (1 - down) ** 2.5  # the throat is round before the collar begins
    vertices[..., ::2] = (loop * (1 - narrowed) + base * narrowed)[..., ::2]
    n, first = len(edge), len(neutral)
    index = np.concatenate([edge, first + np.arange(rings * n)]).astype(np.int32)
    return vertices.astype(np.float32), index[grid(rings + 1, n)]


def _lower_edge(neutral: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The lowest open edge of the skin as a loop of vertices (n,), wound like ``grid``'s rings."""
    sides = (((a, b), (b, c), (c, a)) for a, b, c in skin.tolist())
    directed = {side for three in sides for side in three}
    after = {a: b for a, b in directed if (b, a) not in directed}
    loops = []
    while after:
        start, loop = next(iter(after)), []
        at = start
        while at in after:
            loop.append(at)
            at = after.pop(at)
        loops.append(loop)
    lowest = max(loops, key=lambda loop: neutral[loop, 1].mean())
    return np.array(lowest)
