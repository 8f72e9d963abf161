"""From saved answers to percentages, intervals and agreement."""

import json
import math

import numpy as np
import pytest

from repro.errors import UserError
from repro.study.agreement import fleiss_kappa
from repro.study.answers import read_answers
from repro.study.ratings import Share, analyse, markdown, share

GROUPS, METHODS, QUESTIONS = 6, ("ours", "atvg", "davs"), ("quality", "sync")
KEY = {
    "study": "abc",
    "questions": {q: f"Which has the best {q}?" for q in QUESTIONS},
    "methods": list(METHODS),
    "original": "real",
    "participants": 9,
    "groups": {
        f"g{g}": {
            "name": f"person {g}",
            "videos": {f"v{g}{m}": method for m, method in enumerate((*METHODS, "real"))},
        }
        for g in range(GROUPS)
    },
}


def record(participant: int, choices: np.ndarray, *, turn: int = 0, **changed) -> dict:
    """Answers as the page saves them; choices (groups, questions) number the methods."""
    answers = []
    for g, row in enumerate(choices):
        shown = list(np.roll([f"v{g}{m}" for m in range(3)], turn))
        chosen = {q: f"v{g}{m}" for q, m in zip(QUESTIONS, row, strict=True) if m is not None}
        answers.append({"group": f"g{g}", "shown": shown, "choices": chosen, "seconds": 9.5})
    return {
        "study": "abc",
        "participant": participant,
        "complete": True,
        "answers": answers,
        **changed,
    }


@pytest.fixture
def write(tmp_path):
    """Write answers to files of a folder and read them all."""

    def read(*records):
        for number, content in enumerate(records):
            (tmp_path / f"{number}.json").write_text(json.dumps(content))
        return read_answers([tmp_path], KEY)

    return read


def draws(people: int, seed: int = 0) -> np.ndarray:
    """Choices (people, groups, questions)."""
    return np.random.default_rng(seed).choice(
        3, p=[0.7, 0.2, 0.1], size=(people, GROUPS, len(QUESTIONS))
    )


def test_percentages_are_those_of_the_choices(write):
    choices = draws(5)
    found = analyse(write(*(record(p + 1, c) for p, c in enumerate(choices))), KEY, seed=0)
    assert (found["participants"], found["groups"], found["incomplete"]) == (5, GROUPS, [])
    for q, question in enumerate(QUESTIONS):
        row = found["questions"][question]
        assert row["votes"] == 5 * GROUPS
        for m, method in enumerate(METHODS):
            times = int((choices[..., q] == m).sum())
            assert row["methods"][method]["votes"] == times
            assert row["methods"][method]["percent"] == round(100 * times / 30, 2)
        counts = np.stack([(choices[..., q] == m).sum(0) for m in range(3)], 1)
        assert row["fleiss_kappa"] == pytest.approx(fleiss_kappa(counts), abs=1e-4)


def test_wilsons_interval_is_closed_form():
    found, z = share(30, 100), 1.959964
    middle, reach = 0.3 + z**2 / 200, z * math.sqrt(0.21 / 100 + z**2 / 40_000)
    edges = [100 * (middle + sign * reach) / (1 + z**2 / 100) for sign in (-1, 1)]
    assert found.wilson_percent == pytest.approx(edges, abs=0.006)
    assert share(0, 11).wilson_percent[0] == 0
    assert share(11, 11).wilson_percent[1] == 100


def test_the_bootstrap_heeds_that_one_persons_votes_go_together(write):
    """Ten people who each choose one method throughout tell as much as ten votes, not sixty."""
    choices = np.array([np.full((GROUPS, 2), int(p >= 5)) for p in range(10)])
    answers = write(*(record(p, c) for p, c in enumerate(choices)))
    ours = analyse(answers, KEY, seed=0)["questions"]["sync"]["methods"]["ours"]
    assert ours["percent"] == 50
    low, high = ours["bootstrap_percent"]
    assert (low, high) == (20, 80)  # the binomial's 2.5 and 97.5 % of ten people
    assert ours["wilson_percent"][0] > 35


def test_the_bootstrap_of_many_independent_votes_is_the_normal_one(write):
    choices = draws(40)
    answers = write(*(record(p, c) for p, c in enumerate(choices)))
    ours = analyse(answers, KEY, seed=1)["questions"]["quality"]["methods"]["ours"]
    p = ours["percent"] / 100
    reach = 196 * math.sqrt(p * (1 - p) / (40 * GROUPS))
    assert ours["bootstrap_percent"] == pytest.approx((100 * p - reach, 100 * p + reach), abs=1.5)


def test_the_seed_decides_the_draws(write):
    answers = write(*(record(p, c) for p, c in enumerate(draws(7))))
    assert analyse(answers, KEY, seed=3) == analyse(answers, KEY, seed=3)


def test_places_on_the_page_are_counted(write):
    """Whoever always takes the first video is found out."""
    first = [
        record(p, np.full((GROUPS, 2), METHODS.index(METHODS[-p % 3])), turn=p % 3)
        for p in range(9)
    ]
    row = analyse(write(*first), KEY, seed=0)["questions"]["quality"]
    assert row["places"] == [9 * GROUPS, 0, 0]
    assert row["places_p"] < 1e-4
    even = [record(p, np.zeros((GROUPS, 2), int), turn=p % 3) for p in range(9)]
    assert analyse(write(*even), KEY, seed=0)["questions"]["quality"]["places_p"] == 1


def test_incomplete_answers_count_for_what_they_are(write):
    some = [[0, 1], [1, 0]] + [[None, None]] * (GROUPS - 2)
    every = np.zeros((GROUPS, 2), int)
    found = analyse(write(record(1, every), record(4, some)), KEY, seed=0)
    row = found["questions"]["quality"]
    assert found["incomplete"] == [4]
    assert row["votes"] == GROUPS + 2
    assert row["fleiss_kappa"] is None
    assert row["krippendorff_alpha"] == 0  # half unlike, as many as 3 to 1 votes are by chance


def test_one_person_has_wilsons_interval_alone(write):
    found = analyse(write(record(1, draws(1)[0])), KEY, seed=0)
    row = found["questions"]["quality"]
    assert row["methods"]["ours"]["bootstrap_percent"] is None
    assert (row["fleiss_kappa"], row["krippendorff_alpha"]) == (None, None)
    assert "intervals: Wilson" in markdown(found)
    json.dumps(found, allow_nan=False)


def test_the_table_has_methods_down_and_questions_across(write):
    found = analyse(write(*(record(p, c) for p, c in enumerate(draws(5)))), KEY, seed=0)
    lines = markdown(found).splitlines()
    assert lines[0] == "| chosen as the best | quality | sync |"
    assert [line.split("|")[1].strip() for line in lines[2:7]] == [
        *METHODS,
        "Fleiss' kappa",
        "Krippendorff's alpha",
    ]
    cell = Share(**found["questions"]["quality"]["methods"]["ours"])
    assert f"| {cell} |" in lines[2]
    assert lines[-1] == "5 participants, 6 groups; 95 % intervals: drawing participants anew."


def test_a_share_reads_as_a_percentage_with_its_interval():
    assert str(Share(3, 4, 75.0, (30.06, 95.44))) == "75.0 % [30.1, 95.4]"
    assert str(Share(3, 4, 75.0, (30.0, 95.4), (40.0, 90.0))) == "75.0 % [40.0, 90.0]"


def bad(**changed) -> dict:
    content = record(1, [[0, 0]])
    return {**content, **changed}


def answering(**changed) -> dict:
    content = record(1, [[0, 0]])
    content["answers"][0] |= changed
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "holds no answers of a study"),
        ({}, "holds no answers of a study"),
        (bad(answers=[3]), "holds no answers of a study"),
        (bad(answers=[]), "names no participant or answers nothing"),
        (bad(participant="7"), "names no participant"),
        (bad(participant=True), "names no participant"),
        (bad(study="xyz"), "is of study 'xyz', and the key of 'abc'"),
        (answering(group="g99"), "a group 'g99' that the study does not have"),
        (answering(choices={"beauty": "v00"}), "a question 'beauty' not asked"),
        (answering(choices={"sync": "v10"}), "chooses 'v10', no video of 'person 0'"),
        (answering(choices={"sync": "v03"}), "chooses 'v03'"),  # the original
        (answering(shown=["v01"]), "chooses 'v00'"),
        (answering(choices={"sync": ["v00"]}), "holds no answers of a study"),
    ],
)
def test_answers_that_do_not_fit_are_one_sentence(write, content, message):
    with pytest.raises(UserError, match=message):
        write(content)


def test_answers_that_cannot_be_read_are_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no answers"):
        read_answers([tmp_path], KEY)
    with pytest.raises(UserError, match=r"gone\.json' cannot be read"):
        read_answers([tmp_path / "gone.json"], KEY)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UserError, match="holds no answers"):
        read_answers([tmp_path], KEY)
    with pytest.raises(UserError, match="no answers to analyse"):
        analyse([], KEY, seed=0)


def test_nobody_answers_twice(write):
    with pytest.raises(UserError, match=r"0.json' and '.*1.json' are both of participant 1"):
        write(record(1, [[0, 0]]), record(1, [[1, 1]]))


def test_a_question_that_nobody_answered_is_named(write):
    answers = write(record(1, [[0, None]]))
    with pytest.raises(UserError, match="Nobody has answered 'Which has the best sync"):
        analyse(answers, KEY, seed=0)
