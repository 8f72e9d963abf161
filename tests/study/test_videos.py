"""Folders and CSVs of what is to be compared; each way to get them wrong is one sentence."""

import pytest

from repro.errors import UserError
from repro.study.videos import read_videos


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_folder_of_methods(tmp_path):
    touch(tmp_path, "ours/b.mp4", "ours/a.mov", "atvg/a.mp4", "atvg/b.mp4", "real/a.mp4")
    touch(tmp_path, "real/b.mp4", "ours/notes.txt", "ours/.hidden.mp4", ".cache/x.mp4", "read.me")
    found = read_videos(tmp_path, original="real")
    assert found.methods == ("atvg", "ours")
    assert found.original == "real"
    assert list(found.videos) == ["a", "b"]
    assert found.videos["a"]["ours"] == tmp_path / "ours" / "a.mov"
    assert read_videos(tmp_path).methods == ("atvg", "ours", "real")


def test_a_csv_with_paths_beside_it(tmp_path):
    touch(tmp_path, "x/1.mp4", "x/2.mp4", "x/3.mp4", "x/4.mp4")
    table = tmp_path / "videos.csv"
    table.write_text(
        "video,group,method,note\nx/1.mp4,g1,ours,\nx/2.mp4,g1,atvg,\nx/3.mp4,g2,ours,\n"
        " x/4.mp4 ,g2, atvg,\n",
        encoding="utf-8-sig",
    )
    found = read_videos(table)
    assert found.methods == ("ours", "atvg")
    assert found.videos["g2"]["atvg"] == tmp_path / "x" / "4.mp4"


@pytest.mark.parametrize(
    ("files", "original", "message"),
    [
        ([], None, "holds no videos"),
        (["ours/a.mp4"], None, r"has 1 methods to compare \(ours\)"),
        (["ours/a.mp4", "real/a.mp4"], "real", r"has 1 methods to compare \(ours\)"),
        (["ours/a.mp4", "atvg/b.mp4"], None, "Group 'b' of '.*' lacks a video of 'ours'|'a'.*atvg"),
        (["ours/a.mp4", "ours/a.mov", "atvg/a.mp4"], None, "Group 'a' has two videos of 'ours'"),
        (["ours/a.mp4", "atvg/a.mp4"], "real", "no method 'real' to show as original; atvg, ours"),
        ([f"m{i}/a.mp4" for i in range(9)], None, "has 9 methods .* needs 2 to 8"),
    ],
)
def test_folders_that_do_not_fit(tmp_path, files, original, message):
    with pytest.raises(UserError, match=message):
        read_videos(touch(tmp_path, *files), original=original)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have the columns group, method, video"),
        ("group,video\n", "must have the columns"),
        ("group,method,video\n", "has no rows"),
        ("group,method,video\ng,ours,a.mp4\ng,,a.mp4\n", "line 3: the method is empty"),
        ("group,method,video\ng,ours\n", "line 2: the video is empty"),
        ("group,method,video\ng,ours,b.mp4\n", "line 2: no such file 'b.mp4'"),
        ("group,method,video\ng,ours,a.mp4\ng,ours,a.mp4\n", "two videos of 'ours'"),
    ],
)
def test_csvs_that_do_not_fit(tmp_path, text, message):
    touch(tmp_path, "a.mp4")
    table = tmp_path / "videos.csv"
    table.write_text(text)
    with pytest.raises(UserError, match=message):
        read_videos(table)


def test_what_is_no_source(tmp_path):
    with pytest.raises(UserError, match="neither a folder of methods nor"):
        read_videos(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"nothing\.csv' cannot be read"):
        read_videos(tmp_path / "nothing.csv")
    (tmp_path / "bytes.csv").write_bytes(b"group,method,video\n\xff\xfe\n")
    with pytest.raises(UserError, match="no CSV in UTF-8"):
        read_videos(tmp_path / "bytes.csv")
