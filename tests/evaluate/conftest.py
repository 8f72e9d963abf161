"""A truth made by hand and the track that is right about it, for what is measured against truth."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from repro.corpus.lips import lip_edges
from repro.corpus.truth import Truth
from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.face.landmarks import lip_gap
from repro.face.light import ambient_light
from repro.face.model import MorphableModel, load_open_model
from repro.face.pose import apply_pose
from repro.reconstruct.track import FaceTrack

FRAMES = 12


class Known(NamedTuple):
    """A truth of 12 frames and its exact track."""

    truth: Truth
    track: FaceTrack
    model: MorphableModel

    def with_coefficients(self, **changed) -> FaceTrack:
        """The track with other coefficients."""
        c = replace(self.track.coefficients, **changed)
        return replace(self.track, coefficients=c)


@pytest.fixture(scope="session")
def known() -> Known:
    """Twelve frames of somebody who turns the head, opens the mouth and blinks."""
    model, rng = load_open_model(), np.random.default_rng(3)
    t = np.arange(FRAMES)
    at = model.expression_names.index
    expression = np.zeros((FRAMES, 64), np.float32)
    expression[:, at("jawOpen")] = np.maximum(0, np.sin(t)) * 0.5
    expression[:, at("eyeBlinkLeft")] = t % 4 == 1
    expression[:, at("eyeBlinkRight")] = t % 4 == 1
    pose = np.zeros((FRAMES, 6), np.float32)
    pose[:, 1] = 0.2 * np.sin(t / 3)
    pose[:, 3:] = (0.03, 0.05, 1.0)
    identity, texture = (rng.normal(0, 0.7, 80).astype(np.float32) for _ in range(2))
    light = (ambient_light(0.9) + rng.normal(0, 0.05, 27)).astype(np.float32)
    camera = Camera(600, 128, 128, 256, 256)
    crop = Crop(28, 18, 200, 250)
    vertices = model.vertices(identity, expression)
    points = model.landmarks(vertices)
    seen = camera.project(apply_pose(points, pose))
    truth = Truth(
        expression=expression, pose=pose, identity=identity, texture=texture, light=light,
        lamp=np.zeros((4, 3), np.float32), albedo=model.albedo(texture), landmarks=seen,
        landmark_valid=model.landmark_valid, lip_gap_m=lip_gap(points),
        lip_aperture_m=lip_edges(model).aperture(vertices),
        loudness=np.zeros(FRAMES, np.float32), symbols=(),
        times_s=np.zeros((0, 2)), words=(), word_times_s=np.zeros((0, 2)),
        closures_s=np.zeros(0), camera=camera, person=3,
    )  # fmt: skip
    track = FaceTrack(
        landmarks=crop.to_crop(seen).astype(np.float32),
        found=np.ones(FRAMES, bool),
        confidence=np.ones(FRAMES, np.float32),
        coefficients=Coefficients(identity, expression, texture, np.tile(light, (FRAMES, 1)), pose),
        shape_offset=np.zeros_like(model.mean),
        landmark_shift=np.zeros((478, 3), np.float32),
        camera=camera.seen_through(crop),
        crop=crop,
        residual=np.zeros((FRAMES, int(model.landmark_valid.sum())), np.float32),
        people=1,
    )
    return Known(truth, track, model)
