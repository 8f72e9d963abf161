"""A person drawn with either albedo (Yi et al. 2020, section 3.3)."""

import numpy as np

from repro.face.light import irradiance
from repro.face.mesh import vertex_normals
from repro.face.model import load_open_model
from repro.render.face import FaceRenderer, RenderSettings
from repro.render.rasterise import rasterise


def painted(track, draw: FaceRenderer, t: int) -> np.ndarray:
    """Frame t drawn plainly: (H, W, 3), the model's albedo with stripes finer than its texture."""
    model = draw.model
    vertices = track.posed(model, track.coefficients.expression[t], track.coefficients.pose[t])
    raster = rasterise(vertices, model.triangles, track.camera)
    corners = model.triangles[raster.triangle]
    albedo = (draw.albedo * draw.region.occlusion[:, None])[corners] * raster.barycentric[..., None]
    normal = vertex_normals(vertices, model.triangles)[corners] * raster.barycentric[..., None]
    normal = normal.sum(2) / np.linalg.norm(normal.sum(2), axis=-1, keepdims=True).clip(1e-6)
    lit = irradiance(normal, track.coefficients.light[t])
    return albedo.sum(2) * lit


def test_the_low_frequency_albedo_is_the_models_own_under_the_light(made_up_track):
    model, track = load_open_model(), made_up_track
    settings = RenderSettings(albedo="low_frequency", supersample=1)
    draw = FaceRenderer.of(model, track, np.zeros((2, 96, 96, 3), np.uint8), settings=settings)
    c = track.coefficients
    np.testing.assert_array_equal(draw.albedo, model.albedo(c.texture))
    made = draw.draw(c.expression[0], c.pose[0], c.light[0])
    inside = made.coverage > 0.99
    assert inside.sum() > 1000
    np.testing.assert_allclose(
        made.image[inside], painted(track, draw, 0)[inside].clip(0, 1), atol=2e-3
    )


def test_the_detailed_albedo_holds_what_the_low_frequency_one_cannot(made_up_track):
    model, track = load_open_model(), made_up_track
    c = track.coefficients
    plain = FaceRenderer.of(
        model, track, np.zeros((1, 96, 96, 3), np.uint8), settings=RenderSettings(supersample=1)
    )
    stripes = 1 + 0.3 * np.sign(np.sin(np.arange(96) * np.pi / 3))[:, None]
    frame = (255 * painted(track, plain, 0) * stripes).clip(0, 255).astype(np.uint8)
    settings = RenderSettings(albedo="detailed", supersample=1)
    detailed = FaceRenderer.of(model, track, frame[None], settings=settings)
    errors = {}
    for name, draw in (("plain", plain), ("detailed", detailed)):
        made = draw.draw(c.expression[0], c.pose[0], c.light[0])
        inside = made.coverage > 0.99
        errors[name] = np.abs(255 * made.image - frame)[inside].mean()
    assert errors["detailed"] < 0.35 * errors["plain"]
