"""Write a study: a folder for the participants, and the key that stays with its maker."""

import json
import os
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import jinja2
from tqdm.auto import tqdm

from repro import FPS, SAMPLE_RATE
from repro.corpus.clip import Clip, open_clip
from repro.corpus.video import VideoWriter
from repro.errors import UserError
from repro.files import write_json
from repro.provenance import code_version
from repro.study.design import PARTICIPANTS, QUESTIONS, RATED, SCALE, Design, make_design
from repro.study.videos import StudyVideos

FOR_PARTICIPANTS, PAGE, VIDEOS, KEY = "for_participants", "index.html", "videos", "key.json"

TITLE = "Which talking-face video is best?"
TITLE_RATED = "Real or not?"

_SHORTEST_S = 0.5
_LABEL = "Material of a study: one of several versions, most of them synthetic (AI-generated)."
"""The same words in every video: whoever looks inside a file learns no more than who does not."""

_DATE = 946_684_800
"""Of every video, in seconds since 1970: the beginning of 2000 (zip files know no earlier ones)."""


def make_study(
    out: Path,
    given: StudyVideos,
    *,
    seed: int,
    groups: int | None = None,
    participants: int = PARTICIPANTS,
    one_by_one: bool = False,
    title: str | None = None,
) -> Path:
    """Write a study into a new folder; returns the page.

    The methods' videos of a group are compared (Yi et al. 2020, Table 1), or, ``one_by_one``, each
    video is rated by itself, filmed ones as a method among others (Song et al. 2020, Table 4).

    ``for_participants/`` holds the page and its videos and can be handed out; ``key.json`` tells
    which video is which method. So that nothing but the pictures tells methods apart, every video
    is encoded anew in the same way, with the same words inside and the same date, and cut to the
    shortest of its group. Videos that carry a visible mark of their method, or that alone carry
    one saying they are generated, must be made without it.

    Raises
    ------
    UserError
        The folder exists or cannot be written; an original where videos are rated; a video cannot
        be read, has no sound, or is shorter than half a second; a number of groups or participants
        that does not fit.
    """
    out = Path(out)
    if out.exists():
        raise UserError(f"'{out}' exists: name a new folder for the study.")
    if one_by_one and given.original:
        raise UserError(
            f"Videos that are rated one by one have no original beside them: leave out --original, "
            f"and '{given.original}' is rated like the others."
        )
    design = make_design(
        list(given.videos),
        given.methods,
        seed=seed,
        groups=groups,
        participants=participants,
        original=given.original,
        one_by_one=one_by_one,
    )
    making = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        try:
            (making / FOR_PARTICIPANTS / VIDEOS).mkdir(parents=True)
        except OSError as error:
            raise UserError(f"'{out}' cannot be written ({error.strerror}).") from error
        seconds = _write_videos(making / FOR_PARTICIPANTS / VIDEOS, given, design)
        title = title or (TITLE_RATED if one_by_one else TITLE)
        page = _page(design, title, given.original)
        (making / FOR_PARTICIPANTS / PAGE).write_text(page, encoding="utf-8")
        write_json(making / KEY, _key(design, given, seed, seconds))
        making.rename(out)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return out / FOR_PARTICIPANTS / PAGE


def _write_videos(folder: Path, given: StudyVideos, design: Design) -> dict[str, float]:
    """Write every video under its code; returns how long those of each group last, in seconds."""
    clips = {
        name: {method: _usable(given.videos[name][method]) for method in codes}
        for name, codes in design.videos.items()
    }
    seconds = {}
    total = sum(map(len, clips.values()))
    with tqdm(total=total, desc="videos of the study", unit="video", leave=False) as bar:
        for name, of_group in clips.items():
            frames = min(clip.frames for clip in of_group.values())
            seconds[name] = frames / FPS
            for method, clip in of_group.items():
                _write_video(folder / f"{design.videos[name][method]}.mp4", clip, frames)
                bar.update()
    for path in sorted(folder.iterdir()):
        os.utime(path, (_DATE, _DATE))
    return seconds


def _usable(path: Path) -> Clip:
    clip = open_clip(path, min_s=_SHORTEST_S)
    if not clip.has_audio:
        raise UserError(f"Video '{path}' has no sound: people shall say how the lips go with it.")
    return clip


def _write_video(path: Path, clip: Clip, frames: int) -> None:
    """The clip's first frames, an odd row or column at the edge left out, with their sound."""
    width, height = clip.width // 2 * 2, clip.height // 2 * 2
    sound = clip.audio()[: frames * SAMPLE_RATE // FPS]
    label = {"comment": _LABEL}
    with VideoWriter(path, size=(width, height), audio=sound, metadata=label) as writer:
        for frame in clip.read(0, frames):
            writer.write(frame[:height, :width])


def _key(
    design: Design, given: StudyVideos, seed: int, seconds: dict[str, float]
) -> dict[str, object]:
    about = {
        "study": design.study,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": asdict(code_version()),
        "seed": seed,
        "participants": len(design.orders),
    }
    if design.one_by_one:
        return about | {
            "questions": RATED,
            "scale": list(SCALE),
            "methods": list(given.methods),
            "groups": {
                code: {
                    "name": f"{name}/{method}",
                    "seconds": seconds[name],
                    "videos": {code: method},
                }
                for name, codes in design.videos.items()
                for method, code in codes.items()
            },
        }
    return about | {
        "questions": QUESTIONS,
        "methods": list(given.methods),
        "original": given.original,
        "groups": {
            code: {
                "name": name,
                "seconds": seconds[name],
                "videos": {video: method for method, video in design.videos[name].items()},
            }
            for name, code in design.groups.items()
        },
    }


def _page(design: Design, title: str, original: str | None) -> str:
    data = files("repro.study") / "data"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((data / "page.html.jinja").read_text(encoding="utf-8"))
    return template.render(
        title=title,
        style=(data / "page.css").read_text(encoding="utf-8"),
        script=(data / "page.js").read_text(encoding="utf-8"),
        study=_for_page(design, original),
    )


def _for_page(design: Design, original: str | None) -> dict[str, object]:
    """What the page needs to know; nothing in it tells a method."""
    originals = {
        code: design.videos[name][original]
        for name, code in sorted(design.groups.items(), key=lambda item: item[1])
        if original is not None
    }
    questions = RATED if design.one_by_one else QUESTIONS
    return {
        "study": design.study,
        "folder": VIDEOS,
        "questions": [{"id": name, "text": text} for name, text in questions.items()],
        "scale": list(SCALE) if design.one_by_one else [],
        "originals": originals,
        "orders": [
            [
                [
                    design.page_code(name, methods),
                    [design.videos[name][method] for method in methods],
                ]
                for name, methods in order
            ]
            for order in design.orders
        ],
    }


def read_key(path: Path) -> dict[str, object]:
    """Read a study's key.

    Raises
    ------
    UserError
        No such file, or not a key.
    """
    try:
        key = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"Key '{path}' cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise UserError(f"File '{path}' is not a study's key: give its {KEY}.") from error
    wanted = {"study", "questions", "methods", "groups", "participants"}
    if not isinstance(key, dict) or not wanted <= {*key}:
        raise UserError(f"File '{path}' is not a study's key: give its {KEY}.")
    return key
