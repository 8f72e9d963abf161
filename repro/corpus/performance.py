"""How a synthetic person speaks: speech -> expression and head pose over time.

The mouth follows the phonemes (``repro.corpus.visemes``). Blinks, gaze, brows and head are made
the way people move them: the head settles into a new posture at each phrase, drifts slowly, and
nods on loud syllables, so that head motion is partly, and only partly, predictable from sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro import FPS, SAMPLE_RATE
from repro.corpus.people import Person
from repro.corpus.visemes import REST, mouth_actions, segments
from repro.face.coefficients import EXPRESSION
from repro.face.pose import rotation_matrix
from repro.speech.synthesis import Phoneme

NECK_BASE_M = np.array([0.0, 0.105, 0.012])
"""The lower joint of the neck, seen from the head's pivot in model space."""
_NECK_SHARE = 0.45
"""Share of the head's rotation that happens at the lower joint."""
_PAUSE_S = 0.12
_BREATH_PAUSE_S, _BREATH_S = 0.25, 0.45
_BREATH_PITCH_RAD, _BREATH_RISE_M = np.deg2rad(0.8), 0.002
_EYE_RANGE_RAD = np.deg2rad(28)
"""Rotation of the eye at weight 1 of an eyeLook action."""


@dataclass(frozen=True)
class Performance:
    """What a face does over a clip at 25 fps.

    expression (T, 64) float32, weights of the expression basis
    pose       (T, 6) float32, pitch, yaw, roll (radians) and translation (metres)
    loudness   (T,) float32 in [0, 1], of the sound
    """

    expression: np.ndarray
    pose: np.ndarray
    loudness: np.ndarray

    def __len__(self) -> int:
        """Frames."""
        return len(self.pose)

    def __getitem__(self, frames: slice) -> "Performance":
        """Some of the frames."""
        return Performance(self.expression[frames], self.pose[frames], self.loudness[frames])


def perform(
    audio: np.ndarray,
    phonemes: Sequence[Phoneme],
    person: Person,
    *,
    frames: int,
    seed: int,
    names: Sequence[str],
) -> Performance:
    """Act out a piece of speech.

    Parameters
    ----------
    audio : (N,) float32, mono 16 kHz
    phonemes : with times in seconds
    person : whose habits are used
    frames : T, at 25 fps; frame t shows the time t / 25
    seed : of everything the speech leaves open
    names : the 64 names of the expression basis, the 52 ARKit actions first
    """
    rng = np.random.default_rng([person.seed, seed])
    times = np.arange(frames) / FPS
    loud = loudness(audio, frames)
    beats = _beats(loud, rng)
    expression = np.zeros((frames, EXPRESSION))
    expression[:, :52] = mouth_actions(
        phonemes,
        times,
        names[:52],
        strength=person.articulation[:52],
        vigour=0.72 + 0.5 * loud,
    )
    angles = head_angles(times, loud, beats, phonemes, person, rng)
    acts = {name: k for k, name in enumerate(names)}
    for add in (_add_brows, _add_mood):
        add(expression, acts, times, beats, person, rng)
    gaze = _add_gaze(expression, acts, times, angles, rng)
    _add_blinks(expression, acts, times, phonemes, gaze, person, rng)
    pose = np.concatenate([angles, _translation(angles, times, person, rng)], 1)
    _add_breath(expression, pose, acts, times, phonemes)
    return Performance(np.clip(expression, 0, 1).astype(np.float32), pose.astype(np.float32), loud)


def loudness(audio: np.ndarray, frames: int) -> np.ndarray:
    """Loudness (T,) float32 in [0, 1] at each frame, smoothed over three.

    In dB: 1 at the 97th percentile of the clip, 0 from 30 dB below it.
    """
    step = SAMPLE_RATE // FPS
    padded = np.zeros(step * (frames + 1), np.float32)
    used = audio[: step * frames + step // 2]
    padded[step // 2 : step // 2 + len(used)] = used
    windows = padded[: step * frames].reshape(frames, step)
    db = 10 * np.log10((windows**2).mean(1) + 1e-7)
    top = np.percentile(db, 97)
    level = np.clip((db - top + 30) / 30, 0, 1)
    return np.convolve(np.pad(level, 1, "edge"), [0.25, 0.5, 0.25], "valid").astype(np.float32)


def head_angles(times, loud, beats, phonemes, person: Person, rng) -> np.ndarray:
    """Pitch, yaw, roll (T, 3) in radians."""
    style = person.pose_style
    posture = _postures(times, phonemes, rng)
    drift = np.stack([smooth_noise(times, rng, style.speed_hz) for _ in range(3)], 1)
    move = 0.75 * posture + 0.6 * drift
    move[:, 2] = 0.75 * move[:, 2] + style.tilt_with_turn * move[:, 1]
    angles = style.mean_rad + style.sd_rad * move
    slow = np.convolve(np.pad(loud, 6, "edge"), np.hanning(15)[1:-1] / 7.0, "valid")
    angles[:, 0] += style.lift_rad * (slow - slow.mean())
    for beat, size in beats:
        angles[:, 0] += style.nod_rad * size * nod(times - beat)
        angles[:, 1] += style.shake_rad * size * rng.normal() * nod(times - beat)
        angles[:, 2] += 0.4 * style.shake_rad * size * rng.normal() * nod(times - beat)
    return angles


def nod(t: np.ndarray) -> np.ndarray:
    """A beat of the head: a slight lift before the syllable, then down and back (peak about 1)."""
    down = np.exp(-(((t - 0.06) / 0.13) ** 2))
    return (
        down
        - 0.4 * np.exp(-(((t + 0.22) / 0.14) ** 2))
        - 0.15 * np.exp(-(((t - 0.42) / 0.16) ** 2))
    )


def smooth_noise(times: np.ndarray, rng: np.random.Generator, speed_hz: float) -> np.ndarray:
    """Smooth noise (T,) of zero mean and unit variance with most power below ``speed_hz``."""
    waves = 24
    frequency = speed_hz * np.exp(rng.uniform(-2.2, 1.0, waves))
    power = 1 / (1 + (frequency / speed_hz) ** 4)
    amplitude = np.sqrt(2 * power / power.sum())
    phase = rng.uniform(0, 2 * np.pi, waves)
    return np.sin(2 * np.pi * frequency * times[:, None] + phase) @ amplitude


def _beats(loud: np.ndarray, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Loud syllables that the body marks: (time in seconds, size)."""
    rise = np.convolve(np.pad(loud, 3, "edge"), [1, 1, 0, 0, 0, -1, -1], "valid")
    beats, last = [], -10
    for t in range(1, len(loud) - 1):
        peak = loud[t] >= loud[t - 1] and loud[t] > loud[t + 1] and loud[t] > 0.6
        if peak and t - last >= 8:
            last = t
            size = 0.5 * loud[t] + 0.35 * max(rise[max(t - 2, 0)], 0) + 0.15 * rng.normal()
            if rng.random() < 0.85:
                beats.append((t / FPS, float(np.clip(size, 0.1, 1.4))))
    return beats


def _pauses(phonemes: Sequence[Phoneme]) -> list[float]:
    """Middles of the silences, in seconds."""
    parts = segments(phonemes)
    return [(a + b) / 2 for key, a, b in parts if key == REST and b - a > _PAUSE_S]


def _postures(times: np.ndarray, phonemes, rng: np.random.Generator) -> np.ndarray:
    """Head postures (T, 3), unit variance: a new one at pauses and every few seconds."""
    end = times[-1] if len(times) else 0.0
    changes = [t for t in _pauses(phonemes) if 0.3 < t < end]
    t = rng.uniform(0.5, 2.0)
    while t < end:
        if all(abs(t - c) > 0.9 for c in changes):
            changes.append(t)
        t += rng.gamma(4, 0.55)
    current = rng.normal(size=3)
    posture = np.tile(current, (len(times), 1))
    for change in sorted(changes):
        new = 0.35 * current + 0.94 * rng.normal(size=3)
        u = np.clip((times - change + 0.2) / rng.uniform(0.5, 0.95), 0, 1)
        posture += (new - current) * (u**3 * (10 - 15 * u + 6 * u * u))[:, None]
        current = new
    return posture


def _translation(angles, times, person: Person, rng) -> np.ndarray:
    """Where the head's pivot is (T, 3), metres: it swings about the neck's base and sways.

    At the person's mean angles it is at their ``place_m``, but for the sway.
    """
    style = person.pose_style
    lever = -NECK_BASE_M
    swing = rotation_matrix(_NECK_SHARE * (angles - style.mean_rad)) @ lever - lever
    sway = np.stack([smooth_noise(times, rng, 0.22) for _ in range(3)], 1)
    return style.place_m + swing + sway * np.array([0.004, 0.0015, 0.005])


def _bump(times: np.ndarray, start: float, length: float) -> np.ndarray:
    """A smooth rise and fall over ``length`` seconds (peak 1)."""
    u = np.clip((times - start) / length, 0, 1)
    return np.sin(np.pi * u**0.8) ** 2


def _add(expression, acts, name: str, values: np.ndarray | float) -> None:
    """Add to an action, or to both sides of it."""
    sides = (name,) if name in acts else (f"{name}Left", f"{name}Right")
    for side in sides:
        expression[:, acts[side]] += values


def _add_brows(expression, acts, times, beats, person: Person, rng) -> None:
    """Raise the brows on some beats, lower them on a few, and let them drift."""
    for beat, size in beats:
        if rng.random() > person.brow_rate:
            continue
        shape = size * rng.uniform(0.5, 1.0) * _bump(times, beat - 0.22, rng.uniform(0.45, 0.8))
        if rng.random() < 0.8:
            _add(expression, acts, "browInnerUp", 0.55 * shape)
            _add(expression, acts, "browOuterUp", 0.45 * shape)
        else:
            _add(expression, acts, "browDown", 0.4 * shape)
            _add(expression, acts, "eyeSquint", 0.2 * shape)
    _add(expression, acts, "browInnerUp", np.maximum(0.05 * smooth_noise(times, rng, 0.15), 0))
    lowered = 0.06 + 0.06 * smooth_noise(times, rng, 0.15)
    _add(expression, acts, "browDown", np.maximum(lowered, 0))


def _add_mood(expression, acts, times, beats, person: Person, rng) -> None:
    """A lasting, slowly changing friendliness, mostly in the cheeks and corners of the mouth."""
    smile = np.maximum(person.smile * (1 + 0.6 * smooth_noise(times, rng, 0.12)), 0)
    openness = expression[:, acts["mouthPucker"]] + expression[:, acts["mouthFunnel"]]
    _add(expression, acts, "mouthSmile", smile * np.clip(1 - 1.5 * openness, 0, 1))
    _add(expression, acts, "cheekSquint", 0.7 * smile)
    _add(expression, acts, "eyeSquint", 0.02 + 0.4 * smile)


def _add_gaze(expression, acts, times, angles, rng) -> np.ndarray:
    """Eyes that mostly stay with the camera while the head moves. Returns gaze down (T,)."""
    gaze = np.zeros((len(times), 2))  # to the person's left, up; radians
    t = 0.0
    while t < times[-1] + 1:
        away = rng.random() < 0.12
        target = rng.normal(size=2) * (np.deg2rad([7.0, 4.0]) if away else np.deg2rad([1.6, 1.0]))
        stay = rng.uniform(0.35, 0.8) if away else rng.gamma(3, 0.5) + 0.2
        gaze[(times >= t) & (times < t + stay)] = target
        t += stay
    gaze[:, 0] += angles[:, 1]
    gaze[:, 1] += 0.8 * angles[:, 0]
    gaze = np.clip(gaze / _EYE_RANGE_RAD, -0.7, 0.7)
    left, up = gaze.T
    for side, out in (("Left", left), ("Right", -left)):
        expression[:, acts[f"eyeLookOut{side}"]] += np.maximum(out, 0)
        expression[:, acts[f"eyeLookIn{side}"]] += np.maximum(-out, 0)
        expression[:, acts[f"eyeLookUp{side}"]] += np.maximum(up, 0)
        expression[:, acts[f"eyeLookDown{side}"]] += np.maximum(-up, 0)
    return np.maximum(-up, 0)


def _add_breath(expression, pose, acts, times, phonemes) -> None:
    """Breathe in at the longer pauses: lips part a little, and the head rises and comes back."""
    for key, start, end in segments(phonemes):
        if key == REST and end - start > _BREATH_PAUSE_S:
            breath = _bump(times, start, min(end - start, _BREATH_S))
            expression[:, acts["jawOpen"]] += 0.05 * breath
            lift = _bump(times, start - 0.1, 3 * _BREATH_S)
            pose[:, 0] -= _BREATH_PITCH_RAD * lift
            pose[:, 4] -= _BREATH_RISE_M * lift


def blink_shape(t: np.ndarray) -> np.ndarray:
    """Lid closure in [0, 1] at times after a blink's start: 80 ms down, 50 ms shut, 180 ms up."""
    down = np.clip(t / 0.08, 0, 1)
    back = np.clip((t - 0.13) / 0.18, 0, 1)
    return down * down * (3 - 2 * down) * (1 - back * back * (3 - 2 * back)) * (t > 0)


def blink_times(times, phonemes, person: Person, rng) -> list[float]:
    """Starts of the blinks, in seconds: gamma intervals, drawn to the pauses of the speech."""
    starts: list[float] = []
    t = rng.uniform(0.2, 60 / person.blinks_per_min)
    pauses = _pauses(phonemes)
    while t < times[-1]:
        near = [p for p in pauses if abs(p - t) < 0.5]
        if near and rng.random() < 0.6:
            t = near[0] + rng.normal(0, 0.05)
        if not starts or t - starts[-1] > 0.5:
            starts.append(t)
        t += max(rng.gamma(3, 60 / person.blinks_per_min / 3), 0.6)
    return starts


def _add_blinks(expression, acts, times, phonemes, gaze_down, person: Person, rng) -> None:
    """Close the lids at blinks, and partly with the gaze; shut eyes do not squint."""
    shut = 0.25 * gaze_down
    for start in blink_times(times, phonemes, person, rng):
        shut = np.maximum(shut, rng.uniform(0.92, 1.0) * blink_shape(times - start))
    for side in ("Left", "Right"):
        k = acts[f"eyeBlink{side}"]
        expression[:, k] = np.maximum(expression[:, k], shut)
        expression[:, acts[f"eyeSquint{side}"]] *= 1 - shut
