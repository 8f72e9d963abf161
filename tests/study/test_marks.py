"""Videos rated one by one: the study, its answers, and what they say."""

import json

import numpy as np
import pytest

from repro.errors import UserError
from repro.study.answers import read_answers
from repro.study.make import make_study, read_key
from repro.study.marks import analyse_marks, marks_markdown
from repro.study.videos import read_videos

METHODS = ("brisk", "coarse", "real")


@pytest.fixture(scope="module")
def study(study_videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("rated") / "study"
    make_study(out, read_videos(study_videos), seed=3, participants=4, one_by_one=True)
    return out


@pytest.fixture
def key(study):
    return read_key(study / "key.json")


def page_data(study) -> dict:
    text = (study / "for_participants" / "index.html").read_text()
    start = text.index('<script type="application/json" id="study">') + 43
    return json.loads(text[start : text.index("</script>", start)])


def answer(key, participant: int, marks: dict[str, int], tmp_path) -> None:
    """What the page saves of somebody who gives every video of a method the same mark."""
    answers = [
        {"group": code, "shown": [code], "choices": {"real": str(marks[method])}, "seconds": 3}
        for code, video in key["groups"].items()
        for method in video["videos"].values()
        if method in marks
    ]
    record = {"study": key["study"], "participant": participant, "answers": answers}
    (tmp_path / f"{participant}.json").write_text(json.dumps(record))


def test_everybody_sees_every_video_by_itself_in_an_order_of_their_own(study, key):
    data = page_data(study)
    codes = set(key["groups"])
    assert len(codes) == 6 and not data["originals"]
    orders = [[group for group, _ in order] for order in data["orders"]]
    assert all(set(order) == codes for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert all(videos == [group] for order in data["orders"] for group, videos in order)
    files = {path.stem for path in (study / "for_participants" / "videos").iterdir()}
    assert files == codes
    text = json.dumps({k: v for k, v in data.items() if k not in ("questions", "scale")})
    assert not any(method in text for method in METHODS)


def test_marks_become_percentages_means_and_shares(key, tmp_path):
    answer(key, 1, {"brisk": 2, "coarse": 4, "real": 5}, tmp_path)
    answer(key, 2, {"brisk": 1, "coarse": 3, "real": 5}, tmp_path)
    found = analyse_marks(read_answers([tmp_path], key), key, seed=0)
    assert (found["participants"], found["videos"], found["incomplete"]) == (2, 6, [])
    brisk, coarse, real = (found["methods"][method] for method in METHODS)
    assert brisk["percent"] == [50, 50, 0, 0, 0]
    assert (brisk["mean"], coarse["mean"]) == (1.5, 3.5)
    assert (coarse["real"]["votes"], coarse["real"]["of"], coarse["real"]["percent"]) == (2, 4, 50)
    assert coarse["real"]["bootstrap_percent"] == (0, 100)
    assert real["real"]["percent"] == 100
    table = marks_markdown(found)
    assert "| real | 0.0 | 0.0 | 0.0 | 0.0 | 100.0 | 5.00 |" in table
    assert "2 participants, 6 videos" in table


def test_agreement_is_about_real_or_not(key, tmp_path):
    for participant, marks in enumerate(((1, 2, 5), (2, 1, 4), (2, 2, 5)), start=1):
        answer(key, participant, dict(zip(METHODS, marks, strict=True)), tmp_path)
    found = analyse_marks(read_answers([tmp_path], key), key, seed=0)
    assert found["krippendorff_alpha"] == 1


def test_one_participant_has_wilsons_intervals(key, tmp_path):
    answer(key, 3, dict.fromkeys(METHODS, 4), tmp_path)
    found = analyse_marks(read_answers([tmp_path], key), key, seed=0)
    shares = [of["real"] for of in found["methods"].values()]
    assert all(share["bootstrap_percent"] is None for share in shares)
    assert all(np.diff(share["wilson_percent"]) > 0 for share in shares)
    assert found["krippendorff_alpha"] is None


def test_nothing_stands_beside_a_video_that_is_rated(study_videos, tmp_path):
    given = read_videos(study_videos, original="real")
    with pytest.raises(UserError, match="leave out --original"):
        make_study(tmp_path / "out", given, seed=3, one_by_one=True)


def test_answers_that_cannot_be_are_refused(key, tmp_path):
    answer(key, 1, dict.fromkeys(METHODS, 6), tmp_path)
    with pytest.raises(UserError, match="with '6', not with 1 to 5"):
        read_answers([tmp_path], key)
    with pytest.raises(UserError, match="no answers"):
        analyse_marks([], key, seed=0)
    answer(key, 1, {"brisk": 1, "coarse": 1}, tmp_path)
    some = read_answers([tmp_path], key)
    assert not some[0].complete
    with pytest.raises(UserError, match="Nobody has rated a video of 'real'"):
        analyse_marks(some, key, seed=0)
