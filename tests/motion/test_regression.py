"""Closed-form regressions: against the normal equations, scikit-learn, and known functions."""

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge as Independent

from repro.motion.checkpoint import MotionHistory, load_mapping, save_mapping
from repro.motion.mapping import MotionMapping
from repro.motion.regression import KernelRidge
from repro.motion.settings import MotionSettings


def clip(seed: int, frames: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Windows and an expression that follows them, but not linearly."""
    rng = np.random.default_rng(seed)
    windows = (3 + 2 * rng.normal(size=(frames, 28, 12))).astype(np.float32)
    towards = np.random.default_rng(99).normal(size=(28 * 12, 64)) / 18
    return windows, np.abs((windows - 3).reshape(frames, -1) @ towards / 2).astype(np.float32)


def test_kernel_ridge_agrees_with_an_independent_one():
    windows, expression = clip(0)
    unheard, _ = clip(1)
    regression = KernelRidge.fitted(windows, expression)
    said = regression(torch.from_numpy(unheard)).numpy()

    x = windows.reshape(60, -1).astype(np.float64)
    mean, spread = x.mean(0), x.std(0, ddof=1)
    other = Independent(alpha=1.0, kernel="rbf", gamma=1 / (4 * 28 * 12))
    other.fit((x - mean) / spread, expression - expression.mean(0))
    wanted = other.predict((unheard.reshape(60, -1) - mean) / spread) + expression.mean(0)
    np.testing.assert_allclose(said, wanted, atol=2e-5)


def test_kernel_ridge_hears_what_is_not_linear():
    rng = np.random.default_rng(2)
    windows = np.zeros((200, 28, 12), np.float32)
    windows += rng.uniform(-1, 1, (200, 1, 1)).astype(np.float32)  # one number is told
    expression = np.repeat(np.abs(windows[:, 0, :1]), 64, 1)
    regression = KernelRidge.fitted(windows[:150], expression[:150])
    said = regression(torch.from_numpy(windows[150:])).numpy()
    assert np.square(said - expression[150:]).mean() < 0.05 * expression[150:].var()


def test_silence_is_answered_with_what_is_usual():
    windows, expression = clip(3)
    windows[:] = windows[0]
    said = KernelRidge.fitted(windows, expression)(torch.from_numpy(windows)).numpy()
    assert np.isfinite(said).all()
    np.testing.assert_allclose(said, np.tile(expression.mean(0), (60, 1)), atol=1e-5)


def test_a_mapping_with_kernels_is_read_as_it_was_written(tmp_path):
    settings = MotionSettings(
        encoder_channels=(4, 4, 4, 4, 4), encoder_hidden=8, encoder_dim=8, lstm_dim=8,
        lstm_layers=1, ridge_share=1.0, kernel_share=1.0,
    )  # fmt: skip
    mapping = MotionMapping.untrained(settings, seed=0)
    windows, expression = clip(4, frames=30)
    mapping.kernels = KernelRidge.fitted(windows, expression)
    mapping.ridge_fitted.fill_(True)
    save_mapping(mapping, tmp_path / "mapping.safetensors", MotionHistory(1, 1, 0.0, {}, {}, 1))
    again, _ = load_mapping(tmp_path / "mapping.safetensors")
    sound = torch.from_numpy(clip(5)[0])
    said = again.answers(sound)[1]
    torch.testing.assert_close(said, mapping.answers(sound)[1], rtol=0, atol=0)
    torch.testing.assert_close(said, mapping.kernels(sound), rtol=0, atol=0)


def test_kernels_without_regressions_are_refused():
    with pytest.raises(ValueError, match="kernel_share needs ridge_share"):
        MotionSettings(kernel_share=0.5)
