"""The registry of licensed and open assets."""

from pathlib import Path

import pytest

from repro import assets
from repro.assets import ASSETS, Asset, asset, find, hashes, stand_ins
from repro.errors import UserError


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("REPRO_ASSETS", str(tmp_path))
    return tmp_path


def test_every_gated_asset_has_a_licence_a_way_to_get_it_and_a_stand_in():
    for row in ASSETS:
        assert row.what
        assert row.licence
        assert row.how
        assert bool(row.stand_in) == row.gated, row.name


def test_names_are_unique():
    names = [row.name for row in ASSETS]
    assert len(set(names)) == len(names)


def test_what_the_papers_used_is_listed():
    gated = {row.name for row in ASSETS if row.gated}
    assert gated >= {
        "basel2009", "facewarehouse", "deep3dface", "arcface", "resnet18", "vgg16", "lrw",
        "voxceleb2", "tcdtimit", "grid", "lrs3", "cremad", "vggvox",
    }  # fmt: skip


def test_without_any_licensed_asset_each_has_its_stand_in(empty_folder):
    assert set(stand_ins()) == {row.name for row in ASSETS if row.gated}


def test_where_a_corpus_of_ones_own_is_learned_from_none_stands_in_for_it(empty_folder):
    named = set(stand_ins()) - set(stand_ins(own_corpus=True))
    assert named == {row.name for row in ASSETS if row.corpus} >= {"lrw", "grid"}


def test_an_asset_put_in_place_no_longer_needs_its_stand_in(empty_folder):
    (empty_folder / "arcface").mkdir()
    assert find("arcface") is None, "an empty folder is not the pack"
    (empty_folder / "arcface" / "w600k_r50.onnx").write_bytes(b"weights")
    assert find("arcface") == empty_folder / "arcface"
    assert "arcface" not in stand_ins()
    assert "lrw" in stand_ins()
    assert list(stand_ins(["arcface", "grid"])) == ["grid"]


@pytest.mark.parametrize("unpacked", ["mp4", "dev/mp4", "test/mp4"])
def test_voxceleb2_is_there_however_it_was_unpacked(empty_folder, unpacked):
    assert find("voxceleb2") is None
    (empty_folder / "voxceleb2" / unpacked).mkdir(parents=True)
    assert find("voxceleb2") == empty_folder / "voxceleb2"
    assert asset("voxceleb2").corpus and "voxceleb2" in stand_ins()


def test_an_asset_that_no_stage_takes_keeps_its_stand_in(empty_folder):
    (empty_folder / "basel2009").mkdir()
    for part in asset("facewarehouse").needs:
        (empty_folder / "basel2009" / part).write_bytes(b"basis")
    assert find("facewarehouse") is not None
    assert "facewarehouse" in stand_ins()


def test_the_open_weights_that_packages_carry_are_there_and_are_the_known_files():
    for name in ("face-landmarker", "dlib-resnet", "speaker-encoder"):
        assert find(name).is_file()
        assert hashes()[name] == asset(name).sha256


def test_a_file_that_is_not_the_known_version_is_refused(empty_folder, monkeypatch):
    row = Asset("weights", "w", "CC0", "Fetch it again.", "weights.bin", sha256="0" * 64)
    monkeypatch.setattr(assets, "ASSETS", (row,))
    (empty_folder / "weights.bin").write_bytes(b"other")
    with pytest.raises(UserError, match=r"weights\.bin.*Fetch it again"):
        find("weights")


def test_a_package_that_is_not_installed_has_no_place():
    row = Asset("nothing", "n", "CC0", "n", "model.bin", package="no_such_package_anywhere")
    assert assets.place(row) is None


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(UserError, match=r"no asset 'arcfaces'.*arcface"):
        find("arcfaces")


def test_the_folder_is_assets_here_unless_the_environment_names_another(monkeypatch):
    monkeypatch.delenv("REPRO_ASSETS", raising=False)
    assert assets.folder() == Path("assets")
    monkeypatch.setenv("REPRO_ASSETS", "/data/faces")
    assert assets.folder() == Path("/data/faces")
