"""Times of calls."""

import statistics
import time
from collections.abc import Callable

import numpy as np


def median_ms(
    work: Callable[[], object], *, runs: int = 100, warm_up: int = 10
) -> dict[str, float]:
    """Median, 10th and 90th percentile of a call's time in milliseconds.

    Parameters
    ----------
    work : what is timed; called ``warm_up`` times before
    runs : timed calls
    """
    for _ in range(warm_up):
        work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    low, high = np.percentile(times, [10, 90])
    return {
        "ms_median": round(statistics.median(times), 3),
        "ms_p10": round(float(low), 3),
        "ms_p90": round(float(high), 3),
        "runs": runs,
    }
