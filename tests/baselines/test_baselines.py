"""You Said That and ATVG made again: shapes, that they learn, that they repeat themselves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from repro.baselines.atvg import Atvg
from repro.baselines.faces import PointClip, draw_frames, face_clip, face_crop, face_pictures
from repro.baselines.settings import BaselineSettings
from repro.baselines.shapes import POINTS
from repro.baselines.train import (
    load_baseline,
    save_baseline,
    train_atvg,
    train_you_said_that,
)
from repro.baselines.you_said_that import YouSaidThat
from repro.checkpoint import Checkpoint
from repro.errors import UserError
from repro.face import landmarks as lm

TRAINERS = {YouSaidThat: train_you_said_that, Atvg: train_atvg}


pytestmark = pytest.mark.usefixtures("one_thread")


def brief(settings: BaselineSettings, **changes) -> BaselineSettings:
    return settings.model_copy(update={"steps": 4, "landmark_steps": 4, **changes})


@pytest.mark.parametrize("kind", TRAINERS)
def test_it_shows_a_picture_for_every_frame_of_the_sound(kind, clips, settings):
    network, history = TRAINERS[kind](clips, brief(settings), seed=0)
    made = network.speak(clips[0], 3)
    assert made.shape == clips[0].pictures.shape and made.dtype == np.uint8
    assert len(history.losses["picture"]) == 4


@pytest.mark.parametrize("kind", TRAINERS)
def test_on_a_few_clips_it_comes_far_nearer_than_the_mean_picture(kind, clips, settings):
    network, _ = TRAINERS[kind](clips, settings, seed=0)

    def error(made, clip):
        mouth = np.s_[:, 17:28, 10:22]
        return np.abs(made[mouth].astype(float) - clip.pictures[mouth]).mean()

    learned = np.mean([error(network.speak(clip, 0), clip) for clip in clips])
    mean = np.mean([error(np.broadcast_to(c.pictures.mean(0), c.pictures.shape), c) for c in clips])
    assert learned < 0.6 * mean


def test_speakers_without_pictures_teach_where_the_points_go(clips, settings):
    mute = [replace(clip, windows=np.zeros_like(clip.windows)) for clip in clips]
    spoken = [PointClip(clip.windows, clip.landmarks) for clip in clips]
    lips = np.flatnonzero(np.isin(POINTS, lm.LIPS))

    def follows(performed):
        network, _ = train_atvg(
            mute, brief(settings, landmark_steps=200), seed=0, performed=performed
        )
        told, true = (
            points[:, lips, 1] - points[:, lips, 1].mean(0)
            for points in (network.tell(clips[0], 0), clips[0].landmarks[:, POINTS])
        )
        return (told * true).sum() / np.linalg.norm(true) ** 2

    assert abs(follows(())) < 0.2
    assert follows(spoken) > 0.6


@pytest.mark.parametrize("kind", TRAINERS)
def test_the_same_seed_gives_the_same_network_and_another_another(kind, clips, settings):
    first, second, other = (
        TRAINERS[kind](clips, brief(settings), seed=seed)[0].state_dict() for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("kind", TRAINERS)
def test_a_training_that_was_cut_off_ends_as_if_it_had_not_been(kind, clips, settings, tmp_path):
    class CutOff(BaseException):
        pass

    def stop(done, planned):
        if planned == 6 and done == 3:
            raise CutOff

    planned = brief(settings, steps=6)
    whole, _ = TRAINERS[kind](clips, planned, seed=0)
    state = Checkpoint(tmp_path / "state", every=2)
    with pytest.raises(CutOff):
        TRAINERS[kind](clips, planned, seed=0, checkpoint=state, progress=stop)
    resumed, history = TRAINERS[kind](clips, planned, seed=0, checkpoint=state)
    assert len(history.losses["picture"]) == 6
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name


@pytest.mark.parametrize("kind", TRAINERS)
def test_a_saved_one_speaks_the_same(kind, clips, settings, tmp_path):
    network, history = TRAINERS[kind](clips, brief(settings), seed=0)
    path = tmp_path / "network.safetensors"
    save_baseline(network, path, settings, history)
    read, told = load_baseline(kind, path)
    assert told == history
    np.testing.assert_array_equal(read.speak(clips[1], 0), network.speak(clips[1], 0))


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.safetensors' does not exist"):
        load_baseline(Atvg, tmp_path / "none.safetensors")


def test_no_clip_long_enough_is_said(clips, settings):
    with pytest.raises(UserError, match="at least 30 frames"):
        train_atvg(clips, settings.model_copy(update={"window_frames": 30}), seed=0)


def test_where_attention_is_zero_the_reference_stays(clips, settings):
    network = Atvg(settings).eval()
    network.shapes.fit([clip.landmarks for clip in clips])
    with torch.no_grad():
        network.picture.decoder.last.bias[3] = -60.0
        network.picture.decoder.last.weight[3] = 0.0
    made = network.speak(clips[0], 2)
    np.testing.assert_array_equal(made, np.repeat(clips[0].pictures[2:3], len(made), axis=0))


def test_the_loss_counts_what_has_no_attention_by_the_floor_alone(clips, settings):
    network = Atvg(settings).picture.eval()
    with torch.no_grad():
        network.decoder.last.bias[3] = -60.0
        network.decoder.last.weight[3] = 0.0
    drawn = draw_frames(clips, 4, np.random.default_rng(0))
    expected = settings.attention_floor * (drawn.reference - drawn.target).abs().mean()
    assert network.loss(drawn).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_square_about_a_face_holds_it_with_its_margin(settings):
    points = np.array([[40.0, 60.0], [80.0, 140.0]], np.float32)
    crop = face_crop(points, settings)
    assert crop.side == pytest.approx(settings.face_margin * 80)
    np.testing.assert_allclose(crop.to_crop(points).mean(0), settings.image_px / 2)
    frames = np.random.default_rng(0).integers(0, 255, (2, 200, 200, 3), dtype=np.uint8)
    pictures = face_pictures(frames, crop)
    assert pictures.shape == (2, settings.image_px, settings.image_px, 3)
    clip = face_clip(pictures, crop, np.stack([points, points]), np.zeros((2, 28, 12)), settings)
    np.testing.assert_allclose(clip.landmarks[0].mean(0), settings.image_px / 2, rtol=1e-5)


def test_a_size_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="cannot be halved 5 times"):
        BaselineSettings(image_px=112)
