"""Agreement of a track with its landmarks, where it is known."""

from dataclasses import replace

import numpy as np
import pytest

from repro.evaluate.reprojection import against_landmarks
from repro.face import landmarks as lm


def test_a_track_on_its_landmarks_agrees(known):
    got = against_landmarks(known.track, known.model)
    for name in ("reprojection_median", "reprojection_p95", "worst_frame"):
        assert got[name] == pytest.approx(0, abs=2e-3)
    assert got["lip_gap_r"] == pytest.approx(1)
    assert got["closed_lip_gap"] == pytest.approx(got["closed_lip_gap_seen"], abs=1e-3)
    assert 0 < got["closed_frames"] < len(known.track)


def test_a_frame_far_off_is_found_and_flagged_by_its_confidence(known):
    points = known.track.landmarks.copy()
    pupils = lm.inter_pupil_distance(points[5])
    points[5, :, 0] += 0.2 * pupils
    track = replace(known.track, landmarks=points)
    got = against_landmarks(track, known.model)
    assert got["worst_frame"] == pytest.approx(20, rel=1e-3)
    assert (got["far_frames"], got["far_frames_unflagged"]) == (1, 1)
    doubted = known.track.confidence.copy()
    doubted[5] = 0.3
    got = against_landmarks(replace(track, confidence=doubted), known.model)
    assert (got["far_frames"], got["far_frames_unflagged"]) == (1, 0)


def test_frames_without_a_face_do_not_count(known):
    points = known.track.landmarks.copy()
    points[5] += 100
    found = np.arange(len(points)) != 5
    got = against_landmarks(replace(known.track, landmarks=points, found=found), known.model)
    assert got["worst_frame"] == pytest.approx(0, abs=2e-3)


def test_lips_that_stay_open_are_not_sealed(known):
    """The fitted jaw is opened further in every frame."""
    expression = known.track.coefficients.expression.copy()
    expression[:, known.model.expression_names.index("jawOpen")] += 0.3
    sealed = against_landmarks(known.track, known.model)
    apart = against_landmarks(known.with_coefficients(expression=expression), known.model)
    assert apart["closed_lip_gap"] > sealed["closed_lip_gap"] + 5
    assert apart["closed_aperture_mm"] > sealed["closed_aperture_mm"] + 3
    assert apart["reprojection_mouth_median"] > apart["reprojection_median"]
