"""What a participant is given: whole, playable, and without a word about methods."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import av
import pytest
from study_clips import write_odd_video, write_video

from repro.corpus.clip import open_clip
from repro.errors import UserError
from repro.study.make import make_study, read_key
from repro.study.videos import read_videos


@pytest.fixture(scope="module")
def made(study_videos, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("made") / "study"
    make_study(out, read_videos(study_videos, original="real"), seed=3, participants=4)
    return out


@pytest.fixture
def videos(study_videos, tmp_path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(study_videos, tmp_path / "videos")


class Page(HTMLParser):
    """Tags left open, scripts, and whatever points elsewhere."""

    VOID = frozenset({"meta", "input", "br", "link", "img"})

    def __init__(self, text: str):
        super().__init__()
        self.open, self.wrong, self.links, self.data, self.current = [], [], [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [attributes[name] for name in ("src", "href") if name in attributes]
        self.current = attributes.get("id", tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        self.current = None
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.data[self.current] = self.data.get(self.current, "") + data


def test_the_page_and_a_video_for_each_code_are_handed_out(made):
    key = read_key(made / "key.json")
    codes = {code for group in key["groups"].values() for code in group["videos"]}
    assert len(codes) == 2 * 3
    assert {p.name for p in made.iterdir()} == {"for_participants", "key.json"}
    assert {p.stem for p in (made / "for_participants" / "videos").iterdir()} == codes
    assert key["methods"] == ["brisk", "coarse"]
    assert {group["name"] for group in key["groups"].values()} == {"person_0", "person_1"}


def test_nothing_that_is_handed_out_names_a_method_or_a_group(made, study_videos):
    names = re.compile(rb"brisk|coarse|person_\d|made by|" + str(study_videos).encode())
    for path in (made / "for_participants").rglob("*"):
        assert not names.search(str(path.relative_to(made)).encode())
        if path.is_file():
            assert not names.search(path.read_bytes()), path


def test_the_pages_data_tell_no_method(made):
    """Each participant's list holds nothing but codes, and 'real' videos are told only as such."""
    page = Page((made / "for_participants" / "index.html").read_text())
    study = json.loads(page.data["study"])
    key = read_key(made / "key.json")
    assert study.keys() == {"study", "folder", "questions", "scale", "originals", "orders"}
    assert len(study["orders"]) == 4
    for order in study["orders"]:
        for group, shown in order:
            methods = {key["groups"][group]["videos"][video] for video in shown}
            assert methods == {"brisk", "coarse"}
    for group, video in study["originals"].items():
        assert key["groups"][group]["videos"][video] == "real"


def test_the_page_is_whole_and_asks_nothing_of_a_network(made):
    text = (made / "for_participants" / "index.html").read_text()
    page = Page(text)
    assert page.open == [] and page.wrong == []
    assert page.links == []
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|WebSocket|@import|url\(", text)


def test_videos_of_a_group_are_alike_but_for_their_pictures(made, study_videos):
    key = read_key(made / "key.json")
    for group in key["groups"].values():
        facts = set()
        for code, method in group["videos"].items():
            path = made / "for_participants" / "videos" / f"{code}.mp4"
            clip = open_clip(path)
            with av.open(str(path)) as container:
                codecs = tuple(stream.codec_context.name for stream in container.streams)
                comment = container.metadata["comment"]
            facts.add((clip.frames, clip.has_audio, codecs, comment, path.stat().st_mtime))
            first = next(clip.read())
            source = next(open_clip(study_videos / method / f"{group['name']}.mp4").read())
            assert abs(first.astype(int) - source).mean() < 3
        assert len(facts) == 1
        (fact,) = facts
        assert fact[0] == 14  # the shortest
        assert "synthetic" in fact[3]
        assert group["seconds"] == 14 / 25


def test_the_same_seed_makes_the_same_study(made, study_videos, tmp_path):
    again = tmp_path / "again"
    make_study(again, read_videos(study_videos, original="real"), seed=3, participants=4)
    for path in (made / "for_participants").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(made)).read_bytes()


def test_a_title_is_escaped(study_videos, tmp_path):
    title = "</script><b>Which & why?"
    page = make_study(
        tmp_path / "out", read_videos(study_videos), seed=0, participants=1, title=title
    )
    assert "<b>Which" not in page.read_text()
    assert "&lt;b&gt;Which &amp; why?" in page.read_text()


def test_without_an_original_none_is_told(study_videos, tmp_path):
    page = make_study(tmp_path / "out", read_videos(study_videos), seed=0, participants=1)
    assert json.loads(Page(page.read_text()).data["study"])["originals"] == {}


def test_a_study_is_not_written_over(made, study_videos):
    with pytest.raises(UserError, match="exists: name a new folder"):
        make_study(made, read_videos(study_videos), seed=0)


def test_a_video_that_cannot_be_used_leaves_nothing(videos, tmp_path):
    out = tmp_path / "out"
    write_video(videos / "coarse" / "person_1.mp4", frames=14, grey=90, sound=False)
    with pytest.raises(UserError, match=r"person_1.mp4' has no sound"):
        make_study(out, read_videos(videos), seed=0)
    (videos / "coarse" / "person_1.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match=r"person_1\.mp4"):
        make_study(out, read_videos(videos), seed=0)
    write_video(videos / "coarse" / "person_1.mp4", frames=5, grey=90)
    with pytest.raises(UserError, match=r"person_1.mp4' lasts 0.2"):
        make_study(out, read_videos(videos), seed=0)
    assert [p.name for p in tmp_path.iterdir()] == ["videos"]


def test_odd_pictures_are_taken(videos, tmp_path):
    (videos / "coarse" / "person_1.mp4").unlink()
    write_odd_video(videos / "coarse" / "person_1.mkv")
    page = make_study(tmp_path / "out", read_videos(videos), seed=0, participants=1)
    sizes = {(c.width, c.height) for c in map(open_clip, page.parent.glob("videos/*.mp4"))}
    assert sizes == {(48, 48), (48, 46)}


def test_what_is_no_key_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_key(tmp_path / "key.json")
    for text in ("{", "[]", '{"study": 1}'):
        (tmp_path / "key.json").write_text(text)
        with pytest.raises(UserError, match="not a study's key"):
            read_key(tmp_path / "key.json")
