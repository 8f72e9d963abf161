"""The geometry of synthetic people."""

import numpy as np

from repro.corpus.figure import build_figure, pose_figure
from repro.corpus.film import film_camera
from repro.corpus.noise import noise_table
from repro.corpus.people import draw_person
from repro.corpus.settings import CorpusSettings
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.render.rasterise import rasterise

MODEL = load_open_model()
TABLE = noise_table()


def test_torso_vertices_do_not_move_and_face_vertices_follow_the_pose(figure, rest_pose):
    pose = rest_pose(figure, yaw=0.3, pitch=-0.1).astype(np.float32)
    surface = pose_figure(figure, np.zeros(64, np.float32), pose)
    face = np.flatnonzero(MODEL.skin_mask > 0.5)
    expected = apply_pose(figure.neutral[face].astype(float), pose.astype(float))
    np.testing.assert_allclose(surface.points[face], expected, atol=1e-4)
    first = len(figure.neutral) + len(figure.attached)
    torso = surface.points[first : first + len(figure.torso)]
    np.testing.assert_allclose(torso, figure.torso, atol=1e-6)


def test_no_solid_mesh_shows_its_inner_side(rest_pose):
    with_glasses = build_figure(MODEL, draw_person(3), TABLE)
    camera = film_camera(CorpusSettings(image_px=256))
    for yaw in (-0.4, 0.0, 0.4):
        surface = pose_figure(
            with_glasses, np.zeros(64, np.float32), rest_pose(with_glasses, yaw=yaw)
        )
        mesh = with_glasses.triangles[0]
        both, outer = (rasterise(surface.points, mesh, camera, cull=c) for c in (False, True))
        assert (both.triangle != outer.triangle).mean() < 0.001


def test_every_style_of_hair_can_be_built(rest_pose):
    styles = set()
    for seed in range(8):
        person = draw_person(seed)
        styles.add(person.appearance.hair.style)
        figure = build_figure(MODEL, person, TABLE)
        surface = pose_figure(figure, np.zeros(64, np.float32), rest_pose(figure))
        assert np.isfinite(surface.points).all() and len(surface.points) == len(figure.paint.marks)
        assert max(t.max() for t in figure.triangles) < len(surface.points)
    assert len(styles) >= 5
