"""Pictures and videos of motion from sound."""

import numpy as np
import pytest

from repro.corpus.clip import open_clip
from repro.corpus.sound import read_audio
from repro.face.model import load_open_model
from repro.figures import motion as views
from repro.label import verify
from repro.motion.motion import Motion

FRAMES = 6


@pytest.fixture(scope="module")
def motions(made_up_track):
    still = Motion(np.zeros((FRAMES, 64), np.float32), np.zeros((FRAMES, 6), np.float32))
    opening = Motion(made_up_track.coefficients.expression, still.pose)
    return {"true": opening, "said": still}


def test_a_mesh_video_shows_every_motion_with_sound_and_says_what_it_is(
    tmp_path, made_up_track, motions
):
    audio = 0.3 * np.sin(np.arange(FRAMES * 640) * 0.2).astype(np.float32)
    path = views.mesh_video(
        tmp_path / "said.mp4", load_open_model(), made_up_track, motions, audio,
        models={"motion": "test"},
    )  # fmt: skip
    clip = open_clip(path)
    assert (clip.frames, clip.width, clip.height) == (FRAMES, 2 * clip.height, clip.height)
    assert np.abs(read_audio(path, min_s=0)).max() > 0.1
    assert verify(path).exit_code == 0


def test_heads_differ_where_motions_do(made_up_track, motions):
    frames = list(views.heads_side_by_side(load_open_model(), made_up_track, motions))
    half = frames[0].shape[1] // 2
    below = slice(40, None)  # beneath the names
    first, last = (f[below].astype(int) for f in (frames[0], frames[-1]))
    np.testing.assert_array_equal(first[:, :half], first[:, half:])
    assert (np.abs(last[:, :half] - last[:, half:]) > 30).sum() > 200
    np.testing.assert_array_equal(first[:, half:], last[:, half:])


def test_lips_stand_over_their_part_of_the_sound():
    audio = np.random.default_rng(0).normal(size=4 * 16_000).astype(np.float32)
    gap = np.linspace(0, 5, 50)
    figure = views.lips_over_sound(audio, {"true": gap, "made": gap / 2}, first=50, seconds=1)
    axis, sound = figure.axes
    assert axis.get_xlim() == (2, 3)
    assert len(axis.lines[0].get_xdata()) == 25
    np.testing.assert_array_equal(sound.lines[0].get_ydata(), audio[32_000:48_000])


def test_shares_of_frames_sum_to_one():
    rng = np.random.default_rng(0)
    figure = views.lip_distributions({"true": rng.gamma(2, 3, 300), "made": rng.gamma(2, 2, 300)})
    for axis in figure.axes:
        for patch in axis.patches:
            assert patch.get_data().values.sum() == pytest.approx(1)


def test_every_action_has_a_bar_for_every_mapping():
    values = {
        "general": {"jawOpen": 0.5, "mouthPucker": 0.7},
        "ridge": {"jawOpen": 0.1, "mouthPucker": 0.2},
    }
    figure = views.action_correlations(values)
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    assert heights == [0.5, 0.7, 0.1, 0.2]
