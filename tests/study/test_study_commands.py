"""``repro study``: make, analyse, published."""

import json


def answer_all(key: dict, participant: int, method: str) -> dict:
    """Answers of somebody who always takes one method."""
    answers = []
    for code, group in key["groups"].items():
        (video,) = [v for v, m in group["videos"].items() if m == method]
        shown = [v for v, m in group["videos"].items() if m != "real"]
        choices = dict.fromkeys(key["questions"], video)
        answers.append({"group": code, "shown": shown, "choices": choices})
    return {"study": key["study"], "participant": participant, "answers": answers}


def test_a_study_is_made_answered_and_analysed(call, study_videos, tmp_path):
    out = tmp_path / "study"
    code, printed, _ = call("study", "make", study_videos, "--out", out, "--original", "real")
    assert code == 0
    assert str(out / "for_participants" / "index.html") in printed
    key = json.loads((out / "key.json").read_text())
    assert key["seed"] > 2**20  # drawn, so that nobody can tell it
    answers = tmp_path / "answers"
    answers.mkdir()
    for participant, method in enumerate(("brisk", "brisk", "coarse", "brisk"), start=1):
        record = answer_all(key, participant, method)
        (answers / f"{participant}.json").write_text(json.dumps(record))
    results = tmp_path / "results.json"
    code, printed, _ = call(
        *("study", "analyse", answers, "--key", out / "key.json", "--out", results)
    )
    assert code == 0
    assert "| brisk | 75.0 % [25.0, 100.0] |" in printed
    assert results.with_suffix(".md").read_text() == printed
    found = json.loads(results.read_text())
    assert found["questions"]["lip_sync"]["methods"]["brisk"]["votes"] == 6


def test_a_given_seed_is_taken(call, study_videos, tmp_path):
    for name in ("one", "two"):
        call("study", "make", study_videos, "--out", tmp_path / name, "--seed", 5)
    keys = [json.loads((tmp_path / name / "key.json").read_text()) for name in ("one", "two")]
    assert keys[0]["seed"] == 5
    assert keys[0]["groups"] == keys[1]["groups"]


def test_what_people_can_put_right_is_exit_code_2(call, study_videos, tmp_path):
    code, _, error = call("study", "make", tmp_path / "none", "--out", tmp_path / "out")
    assert code == 2 and "neither a folder" in error
    code, _, error = call("study", "make", study_videos, "--out", tmp_path / "o", "--groups", 3)
    assert code == 2 and "3 groups were asked for, and there are 2" in error
    code, _, error = call("study", "analyse", tmp_path, "--key", tmp_path / "key.json")
    assert code == 2 and "key.json' cannot be read" in error
    code, _, error = call("study", "published", "--out", tmp_path / "votes.csv")
    assert code == 2 and "ends in .json" in error
    assert len(error.splitlines()) == 1


def test_published_votes_are_printed_and_written(call, tmp_path):
    code, printed, _ = call("study", "published", "--out", tmp_path / "votes.json")
    assert code == 0
    assert "| Ours-P | 88.7 %" in printed
    record = json.loads((tmp_path / "votes.json").read_text())
    assert record["table_1"]["lip_sync"]["Ours-P"]["votes"] == 269
    assert record["head_pose"]["similar"]["votes"] == 193
