"""Regression from random features, alone and beside the networks."""

import numpy as np
import pytest
import torch

from repro.motion.checkpoint import MotionHistory, load_mapping, save_mapping
from repro.motion.mapping import MotionMapping, fit_ridge
from repro.motion.motion import Motion
from repro.motion.predict import predict
from repro.motion.regression import FeatureRegression
from repro.motion.settings import MotionSettings
from repro.motion.train import fine_tune, train_general

TINY = MotionSettings(
    encoder_channels=(4, 4, 4, 4, 4), encoder_hidden=8, encoder_dim=8, lstm_dim=8, lstm_layers=1,
    standardise_targets=True, stride_frames=8, epochs=1, fine_tune_epochs=1, features=200,
    feature_components=6, features_share=0.5, ridge_share=0.5,
)  # fmt: skip


def clip(seed: int, frames: int = 200):
    """Sound of a few ups and downs; a mouth that opens where one of them is far from its middle."""
    rng = np.random.default_rng(seed)
    mixed = np.random.default_rng(0).normal(size=(3, 12))
    steps = rng.normal(size=(28 + 4 * (frames - 1), 3))
    smooth = np.stack([np.convolve(s, np.hanning(41) / 4.5, "same") for s in steps.T], 1)
    sequence = (smooth @ mixed).astype(np.float32)
    windows = np.stack([sequence[4 * i : 4 * i + 28] for i in range(frames)])
    expression = np.zeros((frames, 64), np.float32)
    expression[:, 24] = np.abs(smooth[13 : 13 + 4 * frames : 4][:frames, 0])
    return windows, Motion(expression, np.zeros((frames, 6), np.float32))


def r(mapped: np.ndarray, motion: Motion) -> float:
    return float(np.corrcoef(mapped[:, 24], motion.expression[:, 24])[0, 1])


def test_it_learns_what_a_linear_map_cannot():
    clips = [clip(s) for s in range(1, 9)]
    regression = FeatureRegression(TINY)
    regression.fit(clips, seed=0)
    windows, motion = clip(99)
    ridge = fit_ridge(
        np.concatenate([w for w, _ in clips]), np.concatenate([m.expression for _, m in clips])
    )
    linear = windows.reshape(len(windows), -1) @ ridge[:-1] + ridge[-1]
    assert r(linear, motion) < 0.4
    assert r(regression(torch.from_numpy(windows)).numpy(), motion) > 0.8


def test_its_mean_is_the_targets_and_the_same_seed_gives_the_same():
    clips = [clip(1), clip(2)]
    first, again, other = FeatureRegression(TINY), FeatureRegression(TINY), FeatureRegression(TINY)
    first.fit(clips, seed=3)
    again.fit(clips, seed=3)
    other.fit(clips, seed=4)
    assert torch.equal(first.weights, again.weights)
    assert not torch.equal(first.weights, other.weights)
    said = first(torch.from_numpy(np.concatenate([w for w, _ in clips]))).mean(0).numpy()
    true = np.concatenate([m.expression for _, m in clips]).mean(0)
    np.testing.assert_allclose(said, true, atol=1e-3)


@pytest.fixture(scope="module")
def general() -> MotionMapping:
    torch.set_num_threads(1)
    clips = [clip(s) for s in range(1, 9)]
    return train_general(clips[:2], TINY, performed=clips[2:], seed=0)[0]


def test_the_general_mapping_mixes_its_share_in(general):
    windows, _ = clip(99)
    with torch.inference_mode():
        network = general.members[0](torch.from_numpy(windows)[None])[0][0].numpy()
        answer = general.regression(torch.from_numpy(windows)).numpy()
    made = predict(general, windows).expression
    np.testing.assert_allclose(made, 0.5 * network + 0.5 * answer, atol=1e-4)


def test_a_person_s_regression_relies_on_the_general_one(general, tmp_path):
    """Sixty frames of a person who opens the mouth twice as far as others."""
    windows, motion = clip(50, frames=60)
    person = Motion(2 * motion.expression, motion.pose)
    personal, _ = fine_tune(general, windows, person, seed=0)
    personal.settings = TINY.model_copy(update={"ridge_share": 1.0})
    heard, truth = clip(51)
    made = predict(personal, heard).expression
    assert r(made, truth) > 0.8
    alone = fit_ridge(windows, person.expression)
    assert r(made, truth) > r(heard.reshape(len(heard), -1) @ alone[:-1] + alone[-1], truth)
    assert made[:, 24].std() > 1.4 * predict(general, heard).expression[:, 24].std()


def test_answers_that_tell_nothing_are_not_relied_on():
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(150, 5, 3))
    truth = windows.reshape(150, -1) @ rng.normal(size=(15, 2))
    weights = fit_ridge(windows, truth, rng.normal(size=(150, 64)))
    assert np.abs(weights[15:-1]).max() == 0
    np.testing.assert_allclose(weights[[*range(15), -1]], fit_ridge(windows, truth), atol=1e-5)


def test_it_survives_saving(general, tmp_path):
    save_mapping(general, tmp_path / "g.safetensors", MotionHistory(1, 1, 0.0, {}, {}, 1))
    loaded, _ = load_mapping(tmp_path / "g.safetensors")
    windows, _ = clip(99)
    np.testing.assert_array_equal(
        predict(loaded, windows).expression, predict(general, windows).expression
    )


def test_shares_need_features():
    with pytest.raises(ValueError, match="need features"):
        MotionSettings(features_share=0.5)
