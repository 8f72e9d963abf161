"""Basel Face Model 2009 and FaceWarehouse, on small files of their exact layout."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from repro.errors import UserError
from repro.face.basel import FILES, load_basel
from repro.face.mesh import vertex_normals
from repro.face.model import MEDIAPIPE_OF_68

FULL, TRIMMED, SIDE = 520, 450, 20
"""Vertices of the whole head (53490 in the real files), of it with expressions (53215), and the
side of the square that stands for the front of the face (35709 vertices)."""

FRONT = SIDE * SIDE


@dataclass(frozen=True)
class Written:
    """The folder and the numbers in it, in the files' axes and units."""

    folder: Path
    arrays: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Written:
    folder = tmp_path_factory.mktemp("basel")
    arrays = _numbers(np.random.default_rng(0))
    _write(folder, arrays)
    return Written(folder, arrays)


@pytest.fixture(scope="module")
def model(written):
    return load_basel(written.folder)


def _numbers(rng: np.random.Generator) -> dict[str, np.ndarray]:
    front = rng.permutation(TRIMMED)[:FRONT]
    trim = rng.permutation(FULL)[:TRIMMED]
    row, column = (a.ravel() for a in np.mgrid[:SIDE, :SIDE])
    x, y = 8000.0 * (column - 9.5), 8000.0 * (9.5 - row)  # micrometres, y up
    face = np.stack([x, y, 1e5 - (x**2 + y**2) / 1e5], 1)  # bulges towards the viewer, +z
    mean = rng.normal(0, 1e5, (FULL, 3))
    mean[trim[front]] = face
    a = np.arange(FRONT).reshape(SIDE, SIDE)
    p, q, r, s = a[:-1, :-1].ravel(), a[:-1, 1:].ravel(), a[1:, :-1].ravel(), a[1:, 1:].ravel()
    triangles = np.concatenate([np.stack([p, r, q], 1), np.stack([q, r, s], 1)])
    return {
        "shapeMU": mean.reshape(-1, 1).astype(np.float32),
        "shapePC": rng.normal(0, 0.01, (3 * FULL, 199)).astype(np.float32),
        "shapeEV": np.linspace(9e5, 1e3, 199)[:, None].astype(np.float32),
        "texMU": rng.uniform(40, 200, (3 * FULL, 1)).astype(np.float32),
        "texPC": rng.normal(0, 0.01, (3 * FULL, 199)).astype(np.float32),
        "texEV": np.linspace(4e3, 10, 199)[:, None].astype(np.float32),
        "tl": np.zeros((3, 3)),
        "segbin": np.zeros((FULL, 4), np.uint8),
        "expression_mean": rng.normal(0, 1e3, 3 * TRIMMED).astype(np.float32),
        "expressions": rng.normal(0, 0.01, (79, 3 * TRIMMED)).astype(np.float32),
        "deviations": np.linspace(5e4, 1e2, 79),
        "front": front,
        "trim": trim,
        "triangles": triangles,
        "keypoints": _keypoints(),
        "region": np.flatnonzero((np.abs(x) < 6e4) & (np.abs(y) < 6e4)),
    }


def _keypoints() -> np.ndarray:
    """68 vertices of the square, the mouth's as closed contours."""
    points = np.arange(68) + 5 * SIDE
    points[48:60] = [_at(14, c) for c in range(6, 12)] + [_at(17, c) for c in range(12, 6, -1)]
    points[60:68] = [_at(15, c) for c in range(7, 11)] + [_at(16, c) for c in range(10, 6, -1)]
    return points


def _at(row: int, column: int) -> int:
    return row * SIDE + column


def _write(folder: Path, arrays: dict[str, np.ndarray], *, turned: bool = False) -> None:
    names = ("shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV", "tl", "segbin")
    savemat(folder / "01_MorphableModel.mat", {name: arrays[name] for name in names})
    savemat(folder / "BFM_front_idx.mat", {"idx": arrays["front"][:, None] + 1.0})
    savemat(folder / "BFM_exp_idx.mat", {"trimIndex": arrays["trim"][:, None] + 1.0})
    triangles = arrays["triangles"][:, ::-1] if turned else arrays["triangles"]
    info = {
        "tri": triangles + 1.0,
        "keypoints": arrays["keypoints"][None] + 1.0,
        "frontmask2_idx": arrays["region"][:, None] + 1.0,
        "skinmask": np.ones((1, FRONT)),
    }
    savemat(folder / "facemodel_info.mat", info)
    with (folder / "Exp_Pca.bin").open("wb") as file:
        np.array([len(arrays["expressions"])], "<i4").tofile(file)
        arrays["expression_mean"].astype("<f4").tofile(file)
        arrays["expressions"].astype("<f4").tofile(file)
    np.savetxt(folder / "std_exp.txt", arrays["deviations"][None])


def _ours(written: Written, flat: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Metres in our axes, the slow way: one vertex at a time."""
    rows = []
    for vertex in chosen:
        x, y, z = flat[3 * vertex : 3 * vertex + 3].astype(np.float64) / 1e6
        rows.append((x, -y, -z))
    return np.array(rows)


def test_sizes_are_those_of_the_paper(model):
    assert model.identity_basis.shape == (80, FRONT, 3)
    assert model.expression_basis.shape == (64, FRONT, 3)
    assert model.texture_basis.shape == (80, FRONT, 3)
    assert len(set(model.expression_names)) == 64
    assert model.name == "basel2009"


def test_the_mean_is_metres_with_y_down_and_the_face_towards_minus_z(model, written):
    chosen = written.arrays["trim"][written.arrays["front"]]
    expected = _ours(written, written.arrays["shapeMU"].ravel(), chosen)
    difference = model.mean - expected
    np.testing.assert_allclose(
        difference, np.broadcast_to(difference[0], difference.shape), atol=1e-7
    )
    lids = model.mean[model.landmark68[36:48]].mean(0)
    np.testing.assert_allclose(lids, (0, -0.05, -0.10), atol=1e-6)


def test_each_shape_component_is_its_direction_times_its_deviation(model, written):
    arrays = written.arrays
    chosen = arrays["trim"][arrays["front"]]
    for k in (0, 79):
        scaled = arrays["shapePC"][:, k] * arrays["shapeEV"][k]
        np.testing.assert_allclose(
            model.identity_basis[k], _ours(written, scaled, chosen), rtol=1e-4, atol=1e-9
        )


def test_expressions_skip_the_files_mean_and_are_picked_by_the_front_index_alone(model, written):
    arrays = written.arrays
    for k in (0, 63):
        scaled = arrays["expressions"][k] * arrays["deviations"][k]
        np.testing.assert_allclose(
            model.expression_basis[k], _ours(written, scaled, arrays["front"]), rtol=1e-4, atol=1e-9
        )


def test_colours_are_divided_by_255(model, written):
    arrays = written.arrays
    chosen = arrays["trim"][arrays["front"]]
    np.testing.assert_allclose(
        model.texture_mean, arrays["texMU"].reshape(-1, 3)[chosen] / 255, rtol=1e-6
    )
    expected = (arrays["texPC"][:, 5] * arrays["texEV"][5]).reshape(-1, 3)[chosen] / 255
    np.testing.assert_allclose(model.texture_basis[5], expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("turned", [False, True])
def test_triangles_face_the_viewer_however_the_file_winds_them(written, tmp_path, turned):
    _write(tmp_path, written.arrays, turned=turned)
    model = load_basel(tmp_path)
    a, b, c = model.mean[model.triangles].transpose(1, 0, 2)
    assert (np.cross(b - a, c - a)[:, 2] < 0).all()
    assert (vertex_normals(model.mean, model.triangles)[:, 2] < 0).all()


def test_the_68_landmarks_are_the_files_and_51_of_mediapipes_points_lie_on_them(model, written):
    np.testing.assert_array_equal(model.landmark68, written.arrays["keypoints"])
    assert model.landmark_valid.sum() == 51
    assert not model.landmark_valid[MEDIAPIPE_OF_68[:17]].any()
    points = model.landmarks(model.mean)[MEDIAPIPE_OF_68[17:]]
    np.testing.assert_allclose(points, model.mean[model.landmark68[17:]], atol=1e-7)


def test_the_skin_mask_is_one_inside_the_region_and_zero_outside(model, written):
    outside = np.ones(FRONT, bool)
    outside[written.arrays["region"]] = False
    assert (model.skin_mask[outside] == 0).all()
    assert model.skin_mask[_at(9, 9)] == 1
    assert 0 < model.skin_mask[_at(9, 3)] < 1


def test_the_lip_mask_is_what_the_outer_contour_encloses(model):
    assert model.lip_mask[_at(15, 9)] == 1
    assert model.lip_mask[_at(16, 8)] == 1
    assert model.lip_mask[_at(12, 9)] == 0
    assert model.lip_mask[_at(15, 3)] == 0


def test_the_hash_follows_the_files(model, written, tmp_path):
    assert load_basel(written.folder).sha256 == model.sha256
    _write(tmp_path, written.arrays | {"deviations": written.arrays["deviations"] + 1})
    assert load_basel(tmp_path).sha256 != model.sha256


def test_arrays_cannot_be_changed(model):
    with pytest.raises(ValueError, match="read-only"):
        model.mean[0] = 0


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(written, tmp_path, name):
    _write(tmp_path, written.arrays)
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match=name):
        load_basel(tmp_path)


def test_a_folder_that_does_not_exist_lacks_every_file(tmp_path):
    with pytest.raises(UserError) as error:
        load_basel(tmp_path / "nowhere")
    assert all(name in str(error.value) for name in FILES)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".mat")])
def test_a_file_that_is_not_matlabs_is_named(written, tmp_path, name):
    _write(tmp_path, written.arrays)
    (tmp_path / name).write_bytes(b"<html>sign in first</html>" * 40)
    with pytest.raises(UserError, match=name):
        load_basel(tmp_path)


def test_a_cut_expression_file_is_refused(written, tmp_path):
    _write(tmp_path, written.arrays)
    path = tmp_path / "Exp_Pca.bin"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(UserError, match=r"Exp_Pca\.bin"):
        load_basel(tmp_path)


def test_a_model_without_a_variable_is_refused(written, tmp_path):
    _write(tmp_path, written.arrays)
    savemat(tmp_path / "01_MorphableModel.mat", {"shapeMU": written.arrays["shapeMU"]})
    with pytest.raises(UserError, match="shapePC"):
        load_basel(tmp_path)


def test_indices_beyond_the_model_are_refused(written, tmp_path):
    _write(tmp_path, written.arrays)
    savemat(tmp_path / "BFM_exp_idx.mat", {"trimIndex": np.full((TRIMMED, 1), FULL + 1.0)})
    with pytest.raises(UserError, match=r"BFM_exp_idx\.mat"):
        load_basel(tmp_path)


def test_deviations_that_are_not_numbers_are_refused(written, tmp_path):
    _write(tmp_path, written.arrays)
    (tmp_path / "std_exp.txt").write_text("not found")
    with pytest.raises(UserError, match=r"std_exp\.txt"):
        load_basel(tmp_path)
