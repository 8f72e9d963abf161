import numpy as np
import pytest

from repro.reconstruct.confidence import BRIDGED, confidence
from repro.reconstruct.look import Look

SIZE = 360, 360
NONE = np.zeros(0, np.float32)


@pytest.fixture
def track(portrait):
    rng = np.random.default_rng(0)
    t = np.arange(60)[:, None, None]
    points = portrait.points + 3 * np.sin(0.3 * t) + rng.normal(0, 0.1, (60, 478, 2))
    pattern = rng.integers(40, 200, (18, 16))
    noise = rng.integers(-6, 7, (60, 18, 16))
    looks = [
        Look(NONE, (pattern + stir).astype(np.uint8), 1 + 0.1 * np.sin(k))
        for k, stir in enumerate(noise)
    ]
    return points.astype(np.float32), looks


def test_ordinary_frames_are_trusted(track):
    points, looks = track
    found = np.ones(60, bool)
    assert confidence(points, found, ~found, looks, SIZE).min() > 0.8


def test_covered_blurred_and_leaping_frames_are_trusted_less(track):
    points, looks = track
    covered = looks[10].pattern.copy()
    covered[:9] = 90
    looks[10] = looks[10]._replace(pattern=covered)
    looks[20] = looks[20]._replace(sharpness=0.2)
    points[30] += 8
    found = np.ones(60, bool)
    trust = confidence(points, found, ~found, looks, SIZE)
    assert trust[[10, 20, 30]].max() < 0.5
    assert np.delete(trust, [10, 20, 29, 30, 31]).min() > 0.8


def test_points_outside_the_picture_are_not_trusted(track):
    points, looks = track
    points[40:] += [200, 0]
    found = np.ones(60, bool)
    trust = confidence(points, found, ~found, looks, SIZE)
    assert trust[45:].max() < 0.6 < trust[:35].min()


def test_bridged_frames_are_trusted_little_and_others_without_a_face_not_at_all(track):
    points, looks = track
    found, bridged = np.ones(60, bool), np.zeros(60, bool)
    found[10:15] = bridged[10:15] = False
    bridged[10:15] = True
    found[50:] = False
    points[~found] = np.nan
    seen = [look for look, there in zip(looks, found, strict=True) if there]
    trust = confidence(points, found, bridged, seen, SIZE)
    assert trust.dtype == np.float32
    assert (trust[10:15] > 0.5 * BRIDGED).all() and (trust[10:15] <= BRIDGED).all()
    assert (trust[50:] == 0).all()
