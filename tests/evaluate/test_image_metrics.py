"""PSNR, SSIM and sharpness against closed forms and plain implementations."""

import numpy as np
import pytest

from repro.evaluate.image import luma, psnr, psnr_atvg, sharpness, ssim, ssim_atvg


def noisy_pair(sd: float, *, side: int = 128, seed: int = 0):
    rng = np.random.default_rng(seed)
    a = np.kron(rng.uniform(60, 190, (8, 8)), np.ones((side // 8, side // 8)))
    a = np.repeat(a[..., None], 3, axis=2)
    b = a + sd * rng.normal(size=(side, side, 1))
    return a.round().astype(np.uint8), b.round().clip(0, 255).astype(np.uint8)


def test_psnr_of_equal_images_is_infinite():
    a, _ = noisy_pair(0)
    assert psnr(a, a) == float("inf")


@pytest.mark.parametrize("difference", [1, 5, 40, 255])
def test_psnr_of_a_constant_difference_is_closed_form(difference):
    a = np.zeros((16, 16, 3), np.uint8)
    b = np.full_like(a, difference)
    assert psnr(a, b) == pytest.approx(20 * np.log10(255 / difference))
    assert psnr(b, a) == psnr(a, b)  # uint8 does not wrap


def test_psnr_takes_the_data_range():
    a, b = np.zeros((4, 4)), np.full((4, 4), 0.1)
    assert psnr(a, b, data_range=1.0) == pytest.approx(20.0)


def test_psnr_under_a_mask_sees_only_the_mask():
    a = np.zeros((8, 8, 3), np.uint8)
    b = a.copy()
    b[:4] = 10
    b[4:] = 200
    mask = np.zeros((8, 8), bool)
    mask[:4] = True
    assert psnr(a, b, mask=mask) == pytest.approx(20 * np.log10(25.5))
    with pytest.raises(ValueError, match="empty"):
        psnr(a, b, mask=np.zeros((8, 8), bool))


def test_soft_masks_weigh_pixels():
    a, b = np.zeros((1, 2)), np.array([[10.0, 20.0]])
    expected = (100 * 1.0 + 400 * 0.5) / 1.5
    got = psnr(a, b, mask=np.array([[1.0, 0.5]]))
    assert got == pytest.approx(10 * np.log10(255**2 / expected))


@pytest.mark.parametrize(("true_db", "reported_db"), [(22.5, 28.8), (15.2, 28.0)])
def test_atvg_psnr_calls_bad_images_28_db(true_db, reported_db):
    a, b = noisy_pair(255 / 10 ** (true_db / 20))
    assert psnr(a, b) == pytest.approx(true_db, abs=0.4)
    assert psnr_atvg(a, b) == pytest.approx(reported_db, abs=0.7)


def test_atvg_psnr_wraps_differences_and_squares():
    a, b = np.full((4, 4), 10, np.uint8), np.full((4, 4), 30, np.uint8)
    wrapped = ((10 - 30) % 256) ** 2 % 256  # 400 mod 256 = 144
    assert psnr_atvg(a, b) == pytest.approx(10 * np.log10(255**2 / wrapped))


def plain_ssim(a: np.ndarray, b: np.ndarray, w: int) -> float:
    """Wang et al. 2004 with a uniform window, one grey window after another."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(a.shape[0] - w + 1):
        for j in range(a.shape[1] - w + 1):
            x, y = (z[i : i + w, j : j + w].ravel() for z in (a, b))
            cov = np.cov(x, y)
            top = (2 * x.mean() * y.mean() + c1) * (2 * cov[0, 1] + c2)
            bottom = (x.mean() ** 2 + y.mean() ** 2 + c1) * (cov[0, 0] + cov[1, 1] + c2)
            values.append(top / bottom)
    return float(np.mean(values))


def test_ssim_agrees_with_a_plain_implementation():
    rng = np.random.default_rng(1)
    a = rng.uniform(0, 255, (20, 24))
    b = a + 30 * rng.normal(size=a.shape)
    assert ssim(a, b) == pytest.approx(plain_ssim(a, b, 7), abs=1e-9)


def test_ssim_of_colours_is_the_mean_of_the_channels():
    rng = np.random.default_rng(2)
    a, b = rng.uniform(0, 255, (2, 16, 16, 3))
    assert ssim(a, b) == pytest.approx(np.mean([ssim(a[..., c], b[..., c]) for c in range(3)]))


def test_atvg_ssim_resizes_first():
    a, b = noisy_pair(20)
    big = [np.kron(x, np.ones((4, 4, 1), np.uint8)) for x in (a, b)]  # 512 px
    small = [np.kron(x, np.ones((2, 2, 1), np.uint8)) for x in (a, b)]  # 256 px
    assert ssim_atvg(*big) == pytest.approx(ssim(*small))


def test_sharpness_of_flat_and_evenly_rising_images_is_zero():
    assert sharpness(np.full((32, 32, 3), 77, np.uint8)) == 0
    ramp = np.tile(np.arange(32.0), (32, 1))
    assert sharpness(ramp, np.ones((32, 32), bool)) == pytest.approx(0, abs=1e-12)


def test_sharpness_of_white_noise_is_twenty_times_its_variance():
    noise = 5 * np.random.default_rng(3).normal(size=(400, 400))
    assert sharpness(noise) == pytest.approx(20 * 25, rel=0.05)  # 4^2 + 4 * 1^2


def test_sharpness_does_not_see_the_outline_of_the_mask():
    frame = np.zeros((64, 64))
    frame[:, 32:] = 255
    mask = np.zeros((64, 64), bool)
    mask[:, 32:] = True
    assert sharpness(frame, mask) == 0
    with pytest.raises(ValueError, match="nothing is left"):
        sharpness(frame, mask, erode_px=40)


def test_blur_lowers_sharpness():
    frame = np.random.default_rng(4).uniform(0, 255, (64, 64))
    blurred = (frame[1:-1] + frame[:-2] + frame[2:]) / 3
    assert sharpness(blurred) < 0.6 * sharpness(frame)


def test_luma_weighs_green_most():
    assert luma(np.eye(3)[None]).tolist() == [[0.299, 0.587, 0.114]]
