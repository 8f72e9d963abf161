"""A person animated from a few frames (Chen et al. 2020, "rhythmic head motion").

Nothing is learned of the person: the networks saw other people, and see of this one K reference
frames among the first tau, and how the head moves in the first ``animate_speech.seen_frames`` with
their sound (``repro.animate``).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from repro import SAMPLE_RATE, assets
from repro.config import Profile
from repro.credentials import Signer
from repro.evaluate.identity import csim_to_person, face_features
from repro.evaluate.pose import convention, head_pose_similarity
from repro.evaluate.seen import landmarks_in
from repro.files import write_json
from repro.output import Label, write_labelled
from repro.pipeline import Target, Workspace, animate_speech, animated, animator, target
from repro.pipeline.animation import head_motion
from repro.provenance import Stopwatch, manifest
from repro.refine.identity import identity_network
from repro.speech.features import frames_of

_EVERY = 10
"""Frames from one of the result whose identity is measured to the next."""


def talk_animate(
    video: Path,
    sound: np.ndarray,
    out: Path,
    *,
    audio_name: str,
    profile: Profile,
    references: int | None,
    seed: int,
    work: Path,
    signer: Signer | None,
) -> dict[str, object]:
    """Make the person of a video say what a sound says, whole frames made anew.

    Parameters
    ----------
    video : of one person with sound, whose first frames are seen
    sound : (N,) float32, mono 16 kHz
    out : the .mp4 to write; a record goes beside it as .json
    audio_name : what the record calls the sound
    references : K, of tau at most; None takes the profile's
    work : folder of the models
    signer : of the video's manifest; None for none

    Returns
    -------
    the record

    Raises
    ------
    UserError
        A video that cannot be used, or has no sound; the output cannot be written.
    """
    watch = Stopwatch()
    ws = Workspace.open(work, profile, seed=seed)
    seen = max(profile.animate.tau, profile.animate_speech.seen_frames)
    with watch.stage("reconstruction"):
        person = target(ws, video, frames=seen)
    with watch.stage("expression and head motion"):
        learners = animate_speech(ws)
    with watch.stage("generator"):
        network, _, generator = animator(ws)
    models = {"face": ws.model.name, "speech": learners.key, "generator": generator}
    label = Label(models, visible=profile.talk.visible_mark, signer=signer)
    kept: list[np.ndarray] = []

    def frames() -> Iterator[np.ndarray]:
        made = animated(ws, person, sound, references=references)
        for t, frame in enumerate(tqdm(made, desc="animating", total=frames_of(len(sound)))):
            if t % _EVERY == 0:
                kept.append(frame)
            yield frame

    with watch.stage("animating"):
        size = (network.settings.image_px,) * 2
        written = write_labelled(out, frames(), size=size, audio=sound, label=label)
    with watch.stage("measuring"):
        pose = head_motion(ws, person, sound)
        measures = {
            "hs": round(float(head_pose_similarity(person.motion.pose[:, :3], pose[:, :3])), 4),
            "hs_convention": convention(),
            "csim_to_person": identity_score(person, np.stack(kept)),
        }
    record: dict[str, object] = {
        "method": "rhythmic-head-motion",
        "video": {
            "file": Path(video).name,
            "frames_used": len(person),
            "references": min(
                references or network.settings.references, len(person), network.settings.tau
            ),
            "people_seen": person.track.people,
        },
        "audio": {"file": audio_name, "seconds": round(len(sound) / SAMPLE_RATE, 3)},
        "out": written,
        "models": models,
        "networks": {"perceptual": network.perceptual},
        **measures,
        **manifest(parameters=profile.model_dump(), seed=seed, stages=watch.summary()),
    }
    write_json(out.with_suffix(".json"), record)
    return record


def identity_score(person: Target, made: np.ndarray) -> dict[str, object]:
    """Mean cosine of the made frames' identity features with the person's own mean, as read."""
    network = identity_network(assets.find("arcface"))
    real = np.asarray(person.frames[::_EVERY])
    own = face_features(network, real, person.track.landmarks[::_EVERY])
    found = face_features(network, made, landmarks_in(made))
    measure = csim_to_person(own, found, network=network.name, crop="the person's square crop")
    value = round(measure.value, 4) if np.isfinite(measure.value) else None
    return {"value": value, "frames": measure.frames, "network": measure.network}
