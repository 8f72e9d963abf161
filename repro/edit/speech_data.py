"""Speech with known motion: seconds of sound, expression, and the mouth's landmarks.

People are performed and not filmed (``repro.motion.performed``): the networks of section 3.2 see
sound, expression, shape and pose, and no picture.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from repro import FPS
from repro.corpus.visemes import segments
from repro.edit.speech_settings import EditSpeechSettings
from repro.motion.data import HOP, sequence_of, voice_warp
from repro.motion.performed import Performed, performed, performers
from repro.motion.person import MOUTH
from repro.speech.synthesis import VOICES_HIGH, VOICES_LOW

_AFTER_MIDDLE = 14
"""First step of a clip's MFCC sequence after the middle of frame 0 (``repro.speech.features``)."""

VIEWS_RAD = np.deg2rad([[0, 0], [-30, 0], [30, 0], [0, -30], [0, 30], [0, -60], [0, 60]])
"""Pitch and yaw of the seven views of the paper's own recordings: front, up, down, right, left."""


@dataclass(frozen=True)
class SpokenClip:
    """A person speaking over T frames.

    speaker     whose sound it is, the class c of Eq. 2
    sound       (28 + 4 (T - 1), 12) float32, MFCCs every 10 ms
    expression  (T, 64) float32
    pose        (T, 6) float32
    identity    (80,) float32
    visemes     (T,) str, the mouth shape that is spoken in the middle of each frame
    """

    speaker: str
    sound: np.ndarray
    expression: np.ndarray
    pose: np.ndarray
    identity: np.ndarray
    visemes: np.ndarray

    def __len__(self) -> int:
        """Frames."""
        return len(self.expression)

    @classmethod
    def of(cls, made: Performed, speaker: str, warp: float = 0.0) -> "SpokenClip":
        """What a performed person says and does.

        ``warp``: of the frequency axis, for another vocal tract than the voice's; silence stays.
        """
        times = (np.arange(len(made.motion)) + 0.5) / FPS
        keys, _, ends = zip(*segments(made.phonemes), strict=True)
        spoken = np.minimum(np.searchsorted(ends, times, side="right"), len(keys) - 1)
        return cls(
            speaker,
            (sequence_of(made.windows) @ voice_warp(warp, made.windows.shape[-1]).T).astype(
                np.float32
            ),
            made.motion.expression,
            made.motion.pose,
            np.asarray(made.person.identity, np.float32),
            np.asarray(keys)[spoken],
        )


def still(clip: SpokenClip) -> SpokenClip:
    """The same speech with the head at rest in its mean pose."""
    pose = np.broadcast_to(clip.pose.mean(0), clip.pose.shape).astype(np.float32)
    return replace(clip, pose=pose)


def seen_from(clip: SpokenClip, view: int) -> SpokenClip:
    """The same motion with the head turned as in one of ``VIEWS_RAD``."""
    pose = clip.pose.copy()
    pose[:, :2] += VIEWS_RAD[view]
    return replace(clip, pose=pose)


def mouth_channels(names: Sequence[str]) -> np.ndarray:
    """Places (K,) of the expressions of mouth and jaw."""
    return np.array([k for k, name in enumerate(names) if name.startswith(MOUTH)])


class SpeechSet:
    """Frames of some clips, as tensors.

    Windows of sound are cut when they are asked for; before and after a clip there is silence
    (MFCCs of zero). ``before`` is how many of their steps lie before the frame's middle.
    """

    def __init__(
        self,
        clips: Sequence[SpokenClip],
        settings: EditSpeechSettings,
        *,
        speakers: Iterable[str] = (),
    ):
        """Take the classes c from ``speakers``; clips of others get -1."""
        before, after = settings.before_ms // 10, settings.after_ms // 10
        classes = list(speakers)
        parts, starts, first = [], [], 0
        for clip in clips:
            padded = np.pad(clip.sound, ((before, before + after), (0, 0)))
            parts.append(padded)
            starts.append(first + _AFTER_MIDDLE + HOP * np.arange(len(clip)))
            first += len(padded)
        self.clips = list(clips)
        self._batch = settings.batch, settings.utterance_windows
        self.before = before
        self._edges = np.cumsum([0, *map(len, clips)])
        self._sound = torch.from_numpy(np.concatenate(parts))
        self._start = torch.from_numpy(np.concatenate(starts))
        self._steps = torch.arange(before + after)
        self.expression = torch.from_numpy(np.concatenate([c.expression for c in clips]))
        self.pose = torch.from_numpy(np.concatenate([c.pose for c in clips]))
        self.person = torch.from_numpy(np.repeat(np.arange(len(clips)), [len(c) for c in clips]))
        self.identity = torch.from_numpy(np.stack([c.identity for c in clips]))
        numbers = [classes.index(c.speaker) if c.speaker in classes else -1 for c in clips]
        self.label = torch.tensor(numbers)[self.person]

    def __len__(self) -> int:
        """Frames of all clips."""
        return len(self._start)

    def windows(self, frames: Tensor | slice) -> Tensor:
        """The sound around some frames: (B, 100, 12) MFCCs every 10 ms.

        80 of the paper's 100 lie before the frame's middle, 20 after it.
        """
        return self._sound[self._start[frames][:, None] + self._steps]

    def draw(self, rng: np.random.Generator) -> Tensor:
        """A batch of frames (B,): ``utterance_windows`` of each of some clips that are drawn."""
        batch, together = self._batch
        first = rng.integers(len(self), size=batch // together)
        own = [self.frames(int(self.person[frame])) for frame in first]
        frames = [rng.integers(clip.start, clip.stop, together) for clip in own]
        return torch.from_numpy(np.concatenate(frames))

    def frames(self, clip: int) -> slice:
        """Frames of a clip."""
        return slice(int(self._edges[clip]), int(self._edges[clip + 1]))


@dataclass(frozen=True)
class SpeechCorpus:
    """Who is learned from and who is tested on.

    speakers  heard in training, the classes of Eq. 2: a voice and, after "/", which vocal tract
    train     people with their sound
    heard     other people with their sound
    unheard   people with the sound of speakers whose voices nobody in ``train`` has
    """

    speakers: tuple[str, ...]
    train: tuple[SpokenClip, ...]
    heard: tuple[SpokenClip, ...]
    unheard: tuple[SpokenClip, ...]


def speech_corpus(
    settings: EditSpeechSettings,
    names: Sequence[str],
    *,
    seed: int,
    held_out: Sequence[str] = (),
) -> SpeechCorpus:
    """Perform everybody.

    Parameters
    ----------
    names : of the 64 numbers of expression
    seed : of who they are, what they say, and whose voices are held out
    held_out : these voices, where they are not to be drawn; none for drawn ones
    """
    rng = np.random.default_rng(seed)
    half = settings.held_out_voices // 2
    out = [str(v) for low in (VOICES_LOW, VOICES_HIGH) for v in rng.choice(low, half, False)]
    out = list(held_out) or out
    voices = VOICES_LOW + VOICES_HIGH
    known = [voice for voice in voices if voice not in out]
    per = settings.speakers_per_voice
    reach = settings.vocal_tract
    warps = {f"{v}/{k}": rng.uniform(-reach, reach) for v in voices for k in range(per)}

    def people(without: Sequence[str], first: int, count: int) -> tuple[SpokenClip, ...]:
        numbers = islice(performers(seed, without=without), first, first + count)
        clips, heard = [], Counter[str]()
        for number in numbers:
            made = performed(number, settings.person_s, names)
            voice = made.person.voice
            speaker = f"{voice}/{heard[voice] % per}"
            heard[voice] += 1
            clips.append(SpokenClip.of(made, speaker, warps[speaker]))
        return tuple(clips)

    return SpeechCorpus(
        tuple(f"{voice}/{k}" for voice in known for k in range(per)),
        people(out, 0, settings.people),
        people(out, settings.people, settings.test_people),
        people(known, 0, settings.test_people),
    )
