"""What a person is to look like: expression and head motion, from clips and put together."""

import numpy as np
import pytest
from made_up_people import person

from repro.animate.disentangle import most_visible
from repro.animate.drive import driven, expression_of, moved_like, nodded, own_landmarks, seen
from repro.animate.head_motion import HeadMotionNetwork
from repro.animate.speech_data import TalkingClip
from repro.face.pose import apply_pose


@pytest.fixture(scope="module")
def footage():
    return person("one", frames=9)


def test_landmarks_without_head_motion_are_the_posed_ones_undone(footage):
    own = own_landmarks(footage)
    np.testing.assert_allclose(apply_pose(own, footage.pose), footage.points, atol=1e-6)
    steady = own[:, 27:36]  # the nose, which no expression of these people moves
    np.testing.assert_allclose(steady, np.broadcast_to(steady[0], steady.shape), atol=1e-6)


def test_a_clip_s_own_expression_and_motion_give_its_own_landmarks(footage):
    wanted = driven(footage, expression_of(footage), footage.pose)
    np.testing.assert_allclose(wanted.landmarks, seen(footage).landmarks, atol=1e-3)
    np.testing.assert_array_equal(wanted.pose, footage.pose)


def test_expression_of_one_and_motion_of_another(footage):
    other = person("two", frames=6, turn=0.1)
    pose = moved_like(other.pose, footage)
    assert len(pose) == 6
    np.testing.assert_allclose(pose.mean(0), footage.pose.mean(0), atol=1e-5)
    wanted = driven(footage, expression_of(footage), pose)
    assert len(wanted.landmarks) == len(wanted.pose) == 6
    still = driven(footage, np.zeros((6, 68, 3)), pose)
    apart = np.linalg.norm(wanted.landmarks - still.landmarks, axis=-1)
    assert apart[:, 27:36].max() < 1e-3 < apart[:, 60:].max()


def test_at_rest_in_its_own_pose_the_most_visible_frame_comes_out(footage):
    at = most_visible(footage.pose)
    wanted = driven(footage, np.zeros((1, 68, 3)), footage.pose[at : at + 1])
    np.testing.assert_allclose(wanted.landmarks[0], footage.landmarks[at], atol=1e-3)


def test_all_frames_of_a_clip_tell_how_its_head_moves(small):
    rng = np.random.default_rng(0)
    sound = rng.normal(size=(40, 28, 12)).astype(np.float32)
    pose = rng.normal(0, 0.1, (40, 6)).astype(np.float32)
    clip = TalkingClip("person", sound, sound, np.zeros((40, 68, 3), np.float32), pose)
    network = HeadMotionNetwork.untrained(small, seed=0)
    made = [nodded(network, clip.first(frames), sound[:12]) for frames in (16, 40)]
    assert [m.shape for m in made] == [(12, 6)] * 2
    assert not np.allclose(made[0], made[1])
    # The bias is the reference's mean but for what is learned: frames far off move it.
    clip.pose[16:] += 1
    assert nodded(network, clip.first(16), sound[:12]) == pytest.approx(made[0])
    assert (nodded(network, clip, sound[:12]) - made[1]).mean() > 0.3
