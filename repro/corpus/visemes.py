"""Mouth shapes of speech: phonemes with times -> weights of the 52 ARKit actions.

Coarticulation follows the dominance functions of Cohen and Massaro 1993 ("Modeling coarticulation
in synthetic visual speech"): each phoneme p pulls each action k towards its target with a
dominance that fades with the distance in time from the phoneme,

    D_pk(t) = alpha_pk exp(-|t - t_p| / tau_k),    F_k(t) = sum_p D_pk(t) T_pk / sum_p D_pk(t).

A weighted mean never closes the lips entirely, yet p, b and m are closures: around their centres
a seal scales the opening actions to zero (and likewise brings the lower lip to the teeth in f, v).
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from repro.errors import UserError
from repro.speech.synthesis import Phoneme

BOTH_SIDES = (
    "mouthStretch",
    "mouthSmile",
    "mouthFrown",
    "mouthUpperUp",
    "mouthLowerDown",
    "mouthPress",
    "mouthDimple",
    "cheekSquint",
)
"""Actions that ARKit splits into Left and Right; visemes move both alike."""

OPENING = ("jawOpen", "mouthUpperUp", "mouthLowerDown", "mouthFunnel", "mouthShrugLower")
"""Actions that part the lips: a seal scales them to zero."""

REST = "_"

# Target weights of each viseme. A missing action has the target zero.
TARGETS: dict[str, dict[str, float]] = {
    REST: {"mouthPress": 0.08},
    # vowels, from open to close
    "a": {"jawOpen": 0.29, "mouthLowerDown": 0.30, "mouthUpperUp": 0.16, "mouthStretch": 0.10},
    "æ": {
        "jawOpen": 0.24,
        "mouthLowerDown": 0.38,
        "mouthUpperUp": 0.26,
        "mouthStretch": 0.28,
        "mouthSmile": 0.10,
    },
    "ɑ": {"jawOpen": 0.31, "mouthLowerDown": 0.26, "mouthUpperUp": 0.12},
    "ʌ": {"jawOpen": 0.20, "mouthLowerDown": 0.24, "mouthUpperUp": 0.12},
    "ə": {"jawOpen": 0.12, "mouthLowerDown": 0.20, "mouthUpperUp": 0.10},
    "ɛ": {
        "jawOpen": 0.19,
        "mouthLowerDown": 0.34,
        "mouthUpperUp": 0.22,
        "mouthStretch": 0.24,
        "mouthSmile": 0.10,
    },
    "e": {
        "jawOpen": 0.14,
        "mouthLowerDown": 0.34,
        "mouthUpperUp": 0.20,
        "mouthStretch": 0.30,
        "mouthSmile": 0.22,
    },
    "ɪ": {
        "jawOpen": 0.11,
        "mouthLowerDown": 0.28,
        "mouthUpperUp": 0.16,
        "mouthStretch": 0.26,
        "mouthSmile": 0.16,
    },
    "i": {
        "jawOpen": 0.07,
        "mouthLowerDown": 0.34,
        "mouthUpperUp": 0.20,
        "mouthStretch": 0.38,
        "mouthSmile": 0.30,
    },
    "ɔ": {"jawOpen": 0.25, "mouthFunnel": 0.25, "mouthPucker": 0.16, "mouthLowerDown": 0.12},
    "o": {"jawOpen": 0.17, "mouthFunnel": 0.28, "mouthPucker": 0.36},
    "ʊ": {"jawOpen": 0.11, "mouthFunnel": 0.20, "mouthPucker": 0.42},
    "u": {"jawOpen": 0.07, "mouthFunnel": 0.18, "mouthPucker": 0.72},
    "ɝ": {"jawOpen": 0.12, "mouthFunnel": 0.20, "mouthPucker": 0.26, "mouthLowerDown": 0.16},
    # consonants
    "p": {"mouthPress": 0.32, "mouthRollLower": 0.20, "mouthRollUpper": 0.16},
    "f": {"jawOpen": 0.04, "mouthRollLower": 0.52, "mouthUpperUp": 0.26, "mouthShrugUpper": 0.10},
    "θ": {"jawOpen": 0.11, "mouthLowerDown": 0.26, "mouthUpperUp": 0.16, "tongueOut": 0.16},
    "t": {"jawOpen": 0.07, "mouthLowerDown": 0.26, "mouthUpperUp": 0.14, "mouthStretch": 0.14},
    "s": {"jawOpen": 0.04, "mouthLowerDown": 0.36, "mouthUpperUp": 0.20, "mouthStretch": 0.30},
    "ʃ": {"jawOpen": 0.06, "mouthFunnel": 0.37, "mouthPucker": 0.30, "mouthLowerDown": 0.16},
    "k": {"jawOpen": 0.11, "mouthLowerDown": 0.18, "mouthUpperUp": 0.10},
    "l": {"jawOpen": 0.12, "mouthLowerDown": 0.22, "mouthUpperUp": 0.12},
    "ɹ": {"jawOpen": 0.08, "mouthFunnel": 0.24, "mouthPucker": 0.34},
    "w": {"jawOpen": 0.04, "mouthFunnel": 0.13, "mouthPucker": 0.84},
    "j": {"jawOpen": 0.06, "mouthLowerDown": 0.28, "mouthStretch": 0.30, "mouthSmile": 0.20},
    "h": {"jawOpen": 0.12, "mouthLowerDown": 0.16, "mouthUpperUp": 0.10},
}

# Phonemes that look like a viseme above; diphthongs and affricates are sequences of them.
LIKE = {
    "b": "p", "m": "p", "v": "f", "ð": "θ", "d": "t", "n": "t", "ɾ": "t", "ɫ": "l", "z": "s",
    "ʒ": "ʃ", "ɡ": "k", "g": "k", "ŋ": "k", "x": "k", "ç": "j", "r": "ɹ", "ʍ": "w", "ɐ": "ʌ",
    "ɜ": "ɝ", "ɚ": "ɝ", "ᵻ": "ɪ", "ɨ": "ɪ", "ɒ": "ɔ", "ɘ": "ə", "ʉ": "u", "y": "u", "ø": "o",
    "œ": "o", "ɵ": "ʊ", "ʔ": REST, "c": "k", "q": "k", "ɬ": "l", "ʋ": "f", "ɱ": "f", "β": "p",
}  # fmt: skip

VOWELS = frozenset("aæɑʌəɛeɪiɔoʊuɝ")
SEALED = frozenset("p")
"""Visemes with closed lips."""
TEETH = frozenset("f")
"""Visemes with the lower lip at the upper teeth."""

_ROUNDING = ("mouthFunnel", "mouthPucker")
_FADE_S = {"jawOpen": 0.062, "mouthFunnel": 0.095, "mouthPucker": 0.095, "tongueOut": 0.035}
_FADE_OTHER_S = 0.060
_SEAL_HOLD_S, _SEAL_FADE_S = 0.030, 0.055
"""A seal is complete within 30 ms of the centre, so that a frame at 25 fps always shows it."""

_MARKS = re.compile(r"[ˈˌːˑ:.|‖‿ʰʲʷ˞̩̯̃̚ \-_]")


def visemes_of(symbol: str) -> tuple[str, ...]:
    """Keys of ``TARGETS`` that a phoneme passes through; stress and length marks do not count.

    Raises
    ------
    UserError
        The symbol holds a letter that is no known phoneme.
    """
    plain = _MARKS.sub("", unicodedata.normalize("NFD", symbol))
    keys = []
    for letter in plain:
        key = LIKE.get(letter, letter)
        if key not in TARGETS:
            if unicodedata.combining(letter) or unicodedata.category(letter) in ("Lm", "Sk", "Nd"):
                continue
            raise UserError(
                f"Phoneme '{symbol}' has no mouth shape; use an English voice or add "
                f"'{letter}' to repro/corpus/visemes.py."
            )
        keys.append(key)
    return tuple(keys) or (REST,)


def segments(phonemes: Sequence[Phoneme]) -> list[tuple[str, float, float]]:
    """Visemes (key, start_s, end_s): a phoneme's time divided equally among its visemes."""
    parts = []
    for phoneme in phonemes:
        keys = visemes_of(phoneme.symbol)
        edges = np.linspace(phoneme.start_s, phoneme.end_s, len(keys) + 1)
        parts += [(k, edges[i], edges[i + 1]) for i, k in enumerate(keys)]
    return parts


def closure_times(phonemes: Sequence[Phoneme]) -> np.ndarray:
    """Centres (n,) in seconds of the lip closures: p, b and m."""
    return np.array([(a + b) / 2 for key, a, b in segments(phonemes) if key in SEALED])


def _target(key: str, names: Sequence[str]) -> np.ndarray:
    target = np.zeros(len(names))
    for action, weight in TARGETS[key].items():
        sides = (f"{action}Left", f"{action}Right") if action in BOTH_SIDES else (action,)
        for side in sides:
            target[names.index(side)] = weight
    return target


def _strength(key: str, names: Sequence[str]) -> np.ndarray:
    """alpha_pk: vowels rule the jaw, consonants give way to it, rounding spreads."""
    if key == REST:
        return np.full(len(names), 0.6)
    alpha = np.full(len(names), 1.0 if key in VOWELS else 0.75)
    jaw = names.index("jawOpen")
    if key in SEALED | TEETH:
        alpha[:] = 3.0
        alpha[jaw] = 2.0
    elif key in "sʃ":
        alpha[jaw] = 1.8
    elif key in "kh":
        alpha[:] = 0.3
    for name in _ROUNDING:
        k = names.index(name)
        rounds = TARGETS[key].get(name, 0) > 0.12
        alpha[k] = 1.6 if rounds else min(alpha[k], 0.55 if key in VOWELS else 0.35)
    return alpha


def _hold(times: np.ndarray, start: float, end: float, hold: float) -> np.ndarray:
    """Distance in seconds of each time from the middle ``hold`` share of [start, end]."""
    centre, half = (start + end) / 2, hold * (end - start) / 2
    return np.maximum(np.abs(times - centre) - half, 0)


def seal(phonemes: Sequence[Phoneme], times_s: np.ndarray, kinds=SEALED) -> np.ndarray:
    """How far (T,) in [0, 1] the lips are sealed at each time; 1 within 30 ms of a closure."""
    closed = np.zeros(len(times_s))
    for key, start, end in segments(phonemes):
        if key in kinds:
            far = np.abs(times_s - (start + end) / 2)
            x = np.clip((far - _SEAL_HOLD_S) / _SEAL_FADE_S, 0, 1)
            closed = np.maximum(closed, 1 - x * x * (3 - 2 * x))
    return closed


def mouth_actions(
    phonemes: Sequence[Phoneme],
    times_s: np.ndarray,
    names: Sequence[str],
    *,
    strength: np.ndarray | None = None,
    vigour: np.ndarray | None = None,
) -> np.ndarray:
    """Weights of the actions that speech needs at each time.

    Parameters
    ----------
    phonemes : with times in seconds
    times_s : (T,) float, seconds
    names : the K action names, ARKit's among them ("jawOpen", ...)
    strength : (K,) float, a person's factor on each action
    vigour : (T,) float, a factor on the opening actions over time (loudness)

    Returns
    -------
    (T, K) float32 in [0, 1]
    """
    names = list(names)
    parts = segments(phonemes) or [(REST, 0.0, 0.0)]
    end = max(b for _, _, b in parts)
    parts = [(REST, -1.0, parts[0][1]), *parts, (REST, end, end + 1.0)]
    fade = np.array([_FADE_S.get(name, _FADE_OTHER_S) for name in names])
    weighted = np.zeros((len(times_s), len(names)))
    total = np.full((len(times_s), len(names)), 1e-9)
    for key, a, b in parts:
        near = np.flatnonzero((times_s > a - 0.5) & (times_s < b + 0.5))
        if len(near) == 0:
            continue
        far = _hold(times_s[near], a, b, 0.85 if key == REST else 0.35)
        dominance = _strength(key, names) * np.exp(-far[:, None] / fade)
        weighted[near] += dominance * _target(key, names)
        total[near] += dominance
    actions = weighted / total
    if strength is not None:
        actions *= strength
    opening = [k for k, name in enumerate(names) if name.startswith(OPENING)]
    if vigour is not None:
        actions[:, opening] *= vigour[:, None]
    return np.clip(_close(actions, names, opening, phonemes, times_s), 0, 1).astype(np.float32)


def _close(actions, names, opening, phonemes, times_s) -> np.ndarray:
    """Seal the lips at p, b, m; bring lower lip and teeth together at f, v."""
    actions = actions.copy()
    bite = seal(phonemes, times_s, TEETH)
    target = _target("f", names)
    shaped = [names.index(n) for n in ("jawOpen", "mouthRollLower")]
    shaped += [k for k, n in enumerate(names) if n.startswith(("mouthLowerDown", "mouthUpperUp"))]
    mixed = (1 - bite)[:, None] * actions[:, shaped] + bite[:, None] * target[shaped]
    actions[:, shaped] = mixed
    closed = seal(phonemes, times_s)
    actions[:, opening] *= (1 - closed)[:, None]
    return actions
