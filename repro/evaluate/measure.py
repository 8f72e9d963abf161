"""One row for every kind of measure: the number, and all that must be known to read it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import pandas as pd

NONE = "none"
"""Where a measure needs no alignment or no network."""


@dataclass(frozen=True)
class Measure:
    """A number with how it was taken.

    name        such as PSNR
    value       nan where no frame counted
    unit        such as dB
    frames      that counted
    undetected  frames left out because no face was found in one of the pictures
    crop        which part of the picture, at what size
    alignment   how the two were brought together
    network     whose landmarks or features
    convention  whose definition, and what of it is open to choice
    """

    name: str
    value: float
    unit: str
    frames: int
    undetected: int
    crop: str
    alignment: str
    network: str
    convention: str


def measure_table(measures: Mapping[str, Iterable[Measure]]) -> pd.DataFrame:
    """A row for each measure of each method; columns ``method`` and the fields of ``Measure``."""
    rows = [
        {"method": method, **asdict(measure)}
        for method, taken in measures.items()
        for measure in taken
    ]
    return pd.DataFrame(rows, columns=["method", *Measure.__dataclass_fields__])
