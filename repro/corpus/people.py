"""Synthetic people: everything about a person that does not change while they speak."""

from dataclasses import dataclass

import numpy as np

from repro.corpus.room import ROOMS
from repro.face.coefficients import EXPRESSION, IDENTITY, TEXTURE
from repro.face.light import sh_basis
from repro.speech.synthesis import VOICES_HIGH, VOICES_LOW

_GOLDEN, _SILVER = 0.6180339887498949, 0.4142135623730950
"""Multiples of either, without their whole parts, spread evenly."""
_YOUNGEST, _OLDEST = 19.0, 74.0

HAIR_COLOURS = {
    "black": (0.035, 0.030, 0.030),
    "dark brown": (0.085, 0.055, 0.040),
    "brown": (0.17, 0.105, 0.065),
    "auburn": (0.26, 0.105, 0.050),
    "blond": (0.46, 0.33, 0.19),
}
"""Linear RGB reflectance."""
GREY_HAIR = np.array([0.37, 0.36, 0.35])
IRIS_COLOURS = ((0.10, 0.055, 0.03), (0.13, 0.20, 0.30), (0.15, 0.10, 0.045), (0.13, 0.17, 0.10))
"""Linear RGB: brown, blue, hazel, green."""
GLASSES = ("none", "none", "none", "square", "none", "none", "round", "none")
"""A quarter of the people wear them."""
GLASSES_COLOURS = ((0.012, 0.011, 0.012), (0.10, 0.045, 0.02), (0.22, 0.21, 0.20))
"""Linear RGB: black, tortoise, steel."""
CLOTHES = ("crew neck", "jacket", "high collar")


@dataclass(frozen=True)
class PoseStyle:
    """How a person holds and moves the head.

    mean_rad, sd_rad  (3,) pitch, yaw, roll
    place_m           (3,) the head's pivot in camera space
    speed_hz          of its slow drift
    nod_rad           pitch of a nod on a loud syllable; shake_rad likewise of yaw
    lift_rad          pitch from silence to loud speech
    tilt_with_turn    how much of a turn (yaw) comes as a tilt (roll), both in deviations
    """

    mean_rad: np.ndarray
    sd_rad: np.ndarray
    place_m: np.ndarray
    speed_hz: float
    nod_rad: float
    shake_rad: float
    lift_rad: float
    tilt_with_turn: float


@dataclass(frozen=True)
class Hair:
    """Hair.

    colour       (3,) linear, of strands that are not grey
    style        crop, side parting, bob, swept back, curls or long
    thickness_m  above the scalp
    hanging_m    how far below the middle of the eyes it hangs; 0 for short hair
    hairline_m   how much higher than usual the hairline lies
    parting      its side, -1 or 1; 0 for none
    curl         in [0, 1]
    grey         share of grey strands
    """

    colour: np.ndarray
    style: str
    thickness_m: float
    hanging_m: float
    hairline_m: float
    parting: float
    curl: float
    grey: float

    @property
    def mean_colour(self) -> np.ndarray:
        """Linear colour (3,) of coloured and grey strands together."""
        return self.colour + self.grey * (GREY_HAIR - self.colour)


@dataclass(frozen=True)
class Lamp:
    """One key light and an ambient gradient, linear RGB.

    direction (3,) towards the light, camera axes; key, sky, ground (3,) irradiance
    """

    direction: np.ndarray
    key: np.ndarray
    sky: np.ndarray
    ground: np.ndarray

    def irradiance(self, normals: np.ndarray) -> np.ndarray:
        """Linear irradiance (..., 3) of unshadowed normals (..., 3)."""
        up = 0.5 - 0.5 * normals[..., 1:2]
        key = np.maximum(normals @ self.direction, 0)[..., None]
        return self.ground + (self.sky - self.ground) * up + self.key * key

    def harmonics(self) -> np.ndarray:
        """The (27,) spherical-harmonics light of ``repro.face.light`` nearest to this lamp.

        Fitted over the front half of the sphere, in the display range: where the corpus shows
        ``(a l)^(1 / 2.2)`` for albedo a and light l, the method multiplies ``a^(1 / 2.2)`` by this.
        """
        n = np.random.default_rng(0).normal(size=(2000, 3))
        n[:, 2] = -np.abs(n[:, 2])
        n /= np.linalg.norm(n, axis=1, keepdims=True)
        shown = self.irradiance(n) ** (1 / 2.2)
        gamma = np.linalg.lstsq(sh_basis(n), shown, rcond=None)[0]
        return gamma.T.reshape(27).astype(np.float32)


@dataclass(frozen=True)
class Appearance:
    """What the face model does not draw: hair, eyes, beard, glasses, clothes, room, light.

    iris, glasses_colour     (3,) linear RGB
    brows, beard, freckles   strengths in [0, 1]
    glasses, clothes, room   of ``GLASSES``, ``CLOTHES``, ``ROOMS``
    cloth_colours            (2, 3) linear RGB: outer cloth, shirt
    room_colours             (6, 3) linear RGB of the things in the room
    """

    hair: Hair
    iris: np.ndarray
    brows: float
    beard: float
    freckles: float
    age_years: float
    glasses: str
    glasses_colour: np.ndarray
    clothes: str
    cloth_colours: np.ndarray
    room: str
    room_colours: np.ndarray
    lamp: Lamp

    @property
    def ageing(self) -> float:
        """How much age shows in the skin, in [0, 1]."""
        return float(np.clip((self.age_years - 25) / 45, 0, 1))


@dataclass(frozen=True)
class Person:
    """A synthetic person.

    identity, texture  (80,) float32, standard deviations
    voice              of ``speech.synthesis.VOICES``, at rate_wpm and pitch as ``speak`` takes them
    articulation       (64,) float32, factors on the expression's actions
    smile              mean weight of the smile, in [0, 1]
    brow_rate          share of loud syllables that the brows mark
    """

    seed: int
    identity: np.ndarray
    texture: np.ndarray
    appearance: Appearance
    voice: str
    rate_wpm: int
    pitch: int
    articulation: np.ndarray
    pose_style: PoseStyle
    blinks_per_min: float
    smile: float
    brow_rate: float

    @property
    def light(self) -> np.ndarray:
        """Spherical-harmonics light (27,) float32, as the method would see it."""
        return self.appearance.lamp.harmonics()


def draw_person(seed: int) -> Person:
    """Draw a person; the same seed gives the same person.

    Consecutive seeds differ as much as they can: voice, hair and complexion cycle.
    """
    rng = np.random.default_rng([seed, 7])
    high_voice = seed % 2 == 1
    texture = _texture(rng, seed)
    voices = VOICES_HIGH if high_voice else VOICES_LOW
    return Person(
        seed=seed,
        identity=_truncated(rng, IDENTITY, 0.85),
        texture=texture,
        appearance=_draw_appearance(rng, seed, high_voice, fair=float(texture[0])),
        voice=voices[seed // 2 % len(voices)],
        rate_wpm=int(rng.integers(140, 176)),
        pitch=int(rng.integers(40, 61)),
        articulation=_draw_articulation(rng),
        pose_style=_draw_pose_style(rng),
        blinks_per_min=float(rng.uniform(12, 24)),
        smile=float(rng.uniform(0.0, 0.16)),
        brow_rate=float(rng.uniform(0.25, 0.7)),
    )


def _truncated(rng: np.random.Generator, size: int, sd: float) -> np.ndarray:
    """Normal numbers (size,) float32, cut off at 2.2 of their deviations."""
    return (sd * np.clip(rng.normal(size=size), -2.2, 2.2)).astype(np.float32)


def _texture(rng: np.random.Generator, seed: int) -> np.ndarray:
    """The open model's first component is the complexion, light for positive numbers."""
    texture = _truncated(rng, TEXTURE, 0.75)
    texture[0] = -0.9 + 2.7 * ((0.35 + seed * _GOLDEN) % 1.0)
    return texture


def _draw_articulation(rng: np.random.Generator) -> np.ndarray:
    """One factor (64,) for all actions times a smaller one for each, left and right apart."""
    overall = rng.uniform(0.85, 1.2)
    each = overall * np.exp(rng.normal(0, 0.10, EXPRESSION))
    return each.astype(np.float32)


def _draw_pose_style(rng: np.random.Generator) -> PoseStyle:
    degrees = np.deg2rad
    liveliness = rng.uniform(0.75, 1.35)
    return PoseStyle(
        mean_rad=degrees(np.array([rng.normal(0, 2.0), rng.normal(0, 4.0), rng.normal(0, 1.5)])),
        sd_rad=degrees(liveliness * np.array([2.4, 4.8, 1.8]) * np.exp(rng.normal(0, 0.15, 3))),
        place_m=np.array([rng.normal(0, 0.008), rng.normal(0.03, 0.004), rng.uniform(0.94, 1.06)]),
        speed_hz=float(rng.uniform(0.18, 0.35)),
        nod_rad=float(degrees(liveliness * rng.uniform(2.0, 4.0))),
        shake_rad=float(degrees(liveliness * rng.uniform(0.8, 2.0))),
        lift_rad=float(degrees(rng.uniform(-4.0, 4.0))),
        tilt_with_turn=float(rng.uniform(-0.2, 0.6)),
    )


def _draw_appearance(rng, seed: int, high_voice: bool, *, fair: float) -> Appearance:
    dark = fair < 0.2
    age_years = _YOUNGEST + (_OLDEST - _YOUNGEST) * ((0.15 + seed * _SILVER) % 1.0)
    return Appearance(
        hair=_draw_hair(rng, seed, high_voice, dark, age_years),
        iris=np.array(IRIS_COLOURS[0 if dark else seed % 4]),
        brows=float(rng.uniform(0.55, 0.75) if high_voice else rng.uniform(0.7, 1.0)),
        beard=0.0 if high_voice else float(max(rng.uniform(-0.3, 0.6), 0.05)),
        freckles=float(max(rng.uniform(-0.6, 0.6), 0)),
        age_years=age_years,
        glasses=GLASSES[seed % len(GLASSES)],
        glasses_colour=np.array(GLASSES_COLOURS[seed // 4 % len(GLASSES_COLOURS)]),
        clothes=CLOTHES[seed % 3],
        cloth_colours=_colours(rng, 2, 0.02, 0.30),
        room=ROOMS[(seed + seed // len(ROOMS)) % len(ROOMS)],
        room_colours=_colours(rng, 6, 0.03, 0.55),
        lamp=_draw_lamp(rng),
    )


def _draw_hair(rng, seed: int, high_voice: bool, dark: bool, age_years: float) -> Hair:
    names = ["black", "dark brown"] if dark else list(HAIR_COLOURS)
    colour = np.array(HAIR_COLOURS[names[(seed * 3 + seed // 5 + 1) % len(names)]])
    low, high = ("crop", "side parting", "swept back", "curls"), ("bob", "long", "swept back")
    styles = high if high_voice else low
    style = styles[seed // 2 % len(styles)]
    thickness = {"crop": 0.007, "side parting": 0.017, "swept back": 0.011, "curls": 0.024}
    return Hair(
        colour=colour * np.exp(rng.normal(0, 0.12)),
        style=style,
        thickness_m=thickness.get(style, 0.015) * rng.uniform(0.85, 1.15),
        hanging_m={"bob": 0.13, "long": 0.22}.get(style, 0.0) * rng.uniform(0.9, 1.1),
        hairline_m=float(rng.normal(0, 0.003)) + (0.0 if high_voice else 0.002),
        parting=float(rng.choice([-1.0, 1.0])) if style in ("side parting", "bob", "long") else 0.0,
        curl=0.95 if style == "curls" else float(rng.uniform(0.05, 0.35)),
        grey=float(np.clip((age_years - 48 + rng.normal(0, 6)) / 26, 0, 0.95)),
    )


def _draw_lamp(rng: np.random.Generator) -> Lamp:
    """A window or lamp above and to one side, with a softly coloured room."""
    side = rng.choice([-1.0, 1.0]) * rng.uniform(0.25, 0.75)
    direction = np.array([side, -rng.uniform(0.3, 0.65), -1.0])
    warm = rng.uniform(-0.06, 0.08)
    key = rng.uniform(0.62, 0.85) * np.array([1 + warm, 1.0, 1 - warm])
    room = rng.uniform(0.9, 1.1, 3)
    level = rng.uniform(0.36, 0.46)
    return Lamp(
        direction=direction / np.linalg.norm(direction),
        key=key,
        sky=level * (0.6 + 0.4 * room),
        ground=0.55 * level * room,
    )


def _colours(rng: np.random.Generator, count: int, low: float, high: float) -> np.ndarray:
    """Muted linear colours (count, 3)."""
    grey = np.exp(rng.uniform(np.log(low), np.log(high), (count, 1)))
    return np.clip(grey * np.exp(rng.normal(0, 0.18, (count, 3))), 0.01, 0.8)
