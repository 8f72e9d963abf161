import numpy as np
import pytest

from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.face.light import ambient_light
from repro.face.model import load_open_model
from repro.reconstruct.track import FaceTrack
from repro.render.face import FaceRenderer, RenderSettings
from repro.render.mouth import seen_mouth_albedo
from repro.render.region import drawn_region
from repro.render.shade import render_face

CAMERA = Camera(480.0, 80.0, 80.0, 160, 160)


def track_of(model, jaw: np.ndarray) -> FaceTrack:
    """A still head whose jaw opens to ``jaw`` (T,)."""
    frames = len(jaw)
    expression = np.zeros((frames, 64), np.float32)
    expression[:, model.expression_names.index("jawOpen")] = jaw
    pose = np.tile(np.float32([0, 0, 0, 0, 0, 0.62]), (frames, 1))
    light = np.tile(ambient_light(0.8).astype(np.float32), (frames, 1))
    zeros = np.zeros(80, np.float32)
    return FaceTrack(
        landmarks=np.zeros((frames, 478, 2), np.float32),
        found=np.ones(frames, bool),
        confidence=np.ones(frames, np.float32),
        coefficients=Coefficients(zeros, expression, zeros, light, pose),
        shape_offset=np.zeros_like(model.mean),
        landmark_shift=np.zeros((478, 3), np.float32),
        camera=CAMERA,
        crop=Crop(0, 0, 160, 160),
        residual=np.zeros((frames, 1), np.float32),
        people=1,
    )


def film(model, track, albedo) -> np.ndarray:
    """What a camera saw of the face, (T, H, W, 3) uint8."""
    pictures = [
        render_face(
            model, track.posed(model, c.expression[0], c.pose[0]), albedo, c.light[0], CAMERA,
            **drawn_region(model).options,
        ).image
        for c in (track.coefficients[t : t + 1] for t in range(len(track)))
    ]  # fmt: skip
    return np.round(np.stack(pictures) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return load_open_model()


def test_teeth_become_as_dark_and_as_tinted_as_in_the_frames(model):
    track = track_of(model, np.linspace(0, 0.6, 6))
    plain = model.albedo(np.zeros(80, np.float32))
    teeth = np.concatenate([model.part_vertices(p) for p in ("upper_teeth", "lower_teeth")])
    true = plain.copy()
    true[teeth] *= [0.7, 0.5, 0.3]
    found = seen_mouth_albedo(model, track, film(model, track, true), plain, drawn_region(model))
    np.testing.assert_allclose(found[teeth].mean(0), true[teeth].mean(0), rtol=0.1)
    skin = model.part_vertices("skin")
    np.testing.assert_array_equal(found[skin], plain[skin])


def test_a_mouth_that_never_opens_keeps_its_colours(model):
    track = track_of(model, np.zeros(3))
    plain = model.albedo(np.zeros(80, np.float32))
    shut = seen_mouth_albedo(model, track, film(model, track, plain), plain, drawn_region(model))
    np.testing.assert_allclose(shut, plain, atol=0.02)


def test_a_renderer_draws_the_frame_that_it_took_its_albedo_from(model):
    track = track_of(model, np.array([0.0, 0.3]))
    plain = model.albedo(np.zeros(80, np.float32))
    frames = film(model, track, np.clip(plain * [1.1, 0.9, 0.8], 0, 1))
    draw = FaceRenderer.of(model, track, frames, settings=RenderSettings(albedo="detailed"))
    c = track.coefficients
    made, coverage = draw.over(frames[0], c.expression[0], c.pose[0], c.light[0])
    inside = coverage > 0.9
    assert inside.sum() > 2000
    error = np.abs(made[inside].astype(float) - frames[0][inside]).mean()
    plainly = render_face(
        model, track.posed(model, c.expression[0], c.pose[0]), plain, c.light[0], CAMERA
    ).image
    assert error < 6 < np.abs(plainly[inside] * 255 - frames[0][inside]).mean()
