import cv2
import numpy as np
import pytest

from repro.edit import masked
from repro.edit.deflicker import (
    Edited,
    deflicker,
    mouth_motion,
    smooth_landmarks,
    steady_picture,
    warped,
)
from repro.face.landmarks import FOREHEAD, LIPS


def smooth_noise(shape, seed=0):
    rng = np.random.default_rng(seed)
    return cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), 2.0) * 100 + 120


def test_motion_of_the_centre_does_not_see_lips_that_open_about_it(face_of, small):
    shut, wide = face_of(0.0)[0], face_of(8.0)[0]
    by_points = small.model_copy(update={"smooth_by": "points"})
    assert mouth_motion(shut, wide, small) == pytest.approx(0, abs=1e-6)
    assert mouth_motion(shut, wide, by_points) > 1
    assert mouth_motion(shut, shut + [3.0, 4.0], by_points) == pytest.approx(5)
    assert mouth_motion(shut, shut + [3.0, 4.0], small) == pytest.approx(5)


def test_algorithm_one_by_hand(face_of, small):
    settings = small.model_copy(update={"still_px": 1.0, "smooth_strength": 2.0})
    points = face_of(3.0)[0]
    track = np.stack([points, points + [0.5, 0.0], points + [2.0, 0.0]])
    smoothed = smooth_landmarks(track, settings)
    alpha = np.exp(-2.0 * 0.5)
    assert smoothed[1, LIPS] == pytest.approx(points[LIPS] + [(1 - alpha) * 0.5, 0.0])
    assert smoothed[1, FOREHEAD] == pytest.approx(track[1, FOREHEAD])
    # From the smoothed mouth the third is farther than the threshold: taken as it is.
    assert smoothed[2] == pytest.approx(track[2])


def test_a_resting_mouth_jitters_less_and_a_moving_one_keeps_its_course(face_of, small):
    rng = np.random.default_rng(0)
    still = np.tile(face_of(2.0)[0], (40, 1, 1)) + rng.normal(0, 0.15, (40, 478, 2))
    jitter = [
        np.diff(t[:, masked.GUIDES], 2, axis=0).std()
        for t in (still, smooth_landmarks(still, small))
    ]
    assert jitter[1] < 0.3 * jitter[0]
    fast = np.stack([face_of(2.0, 2.0 * t)[0] for t in range(8)])
    assert smooth_landmarks(fast, small) == pytest.approx(fast)


def test_eq_7_keeps_what_is_constant_of_the_previous_and_the_fine_of_the_picture():
    rows, columns = np.mgrid[:32, :48] + 0.5
    slow = 20 * np.cos(np.pi * 2 * columns / 48)[..., None].repeat(3, -1)
    fine = 20 * np.cos(np.pi * 24 * rows / 32)[..., None].repeat(3, -1)
    weight = 0.5
    out = steady_picture((slow + fine).astype(np.float32), np.full((32, 48, 3), 9.0, np.float32),
                         weight)  # fmt: skip
    gain = [4 * np.pi**2 * f**2 / (4 * np.pi**2 * f**2 + weight) for f in (1 / 48, 12 / 32)]
    assert out == pytest.approx(9 + gain[0] * slow + gain[1] * fine, abs=1e-3)


def test_without_weight_the_picture_stays():
    picture, previous = smooth_noise((24, 24, 3)), smooth_noise((24, 24, 3), 1)
    assert steady_picture(picture, previous, 0.0) == pytest.approx(picture, abs=1e-3)


def test_the_flow_brings_a_shifted_picture_back():
    wide = smooth_noise((64, 80, 3)).clip(0, 255).astype(np.uint8)
    before, after = wide[:, 4:68], wide[:, 6:70]  # moved 2 px to the left
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    moved = warped(before.astype(np.float32), before, after, flow)
    inner = np.s_[10:-10, 10:-10]
    apart = np.abs(moved - after)[inner].mean()
    assert apart < 0.2 * np.abs(before.astype(float) - after)[inner].mean()


def flickering(face_of, *, shift: float, noise: float, gain: float, frames: int = 16):
    """Edited frames of a face that flickers as a whole and by noise; and the clean frames."""
    rng = np.random.default_rng(0)
    soft = np.zeros((64, 64), np.float32)
    soft[32:54, 18:46] = 1
    soft = cv2.GaussianBlur(soft, (0, 0), 1.5) * (soft > 0)
    clean, edited = [], []
    for t in range(frames):
        points, frame = face_of(6.0, shift * t)
        clean.append(frame)
        fault = rng.normal(0, gain) + rng.normal(0, noise, frame.shape)
        made = np.rint(frame + soft[..., None] * fault).clip(0, 255).astype(np.uint8)
        edited.append(Edited(made, soft, points))
    return clean, edited, soft > 0.5


def second_difference(frames, inside):
    return np.abs(np.diff(np.stack(frames).astype(float), 2, axis=0))[:, inside].mean()


@pytest.mark.parametrize("levels", [None, 8.0])
def test_a_flickering_still_becomes_steadier_and_nearer(face_of, small, levels):
    settings = small.model_copy(update={"deflicker_levels": levels})
    _, edited, inside = flickering(face_of, shift=0.0, noise=0.5, gain=3.0)
    done = list(deflicker(edited, settings))
    before, after = (
        second_difference(frames, inside) for frames in ([e.frame for e in edited], done)
    )
    assert after < 0.6 * before
    for e, out in zip(edited, done, strict=True):
        assert (out[e.soft == 0] == e.frame[e.soft == 0]).all()


@pytest.mark.parametrize(("levels", "apart"), [(None, 5.0), (8.0, 1.5)])
def test_a_moving_edge_is_not_blurred(face_of, small, levels, apart):
    settings = small.model_copy(update={"deflicker_levels": levels})
    clean, edited, inside = flickering(face_of, shift=0.7, noise=0.0, gain=0.0)
    done = list(deflicker(edited, settings))
    for made, out in zip(clean[1:], done[1:], strict=True):
        steep = [np.abs(np.diff(f.astype(float), axis=0))[inside[1:]].max() for f in (made, out)]
        assert steep[1] > 0.85 * steep[0]
        assert np.abs(out.astype(float) - made)[inside].mean() < apart


def test_frames_are_given_out_as_they_come(face_of, small):
    _, edited, _ = flickering(face_of, shift=0.0, noise=0.0, gain=1.0, frames=4)
    read = []

    def stream():
        for t, one in enumerate(edited):
            read.append(t)
            yield one

    done = deflicker(stream(), small)
    assert (next(done) == edited[0].frame).all()
    assert read == [0]
