"""Pictures of notebooks 07 and 10 show the numbers they are given."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from repro.figures import ablations as views
from repro.figures import frame_count as counts
from repro.study import ablations as study
from repro.study import frame_count as counting
from repro.study import metrics as m


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def measures():
    values = {study.FULL: ([30, 31], [0.9, 0.92]), "less": ([20, 21], [0.9, 0.92])}
    return pd.DataFrame(
        {"variant": v, "seed": s, "name": name, "value": x, "unit": unit}
        for v, taken in values.items()
        for (name, unit), tries in zip((("face PSNR", "dB"), ("HS", "1")), taken, strict=True)
        for s, x in enumerate(tries)
    )


@pytest.fixture
def effects(measures):
    variants = [study.Variant(n, "", m.FACE_PSNR) for n in (study.FULL, "less")]
    return study.effects(measures, variants)


def test_cells_hold_gain_and_noise_where_something_changed(effects):
    axis = views.effect_table(effects).axes[0]
    assert [text.get_text() for text in axis.texts] == ["+10", "±2"]
    assert axis.get_xticklabels()[0].get_text() == "face PSNR (dB)"
    framed = [patch for patch in axis.patches if not patch.get_fill()]
    assert [patch.get_xy() for patch in framed] == [(0, 0)]


def test_every_seed_is_a_dot(measures, effects):
    figure = views.seed_values(measures, study.own_effects(effects))
    shown = [axis for axis in figure.axes if axis.get_visible()]
    dots = [line.get_ydata() for line in shown[0].lines[::2]]
    assert [list(values) for values in dots] == [[30, 31], [20, 21]]


def test_quality_stands_over_frames_with_its_noise():
    rows = [
        {"person": "a", "frames_learned": n, "seed": s, "name": metric.name, "value": n / 10 + s,
         "unit": "u"}
        for metric in counting.SHOWN for n in (50, 300) for s in (0, 1)
    ]  # fmt: skip
    before = pd.DataFrame({"person": "a", "frames_learned": [50, 300], "value": [20.0, 19.0]})
    figure = counts.quality(counting.by_count(pd.DataFrame(rows)), before)
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == len(counting.SHOWN)
    x, y = shown[0].lines[0].get_data()
    assert (list(x), list(y)) == ([50, 300], [5.5, 30.5])
    assert [label.get_text() for label in shown[0].get_xticklabels()] == ["50", "300"]
    dashed = [[line.get_data() for line in a.lines if line.get_linestyle() == "--"] for a in shown]
    assert [len(lines) for lines in dashed] == [1] + [0] * (len(shown) - 1)
    assert [list(values) for values in dashed[0][0]] == [[50, 300], [20, 19]]


def test_choices_are_the_published_ones_and_costs_add_up():
    costs = pd.DataFrame({
        "frames": [50, 50, 300, 300], "part": ["motion", "refinement"] * 2, "seconds": [1, 2, 3, 4],
    })  # fmt: skip
    left, right = counts.choices_and_costs(costs).axes
    heights = [bar.get_height() for bar in left.patches]
    assert heights == pytest.approx([0, 0, 0, 36.4, 36.4, 63.6], abs=0.05)
    tops = [bar.get_y() + bar.get_height() for bar in right.patches]
    assert tops == pytest.approx([1, 3, 3, 7])
