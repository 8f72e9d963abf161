"""The main job: a short video of a person and a speech clip in, that person speaking it out."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm.auto import tqdm

from repro import FPS, SAMPLE_RATE
from repro.config import Profile
from repro.corpus.sound import read_audio
from repro.credentials import configured_signer
from repro.errors import UserError
from repro.evaluate.image import sharpness
from repro.evaluate.lips import closed_lip_recall, correlation, lip_gap
from repro.evaluate.pictures import picture_scores
from repro.evaluate.pose import convention, head_pose_similarity
from repro.face import landmarks as lm
from repro.files import write_json
from repro.motion.mapping import MotionMapping
from repro.motion.predict import predict
from repro.output import Label, write_labelled
from repro.perform import Performance, in_full_frame, perform, refined, rendered, retraced
from repro.pipeline import (
    Target,
    Workspace,
    general_motion,
    general_refiner,
    personal_motion,
    personal_refiner,
    renderer,
    target,
)
from repro.provenance import Stopwatch, manifest
from repro.refine.refine import Refiner
from repro.render.face import FaceRenderer
from repro.render.full_frame import FullFrame
from repro.speech.features import frames_of, mfcc_windows
from repro.talk_animate import talk_animate
from repro.talk_edit import HELD_OUT_FRAMES, talk_edit
from repro.talk_photo import is_photo, talk_photo

Method = Literal["natural-head-pose", "everybodys-talkin", "rhythmic-head-motion"]

LOOKED_AT = 1500
"""Frames, evenly spread, of a longer result of which the lips are measured: meshes take memory."""


def talk(
    video: Path,
    audio: Path,
    out: Path,
    *,
    profile: Profile,
    frames: int = 300,
    seed: int = 0,
    work: Path | None = None,
    full_frame: bool = False,
    method: Method = "natural-head-pose",
    references: int | None = None,
) -> dict[str, object]:
    """Make the person of a video say what an audio file says.

    Parameters
    ----------
    video : at least 2 s of one person, its first ``frames`` frames are learned from; or a photo
    audio : at least 0.5 s of speech; any sound or video file
    out : the .mp4 to write; a record of how it was made goes beside it as .json
    work : folder of models, general and personal, that later runs use again; by default
        ``results/<profile>/synthetic``, shared with ``repro run``
    full_frame : give the whole picture of the video, not its square crop about the head
    method : "natural-head-pose" (Yi et al.); "everybodys-talkin" (Song et al.), which keeps the
        head and all else of the video and paints the mouth alone; "rhythmic-head-motion" (Chen et
        al.), which learns nothing of the person and makes whole frames from a few of theirs
    references : how many those are, for "rhythmic-head-motion"; None takes the profile's

    Returns
    -------
    the record

    Raises
    ------
    UserError
        An input that cannot be used, or an output that cannot be written.
    """
    out = Path(out)
    _check_writable(out)
    signer = configured_signer()
    sound = read_audio(audio)
    work = work or Path("results") / profile.name / "synthetic"
    if references is not None and method != "rhythmic-head-motion":
        raise UserError(f"--references is for --method rhythmic-head-motion, not {method}.")
    if is_photo(Path(video)):
        if method != "natural-head-pose":
            raise UserError(f"--method {method} needs a video; give one in place of the photo.")
        if full_frame:
            raise UserError("--full-frame needs a video; a photo gives the square crop alone.")
        return talk_photo(
            Path(video), sound, out, audio_name=Path(audio).name, profile=profile, seed=seed,
            work=work, signer=signer,
        )  # fmt: skip
    if method == "everybodys-talkin":
        return talk_edit(
            Path(video), sound, out, audio_name=Path(audio).name, profile=profile, frames=frames,
            seed=seed, work=work, full_frame=full_frame, signer=signer,
        )  # fmt: skip
    if method == "rhythmic-head-motion":
        if full_frame:
            raise UserError(f"--method {method} makes the square crop; leave out --full-frame.")
        return talk_animate(
            Path(video), sound, out, audio_name=Path(audio).name, profile=profile,
            references=references, seed=seed, work=work, signer=signer,
        )  # fmt: skip
    watch = Stopwatch()
    ws = Workspace.open(work, profile, seed=seed)
    with watch.stage("reconstruction"):
        person = target(ws, video, frames=frames + HELD_OUT_FRAMES)
    learned = min(frames, len(person))
    with watch.stage("general motion"):
        mapping, _, motion = general_motion(ws)
    with watch.stage("general refinement"):
        general_refiner(ws)
    if person.audio is not None:
        with watch.stage("personal motion"):
            mapping, _, motion = personal_motion(ws, person, frames=learned)
    with watch.stage("personal refinement"):
        refiner, _, refinement = personal_refiner(ws, person, frames=learned)
    length = frames_of(len(sound))
    with watch.stage("motion from audio"):
        performance = perform(
            mapping,
            mfcc_windows(sound, length),
            person,
            learned=learned,
            names=ws.model.expression_names,
            profile=profile,
            seed=seed,
        )
    draw = renderer(ws, person, frames=learned)
    models = {"face": ws.model.name, "motion": motion, "refiner": refinement}
    label = Label(models, visible=profile.talk.visible_mark, signer=signer)
    with watch.stage("rendering"):
        made = _Making(draw, refiner, performance, person)
        folder = ws.root if full_frame else None
        written, crispness = _write(out, made, sound, label, full_frame_folder=folder)
    with watch.stage("measuring"):
        measures = {
            "reconstruction": reconstruction_scores(person),
            "pose": pose_scores(performance, person, learned),
            "lips": lip_scores(ws, performance, person),
            "sharpness_ratio": round(crispness / real_sharpness(draw, person, learned), 3),
            "held_out": held_out_scores(ws, mapping, draw, refiner, person, learned),
        }
    record: dict[str, object] = {
        "video": {
            "file": Path(video).name,
            "frames_used": learned,
            "frames_missed": np.nonzero(~person.track.found[:learned])[0].tolist(),
            "people_seen": person.track.people,
            "note": _note(person),
        },
        "audio": {"file": Path(audio).name, "seconds": round(len(sound) / SAMPLE_RATE, 3)},
        "out": written,
        "models": models,
        "mapping": "personal" if person.audio is not None else "general",
        "networks": {"identity": refiner.identity_name, "spatial": refiner.spatial.name},
        **measures,
        **manifest(parameters=profile.model_dump(), seed=seed, stages=watch.summary()),
    }
    write_json(out.with_suffix(".json"), record)
    return record


def reconstruction_scores(person: Target) -> dict[str, float]:
    """Distance of fitted from seen landmarks, in crop pixels and % of the inter-pupil distance."""
    track = person.track
    percent = track.residual[track.found]
    size = lm.inter_pupil_distance(track.landmarks[track.found])[:, None]
    return {
        "median_percent_of_pupil_distance": round(float(np.median(percent)), 3),
        "p95_percent_of_pupil_distance": round(float(np.percentile(percent, 95)), 3),
        "median_px": round(float(np.median(percent / 100 * size)), 3),
        "frames_found": int(track.found.sum()),
        "frames": len(track),
    }


def pose_scores(performance: Performance, person: Target, learned: int) -> dict[str, object]:
    """HS (Eq. 6) against the person's own frames, and both ranges in degrees, 5th to 95th %."""
    own = person.motion.pose[:learned, :3]
    made = performance.motion.pose[:, :3]

    def span(angles: np.ndarray) -> list[float]:
        low, high = np.percentile(np.degrees(angles), [5, 95], axis=0)
        return [round(float(v), 2) for v in high - low]

    return {
        "hs": round(float(head_pose_similarity(own, made)), 4),
        "hs_before_fitting_to_background": round(
            float(head_pose_similarity(own, performance.intended[:, :3])), 4
        ),
        "hs_convention": convention(),
        "range_deg_pitch_yaw_roll": span(made),
        "target_range_deg_pitch_yaw_roll": span(own),
    }


def lip_scores(
    ws: Workspace, performance: Performance, person: Target
) -> dict[str, dict[str, float]]:
    """Opening of the lips, % of the inter-pupil distance: 5th, 50th and 95th percentile."""
    levels = (5, 50, 95)

    def opening(expression: np.ndarray) -> dict[str, float]:
        some = expression[:: -(-len(expression) // LOOKED_AT)]
        values = np.percentile(_lip_gap(ws, person, some), levels)
        return {f"p{k}": round(float(v), 2) for k, v in zip(levels, values, strict=True)}

    return {
        "generated_gap_percent": opening(performance.motion.expression),
        "target_gap_percent": opening(person.motion.expression),
    }


def held_out_scores(
    ws: Workspace,
    mapping: MotionMapping,
    draw: FaceRenderer,
    refiner: Refiner,
    person: Target,
    learned: int,
) -> dict[str, float] | None:
    """On frames that were not learned from: lips from their sound, and refined pictures.

    Pictures are refined from the reconstructed coefficients, so they are judged apart from motion.
    """
    frames = range(learned, len(person))
    if len(frames) < FPS:
        return None
    scores: dict[str, float] = {"frames": len(frames)}
    if person.audio is not None:
        said = predict(
            mapping,
            person.windows,
            own=person.motion[:learned],
            mouth_method=ws.profile.talk.mouth,
            names=ws.model.expression_names,
        )[learned:]
        true = _lip_gap(ws, person, person.motion.expression[learned:])
        made = _lip_gap(ws, person, said.expression)
        scores["lip_gap_r"] = round(float(correlation(true, made)), 3)
        recall = closed_lip_recall(true, made)
        if np.isfinite(recall):
            scores["closed_lip_recall"] = round(recall, 3)
    inputs = list(retraced(draw, person, frames))
    pictures = {
        "rendered": [frame for frame, _ in inputs],
        "refined": [frame for frame, _ in refined(refiner, iter(inputs))],
        "real": [person.frames[t] for t in frames],
    }
    table = picture_scores(pictures, [mask > 0 for _, mask in inputs], real="real")
    for row in table.to_dict("records"):
        name = row.pop("frames")
        scores |= {f"{name}_{key}": round(float(value), 4) for key, value in row.items()}
    return scores


def real_sharpness(draw: FaceRenderer, person: Target, learned: int) -> float:
    """Mean sharpness of the face in the person's own frames, every fifth of them."""
    frames = range(0, learned, 5)
    masks = (mask > 0 for _, mask in retraced(draw, person, frames))
    return _mean(
        sharpness(np.asarray(person.frames[t]), mask) for t, mask in zip(frames, masks, strict=True)
    )


@dataclass(frozen=True)
class _Making:
    """All that a video is drawn from."""

    draw: FaceRenderer
    refiner: Refiner
    performance: Performance
    person: Target


def _write(
    out: Path, made: _Making, sound: np.ndarray, label: Label, *, full_frame_folder: Path | None
) -> tuple[dict[str, object], float]:
    """Render, refine and write the video: what its record says, mean sharpness of its faces."""
    person, performance, side = made.person, made.performance, made.draw.track.camera.width
    crisp: list[float] = []

    def crops() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        pictures = refined(made.refiner, rendered(made.draw, performance, person))
        count = len(performance.motion)
        for frame, mask in tqdm(pictures, desc="rendering", total=count, unit="frame"):
            crisp.append(sharpness(frame, mask > 0))
            yield frame, mask

    if full_frame_folder is None:
        size = (side, side)
        frames: Iterator[np.ndarray] = (frame for frame, _ in crops())
    else:
        size = FullFrame(person.track.crop, person.clip.width, person.clip.height).size
        frames = in_full_frame(crops(), performance, person, folder=full_frame_folder)
    written = write_labelled(out, frames, size=size, audio=sound, label=label)
    return written, float(np.mean(crisp))


def _lip_gap(ws: Workspace, person: Target, expression: np.ndarray) -> np.ndarray:
    return lip_gap(person.track.shape_landmarks(ws.model, expression))


def _note(person: Target) -> str:
    notes = []
    if person.audio is None:
        notes.append("the video has no sound: the general mapping speaks, not this person's own")
    if person.track.people > 1:
        notes.append(f"{person.track.people} people were seen; the larger, steadier was followed")
    missed = int((~person.track.found).sum())
    if missed:
        notes.append(f"the face was lost in {missed} frames and bridged")
    return "; ".join(notes)


def _mean(values) -> float:
    return round(float(np.mean(list(values))), 4)


def _check_writable(out: Path) -> None:
    """Say now, not after minutes of work, that the output cannot be written.

    Raises
    ------
    UserError
        Another suffix than .mp4, or a folder that cannot be written.
    """
    if out.suffix.lower() != ".mp4":
        raise UserError(f"Output '{out}' must end in .mp4.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        probe = out.with_name(f".{out.stem}.{os.getpid()}.probe")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"Output '{out}' cannot be written ({error.strerror}).") from error
