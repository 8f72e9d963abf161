"""Light on points of synthetic people."""

import numpy as np
import pytest

from repro.corpus.shade_light import share_lit
from repro.corpus.shadow import LightView, view_from

TOWARDS = np.array([0.3, -0.5, -0.8]) / np.linalg.norm([0.3, -0.5, -0.8])


@pytest.fixture(scope="module")
def view() -> LightView:
    """A square plate of 20 cm before the light."""
    plate = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float) * 0.1
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return view_from(TOWARDS, plate, triangles, centre=np.zeros(3), extent_m=0.6, size_px=96)


def lit(view: LightView, point: np.ndarray, bias: float = 0.004) -> float:
    place = np.concatenate([view.rotation.ravel(), view.centre, [view.pixels_per_m]])
    return share_lit(*point, place.astype(np.float32), view.depth, bias)


def reference(view: LightView, point: np.ndarray, bias: float = 0.004) -> float:
    """The mean over a box of 3 x 3 pixels around the point, each pixel a square of its own."""
    column, row, depth = view.locate(point)
    total = 0.0
    for i in range(int(row) - 3, int(row) + 4):
        for j in range(int(column) - 3, int(column) + 4):
            high = max(0.0, min(i + 1, row + 1.5) - max(i, row - 1.5))
            wide = max(0.0, min(j + 1, column + 1.5) - max(j, column - 1.5))
            total += high * wide * (view.depth[i, j] + bias >= depth)
    return total / 9


def test_points_behind_the_plate_are_dark_and_others_lit(view):
    assert lit(view, -0.05 * TOWARDS) == 0
    assert lit(view, 0.05 * TOWARDS) == 1
    assert lit(view, np.array([0.0, 2.0, 0.0])) == 1, "outside the view all is lit"


def test_at_a_shadow_s_edge_the_light_is_a_mean_over_nine_pixels(view):
    shares = []
    for x in np.linspace(0.06, 0.14, 60):
        point = np.array([x, 0.013, 0.0]) - 0.05 * TOWARDS
        assert lit(view, point) == pytest.approx(reference(view, point), abs=1e-4)
        shares.append(lit(view, point))
    assert shares[0] == 0 and shares[-1] == 1 and len(set(shares)) > 10
