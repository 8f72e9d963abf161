"""HS (Eq. 6) on distributions whose Wasserstein distance is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, wasserstein_distance, wasserstein_distance_nd

from repro.evaluate.pose import (
    convention,
    head_pose_scores,
    head_pose_similarity,
    head_pose_similarity_by_axis,
)

RANGE = (-0.5, 0.5)


def turned(value: float, frames: int = 50) -> np.ndarray:
    return np.full((frames, 3), value)


def test_hs_of_identical_distributions_is_one():
    angles = np.random.default_rng(0).normal(0, 0.1, (200, 3))
    assert head_pose_similarity(angles, angles) == pytest.approx(1)
    shuffled = np.random.default_rng(1).permutation(np.concatenate([angles, angles]))
    assert head_pose_similarity(angles, shuffled) == pytest.approx(1)


def test_hs_of_heads_at_opposite_ends_of_the_range_is_zero():
    hs = head_pose_similarity(turned(-0.5), turned(0.5), range_rad=RANGE)
    assert hs == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("joint", [False, True])
def test_a_shift_lowers_hs_by_its_share_of_the_range(joint):
    bins = 11  # from the middle of the outermost to that of the other are 10
    hs = head_pose_similarity(turned(0.0), turned(0.3), bins=bins, range_rad=RANGE, joint=joint)
    assert hs == pytest.approx(1 - 3 / 10)


@given(st.integers(2, 90), st.data())
def test_two_point_masses_are_as_far_apart_as_their_bins(bins, data):
    """Per axis |i - j| / (bins - 1), jointly the length of that vector over the diagonal's."""
    places = [np.array(data.draw(st.tuples(*[st.integers(0, bins - 1)] * 3))) for _ in range(2)]
    a, b = (np.tile((place + 0.5) / bins - 0.5, (4, 1)) for place in places)
    steps = np.abs(places[0] - places[1]) / (bins - 1)
    options = {"bins": bins, "range_rad": RANGE}
    assert head_pose_similarity(a, b, **options) == pytest.approx(1 - steps.mean())
    jointly = 1 - np.linalg.norm(steps) / np.sqrt(3)
    assert head_pose_similarity(a, b, joint=True, **options) == pytest.approx(jointly)


def of_quantiles(inverse, count=4000):
    """Angles (count, 3) that lie as a distribution says, on each axis."""
    return np.repeat(inverse((np.arange(count) + 0.5) / count)[:, None], 3, 1)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.3])
def test_of_shifted_uniforms_the_distance_is_the_shift(shift):
    a, b = (of_quantiles(lambda q, s=s: -0.4 + 0.4 * q + s) for s in (0, shift))
    hs = head_pose_similarity(a, b, bins=500, range_rad=RANGE)
    assert hs == pytest.approx(1 - shift, abs=0.003)


def test_of_nested_uniforms_the_distance_is_a_quarter_of_the_difference_of_widths():
    a, b = (of_quantiles(lambda q, w=w: w * (q - 0.5)) for w in (0.2, 0.8))
    hs = head_pose_similarity(a, b, bins=500, range_rad=RANGE)
    assert hs == pytest.approx(1 - (0.8 - 0.2) / 4, abs=0.003)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.03), (0.1, 0.08), (0.0, 0.12), (-0.05, 0.08)])
def test_of_two_gaussians_the_distance_is_its_integral(mean, sd):
    """Quantiles are m + s z, so that W1 = E |dm + ds Z|: a folded normal's mean."""
    dm, ds = mean, sd - 0.08
    folded = abs(dm)
    if ds:
        k = dm / ds
        folded = abs(ds) * (np.sqrt(2 / np.pi) * np.exp(-(k**2) / 2) + k * (1 - 2 * norm.cdf(-k)))
    a = of_quantiles(lambda q: norm.ppf(q, 0, 0.08))
    b = of_quantiles(lambda q: norm.ppf(q, mean, sd))
    hs = head_pose_similarity(a, b, bins=600, range_rad=RANGE)
    assert hs == pytest.approx(1 - folded, abs=0.003)


def test_one_axis_of_three_counts_a_third():
    other = turned(0.0)
    other[:, 1] = 0.5
    by_axis = head_pose_similarity_by_axis(turned(-0.5), turned(-0.5), range_rad=RANGE)
    assert by_axis == {"pitch": 1, "yaw": 1, "roll": 1}
    base = turned(-0.5)
    moved = base.copy()
    moved[:, 1] = 0.5
    assert head_pose_similarity(base, moved, range_rad=RANGE) == pytest.approx(2 / 3)


def test_hs_agrees_with_scipy_on_the_samples():
    rng = np.random.default_rng(2)
    real, made = rng.normal(0, 0.12, (300, 3)), rng.normal(0.05, 0.06, (170, 3))
    expected = np.mean([1 - wasserstein_distance(real[:, k], made[:, k]) for k in range(3)])
    got = head_pose_similarity(real, made, bins=400, range_rad=RANGE)
    assert got == pytest.approx(expected, abs=0.004)


def test_joint_hs_agrees_with_scipy_on_the_bins():
    rng = np.random.default_rng(3)
    a, b = rng.uniform(-0.5, 0.5, (9, 3)), rng.normal(0, 0.1, (7, 3))
    cells = [np.clip(np.floor((x + 0.5) * 12), 0, 11) for x in (a, b)]
    expected = 1 - wasserstein_distance_nd(*cells) / (11 * np.sqrt(3))
    hs = head_pose_similarity(a, b, bins=12, range_rad=RANGE, joint=True)
    assert hs == pytest.approx(expected, abs=1e-6)


def test_a_row_says_what_its_numbers_depend_on():
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 0.1, (40, 3)), rng.normal(0, 0.1, (30, 3))
    b[:9, 0] = 2.0
    row = head_pose_scores(a, b, bins=30, range_rad=(-1, 1))
    assert row["hs"] == head_pose_similarity(a, b, bins=30, range_rad=(-1, 1))
    axes = head_pose_similarity_by_axis(a, b, bins=30, range_rad=(-1, 1))
    assert [row[f"hs_{name}"] for name in axes] == list(axes.values())
    assert row["hs_joint"] == head_pose_similarity(a, b, bins=30, range_rad=(-1, 1), joint=True)
    assert (row["bins"], row["frames_real"], row["frames_generated"]) == (30, 40, 30)
    assert row["range_high_deg"] == -row["range_low_deg"] == pytest.approx(180 / np.pi)
    assert row["beyond_range"] == pytest.approx(9 / 210)
    assert convention() == {"bins": 60, "range_low_deg": -30, "range_high_deg": 30}


def test_joint_hs_sees_what_the_axes_alone_do_not():
    """Pitch and yaw move together in one clip and against each other in the other."""
    t = np.linspace(-0.4, 0.4, 60)
    along = np.stack([t, t, 0 * t], 1)
    against = np.stack([t, -t, 0 * t], 1)
    kinds = {j: head_pose_similarity(along, against, bins=12, joint=j) for j in (False, True)}
    assert kinds[False] == pytest.approx(1)
    assert kinds[True] < 0.95


def test_angles_beyond_the_range_count_in_its_outermost_bin():
    assert head_pose_similarity(turned(9.0), turned(0.5), range_rad=RANGE) == 1


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 40))
def test_hs_is_symmetric_and_between_zero_and_one(seed, t, m):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-1, 1, (t, 3)), rng.uniform(-1, 1, (m, 3))
    hs = head_pose_similarity(a, b)
    assert 0 <= hs <= 1 + 1e-12
    assert hs == pytest.approx(head_pose_similarity(b, a))


@pytest.mark.parametrize(
    ("bins", "range_rad"), [(1, RANGE), (0, RANGE), (60, (0.5, 0.5)), (60, (1, 0))]
)
def test_a_histogram_that_is_none_is_refused(bins, range_rad):
    with pytest.raises(ValueError, match="no histogram"):
        head_pose_similarity(turned(0), turned(0), bins=bins, range_rad=range_rad)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_angles_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="not finite"):
        head_pose_similarity(turned(0), turned(value))


@pytest.mark.parametrize("shape", [(0, 3), (10, 6), (10,)])
def test_angles_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="angles"):
        head_pose_similarity(np.zeros(shape), turned(0))
