"""Which frames of a clip are looked at."""

import numpy as np


def evenly(count: int, of: int) -> np.ndarray:
    """At most ``count`` frame numbers, in order and each once, spread evenly over ``of`` frames.

    The first and the last are among them (of one, the first).
    """
    return np.linspace(0, of - 1, min(count, of)).round().astype(int)
