"""What people say of generated head motion (Yi et al. 2020, section 4.4)."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import pearsonr, spearmanr

from repro.errors import UserError

PAPER_CORRELATION = 0.65
"""Of HS and people's ranking; the pairs behind it are not published."""

FEWEST = 3
"""People below which a correlation says nothing."""


def vote_summary(votes: Mapping[int, int]) -> dict[str, float]:
    """Number of votes from 1 to 5, their mean, and the shares of 4 or 5 and of 1 or 2."""
    total = sum(votes.values())
    return {
        "votes": total,
        "mean": sum(score * count for score, count in votes.items()) / total,
        "share_4_5": (votes.get(4, 0) + votes.get(5, 0)) / total,
        "share_1_2": (votes.get(1, 0) + votes.get(2, 0)) / total,
    }


def votes_of(ratings: pd.DataFrame) -> dict[int, int]:
    """How many of each vote from 1 to 5 there are among ratings, rounded where they are not whole.

    ``ratings``: as of ``read_ratings``.
    """
    whole = ratings["rating"].round().astype(int)
    return {score: int((whole == score).sum()) for score in range(1, 6)}


def read_ratings(path: Path | str, people: Collection[str]) -> pd.DataFrame:
    """People's ratings of how alike two videos' head motion is.

    Parameters
    ----------
    path : a CSV with the columns ``person`` (the name of a clip) and ``rating`` (1 to 5), a row
        for each answer; other columns are left as they are
    people : whose videos there are

    Raises
    ------
    UserError
        No such file, or no such table; the sentence names the row.
    """
    try:
        table = pd.read_csv(path, dtype=str, skipinitialspace=True)
    except FileNotFoundError:
        raise UserError(f"No such file of ratings: '{path}'.") from None
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(f"Ratings '{path}' are not a CSV ({error}).") from error
    missing = {"person", "rating"} - set(table.columns)
    if missing:
        raise UserError(f"Ratings '{path}' lack the column '{min(missing)}'; name it in line 1.")
    values = pd.to_numeric(table["rating"], errors="coerce")
    wrong = ~values.between(1, 5)
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        raise UserError(
            f"Ratings '{path}', line {k + 2}: '{table['rating'][k]}' is no rating from 1 to 5."
        )
    strange = ~table["person"].isin(list(people))
    if strange.any():
        k = int(np.flatnonzero(strange)[0])
        raise UserError(
            f"Ratings '{path}', line {k + 2}: there is no video of '{table['person'][k]}'; "
            f"the people are {', '.join(sorted(people))}."
        )
    rated = table["person"].nunique()
    if rated < FEWEST:
        raise UserError(
            f"Ratings '{path}' are of {rated} people's videos; a correlation needs {FEWEST}."
        )
    return table.assign(rating=values.astype(float))


def agreement(
    hs: Mapping[str, float],
    ratings: pd.DataFrame,
    *,
    seed: int,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Correlation of HS with each person's mean rating, and its bootstrap over the people.

    Parameters
    ----------
    hs : by person
    ratings : as of ``read_ratings``

    Returns
    -------
    a row each for Pearson's r and Spearman's rho: coefficient, value, low, high (percentiles of
    the resamples in which neither side is constant), people, answers, paper
    """
    means = ratings.groupby("person")["rating"].mean()
    x, y = np.array([hs[name] for name in means.index]), means.to_numpy()
    rng = np.random.default_rng(seed)
    samples = rng.integers(len(x), size=(resamples, len(x)))
    chosen = [k for k in samples if np.ptp(x[k]) > 0 and np.ptp(y[k]) > 0]
    tail = 50 * (1 - confidence)
    rows = []
    for name, coefficient in (("Pearson", pearsonr), ("Spearman", spearmanr)):
        known = np.ptp(x) > 0 and np.ptp(y) > 0
        value = float(coefficient(x, y)[0]) if known else np.nan
        drawn = [coefficient(x[k], y[k])[0] for k in chosen]
        low, high = np.percentile(drawn, [tail, 100 - tail]) if drawn else (np.nan, np.nan)
        rows.append((name, value, low, high, len(x), len(ratings), PAPER_CORRELATION))
    columns = ["coefficient", "value", "low", "high", "people", "answers", "paper"]
    return pd.DataFrame(rows, columns=columns)
