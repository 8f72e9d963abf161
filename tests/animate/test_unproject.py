import numpy as np
import pytest
from made_up_people import ball, person

from repro.animate.unproject import (
    harder_match,
    matching_costs,
    moved,
    project,
)
from repro.face.pose import apply_pose, rotation_matrix

BEFORE = np.array([0.1, -0.3, 0.05, 0.01, 0.02, 0.9])
AFTER = np.array([-0.2, 0.4, 0.1, -0.03, 0.01, 1.1])


def test_a_head_moves_as_its_pose():
    vertices, _ = ball()
    found = moved(apply_pose(vertices, BEFORE), BEFORE, AFTER)
    assert np.allclose(found, apply_pose(vertices, AFTER), atol=1e-7)
    assert np.allclose(moved(found, AFTER, BEFORE), apply_pose(vertices, BEFORE), atol=1e-7)


def test_eq_1_holds_in_the_papers_convention():
    """The paper's R and T lead from the camera to a canonical head: p = R l + T."""
    vertices = apply_pose(ball()[0], BEFORE)
    ours = [(rotation_matrix(p[:3]), p[3:]) for p in (BEFORE, AFTER)]
    (r_m, t_m), (r_t, t_t) = [(r.T, -r.T @ t) for r, t in ours]
    eq_1 = np.linalg.inv(r_t) @ (r_m @ vertices.T + (t_m - t_t)[:, None])
    assert np.allclose(moved(vertices, BEFORE, AFTER), eq_1.T, atol=1e-7)


def test_eq_2_is_the_squared_distance_of_head_motions():
    references = np.stack([BEFORE, AFTER, BEFORE + 0.1])
    costs = matching_costs(BEFORE, references)
    assert costs == pytest.approx([0, ((AFTER - BEFORE) ** 2).sum(), 0.06])
    many = matching_costs(np.stack([AFTER, BEFORE]), references)
    assert many.shape == (2, 3) and list(many.argmin(-1)) == [1, 0]


def test_a_harder_match_is_never_the_nearest_unless_it_is_alone():
    rng = np.random.default_rng(0)
    drawn = {harder_match(np.array([0.3, 0.1, 0.2]), rng) for _ in range(50)}
    assert drawn == {0, 2}
    assert harder_match(np.array([0.3]), rng) == 0


def test_in_its_own_pose_the_mesh_shows_its_own_frame():
    mesh = person("a", size=64).mesh()
    shown = project(mesh, mesh.pose)
    known = shown.coverage > 0
    assert known.mean() > 0.15
    difference = np.abs(shown.image.astype(int) - mesh.frame)[known]
    assert np.median(difference) == 0 and difference.mean() < 1
    assert not shown.image[~known].any()


def test_in_another_pose_it_is_near_that_frame():
    ball = person("a", 8, size=64)
    steady = ball[np.full(8, 0)]  # one expression throughout
    mesh = ball.mesh()
    shown = project(mesh, ball.pose[3])
    known = shown.coverage > 0
    before = np.abs(steady.frames[0].astype(int) - ball.frames[3])[known].mean()
    after = np.abs(shown.image.astype(int) - ball.frames[3])[known].mean()
    assert after < 0.5 * before


def test_its_landmarks_have_the_new_pose_and_the_old_expression():
    ball = person("a")
    mesh = ball.mesh()
    shown = project(mesh, ball.pose[2])
    steady = slice(0, 48)
    assert np.allclose(shown.landmarks[steady], ball.landmarks[2][steady], atol=0.01)
    own = project(mesh, mesh.pose)
    assert np.allclose(own.landmarks, mesh.camera.project(mesh.points), atol=1e-3)


def test_what_the_frame_hides_stays_empty():
    mesh = person("a", size=64).mesh()
    turned = mesh.pose.copy()
    turned[1] += 1.2
    shown = project(mesh, turned)
    far, near = shown.coverage[:, :28].astype(bool), shown.coverage[:, 36:].astype(bool)
    # Turned to the image's left: its right half comes from behind the edge.
    assert far.sum() > 2 * near.sum()
    turned[1] = mesh.pose[1] + np.pi
    assert not project(mesh, turned).coverage.any()
