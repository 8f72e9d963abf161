"""Words put in the place of others, in one recording."""

import numpy as np

from repro import SAMPLE_RATE
from repro.errors import UserError

_FADE_S = 0.01


def splice(sound: np.ndarray, words: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """A sound (N,) at 16 kHz with other ``words`` (M,) in the place of a stretch.

    Over 10 ms at both seams one fades into the other, so that nothing clicks; the rest keeps its
    samples.

    Raises
    ------
    UserError
        A stretch that ends before it begins or lies outside the sound, or words too short.
    """
    start, end = round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE)
    fade = round(_FADE_S * SAMPLE_RATE)
    if not 0 <= start <= end <= len(sound):
        raise UserError(
            f"The stretch from {start_s:g} to {end_s:g} s does not lie in a sound of "
            f"{len(sound) / SAMPLE_RATE:.2f} s."
        )
    if len(words) < 2 * fade:
        raise UserError(f"The words to put in last less than {2 * _FADE_S:g} s.")
    middle = np.array(words, np.float32)
    rising = (np.arange(fade, dtype=np.float32) + 0.5) / fade
    after, before = sound[start : start + fade], sound[max(end - fade, 0) : end]
    middle[: len(after)] *= rising[: len(after)]
    middle[: len(after)] += after * rising[: len(after)][::-1]
    if len(before):
        middle[-len(before) :] *= rising[-len(before) :][::-1]
        middle[-len(before) :] += before * rising[-len(before) :]
    return np.concatenate([sound[:start], middle, sound[end:]]).astype(np.float32)
