"""FID against closed forms, torchmetrics and what it must refuse."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torchmetrics.image.fid import FrechetInceptionDistance

from repro.errors import UserError
from repro.evaluate.frechet import fid, frechet_distance

NAMED = {"network": "made-up", "crop": "64 px"}


def samples(count: int, dim: int = 6, *, seed: int, scale: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dim, dim))
    return scale * rng.normal(size=(count, dim)) @ mixing + seed


def test_distance_of_a_gaussian_from_itself_is_zero():
    covariance = np.cov(samples(50, seed=0), rowvar=False)
    mean = np.arange(6.0)
    assert frechet_distance(mean, covariance, mean, covariance) == pytest.approx(0, abs=1e-9)


def test_distance_of_axis_aligned_gaussians_is_closed_form():
    a, b = np.array([1.0, 2.0, 0.5]), np.array([3.0, 2.0, 0.0])
    shift = np.array([1.0, -2.0, 0.5])
    found = frechet_distance(np.zeros(3), np.diag(a**2), shift, np.diag(b**2))
    assert found == pytest.approx((shift**2).sum() + ((a - b) ** 2).sum())


def test_distance_agrees_with_the_matrix_square_root_of_the_product():
    x, y = samples(40, seed=0), 2 * samples(60, seed=1)[:, ::-1]
    (m, a), (n, b) = ((z.mean(0), np.cov(z, rowvar=False)) for z in (x, y))
    expected = ((m - n) ** 2).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_distance(m, a, n, b) == pytest.approx(expected)
    assert frechet_distance(n, b, m, a) == pytest.approx(expected)


class FirstSix(torch.nn.Module):
    """An image's first six numbers, as features."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.flatten(1)[:, :6].double()


def test_fid_agrees_with_torchmetrics():
    rng = np.random.default_rng(5)
    real = rng.integers(0, 200, (80, 6)).astype(np.float64)
    made = np.clip(real[:50] + rng.integers(0, 56, (50, 6)), 0, 255)
    other = FrechetInceptionDistance(
        feature=FirstSix(), normalize=False, input_img_size=(3, 4, 4), antialias=False
    )
    for features, is_real in ((real, True), (made, False)):
        images = torch.zeros(len(features), 48, dtype=torch.uint8)
        images[:, :6] = torch.as_tensor(features.astype(np.uint8))
        other.update(images.reshape(-1, 3, 4, 4), real=is_real)
    found = fid(real, made, **NAMED)
    assert found.value == pytest.approx(float(other.compute()), rel=1e-5)


def test_fid_says_its_frames_its_network_and_that_it_is_not_inceptions():
    found = fid(samples(30, seed=0), samples(20, seed=1), **NAMED)
    assert (found.frames, found.network, found.crop) == (20, "made-up", "64 px")
    assert "30 real and 20 generated" in found.convention
    assert "not InceptionV3's" in found.convention


def test_frames_without_a_face_are_counted_and_left_out():
    real, made = samples(30, seed=0), samples(20, seed=1)
    holes = made.copy()
    holes[[3, 7]] = np.nan
    found = fid(real, holes, **NAMED)
    assert (found.frames, found.undetected) == (18, 2)
    assert found.value == pytest.approx(fid(real, np.delete(made, [3, 7], 0), **NAMED).value)


@pytest.mark.parametrize("short", ["real", "generated"])
def test_too_few_frames_for_the_dimension_are_refused(short):
    sets = {"real": samples(30, seed=0), "generated": samples(30, seed=1)}
    sets[short] = sets[short][:6]
    with pytest.raises(UserError, match=rf"6 features of made-up.*6 {short} frames.*there are 6"):
        fid(**sets, **NAMED)
    sets[short] = samples(7, seed=2)
    assert fid(**sets, **NAMED).value > 0


def test_the_bias_of_few_frames_is_as_documented():
    rng = np.random.default_rng(0)
    for times, share in ((1, 0.52), (2, 0.26), (8, 0.06)):
        count = times * 128 + (times == 1)
        x, y = rng.normal(size=(2, count, 128))
        assert fid(x, y, **NAMED).value / 128 == pytest.approx(share, abs=0.02)


def test_features_of_different_sizes_are_a_mistake():
    with pytest.raises(ValueError, match="expected"):
        fid(samples(30, 5, seed=0), samples(30, 6, seed=0), **NAMED)
