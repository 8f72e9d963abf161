"""Other words put into a video's mouth (Song et al. 2020, "Everybody's Talkin'").

Head, eyes and all else of the video stay; the frames that suit the sound are chosen among the
target's, and their mouths painted anew (``repro.edit``).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from repro import FPS, SAMPLE_RATE
from repro.config import Profile
from repro.credentials import Signer
from repro.edit.completion import Completer
from repro.edit.target import EditedTarget, choose_frames, put_into_mouth
from repro.edit.video import edit_frames
from repro.evaluate.lips import closed_lip_recall, correlation, lip_gap
from repro.files import write_json
from repro.output import Label, write_labelled
from repro.pipeline import (
    Mouth,
    Target,
    Workspace,
    edit_completer,
    edit_mouth,
    target,
)
from repro.provenance import Stopwatch, manifest
from repro.render.full_frame import FullFrame, SourceFrames
from repro.speech.features import frames_of, mfcc_windows
from repro.study.edit_video import painted_measures

HELD_OUT_FRAMES = 300
"""Frames after those learned from, on which results of either method are measured where the video
has them; so both read one reconstruction."""


def talk_edit(
    video: Path,
    sound: np.ndarray,
    out: Path,
    *,
    audio_name: str,
    profile: Profile,
    frames: int,
    seed: int,
    work: Path,
    full_frame: bool,
    signer: Signer | None,
) -> dict[str, object]:
    """Make the person of a video say what a sound says, and leave all else as it is.

    Parameters
    ----------
    video : of one person, its first ``frames`` frames are learned from and shown
    sound : (N,) float32, mono 16 kHz
    out : the .mp4 to write; a record goes beside it as .json
    audio_name : what the record calls the sound
    work : folder of the models
    full_frame : give the whole picture of the video, not its square crop about the head
    signer : of the video's manifest; None for none

    Returns
    -------
    the record

    Raises
    ------
    UserError
        A video that cannot be used; the output cannot be written.
    """
    watch = Stopwatch()
    ws = Workspace.open(work, profile, seed=seed)
    with watch.stage("reconstruction"):
        person = target(ws, video, frames=frames + HELD_OUT_FRAMES)
    learned = min(frames, len(person))
    length = frames_of(len(sound))
    with watch.stage("speech"):
        mouth = edit_mouth(ws, person, frames=learned)
        said = mouth.say(mfcc_windows(sound, length))
    with watch.stage("mouth completion"):
        completer, _, painter = edit_completer(ws, person, frames=learned)
    with watch.stage("retiming"):
        shown = choose_frames(sound, length, person.track, ws.model, learned=learned)
        edited = put_into_mouth(said, shown, person.track, ws.model, learned=learned)
    models = {"face": ws.model.name, "speech": mouth.key, "completion": painter}
    label = Label(models, visible=profile.talk.visible_mark, signer=signer)
    with watch.stage("painting"):
        size = person.track.crop.size, person.track.crop.size
        made = edit_frames(edited.frames(person.frames), edited.original, edited.wanted, completer)
        if full_frame:
            whole = FullFrame(person.track.crop, person.clip.width, person.clip.height)
            size, made = whole.size, _in_full_frame(made, edited, person, whole, ws.root)
        made = iter(tqdm(made, desc="painting", total=length, unit="frame"))
        written = write_labelled(out, made, size=size, audio=sound, label=label)
    with watch.stage("measuring"):
        measures = held_out_scores(ws, mouth, completer, person, learned)
    record: dict[str, object] = {
        "method": "everybodys-talkin",
        "video": {
            "file": Path(video).name,
            "frames_used": learned,
            "frames_shown": len(np.unique(shown)),
            "people_seen": person.track.people,
        },
        "audio": {"file": audio_name, "seconds": round(len(sound) / SAMPLE_RATE, 3)},
        "out": written,
        "models": models,
        "mouth": mouth.name,
        "networks": {"perceptual": completer.perceptual},
        "held_out": measures,
        **manifest(parameters=profile.model_dump(), seed=seed, stages=watch.summary()),
    }
    write_json(out.with_suffix(".json"), record)
    return record


def held_out_scores(
    ws: Workspace, mouth: Mouth, completer: Completer, person: Target, learned: int
) -> dict[str, float] | None:
    """On frames that were not learned from: lips from their sound, and mouths painted again.

    Pictures are painted from the frames' own landmarks, so they are judged apart from motion.
    """
    frames = slice(learned, len(person))
    if len(person) - learned < FPS:
        return None
    scores: dict[str, float] = {"frames": len(person) - learned}
    if person.audio is not None:
        gaps = [
            lip_gap(person.track.shape_landmarks(ws.model, expression[frames]))
            for expression in (person.motion.expression, mouth.say(person.windows))
        ]
        scores["lip_gap_r"] = round(float(correlation(*gaps)), 3)
        recall = closed_lip_recall(*gaps)
        if np.isfinite(recall):
            scores["closed_lip_recall"] = round(recall, 3)
    points = person.track.landmarks[frames]
    real = person.frames[frames]
    painted = list(completer.complete(real, points, points))
    for measure in painted_measures(painted, real):
        scores[f"painted_{measure.name.lower()}"] = round(measure.value, 4)
    return scores


def _in_full_frame(
    made: Iterator[np.ndarray],
    edited: EditedTarget,
    person: Target,
    whole: FullFrame,
    folder: Path,
) -> Iterator[np.ndarray]:
    """Edited crops laid into the source frames that they were cut from."""
    with SourceFrames(person.clip, np.unique(edited.shown).tolist(), folder) as source:
        for picture, t in zip(made, edited.shown, strict=True):
            own = np.asarray(person.frames[t])
            yield whole.paste(source[int(t)], own, picture, (picture != own).any(-1))
