"""Models of one person made and measured for the studies (notebooks 07 and 10).

Every part of a model is a stage of its own, so two models that differ in one part share the rest.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from repro import assets
from repro.config import Profile
from repro.evaluate.lips import lip_gap
from repro.evaluate.measure import Measure
from repro.evaluate.pictures import picture_scores
from repro.files import write_json
from repro.motion.mapping import MotionMapping
from repro.motion.motion import Motion
from repro.motion.predict import regress
from repro.perform import Performance, perform, refined, rendered, retraced
from repro.pipeline.motion import personal_motion
from repro.pipeline.refinement import personal_refiner
from repro.pipeline.rendering import pairs, render_settings, renderer
from repro.pipeline.targets import Target, personal_targets, study_targets
from repro.pipeline.workspace import Workspace
from repro.processes import one_thread
from repro.refine.identity import identity_network
from repro.refine.refine import Refiner, empty_memory
from repro.render.albedo import most_neutral_frame
from repro.render.background import Backgrounds
from repro.render.face import FaceRenderer
from repro.study.ablations import Variant, full_profile, overridden
from repro.study.frame_count import divided
from repro.study.metrics import Spoken, background_flicker, motion_measures, picture_measures

_CODE = (
    "face", "motion", "render", "refine", "perform", "evaluate", "study", "adversarial", "fabric",
    "weights",
)  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A person to study, and what is learned from and tested on.

    ws       whose profile is the full model's
    person   the clip
    further  other clips of the person, whose sound is tested too
    learned  frames learned from, the clip's first
    start    the first tested frame
    count    tested frames whose pictures are measured
    """

    ws: Workspace
    person: Target
    further: tuple[Target, ...]
    learned: int
    start: int
    count: int

    @cached_property
    def sounds(self) -> list[tuple[np.ndarray, Motion]]:
        """MFCC windows (T, 28, 12) of the tested sounds, and what the person did to them."""
        own = (self.person.windows[self.start :], self.person.motion[self.start :])
        return [own, *((clip.windows, clip.motion) for clip in self.further)]

    @property
    def tested(self) -> slice:
        """The frames whose pictures are measured."""
        return slice(self.start, self.start + self.count)

    @cached_property
    def _drawn(self) -> dict[str, FaceRenderer]:
        return {}

    def renderer(self, albedo: str) -> FaceRenderer:
        """What draws the person with an albedo; made once."""
        if albedo not in self._drawn:
            self._drawn[albedo] = renderer(self.ws, self.person, frames=self.learned, albedo=albedo)
        return self._drawn[albedo]

    @property
    def key(self) -> Mapping[str, object]:
        """What all its stages depend on."""
        return {
            "person": self.person.key,
            "further": [clip.key for clip in self.further],
            "learned": self.learned,
            "start": self.start,
            "count": self.count,
            "model": self.ws.model.sha256,
        }


@dataclass(frozen=True)
class Outcome:
    """A model of a subject, fine-tuned with one seed and measured.

    measures  of pictures and motion
    pictures  (count, H, W, 3) uint8, the tested frames retraced and refined
    spoken    (n, H, W, 3) uint8, the first n frames of the video spoken by the tested sound
    curves    (n,) by name, of that video
    seconds   that rendering the frames learned from and learning took, by part
    """

    measures: tuple[Measure, ...]
    pictures: np.ndarray
    spoken: np.ndarray
    curves: Mapping[str, np.ndarray]
    seconds: Mapping[str, float]


def outcome(subject: Subject, profile: Profile, *, seed: int, spoken_frames: int) -> Outcome:
    """Fine-tune a model with some settings and one seed, and measure it.

    The general networks are trained with the workspace's seed; where the settings leave them as
    they are, notebooks 03 and 06 made them.

    Parameters
    ----------
    profile : of the model; rendering for training but the albedo is the subject's workspace's
    spoken_frames : to be drawn of the video spoken by the tested sound, 0 or more
    """
    ws, person = subject.ws, subject.person
    motion_ws = _with(ws, motion=profile.motion)
    refine_ws = _with(ws, refine=profile.refine, refine_general=profile.refine_general)
    mapping, heard, motion_key = personal_motion(
        motion_ws, person, frames=subject.learned, seed=seed
    )
    refiner, seen, refine_key = personal_refiner(
        refine_ws, person, frames=subject.learned, albedo=profile.render.albedo, seed=seed
    )
    if profile.ablations.fixed_identity:
        refiner = with_one_identity(refiner, _mean_identity(subject))
    refined_by = {"refiner": refine_key, "fixed_identity": profile.ablations.fixed_identity}
    pictures = _pictures(subject, refiner, profile, {**subject.key, **refined_by})
    heard_by = {**subject.key, "mapping": motion_key, **(refined_by if spoken_frames else {})}
    spoken = _spoken(subject, mapping, refiner, profile, heard_by, seed=seed, count=spoken_frames)
    with np.load(spoken / "curves.npz") as stored:
        curves = dict(stored)
    return Outcome(
        (*_read_measures(pictures), *_read_measures(spoken)),
        np.load(pictures / "frames.npy", mmap_mode="r"),
        np.load(spoken / "frames.npy", mmap_mode="r"),
        curves,
        {
            "rendering": subject.learned * _seconds_per_frame(subject, profile.render.albedo),
            "motion": heard.seconds,
            "refinement": seen.seconds,
        },
    )


def _with(ws: Workspace, **sections: object) -> Workspace:
    return replace(ws, profile=ws.profile.model_copy(update=sections))


def with_one_identity(refiner: Refiner, identity: np.ndarray) -> Refiner:
    """The same refiner, whose memory answers every query with one feature (D,)."""
    one = refiner.settings.model_copy(update={"memory_slots": 1})
    memory = empty_memory(one, identity_dim=len(identity))
    feature = torch.from_numpy(np.asarray(identity, np.float32))[None]
    memory.update(torch.ones(1, one.spatial_dim), feature)
    return replace(refiner, memory=memory.eval().to(refiner.memory.keys.device))


def _mean_identity(subject: Subject) -> np.ndarray:
    n = subject.learned
    return pairs(subject.ws, subject.person, frames=n, albedo_frames=n).identity.mean(0)


def _traced(subject: Subject, albedo: str) -> Path:
    """The tested frames drawn from their reconstruction, before refinement, with their masks."""
    key = {**subject.key, "render": render_settings(subject.ws, albedo)}

    def make(folder: Path) -> None:
        frames = range(subject.start, subject.start + subject.count)
        drawn, times = [], [time.perf_counter()]
        for picture in retraced(subject.renderer(albedo), subject.person, frames):
            drawn.append(picture)
            times.append(time.perf_counter())
        np.save(folder / "frames.npy", np.stack([frame for frame, _ in drawn]))
        np.save(folder / "masks.npy", np.stack([mask for _, mask in drawn]))
        write_json(folder / "cost.json", {"seconds_per_frame": float(np.median(np.diff(times)))})

    return subject.ws.stage("study-traced", key, make, "face", "render", "perform")


def _seconds_per_frame(subject: Subject, albedo: str) -> float:
    record = json.loads((_traced(subject, albedo) / "cost.json").read_text(encoding="utf-8"))
    return float(record["seconds_per_frame"])


def _pictures(
    subject: Subject, refiner: Refiner, profile: Profile, made_by: Mapping[str, object]
) -> Path:
    """The tested frames refined, and how near they are to the real ones."""
    traced = _traced(subject, profile.render.albedo)
    person, tested = subject.person, subject.tested

    def make(folder: Path) -> None:
        drawn = (np.load(traced / f"{name}.npy") for name in ("frames", "masks"))
        outputs = list(refined(refiner, zip(*drawn, strict=True)))
        made, masks = (list(part) for part in zip(*outputs, strict=True))
        np.save(folder / "frames.npy", np.stack(made))
        measures = picture_measures(
            made,
            list(np.asarray(person.frames[tested])),
            [mask > 0 for mask in masks],
            person.track.landmarks[tested],
            identity_network(assets.find("arcface")),
        )
        _write_measures(folder, measures)

    return subject.ws.stage("study-pictures", {**made_by, "traced": traced.name}, make, *_CODE)


def _spoken(
    subject: Subject,
    mapping: MotionMapping,
    refiner: Refiner,
    profile: Profile,
    made_by: Mapping[str, object],
    *,
    seed: int,
    count: int,
) -> Path:
    """What the tested sounds make of the person: its motion measured, some of it drawn."""
    ws, person = subject.ws, subject.person
    key = {
        **made_by,
        "seed": seed,
        "drawn": count,
        "render": profile.render,
        "talk": profile.talk,
        "still_head": profile.ablations.still_head,
    }

    def make(folder: Path) -> None:
        performances, spoken = [], []
        for windows, true in subject.sounds:
            with one_thread():
                performance = _performance(subject, mapping, windows, profile, seed)
                heard = regress(mapping, windows)
            performances.append(performance)
            spoken.append(Spoken(true, heard, performance.motion, performance.backgrounds.frame))
        masks = pairs(ws, person, frames=subject.learned, albedo_frames=subject.learned).face_mask
        flicker = background_flicker(person.frames, masks, [s.background for s in spoken])
        _write_measures(folder, [*motion_measures(spoken, person.track, ws.model), flicker])
        made = np.zeros((0, *person.frames.shape[1:]), np.uint8)
        if count:
            draw = subject.renderer(profile.render.albedo)
            first = islice(rendered(draw, performances[0], person), count)
            made = np.stack([frame for frame, _ in refined(refiner, first)])
        np.save(folder / "frames.npy", made)
        curves = motion_curves(subject, spoken[0].shown[:count])
        np.savez(folder / "curves.npz", **curves)  # type: ignore[arg-type]

    return ws.stage("study-spoken", key, make, *_CODE)


def _performance(
    subject: Subject, mapping: MotionMapping, windows: np.ndarray, profile: Profile, seed: int
) -> Performance:
    performance = perform(
        mapping,
        windows,
        subject.person,
        learned=subject.learned,
        names=subject.ws.model.expression_names,
        profile=profile,
        seed=seed,
    )
    if not profile.ablations.still_head:
        return performance
    return held_still(performance, subject.person.motion.pose[0])


def held_still(performance: Performance, pose: np.ndarray) -> Performance:
    """The same expressions with the head at one pose (6,), that of the first background."""
    expression = performance.motion.expression
    poses = np.repeat(np.asarray(pose, np.float32)[None], len(expression), axis=0)
    backgrounds = Backgrounds(np.zeros(len(poses), np.float32), poses, np.array([0]))
    return Performance(Motion(expression, poses), poses, backgrounds)


def motion_curves(subject: Subject, motion: Motion) -> dict[str, np.ndarray]:
    """What the comparison draws beside the pictures: (T,) by name."""
    pitch, yaw = np.degrees(motion.pose[:, :2]).T
    gap = np.zeros(0)
    if len(motion):
        gap = lip_gap(subject.person.track.shape_landmarks(subject.ws.model, motion.expression))
    return {"yaw (degrees)": yaw, "pitch (degrees)": pitch, "lip gap (%)": gap}


def ablation_subject(
    ws: Workspace, person: Target, further: Sequence[Target], *, learned: int
) -> Subject:
    """Whom notebook 07 studies, with the study's full model: tested are the frames after those."""
    full = full_profile(ws.profile)
    count = min(full.ablations.test_frames, len(person) - learned)
    return Subject(replace(ws, profile=full), person, tuple(further), learned, learned, count)


def ablation_outcomes(
    subject: Subject, variants: Sequence[Variant]
) -> dict[tuple[str], list[Outcome]]:
    """Every variant with every seed, by its name; the first seed's are drawn for looking at."""
    ws, given = subject.ws, subject.ws.profile.ablations
    plan = [(variant, k) for k in range(given.seeds) for variant in variants]
    found: dict[tuple[str], list[Outcome]] = {(variant.name,): [] for variant in variants}
    for variant, k in tqdm(plan, desc="ablations", unit="model"):
        found[variant.name,].append(
            outcome(
                subject,
                overridden(ws.profile, variant.overrides),
                seed=ws.seed + k,
                spoken_frames=given.shown_frames if k == 0 else 0,
            )
        )
    return found


def frame_count_people(ws: Workspace) -> list[Target]:
    """Whom notebook 10 studies: the study clip where there is one, then others' personal clips."""
    study = study_targets(ws)
    others = personal_targets(ws)[len(study) :]
    return [*study, *others][: ws.profile.frame_count.people]


def frame_count_subjects(ws: Workspace, people: Sequence[Target]) -> list[Subject]:
    """What notebook 10 learns from: each count of frames of each clip, rising.

    All counts of a clip are tested on the same frames, its last.
    """
    given = ws.profile.frame_count
    spent = {"motion.fine_tune_epochs": given.motion_epochs, "refine.steps": given.refine_steps}
    spent = {name: value for name, value in spent.items() if value is not None}
    ws = replace(ws, profile=overridden(ws.profile, spent))
    plans = [(person, *divided(len(person), given.counts, given.test_frames)) for person in people]
    return [
        Subject(ws, person, (), count, len(person) - tested, tested)
        for person, counts, tested in plans
        for count in counts
    ]


def frame_count_outcomes(subjects: Sequence[Subject]) -> dict[tuple[str, int], list[Outcome]]:
    """The model learned by each subject, every seed of it, by clip's name and count of frames."""
    found: dict[tuple[str, int], list[Outcome]] = {}
    plan = [
        (subject, k) for subject in subjects for k in range(subject.ws.profile.frame_count.seeds)
    ]
    for subject, k in tqdm(plan, desc="frame counts", unit="model"):
        made = outcome(subject, subject.ws.profile, seed=subject.ws.seed + k, spoken_frames=0)
        found.setdefault((subject.person.name, subject.learned), []).append(made)
    return found


def before_refinement(subjects: Sequence[Subject]) -> pd.DataFrame:
    """What is drawn of the tested frames before refinement, and which frame it has its albedo from.

    Returns
    -------
    a row for each subject: person, frames_learned, albedo_frame (the clip's, from 0; none where the
    albedo is the low-frequency one), value (PSNR of the face, dB, data range 255)
    """
    rows = []
    for subject in subjects:
        person, n, albedo = subject.person, subject.learned, subject.ws.profile.render.albedo
        known = person.track.coefficients
        best = most_neutral_frame(known.expression[:n], known.pose[:n])
        traced = _traced(subject, albedo)
        pictures = {
            "drawn": np.load(traced / "frames.npy", mmap_mode="r"),
            "real": person.frames[subject.tested],
        }
        masks = np.load(traced / "masks.npy", mmap_mode="r") > 0
        scores = picture_scores(pictures, masks, real="real").iloc[0]
        rows.append(
            {
                "person": person.name,
                "frames_learned": n,
                "albedo_frame": best if albedo == "detailed" else None,
                "value": scores["face_psnr"],
            }
        )
    return pd.DataFrame(rows)


def outcome_table(
    outcomes: Mapping[tuple[str | int, ...], Sequence[Outcome]],
    names: Sequence[str],
    *,
    first_seed: int,
) -> pd.DataFrame:
    """A row for each measure of each model and seed.

    Parameters
    ----------
    outcomes : by what tells the models apart, which ``names`` names

    Returns
    -------
    the names, seed, and the fields of ``Measure``
    """
    return pd.DataFrame(
        {**dict(zip(names, key, strict=True)), "seed": first_seed + k, **asdict(measure)}
        for key, tries in outcomes.items()
        for k, tried in enumerate(tries)
        for measure in tried.measures
    )


def cost_table(outcomes: Mapping[tuple[str, int], Sequence[Outcome]]) -> pd.DataFrame:
    """Mean seconds of one fine-tuning by count: columns frames, part, seconds."""
    rows = pd.DataFrame(
        {"frames": frames, "part": part, "seconds": seconds}
        for (_, frames), tries in outcomes.items()
        for tried in tries
        for part, seconds in tried.seconds.items()
    )
    return rows.groupby(["frames", "part"], sort=False, as_index=False).mean()


def changed_pictures(outcomes: Mapping[tuple[str], Sequence[Outcome]]) -> dict[str, np.ndarray]:
    """The first seed's tested frames by variant, without those that equal the full model's."""
    (full, *_), *_ = outcomes.values()
    return {
        name: tries[0].pictures
        for (name,), tries in outcomes.items()
        if tries[0] is full or not np.array_equal(tries[0].pictures, full.pictures)
    }


def _write_measures(folder: Path, measures: Sequence[Measure]) -> None:
    write_json(folder / "measures.json", [asdict(measure) for measure in measures])


def _read_measures(folder: Path) -> list[Measure]:
    rows = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    return [Measure(**row) for row in rows]
