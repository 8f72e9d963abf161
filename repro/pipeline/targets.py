"""The corpus, and its clips reconstructed (notebooks 01 and 02; Yi et al. 2020, section 3.1)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from repro import FPS
from repro.config import SYNTHETIC
from repro.corpus.clip import Clip
from repro.corpus.folder import folder_corpus
from repro.corpus.plan import GENERAL, PERSONAL, SPLITS, STUDY
from repro.corpus.readers import read_recordings, recognise
from repro.corpus.recording import TEST, TRAIN, Recording, spread, usable
from repro.corpus.synthetic import Corpus, make_corpus
from repro.errors import UserError
from repro.motion.motion import Motion
from repro.pipeline.workspace import Workspace, source_digest
from repro.processes import beside_others, one_thread, side_by_side
from repro.reconstruct.reconstruct import reconstruct
from repro.reconstruct.track import FaceTrack
from repro.speech.features import mfcc_windows
from repro.store import digest, file_hash

_CODE = "face", "reconstruct"

SHORTEST_S = 2.0
HELD_OUT = 50
"""Frames of the personal clip that are never learned from, at least: notebook 04 tests on them."""
LOOKED_AT = 64
"""Recordings of a large corpus of which the longest becomes the personal clip."""


@dataclass(frozen=True)
class Target:
    """A person to be made to speak: what reconstruction knows of a clip of theirs.

    name    of the clip, for messages
    key     hash of the video and of how it was reconstructed
    clip    the source video
    frames  (T, 256, 256, 3) uint8, its square crop (memory-mapped)
    track   the face in it
    audio   (N,) float32 at 16 kHz (memory-mapped), or None for a video without sound
    """

    name: str
    key: str
    clip: Clip
    frames: np.ndarray
    track: FaceTrack
    audio: np.ndarray | None

    def __len__(self) -> int:
        """Frames."""
        return len(self.track)

    @property
    def motion(self) -> Motion:
        """Expression and pose as reconstructed."""
        return Motion(self.track.coefficients.expression, self.track.coefficients.pose)

    @property
    def windows(self) -> np.ndarray:
        """MFCC windows (T, 28, 12) of the clip's own sound.

        Raises
        ------
        UserError
            The clip has no sound.
        """
        if self.audio is None:
            raise UserError(f"Clip '{self.name}' has no sound to learn the motion from.")
        return mfcc_windows(self.audio, len(self))


def corpus(ws: Workspace, *splits: str, part: tuple[int, int] = (1, 1)) -> Corpus:
    """The synthetic corpus of this profile; what is missing of some splits (all) is made.

    Notebook 01. Machines that share the results' folder can make a ``part`` (2 of 8) each before.
    """
    settings = ws.profile.corpus
    key = {
        "corpus": settings.model_dump(exclude={"workers", "threads"}),
        "model": ws.model.sha256,
        "code": source_digest("corpus", "speech"),
    }
    folder = ws.root / "corpus" / digest(key)
    with tqdm(desc="corpus", unit="clip", leave=False, disable=beside_others()) as bar:

        def progress(done: int, planned: int, name: str) -> None:
            bar.total = planned
            bar.set_postfix_str(name, refresh=False)
            bar.update(done - bar.n)

        return make_corpus(folder, settings, splits=splits or SPLITS, part=part, progress=progress)


def target(
    ws: Workspace,
    video: Path | str,
    *,
    frames: int | None = None,
    audio: Path | None = None,
    min_s: float = SHORTEST_S,
) -> Target:
    """Reconstruct a video's first frames (default: all), or read what was reconstructed before.

    Parameters
    ----------
    audio : the sound, where it is not the video's own
    min_s : the shortest video that is taken

    Raises
    ------
    UserError
        Not a usable video, or no face in it.
    """
    recording = Recording(Path(video), audio)
    clip = recording.clip(min_s=min_s)
    heard = clip.has_audio or audio is not None
    key = _key(ws, recording, clip, frames)

    def make(folder: Path) -> None:
        with one_thread():
            made = reconstruct(
                clip, ws.model, ws.profile.reconstruct, frames=frames, store=folder / "frames.npy"
            )
        made.track.save(folder / "track.npz")
        if heard:
            np.save(folder / "audio.npy", recording.sound())

    folder = ws.stage("reconstruct", key, make, *_CODE)
    return Target(
        clip.path.stem,
        folder.name,
        clip,
        np.load(folder / "frames.npy", mmap_mode="r"),
        FaceTrack.load(folder / "track.npz"),
        np.load(folder / "audio.npy", mmap_mode="r") if heard else None,
    )


def _key(
    ws: Workspace, recording: Recording, clip: Clip, frames: int | None = None
) -> dict[str, object]:
    """What a reconstruction depends on, beside the code."""
    key: dict[str, object] = {
        "video": file_hash(clip.path),
        "frames": min(frames or clip.frames, clip.frames),
        "settings": ws.profile.reconstruct,
        "model": ws.model.sha256,
    }
    if recording.audio is not None:
        key["audio"] = file_hash(recording.audio)
    return key


def recordings(ws: Workspace, split: str) -> list[Recording]:
    """The recordings of a split (``plan.SPLITS``) of the workspace's corpus.

    In a folder laid out like a known corpus (``repro.corpus.readers``), general are recordings of
    its training split, evenly over the speakers and as many as the profile's ``people`` times
    ``general_clips``; personal is the longest of some of its test split. In any other folder of
    videos the longest one is the personal clip and the others are general. Only the synthetic
    corpus has further splits.

    Raises
    ------
    UserError
        A folder with fewer than two videos; a corpus without a usable recording of the split, or
        with none that is long enough for the personal one.
    """
    if ws.corpus == SYNTHETIC:
        return [Recording(entry.video, text=entry.text) for entry in corpus(ws, split).split(split)]
    if split not in (GENERAL, PERSONAL):
        return []
    if recognise(ws.corpus) is not None:
        return _known_corpus(ws, split)
    clips = folder_corpus(ws.corpus, min_s=window_s(ws))
    if len(clips) < 2:
        raise UserError(f"Folder '{ws.corpus}' holds {len(clips)} videos; at least 2 are needed.")
    longest = max(clips, key=lambda clip: clip.frames)
    if split == PERSONAL:
        _check_personal(ws, longest)
    chosen = [clip for clip in clips if (clip is longest) == (split == PERSONAL)]
    return [Recording(clip.path) for clip in chosen]


def _known_corpus(ws: Workspace, split: str) -> list[Recording]:
    settings = ws.profile.corpus
    count = LOOKED_AT if split == PERSONAL else settings.people * settings.general_clips
    theirs = TEST if split == PERSONAL else TRAIN
    candidates = [r for r in read_recordings(ws.corpus) if r.split == theirs]
    opened = usable(spread(candidates, count), min_s=window_s(ws))
    if not opened:
        raise UserError(
            f"Corpus '{ws.corpus}': none of {len(candidates)} recordings of its split '{theirs}' "
            "can be used; unpack that part of it too."
        )
    if split == PERSONAL:
        opened = [max(opened, key=lambda pair: pair[1].frames)]
        _check_personal(ws, opened[0][1])
    return [recording for recording, _ in opened]


def _check_personal(ws: Workspace, longest: Clip) -> None:
    """Refuse a corpus whose personal clip leaves nothing to learn from beside what is tested on."""
    least = HELD_OUT + ws.profile.motion.window_frames
    if longest.frames < least:
        raise UserError(
            f"Corpus '{ws.corpus}': the longest clip for the personal mapping, "
            f"'{longest.path.name}', has {longest.frames} frames, and {least} are needed; clips of "
            "single words serve general training alone, so add a longer clip of one person."
        )


def window_s(ws: Workspace) -> float:
    """The length of a training window: no shorter clip is of use."""
    return ws.profile.motion.window_frames / FPS


def videos(ws: Workspace, split: str) -> list[Path]:
    """The videos of ``recordings``."""
    return [recording.video for recording in recordings(ws, split)]


def general_targets(ws: Workspace) -> list[Target]:
    """All general clips of the corpus, reconstructed (notebook 02)."""
    return _targets(ws, GENERAL)


def personal_targets(ws: Workspace) -> list[Target]:
    """The held-out people's long clips, reconstructed (notebook 02)."""
    return _targets(ws, PERSONAL)


def further_targets(ws: Workspace) -> list[Target]:
    """Second clips of the same people in the same order, reconstructed; [] where there are none."""
    return _targets(ws, TEST)


def study_targets(ws: Workspace) -> list[Target]:
    """The very long clip of the first of them, reconstructed; [] where there is none."""
    return _targets(ws, STUDY)


def _targets(ws: Workspace, split: str) -> list[Target]:
    clips = recordings(ws, split)
    missing = [(ws, clip) for clip in clips if not _is_made(ws, clip)]
    made = side_by_side(_make, missing, workers=ws.profile.corpus.workers)
    what, count = f"reconstruction, {split}", len(missing)
    for _ in tqdm(made, desc=what, total=count, unit="clip", disable=not missing):
        pass
    return [_target(ws, clip) for clip in clips]


def _target(ws: Workspace, recording: Recording) -> Target:
    return target(ws, recording.video, audio=recording.audio, min_s=window_s(ws))


def _is_made(ws: Workspace, recording: Recording) -> bool:
    key = _key(ws, recording, recording.clip(min_s=window_s(ws)))
    return ws.is_made("reconstruct", key, *_CODE)


def _make(ws: Workspace, recording: Recording) -> None:
    """Reconstruct, in a process of its own; what was made is then read from its folder."""
    _target(ws, recording)
