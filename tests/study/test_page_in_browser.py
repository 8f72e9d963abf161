"""A participant goes through the study by keyboard, in a real browser where there is one."""

import json

import pytest
from chromium import CHROMIUM, chromium

from repro.study.answers import read_answers
from repro.study.make import make_study, read_key
from repro.study.ratings import analyse
from repro.study.videos import read_videos

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

BEGIN = "document.getElementById('begin').requestSubmit()"
READY = "[...document.querySelectorAll('video')].every((v) => v.readyState >= 3)"
HEADING = "document.getElementById('where').textContent"
STATUS = "document.getElementById('status').textContent"
WATCHED = "document.querySelectorAll('.seen.yes').length"


@pytest.fixture(scope="module")
def study(study_videos, tmp_path_factory):
    """Two groups of two methods and the original, for three participants."""
    out = tmp_path_factory.mktemp("made") / "study"
    given = read_videos(study_videos, original="real")
    return make_study(out, given, seed=3, participants=3)


def watch(browser) -> None:
    """Play A and B to their ends."""
    browser.wait(READY)
    for count, key in enumerate("ab", start=1):
        browser.press(key)
        browser.wait(f"{WATCHED} >= {count}")


def test_a_participant_is_led_through_comes_back_and_is_understood(study, tmp_path):
    key = read_key(study.parents[1] / "key.json")
    with chromium(tmp_path / "browser") as browser:
        browser.open(study.as_uri())
        browser.run("document.getElementById('participant').value = 9")
        browser.run(BEGIN)  # there is no participant 9
        assert browser.run("document.getElementById('group').hidden")
        browser.run("document.getElementById('participant').value = 2")
        browser.run(BEGIN)
        assert browser.run(HEADING) == "Group 1 of 2"
        browser.press("Enter")
        assert browser.run(HEADING) == "Group 1 of 2"
        assert browser.run(STATUS) == "Please watch video A to its end."
        watch(browser)
        assert browser.run(STATUS) == "Please answer every question."
        browser.press("1", "2", "1")  # A, B, A
        assert browser.run(STATUS) == ""
        browser.press("ArrowUp", "ArrowUp", "2", "Enter")  # the first question: B after all
        assert browser.run(HEADING) == "Group 2 of 2"

        browser.open(study.as_uri())  # the page is loaded anew
        assert "Go on as number 2 (1 of 2 done)" in browser.run("document.body.textContent")
        browser.run("document.querySelector('#resume button').click()")
        assert browser.run(HEADING) == "Group 2 of 2"
        watch(browser)
        browser.press("2", "2", "2", "Backspace")
        assert browser.run(HEADING) == "Group 1 of 2"
        assert browser.run("document.querySelectorAll('#questions :checked').length") == 3
        browser.press("Enter", "Enter")
        assert not browser.run("document.getElementById('finish').hidden")
        text = browser.run("document.getElementById('text').value")
        assert not [c for c in browser.complaints if "favicon" not in c]

    (tmp_path / "answers.json").write_text(text)
    (answers,) = read_answers([tmp_path / "answers.json"], key)
    assert (answers.participant, answers.complete) == (2, True)
    assert all(a["seconds"] > 0 for a in json.loads(text)["answers"])
    first, second = [list(shown.values()) for shown in _places(answers)]
    assert (first, second) == ([1, 1, 0], [1, 1, 1])
    found = analyse([answers], key, seed=0)
    shares = found["questions"]["image_quality"]["methods"]
    assert sum(share["votes"] for share in shares.values()) == 2


def test_videos_are_rated_one_by_one(study_videos, tmp_path):
    given = read_videos(study_videos)
    page = make_study(tmp_path / "rated", given, seed=3, participants=1, one_by_one=True)
    with chromium(tmp_path / "browser") as browser:
        browser.open(page.as_uri())
        assert "6 short videos" in browser.run("document.body.innerText")
        browser.run("document.getElementById('participant').value = 1")
        browser.run(BEGIN)
        for mark in "123455":
            browser.wait(READY)
            browser.press("a")
            browser.wait(f"{WATCHED} >= 1")
            browser.press(mark, "Enter")
        assert not browser.run("document.getElementById('finish').hidden")
        text = browser.run("document.getElementById('text').value")
        assert not [c for c in browser.complaints if "favicon" not in c]
    (tmp_path / "answers.json").write_text(text)
    key = read_key(tmp_path / "rated" / "key.json")
    (answers,) = read_answers([tmp_path / "answers.json"], key)
    assert answers.complete
    assert list(answers.choices.values()) == list("123455")


def _places(answers) -> list[dict[str, int]]:
    """Places chosen, by question, of the groups in the order in which they were answered."""
    groups = dict.fromkeys(name for name, _ in answers.places)
    return [{q: p for (name, q), p in answers.places.items() if name == g} for g in groups]
