"""The perceptron, alone and beside the networks."""

import numpy as np
import pytest
import torch

from repro.motion.checkpoint import MotionHistory, load_mapping, save_mapping
from repro.motion.mapping import MotionMapping
from repro.motion.motion import Motion
from repro.motion.perceptron import SpeechPerceptron
from repro.motion.predict import predict
from repro.motion.regression import fit_ridge
from repro.motion.settings import MotionSettings
from repro.motion.train import fine_tune, train_general

TINY = MotionSettings(
    encoder_channels=(4, 4, 4, 4, 4), encoder_hidden=8, encoder_dim=8, lstm_dim=8, lstm_layers=1,
    standardise_targets=True, stride_frames=8, epochs=1, fine_tune_epochs=1, perceptron_units=32,
    perceptron_steps=150, perceptron_lr=5e-3, perceptron_share=0.5, ridge_share=0.5, mfcc_noise=0.1,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("one_thread")


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


def fitted(clips, seed: int) -> SpeechPerceptron:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        perceptron = SpeechPerceptron(TINY)
    perceptron.fit(clips, seed=seed)
    return perceptron


def test_it_learns_what_a_linear_map_cannot():
    clips = [clip(s) for s in range(1, 9)]
    perceptron = fitted(clips, 0)
    windows, motion = clip(99)
    ridge = fit_ridge(
        np.concatenate([w for w, _ in clips]), np.concatenate([m.expression for _, m in clips])
    )
    linear = windows.reshape(len(windows), -1) @ ridge[:-1] + ridge[-1]
    assert r(linear, motion) < 0.4
    with torch.no_grad():
        assert r(perceptron(torch.from_numpy(windows)).numpy(), motion) > 0.8


def test_the_same_seed_gives_the_same():
    clips = [clip(1), clip(2)]
    first, again, other = (fitted(clips, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["layers.0.weight"], other["layers.0.weight"])


@pytest.fixture(scope="module")
def general() -> MotionMapping:
    torch.set_num_threads(1)
    clips = [clip(s) for s in range(1, 9)]
    return train_general(clips[:2], TINY, performed=clips[2:], seed=0)[0]


def parts(mapping: MotionMapping, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the network and the perceptron say."""
    sound = torch.from_numpy(windows)
    with torch.inference_mode():
        network = mapping.members[0](sound[None])[0][0].numpy()
        return network, mapping.perceptron(sound).numpy()


def test_the_general_mapping_mixes_its_share_in(general):
    windows, _ = clip(99)
    network, answer = parts(general, windows)
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


@pytest.mark.parametrize("known", [True, False])
def test_a_person_keeps_the_perceptron_as_far_as_it_is_right_about_them(general, known):
    settings = TINY.model_copy(update={"keep_perceptron": True, "ridge_share": 0.0})
    windows, motion = clip(50)
    done = motion.expression if known else clip(77)[1].expression
    person = Motion(done + np.float32(0.25), motion.pose)
    personal, _ = fine_tune(general, windows, person, seed=0, settings=settings)
    network, answer = parts(personal, windows)
    share = float(personal.answer_share)
    # Nothing but the jaw moves, so that the correlation over all is nearly the jaw's.
    agreed = max(0.0, (r(answer, person) - 0.3) / 0.7)
    assert share == pytest.approx(agreed, abs=0.05)
    assert (share > 0.7) == known
    kept = answer + 0.3 * (person.expression - answer).mean(0)
    made = predict(personal, windows).expression
    np.testing.assert_allclose(made, (1 - share) * network + share * kept, atol=1e-4)


@pytest.mark.parametrize("known", [True, False])
def test_a_person_s_regression_leaves_answers_that_are_wrong_about_them(general, known):
    settings = TINY.model_copy(update={"ridge_share": 1.0})
    windows, motion = clip(50)
    person = motion if known else clip(77)[1]
    personal, _ = fine_tune(general, windows, person, seed=0, settings=settings)
    assert (personal.ridge[-65:-1].abs().max() > 0) == known


def test_a_person_s_linear_share_is_smoothed_over_three_frames(general):
    windows, motion = clip(50, frames=60)
    settings = TINY.model_copy(update={"ridge_share": 1.0})
    personal, _ = fine_tune(general, windows, motion, seed=0, settings=settings)
    with torch.no_grad():
        _, linear = personal.answers(torch.from_numpy(windows))
    made = predict(personal, windows).expression
    expected = (linear[:-2] + 2 * linear[1:-1] + linear[2:]) / 4
    np.testing.assert_allclose(made[1:-1], expected, atol=1e-5)
    np.testing.assert_allclose(made[0], (3 * linear[0] + linear[1]) / 4, atol=1e-5)


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


@pytest.mark.parametrize("option", [{"perceptron_share": 0.5}, {"keep_perceptron": True}])
def test_shares_need_a_perceptron(option):
    with pytest.raises(ValueError, match="needs perceptron_units"):
        MotionSettings(**option)
