"""Training and prediction on a world where sound tells the motion."""

import numpy as np
import pytest
import torch

from repro.errors import UserError
from repro.motion.checkpoint import load_mapping, save_mapping
from repro.motion.motion import Motion
from repro.motion.predict import predict
from repro.motion.regression import fit_ridge
from repro.motion.settings import MotionSettings
from repro.motion.train import fine_tune, train_general

TINY = MotionSettings(
    encoder_channels=(4, 4, 8, 8, 8),
    encoder_hidden=32,
    encoder_dim=16,
    lstm_dim=16,
    lstm_layers=1,
    standardise_targets=True,
    stride_frames=4,
    batch=8,
    lr=5e-3,
    fine_tune_lr=5e-3,
    epochs=12,
    fine_tune_epochs=12,
)
PERSON_PLACE = np.array([0.1, -0.2, 0.05, 0.02, 0.01, 0.7], np.float32)


pytestmark = pytest.mark.usefixtures("one_thread")


def clip(seed: int, frames: int = 80):
    """Sound that swings, a mouth that follows its third coefficient, a head its fifth."""
    rng = np.random.default_rng(seed)
    t = np.arange(28 + 4 * (frames - 1)) / 100
    sequence = np.stack(
        [np.sin(2 * np.pi * rng.uniform(0.7, 2.5) * t + rng.uniform(0, 6)) for _ in range(12)], 1
    )
    sequence += 0.05 * rng.normal(size=sequence.shape)
    windows = np.stack([sequence[4 * i : 4 * i + 28] for i in range(frames)]).astype(np.float32)
    centre = windows[:, 12:16].mean(1)
    expression = np.zeros((frames, 64), np.float32)
    expression[:, 24] = 0.3 + 0.2 * centre[:, 2]
    pose = np.tile(PERSON_PLACE, (frames, 1))
    pose[:, 1] += 0.1 * centre[:, 4]
    return windows, Motion(expression, pose)


@pytest.fixture(scope="module")
def general():
    torch.set_num_threads(1)
    return train_general([clip(s) for s in range(8)], TINY, seed=0)


def correlation(a, b) -> float:
    return np.corrcoef(a, b)[0, 1]


def test_general_training_learns_what_sound_tells(general):
    mapping, history = general
    windows, truth = clip(100)
    made = predict(mapping, windows)
    assert correlation(made.expression[:, 24], truth.expression[:, 24]) > 0.7
    assert history.train["total"][-1] < 0.7 * history.train["total"][0]
    assert history.epochs == history.best == 12


def test_general_pose_is_about_zero_and_personal_pose_about_the_person_s_place(general):
    windows, truth = clip(101)
    personal, _ = fine_tune(general[0], windows, truth, seed=0)
    assert np.abs(predict(general[0], windows).pose[:, 3:]).max() < 0.05
    np.testing.assert_allclose(
        predict(personal, windows).pose.mean(0), truth.pose.mean(0), atol=0.03
    )
    assert general[0].pose_mean.abs().sum() == 0  # left as it was


def test_fine_tuning_lowers_the_error_on_the_person(general):
    """A person whose mouth does the opposite."""
    windows, truth = clip(102, frames=120)
    opposite = Motion(1 - truth.expression, truth.pose)
    settings = TINY.model_copy(update={"fine_tune_epochs": 30})
    personal, history = fine_tune(general[0], windows, opposite, seed=0, settings=settings)
    before, after = (predict(m, windows).expression[:, 24] for m in (general[0], personal))
    assert correlation(before, opposite.expression[:, 24]) < 0
    assert correlation(after, opposite.expression[:, 24]) > 0.5
    assert history.train["total"][-1] < history.train["total"][0]


def test_training_is_determined_by_its_seed():
    clips = [clip(0), clip(1)]
    settings = TINY.model_copy(update={"epochs": 1, "dropout": 0.2, "mfcc_noise": 0.1})
    runs = [train_general(clips, settings, seed=s)[0].state_dict() for s in (3, 3, 4)]
    assert all(torch.equal(runs[0][k], runs[1][k]) for k in runs[0])
    assert not torch.equal(
        runs[0]["networks.0.pose_head.weight"], runs[2]["networks.0.pose_head.weight"]
    )


def test_two_processes_that_share_each_batch_do_what_one_does():
    """Batches of 8 and a last one of 3: shares of 4 and 4, and of 2 and 1."""
    clips = [clip(0), clip(1), clip(2)]
    settings = TINY.model_copy(update={"epochs": 2, "held_out": 0.2})
    alone, history = train_general(clips, settings, seed=5)
    together, shared = train_general(clips, settings.model_copy(update={"processes": 2}), seed=5)
    for key, value in alone.state_dict().items():
        torch.testing.assert_close(together.state_dict()[key], value, rtol=1e-4, atol=1e-5)
    assert shared.steps == history.steps
    np.testing.assert_allclose(shared.train["total"], history.train["total"], rtol=1e-5)


def test_a_run_that_was_cut_off_goes_on_to_the_same_end(tmp_path):
    clips = [clip(0), clip(1)]
    settings = TINY.model_copy(update={"epochs": 3, "dropout": 0.2})

    class Cut(Exception):
        pass

    def cut(epoch, planned, loss):
        if epoch == 2:
            raise Cut

    through, history = train_general(clips, settings, seed=1)
    with pytest.raises(Cut):
        train_general(clips, settings, seed=1, checkpoint=tmp_path, progress=cut)
    resumed, again = train_general(clips, settings, seed=1, checkpoint=tmp_path)
    for key, value in through.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], value, rtol=0, atol=0)
    assert again.train == history.train
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch3.safetensors", "run.json"]


def test_held_out_windows_stop_training_and_choose_the_epoch():
    """Motion that sound does not tell: held-out loss soon rises."""
    windows, _ = clip(0)
    rng = np.random.default_rng(0)
    noise = Motion(rng.normal(size=(80, 64)).astype(np.float32), np.zeros((80, 6), np.float32))
    settings = TINY.model_copy(
        update={"epochs": 60, "lr": 2e-2, "held_out": 0.4, "patience_epochs": 3}
    )
    _, history = train_general([(windows, noise)], settings, seed=0)
    assert history.epochs < 60
    assert history.best == int(np.argmin(history.held_out["total"])) + 1
    assert history.epochs - history.best == 3


def test_a_saved_mapping_loads_and_predicts_alike(general, tmp_path):
    mapping, history = general
    path = tmp_path / "general.safetensors"
    save_mapping(mapping, path, history)
    loaded, read = load_mapping(path)
    windows, _ = clip(103)
    np.testing.assert_array_equal(
        predict(loaded, windows).expression, predict(mapping, windows).expression
    )
    assert read == history
    assert sorted(p.name for p in tmp_path.iterdir()) == ["general.json", "general.safetensors"]


def test_missing_and_broken_mappings_say_so(general, tmp_path):
    path = tmp_path / "m.safetensors"
    with pytest.raises(UserError, match="does not exist"):
        load_mapping(path)
    save_mapping(general[0], path, general[1])
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match="cannot be read"):
        load_mapping(path)


@pytest.mark.parametrize("stitching", ["sequence", "overlap"])
@pytest.mark.parametrize("frames", [1, 5, 16, 17, 300])
def test_sound_of_any_length_gives_a_frame_for_each_window(general, stitching, frames):
    mapping = general[0]
    settings = mapping.settings
    mapping.settings = settings.model_copy(update={"stitching": stitching})
    mapping.networks[0].settings = mapping.settings
    made = predict(mapping, clip(0, frames=frames)[0])
    mapping.settings = mapping.networks[0].settings = settings
    assert made.expression.shape == (frames, 64)
    assert np.isfinite(made.expression).all()


def test_a_sequence_in_chunks_has_no_seam(general, monkeypatch):
    windows, _ = clip(104, frames=90)
    whole = predict(general[0], windows)
    monkeypatch.setattr("repro.motion.predict._CHUNK", 16)
    np.testing.assert_allclose(predict(general[0], windows).expression, whole.expression, atol=1e-5)


def test_members_and_the_calm_linear_share_are_averaged_and_survive_saving(general, tmp_path):
    windows, truth = clip(105)
    changes = {"members": 2, "ridge_share": 0.5, "fine_tune_epochs": 1}
    settings = TINY.model_copy(update=changes)
    personal, history = fine_tune(general[0], windows, truth, seed=0, settings=settings)
    save_mapping(personal, tmp_path / "p.safetensors", history)
    loaded, _ = load_mapping(tmp_path / "p.safetensors")
    made = predict(personal, windows)
    np.testing.assert_array_equal(predict(loaded, windows).pose, made.pose)
    linear = windows.reshape(80, -1) @ personal.ridge[:-1].numpy() + personal.ridge[-1].numpy()
    sound = torch.from_numpy(windows)[None]
    with torch.inference_mode():
        each = [network(sound)[0][0].numpy() for network in personal.networks]
    calm = (linear[:-2] + 2 * linear[1:-1] + linear[2:]) / 4
    mixed = 0.5 * calm + 0.25 * (each[0] + each[1])[1:-1]
    np.testing.assert_allclose(made.expression[1:-1], mixed, atol=1e-4)


def test_ridge_agrees_with_the_normal_equations_at_the_strength_it_chose():
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(200, 5, 3))
    truth = (
        windows.reshape(200, -1) @ rng.normal(size=(15, 2)) + 4 + 0.1 * rng.normal(size=(200, 2))
    )
    weights = fit_ridge(windows, truth)
    x = windows.reshape(200, -1)
    z = (x - x.mean(0)) / (x.std(0) + 1e-6)
    normal = np.linalg.solve(z.T @ z + 30 * np.eye(15), z.T @ (truth - truth.mean(0)))
    expected = z @ normal + truth.mean(0)
    np.testing.assert_allclose(x @ weights[:-1] + weights[-1], expected, atol=1e-3)


def test_ridge_of_motion_that_sound_does_not_tell_is_nearly_its_mean():
    rng = np.random.default_rng(1)
    weights = fit_ridge(rng.normal(size=(100, 10, 4)), rng.normal(size=(100, 3)))
    assert np.abs(weights[:-1]).max() < 0.05


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="held_out"):
        MotionSettings(patience_epochs=3)
