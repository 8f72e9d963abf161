"""The list of public clips, and fetching them."""

import hashlib
import re
import sys
from pathlib import Path

import pytest

from repro.cli import main
from repro.corpus import public_clips as module
from repro.corpus.public_clips import PublicClip, fetch_clips, public_clips, read_public_clips
from repro.errors import UserError

CONTENT = {"anna.mp4": b"a video", "bob.mp4": b"another video", "carl.wav": b"a sound"}


@pytest.fixture
def listed(monkeypatch):
    """Small files in the place of the real list."""
    clips = tuple(
        PublicClip(name, "owner/project", "0" * 40, f"data/{name}", sha256(content), "a clip")
        for name, content in CONTENT.items()
    )
    monkeypatch.setattr(module, "public_clips", lambda: clips)
    return clips


@pytest.fixture
def web(monkeypatch, listed):
    """Stands in for the network: each address and what it serves; notes what was asked for."""
    served = {clip.url: CONTENT[clip.name] for clip in listed}
    asked = []

    def choose_downloader(url, **_):
        def download(url, file, _):
            asked.append(url)
            if url not in served:
                raise ConnectionError("no network")
            Path(file).write_bytes(served[url])

        return download

    monkeypatch.setattr("pooch.core.choose_downloader", choose_downloader)
    return served, asked


@pytest.fixture
def at_hand(tmp_path, listed):
    folder = tmp_path / "at hand"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_listed_clip_has_a_fixed_public_address():
    clips = public_clips()
    assert len(clips) == 9
    assert len({clip.name for clip in clips}) == len({clip.sha256 for clip in clips}) == 9
    for clip in clips:
        assert re.fullmatch(r"[0-9a-f]{40}", clip.commit)
        assert re.fullmatch(r"[0-9a-f]{64}", clip.sha256)
        assert clip.note
        assert clip.url.endswith(f"{clip.repository}/{clip.commit}/{clip.path}")


def test_clips_at_hand_are_copied(at_hand, tmp_path):
    (at_hand / "bob.mp4").unlink()
    (at_hand / "holiday.mp4").write_bytes(b"not listed")
    to = tmp_path / "new" / "clips"
    assert fetch_clips(to, source=at_hand) == [to / "anna.mp4", to / "carl.wav"]
    assert content(to) == {name: CONTENT[name] for name in ("anna.mp4", "carl.wav")}


def test_a_clip_that_is_not_the_known_one_is_refused_by_name(at_hand, tmp_path):
    (at_hand / "bob.mp4").write_bytes(b"something else")
    to = tmp_path / "clips"
    with pytest.raises(UserError, match=r"bob\.mp4' is not the known file"):
        fetch_clips(to, source=at_hand)
    assert list(content(to)) == ["anna.mp4"]


def test_a_folder_without_any_is_refused(listed, tmp_path):
    with pytest.raises(UserError, match=r"holds none of the public clips, such as 'anna\.mp4'"):
        fetch_clips(tmp_path / "clips", source=tmp_path / "gone")


def test_right_files_are_left_and_wrong_ones_replaced(at_hand, tmp_path):
    to = tmp_path / "clips"
    fetch_clips(to, source=at_hand)
    (to / "bob.mp4").write_bytes(b"cut off")
    before = (to / "anna.mp4").stat()
    (at_hand / "anna.mp4").write_bytes(b"changed since")
    fetch_clips(to, source=at_hand)
    assert (to / "anna.mp4").stat().st_ino == before.st_ino
    assert content(to) == CONTENT


def test_without_a_folder_clips_are_downloaded(web, tmp_path):
    _, asked = web
    to = tmp_path / "clips"
    to.mkdir()
    (to / "anna.mp4").write_bytes(CONTENT["anna.mp4"])
    (to / "bob.mp4").write_bytes(b"cut off")
    fetch_clips(to)
    assert content(to) == CONTENT
    assert [url.rsplit("/", 1)[1] for url in asked] == ["bob.mp4", "carl.wav"]


def test_a_download_that_fails_leaves_nothing_and_says_what_to_do(web, listed, tmp_path):
    served, _ = web
    del served[listed[1].url]
    with pytest.raises(UserError, match=r"data/bob\.mp4' cannot be fetched.*--from FOLDER"):
        fetch_clips(tmp_path / "clips")
    assert list(content(tmp_path / "clips")) == ["anna.mp4"]


def test_a_download_of_another_content_is_refused(web, listed, tmp_path):
    served, _ = web
    served[listed[0].url] = b"not found"
    with pytest.raises(UserError, match=r"data/anna\.mp4' is not the known file"):
        fetch_clips(tmp_path / "clips")
    assert content(tmp_path / "clips") == {}


def test_a_folder_that_cannot_be_written_is_refused(web, at_hand, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for source, message in ((at_hand, "cannot be written"), (None, "cannot be fetched")):
        with pytest.raises(UserError, match=message):
            fetch_clips(tmp_path / "file" / "clips", source=source)


def test_videos_among_the_clips_are_recordings_for_testing(at_hand):
    recordings = read_public_clips(at_hand)
    assert [(r.video.name, r.speaker, r.split) for r in recordings] == [
        ("anna.mp4", "anna", "test"), ("bob.mp4", "bob", "test"),
    ]  # fmt: skip
    with pytest.raises(UserError, match="run `repro assets fetch clips`"):
        read_public_clips(at_hand.parent)


# The command


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command; gives its exit code and what it printed to stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["repro", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return run


def test_the_command_copies_clips_and_names_them(call, at_hand, tmp_path, monkeypatch):
    monkeypatch.setenv("REPRO_ASSETS", str(tmp_path / "assets"))
    code, printed, _ = call("assets", "fetch", "clips", "--from", at_hand)
    assert code == 0
    assert content(tmp_path / "assets" / "clips") == CONTENT
    assert "anna.mp4" in printed
    assert "licence" not in printed
    code, _, _ = call("assets", "fetch", "clips", "--from", at_hand, "--to", tmp_path / "there")
    assert code == 0
    assert content(tmp_path / "there") == CONTENT


def test_the_command_refuses_what_it_cannot_fetch_in_one_sentence(call, at_hand, tmp_path):
    code, _, error = call("assets", "fetch", "faces")
    assert (code, len(error.splitlines())) == (2, 1)
    assert "no 'faces' to fetch" in error
    (at_hand / "bob.mp4").write_bytes(b"something else")
    code, _, error = call("assets", "fetch", "clips", "--from", at_hand, "--to", tmp_path / "to")
    assert (code, len(error.splitlines())) == (2, 1)
    assert "bob.mp4" in error
