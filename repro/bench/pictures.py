"""How true rendered faces and how steady their backgrounds are: ``repro bench pictures``.

Measured on people of the synthetic corpus who are filmed for it by an unsteady hand: the corpus'
own camera and room never move, and so no background in it could flicker.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from repro import FPS
from repro.corpus.clip import open_clip
from repro.corpus.people import draw_person
from repro.corpus.performance import perform as act
from repro.corpus.plan import PERSONAL, plan
from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic_clip import make_clip
from repro.corpus.video import VideoWriter
from repro.evaluate.image import psnr
from repro.evaluate.steadiness import pixel_flicker, usual_flicker
from repro.face.model import load_open_model
from repro.perform import retraced
from repro.pipeline import Target
from repro.provenance import machine
from repro.reconstruct.reconstruct import reconstruct
from repro.reconstruct.settings import ReconstructSettings
from repro.render.background import Backgrounds, match_backgrounds
from repro.render.face import FaceRenderer, RenderSettings
from repro.speech.synthesis import fitted, speak

LEARNED_S, TESTED_S = 8.0, 2.0
FILM_PX, WINDOW_PX = 320, 256
"""Sides of what is filmed and of the window that the unsteady hand shows of it."""

SHAKE_PX, SHAKE_GAIN, SHAKE_S = 3.0, 0.02, 0.6
"""Standard deviations of the hand's drift and of the exposure's, and how slowly they go."""

FEW_KEYS = 80
JUMP = 2.0
"""What exceeds so many times a pixel's usual second difference in the target video is a jump."""

ALBEDOS: tuple[Literal["low_frequency", "detailed"], ...] = ("low_frequency", "detailed")
_SENTENCE = (
    "Nobody in the village remembers who built the bridge, but everybody has crossed it, and most "
    "of them have stopped in the middle to watch the water go by."
)


def bench_pictures(*, runs: int = 2, threads: int = 2) -> dict[str, object]:
    """Rendered faces beside true ones, and backgrounds by each way to match them.

    Parameters
    ----------
    runs : how many people
    threads : of the renderer

    Returns
    -------
    For each person "psnr": of faces drawn over frames that the albedo was not taken from, inside
    the face, by albedo; "flicker": of the target video and of each matching of another take's head
    motion; "jumps": the same beyond ``JUMP`` times what is usual in the target video at that pixel;
    "pose_error_deg": how far each leaves that motion, and "pose_motion_deg": how far its angles
    move in a frame, with the wanted motion's own. For all of them together, how many times as much
    the naive nearest match flickers, and jumps.
    """
    people = []
    for k in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            people.append(_measured(_filmed(Path(folder), k), threads))
    worst = min(p["psnr"]["detailed"] for p in people)
    times = {}
    for measure in ("flicker", "jumps"):
        total = {name: sum(p[measure][name] for p in people) for name in people[0][measure]}
        times[measure] = {
            name: round(total["nearest"] / value, 2) for name, value in total.items() if value
        }
    return {
        "bench": "pictures",
        "threads": threads,
        "people": people,
        "worst_psnr_detailed": worst,
        "nearest_flickers_times": times["flicker"],
        "nearest_jumps_times": times["jumps"],
        "machine": machine(),
    }


def _filmed(folder: Path, k: int) -> Target:
    """Person ``k``, filmed by an unsteady hand and reconstructed."""
    settings = CorpusSettings(
        people=2, personal_people=1, image_px=FILM_PX, personal_s=LEARNED_S + TESTED_S, seed=k + 1
    )
    (entry,) = (e for e in plan(folder, settings) if e.split == PERSONAL)
    make_clip(entry, settings)
    steady = open_clip(entry.video)
    path = folder / "unsteady.mp4"
    with VideoWriter(path, size=(WINDOW_PX, WINDOW_PX), audio=steady.audio(), crf=12) as writer:
        for frame in shaken(steady.read(), steady.frames, seed=k):
            writer.write(frame)
    made = reconstruct(open_clip(path), load_open_model(), ReconstructSettings())
    return Target(f"person {entry.person}", "", open_clip(path), made.frames, made.track, None)


def shaken(frames: Iterator[np.ndarray], count: int, *, seed: int) -> Iterator[np.ndarray]:
    """The window that a drifting hand shows of ``count`` frames, under a drifting exposure."""
    rng = np.random.default_rng([seed, 7])
    drift = gaussian_filter1d(rng.normal(size=(count + 200, 3)), SHAKE_S * FPS, axis=0)[100:-100]
    drift /= drift.std(0)
    for frame, (x, y, exposure) in zip(frames, drift, strict=True):
        margin = (len(frame) - WINDOW_PX) / 2
        affine = np.array([[1, 0, SHAKE_PX * x - margin], [0, 1, SHAKE_PX * y - margin]])
        window = cv2.warpAffine(frame, affine, (WINDOW_PX, WINDOW_PX))
        yield np.clip(window * (1 + SHAKE_GAIN * exposure) + 0.5, 0, 255).astype(np.uint8)


def _measured(person: Target, threads: int) -> dict[str, dict[str, float]]:
    learned = round(LEARNED_S * FPS)
    tested = range(learned, len(person))
    true = [person.frames[t] for t in tested]
    draws = {
        albedo: FaceRenderer.of(
            load_open_model(),
            person.track,
            person.frames[:learned],
            settings=RenderSettings(albedo=albedo, threads=threads),
        )
        for albedo in ALBEDOS
    }
    scores = {}
    for albedo, draw in draws.items():
        pictures = list(retraced(draw, person, tested))
        scores[albedo] = np.mean(
            [
                psnr(made, real, mask=face > 0)
                for (made, face), real in zip(pictures, true, strict=True)
            ]
        )
    faces = [face for _, face in retraced(draws["detailed"], person, range(learned))]
    return {
        "psnr": {name: round(float(value), 2) for name, value in scores.items()},
        **_flicker(person, faces),
    }


def _flicker(person: Target, faces: list[np.ndarray]) -> dict[str, dict[str, float]]:
    """What ``bench_pictures`` tells of each matching of another take's head motion.

    ``faces``: masks of the frames that may be shown
    """
    count = len(faces)
    own, wanted = person.motion.pose[:count], _other_take(person, count)
    ways = {
        "target video": Backgrounds(np.arange(count), own, np.arange(count)),
        "nearest": match_backgrounds(wanted, own, method="nearest"),
        "paper": match_backgrounds(wanted, own),
        f"paper, {FEW_KEYS} frames a key": match_backgrounds(wanted, own, frames_per_key=FEW_KEYS),
        "smooth": match_backgrounds(wanted, own, method="smooth"),
    }
    frames, covered = person.frames[:count], np.asarray(faces, np.float32)
    usual = JUMP * usual_flicker(frames, (mask == 0 for mask in faces))

    def flicker(way: Backgrounds, beyond: np.ndarray | float) -> float:
        bare = (share == 0 for share in way.shown(covered))
        return round(pixel_flicker(way.shown(frames), bare, beyond=beyond), 3)

    def degrees(angles: np.ndarray) -> float:
        return round(float(np.degrees(np.abs(angles[:, :3])).mean()), 3)

    poses = {name: way.pose for name, way in ways.items()} | {"wanted": wanted}
    return {
        "flicker": {name: flicker(way, 0.0) for name, way in ways.items()},
        "jumps": {name: flicker(way, usual) for name, way in ways.items()},
        "pose_error_deg": {
            name: degrees(wanted - way.pose) for name, way in ways.items() if name != "target video"
        },
        "pose_motion_deg": {name: degrees(np.diff(pose, axis=0)) for name, pose in poses.items()},
    }


def _other_take(person: Target, frames: int) -> np.ndarray:
    """Head motion (T, 6) of the same person saying something else, about their own mean pose."""
    style = draw_person(int(person.name.split()[-1]))
    speech = speak(_SENTENCE, voice=style.voice)
    names = load_open_model().expression_names
    audio = fitted(speech.audio, frames)
    pose = act(audio, speech.phonemes, style, frames=frames, seed=99, names=names).pose
    return pose - pose.mean(0) + person.motion.pose[:frames].mean(0)
