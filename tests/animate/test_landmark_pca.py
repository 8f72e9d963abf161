"""Landmarks in a few numbers."""

import numpy as np
import pytest

from repro.animate.landmark_pca import LandmarkPca, face_landmarks
from repro.face.model import load_open_model

MODEL = load_open_model()


def faces(count, seed=0):
    rng = np.random.default_rng(seed)
    expression = rng.uniform(0, 0.3, (count, 64)).astype(np.float32)
    identity = rng.normal(0, 0.8, (count, 80)).astype(np.float32)
    return np.stack(
        [face_landmarks(MODEL, i, e) for i, e in zip(identity, expression, strict=True)]
    )


def test_landmarks_are_the_model_s_vertices():
    rng = np.random.default_rng(3)
    identity, expression = rng.normal(size=80), rng.uniform(0, 0.5, (4, 64))
    vertices = MODEL.vertices(identity, expression)[:, MODEL.landmark68]
    np.testing.assert_allclose(face_landmarks(MODEL, identity, expression), vertices, atol=1e-6)


def test_faces_of_a_few_directions_come_back_exactly():
    rng = np.random.default_rng(0)
    directions = rng.normal(0, 0.01, (4, 68, 3))
    shapes = MODEL.mean[MODEL.landmark68] + np.tensordot(rng.normal(size=(50, 4)), directions, 1)
    pca = LandmarkPca.fit(shapes, 4)
    np.testing.assert_allclose(pca.landmarks_of(pca.components_of(shapes)), shapes, atol=1e-6)


def test_coefficients_come_back_and_have_deviation_one():
    shapes = faces(300)
    pca = LandmarkPca.fit(shapes, 20)
    assert len(pca) == 20
    coefficients = pca.components_of(shapes)
    assert coefficients.shape == (300, 20)
    np.testing.assert_allclose(coefficients.std(0, ddof=1), 1, atol=1e-3)
    np.testing.assert_allclose(coefficients.mean(0), 0, atol=1e-3)
    back = pca.components_of(pca.landmarks_of(coefficients))
    np.testing.assert_allclose(back, coefficients, atol=2e-3)
    flat = pca.components.reshape(20, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(20), atol=1e-5)
    assert (np.diff(pca.scale) <= 0).all()


def test_twenty_components_leave_less_than_a_millimetre_and_a_half():
    shapes = faces(400)
    left = [
        np.linalg.norm(pca.landmarks_of(pca.components_of(shapes)) - shapes, axis=-1).mean()
        for pca in (LandmarkPca.fit(shapes, k) for k in (1, 20))
    ]
    assert left[1] < 1.5e-3 < left[0]


def test_too_few_or_odd_faces_are_refused():
    with pytest.raises(ValueError, match="do not give"):
        LandmarkPca.fit(faces(20), 20)
    with pytest.raises(ValueError, match="expected landmarks"):
        LandmarkPca.fit(np.zeros((30, 478, 3)), 20)
