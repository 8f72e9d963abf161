"""The answers that participants send back, checked against the key of the study."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.errors import UserError


@dataclass(frozen=True)
class Answers:
    """What one participant chose.

    participant  their number
    choices      method by group's name and question; what was not answered is not there. Where
                 videos are rated one by one, the mark ("1" ...) by video's name and question
    places       where on the page the chosen video stood (0 is A), likewise; none for marks
    complete     whether every question of every group is answered
    """

    participant: int
    choices: Mapping[tuple[str, str], str]
    places: Mapping[tuple[str, str], int]
    complete: bool


def read_answers(paths: Iterable[Path], key: Mapping[str, Any]) -> list[Answers]:
    """Read answers, by participant.

    Parameters
    ----------
    paths : files that the study's page saved, or folders of them
    key : of the study (``repro.study.make.read_key``)

    Raises
    ------
    UserError
        A path that cannot be read; no answers in it; answers of another study, or to groups,
        questions or videos that it does not have; two files of one participant.
    """
    read: dict[int, tuple[Path, Answers]] = {}
    for path in _files(paths):
        answers = _answers(path, key)
        if answers.participant in read:
            other = read[answers.participant][0]
            raise UserError(
                f"'{other}' and '{path}' are both of participant {answers.participant}; keep the "
                "later one, or give one of the two another number."
            )
        read[answers.participant] = path, answers
    return [answers for _, (_, answers) in sorted(read.items())]


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not inside:
            raise UserError(f"Folder '{path}' holds no answers (.json).")
        found += inside
    return found


def _answers(path: Path, key: Mapping[str, Any]) -> Answers:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        study, participant, given = record["study"], record["participant"], record["answers"]
        choices, places = {}, {}
        if study == key["study"]:
            for answer in given:
                videos = _videos(path, key, answer["group"])
                name, shown = key["groups"][answer["group"]]["name"], answer["shown"]
                for question, video in answer["choices"].items():
                    if question not in key["questions"]:
                        raise UserError(f"'{path}' answers a question '{question}' not asked.")
                    if "scale" in key:
                        choices[name, question] = _mark(path, key, name, video)
                        continue
                    if video not in videos or video not in shown:
                        raise UserError(f"'{path}' chooses '{video}', no video of '{name}'.")
                    choices[name, question] = videos[video]
                    places[name, question] = shown.index(video)
    except OSError as error:
        raise UserError(f"Answers '{path}' cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"File '{path}' holds no answers of a study; give the files that its page saved."
        ) from error
    if study != key["study"]:
        raise UserError(f"'{path}' is of study '{study}', and the key of '{key['study']}'.")
    if isinstance(participant, bool) or not isinstance(participant, int) or not choices:
        raise UserError(f"File '{path}' names no participant or answers nothing; leave it out.")
    wanted = len(key["groups"]) * len(key["questions"])
    return Answers(participant, choices, places, len(choices) == wanted)


def _mark(path: Path, key: Mapping[str, Any], name: str, given: object) -> str:
    if given not in {str(mark) for mark in range(1, len(key["scale"]) + 1)}:
        raise UserError(
            f"'{path}' marks '{name}' with '{given}', not with 1 to {len(key['scale'])}."
        )
    return str(given)


def _videos(path: Path, key: Mapping[str, Any], group: str) -> Mapping[str, str]:
    if group not in key["groups"]:
        raise UserError(f"'{path}' answers for a group '{group}' that the study does not have.")
    videos: Mapping[str, str] = key["groups"][group]["videos"]
    return {video: method for video, method in videos.items() if method != key.get("original")}
