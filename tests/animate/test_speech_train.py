"""Both trainings, on a world where sound tells jaw and nod."""

import json

import numpy as np
import pytest
import torch

from repro.animate.expression import ExpressionNetwork, spoken_landmarks
from repro.animate.head_motion import HeadMotionNetwork, extrapolate
from repro.animate.head_motion_trainer import draw_motion
from repro.animate.sketch import lip_gap_68
from repro.animate.speech_train import (
    load_learner,
    save_learner,
    train_expression,
    train_head_motion,
)
from repro.checkpoint import Checkpoint
from repro.errors import UserError

BRIEF = {"expression_steps": 6, "motion_steps": 6}
TRAININGS = [train_expression, train_head_motion]
both = pytest.mark.parametrize("train", TRAININGS)


@pytest.fixture
def brief(small):
    return small.model_copy(update=BRIEF)


def test_lips_learn_to_follow_the_sound(small, talkers):
    made, history = train_expression(talkers(0, 12), small, seed=0)
    errors = history.losses["error"]
    assert len(errors) == small.expression_steps
    assert np.mean(errors[-10:]) < 0.5 * np.mean(errors[:10])
    seen, heard = talkers(100, 101)[0]
    gap = lip_gap_68(spoken_landmarks(made, heard.sound, seen.reference))
    assert np.corrcoef(gap, lip_gap_68(heard.landmarks))[0, 1] > 0.8


def test_heads_learn_whose_they_are_from_another_clip(small, talkers):
    made, history = train_head_motion(talkers(0, 24), small, seed=0)
    assert set(history.losses) == {"error", "discriminator", "adversarial"}
    errors = history.losses["error"]
    assert np.mean(errors[-10:]) < 0.7 * np.mean(errors[:10])
    for seen, heard in talkers(100, 104):
        motion = extrapolate(made, seen.pose[:16], seen.sound[:16], heard.sound)
        own = np.abs(motion.mean(0) - heard.pose.mean(0)).mean()
        assert own < 0.5 * np.abs(made.mean.numpy() - heard.pose.mean(0)).mean()


@both
def test_a_resumed_training_ends_as_an_uninterrupted_one(train, brief, talkers, tmp_path):
    people = talkers(0, 4)
    whole, history = train(people, brief, seed=3)
    state = Checkpoint(tmp_path / "state.safetensors", every=2)

    class Killed(Exception):
        pass

    def kill(done, planned):
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        train(people, brief, seed=3, checkpoint=state, progress=kill)
    resumed, again = train(people, brief, seed=3, checkpoint=state)
    assert again.losses == history.losses
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, rtol=0, atol=0)
    with pytest.raises(UserError, match="other settings, seed or data"):
        train(talkers(1, 5), brief, seed=3, checkpoint=state)
    with pytest.raises(UserError, match="other settings, seed or data"):
        train(people, brief, seed=4, checkpoint=state)


@both
def test_a_training_that_breaks_names_the_setting_to_lower(train, brief, talkers):
    steep = brief.model_copy(update={"lr": 1e30})
    with pytest.raises(UserError, match=r"animate_speech\.lr"):
        train(talkers(0, 4), steep, seed=0)


@both
def test_nobody_to_learn_from_is_said(train, brief):
    with pytest.raises(UserError, match=r"animate_speech\.people"):
        train((), brief, seed=0)


def test_head_motion_needs_two_clips_that_are_long_enough(brief, talkers):
    alone = tuple(talker[:1] for talker in talkers(0, 2))
    with pytest.raises(UserError, match="has 1 clip"):
        train_head_motion(alone, brief, seed=0)
    longer = brief.model_copy(update={"motion_frames": 61})
    with pytest.raises(UserError, match="60 frames, fewer than the 61"):
        train_head_motion(talkers(0, 2), longer, seed=0)


def test_without_the_adversarial_term_nobody_judges(brief, talkers):
    plain = brief.model_copy(update={"lambda_adversarial": 0.0})
    _, history = train_head_motion(talkers(0, 2), plain, seed=0)
    assert set(history.losses) == {"error"}


def test_reference_and_answer_are_of_the_same_person_s_different_clips(small, talkers):
    people = talkers(0, 3)
    batch = draw_motion(people, small, np.random.default_rng(0), scale=np.ones(6))
    assert batch.motion.shape == (8, 16, 6)
    assert batch.heard.shape == (8, 16, 28, 12)
    assert batch.windows.shape == (8, 24, 28, 12)
    assert batch.answer.shape == (8, 24, 6)

    def whose(part):
        def holds(clip, b):
            return np.isin(clip.pose[:, 0], part[b, :, 0].numpy()).sum() == part.shape[1]

        (found,) = zip(*[
            [(p, c) for p, clips in enumerate(people) for c, clip in enumerate(clips)
             if holds(clip, b)] for b in range(len(part))
        ], strict=True)  # fmt: skip
        return found

    for (person, clip), (other, another) in zip(
        whose(batch.motion), whose(batch.answer), strict=True
    ):
        assert person == other
        assert clip != another


def test_people_are_put_elsewhere_in_both_clips_alike(small, talkers):
    people, scale = talkers(0, 3), np.linspace(0.1, 0.6, 6)
    plain, moved = (
        draw_motion(
            people, small.model_copy(update={"motion_shift": s, "motion_batch": 1}),
            np.random.default_rng(5), scale=scale,
        )
        for s in (0.0, 2.0)
    )  # fmt: skip
    change = moved.motion - plain.motion
    torch.testing.assert_close(change, change[:, :1].expand_as(change), rtol=0, atol=1e-6)
    torch.testing.assert_close(moved.answer - plain.answer, change[:, :1].expand(1, 24, 6))
    assert (change.abs() > 1e-3).all()
    torch.testing.assert_close(moved.heard, plain.heard)


def test_what_was_saved_is_read_again(brief, talkers, tmp_path):
    people = talkers(0, 3)
    for train, kind in (
        (train_expression, ExpressionNetwork),
        (train_head_motion, HeadMotionNetwork),
    ):
        path = tmp_path / f"{train.__name__}.safetensors"
        made, history = train(people, brief, seed=0)
        save_learner(made, path, history)
        again, told = load_learner(kind, path)
        assert again.settings == brief
        assert told == history
        for name, value in made.state_dict().items():
            torch.testing.assert_close(again.state_dict()[name], value)
        about = json.loads(path.with_suffix(".json").read_text())
        about["settings"]["unheard_of"] = 1
        path.with_suffix(".json").write_text(json.dumps(about))
        with pytest.raises(UserError, match="cannot be read"):
            load_learner(kind, path)
        with pytest.raises(UserError, match="does not exist"):
            load_learner(kind, tmp_path / "nothing.safetensors")
