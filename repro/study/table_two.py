"""Table 2 of Yi et al. 2020 on the corpus at hand: held-out people from one frame and a sound.

Every method sees one frame of a person that nothing was trained on, and what is said after it, and
makes the frames that go with it. All are measured in the same crop about the face.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from repro import FPS, SAMPLE_RATE
from repro.baselines.atvg import Atvg
from repro.baselines.faces import FaceClip, face_clip, face_crop, face_pictures
from repro.baselines.you_said_that import YouSaidThat
from repro.evaluate.lips import lip_gap
from repro.evaluate.seen import LANDMARKER, landmarks_in
from repro.evaluate.sync import Listener, learn_listener, lip_sync
from repro.evaluate.table_two import table_two
from repro.face.camera import Crop
from repro.motion.predict import predict
from repro.perform import refined
from repro.pipeline.baselines import atvg, you_said_that
from repro.pipeline.motion import general_motion
from repro.pipeline.refinement import general_refiner
from repro.pipeline.targets import Target, general_targets
from repro.pipeline.workspace import Workspace
from repro.processes import one_thread
from repro.reconstruct.crop import cut
from repro.render.face import FaceRenderer
from repro.render.single_image import Photo, photo_track, single_image_frames
from repro.talk_photo import about

REFERENCE, YOU_SAID_THAT, ATVG, OURS, REAL = METHODS = (
    "reference frame",
    "You Said That",
    "ATVG",
    "Ours-G",
    "real frames",
)

_LEAST_SYNC_FRAMES = 60
_RESTS = 1e-6
"""Lips whose best correlation is no larger do not move."""


@dataclass(frozen=True)
class Trial:
    """What one held-out person says, and how every method shows it.

    name      of the clip
    pictures  by method: (T, S, S, 3) uint8
    points    by method: (T, 478, 2) landmarks seen in those, pixels; NaN where no face was found
    audio     (N,) float32, the sound of those frames
    crop      which part of the source the pictures show
    """

    name: str
    pictures: Mapping[str, np.ndarray]
    points: Mapping[str, np.ndarray]
    audio: np.ndarray
    crop: str


def run_trials(ws: Workspace, people: Sequence[Target]) -> list[Trial]:
    """Have every method show what each person says after the first frame of their clip."""
    speakers: dict[str, YouSaidThat | Atvg] = {
        YOU_SAID_THAT: you_said_that(ws)[0],
        ATVG: atvg(ws)[0],
    }
    trials = []
    for person in tqdm(people, desc="held-out people", unit="person"):
        frames = min(len(person), 1 + ws.profile.baselines.test_frames)
        points, settings = person.track.landmarks[:frames], ws.profile.baselines
        crop = face_crop(points[0], settings)
        real = face_pictures(person.frames[:frames], crop)
        clip = face_clip(real, crop, points, person.windows[:frames], settings)
        pictures = {REFERENCE: np.repeat(real[:1], frames - 1, axis=0)}
        for name, network in speakers.items():
            with one_thread():
                pictures[name] = network.speak(clip, 0)[1:]
        pictures |= {OURS: ours_general(ws, person, clip)[1:], REAL: real[1:]}
        seen = {n: landmarks_in(made) for n, made in pictures.items() if n != REFERENCE}
        still = landmarks_in(real[:1])
        seen = {REFERENCE: np.repeat(still, frames - 1, axis=0), **seen}
        audio = np.asarray(person.audio)[SAMPLE_RATE // FPS : frames * SAMPLE_RATE // FPS]
        shown = f"face of the first frame x {settings.face_margin:g}, at rest"
        trials.append(Trial(person.name, pictures, seen, audio, shown))
    return trials


def ours_general(ws: Workspace, person: Target, clip: FaceClip) -> np.ndarray:
    """Ours-G from the first frame of a clip as a photo: (T, S, S, 3) uint8, the clip's crop.

    The general models speak and refine; the background is the photo, turned to the head's pose.
    """
    mapping, _, motion_key = general_motion(ws)
    refiner, _, refiner_key = general_refiner(ws)
    key = {
        "person": person.key,
        "frames": len(clip),
        "crop": asdict(clip.crop),
        "motion": motion_key,
        "refiner": refiner_key,
        "render": ws.profile.render,
    }

    def make(folder: Path) -> None:
        image = next(person.clip.read(0, 1))
        track, frame = photo_track(image, ws.model, ws.profile.reconstruct, name=person.name)
        settings = ws.profile.render.model_copy(update={"albedo": "detailed"})
        draw = FaceRenderer.of(ws.model, track, frame[None], settings=settings)
        with one_thread():
            motion = predict(mapping, person.windows[: len(clip)])
        drawn = single_image_frames(
            Photo.of(image, track, ws.model),
            draw,
            motion.expression,
            about(motion.pose, track.coefficients.pose[0]),
            track.coefficients.light[0],
        )
        place = seen_from(clip.crop, person.track.crop, track.crop)
        made = np.stack([cut(frame, place) for frame, _ in refined(refiner, drawn)])
        np.save(folder / "frames.npy", made)

    folder = ws.stage("ours-general", key, make, "face", "reconstruct", "render", "refine")
    return np.load(folder / "frames.npy")


def seen_from(crop: Crop, outer: Crop, other: Crop) -> Crop:
    """A crop of the pixels of ``outer``, as one of the pixels of ``other``: both of one source."""
    left, top = other.to_crop(outer.to_source(np.array([crop.left, crop.top])))
    return Crop(float(left), float(top), crop.side / outer.scale * other.scale, crop.size)


def scores(trials: Sequence[Trial], *, every: int = 1) -> pd.DataFrame:
    """PSNR, SSIM and LMD of every method and person, both conventions.

    Parameters
    ----------
    every : frames from one that is measured to the next

    Returns
    -------
    a row for each; columns method, person and those of ``Measure``
    """
    rows = []
    for trial in trials:
        some = slice(None, None, every)
        real, true = trial.pictures[REAL][some], trial.points[REAL][some]
        for method, made in trial.pictures.items():
            seen = trial.points[method][some]
            taken = table_two(
                list(real), list(made[some]), true, seen, crop=trial.crop, network=LANDMARKER
            )
            rows += [{"method": method, "person": trial.name, **asdict(m)} for m in taken]
    return pd.DataFrame(rows)


def means(rows: pd.DataFrame) -> pd.DataFrame:
    """Means of ``scores`` over the people.

    Returns
    -------
    a row for each method, measure and convention, with ``sd``, its deviation over the people, the
    frames that counted and those left out because no face was found
    """
    told = ["method", "name", "convention", "unit", "crop", "alignment", "network"]
    groups = rows.groupby(told, sort=False)
    table = groups.agg(
        value=("value", "mean"),
        sd=("value", _deviation),
        people=("person", "count"),
        frames=("frames", "sum"),
        undetected=("undetected", "sum"),
    )
    return table.reset_index()


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """The table of ``means`` with a row for each method and a column for each measure."""
    script = table["convention"].str.startswith("atvg").map({True: ", atvg", False: ""})
    wide = table.assign(column=table["name"] + script)
    columns = list(dict.fromkeys(wide["column"]))
    values = wide.pivot(index="method", columns="column", values="value")
    values["undetected"] = wide.groupby("method")["undetected"].max()
    rows = [method for method in METHODS if method in values.index]
    return values.loc[rows, [*columns, "undetected"]].rename_axis(columns=None).reset_index()


def general_listener(ws: Workspace) -> Listener:
    """A listener (``repro.evaluate.sync``) that learned from the general clips' real lips."""
    return learn_listener(
        (np.asarray(person.audio), lip_gap(person.track.landmarks))
        for person in general_targets(ws)
        if person.audio is not None and len(person) >= FPS
    )


def sync_scores(trials: Sequence[Trial], listener: Listener) -> pd.DataFrame:
    """How lips go with the sound, by method: means over the people in whose pictures faces stand.

    Returns
    -------
    a row for each method: r and confidence (``LipSync``), median offset in frames (nan for lips
    that rest), the largest correlation by chance, people
    """
    found: dict[str, list] = {method: [] for method in METHODS}
    for trial in trials:
        for method, points in trial.points.items():
            seen = np.isfinite(points).all((1, 2))
            if len(points) < _LEAST_SYNC_FRAMES or seen.mean() < 0.5:
                continue
            times = np.arange(len(points))
            gap = np.interp(times, times[seen], lip_gap(points[seen]))
            found[method].append(lip_sync(listener.opening(trial.audio, len(points)), gap))
    rows = [
        {
            "method": method,
            "r": np.mean([s.r for s in sync]),
            "confidence": np.mean([s.confidence for s in sync]),
            "offset": np.median([s.offset if abs(s.best_r) > _RESTS else np.nan for s in sync]),
            "chance_r": np.mean([s.chance_r for s in sync]),
            "people": len(sync),
        }
        for method, sync in found.items()
        if sync
    ]
    columns = ["method", "r", "confidence", "offset", "chance_r", "people"]
    return pd.DataFrame(rows, columns=columns)


def _deviation(values: pd.Series) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.std(ddof=1)) if len(finite) > 1 else float("nan")
