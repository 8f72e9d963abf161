"""How far people agree in what they choose."""

import numpy as np


def fleiss_kappa(counts: np.ndarray) -> float:
    """Fleiss' kappa (1971): agreement above chance, 1 where all agree, 0 by chance.

    Parameters
    ----------
    counts : (items, categories) how many people put each item into each category; the same number
        of people, at least two, judged every item

    Returns
    -------
    nan where all judgements are of one category: there is no chance to agree above

    Raises
    ------
    ValueError
        Items judged by different numbers of people, or by fewer than two.
    """
    counts = np.asarray(counts, np.float64)
    people = counts.sum(1)
    if not len(people) or people.min() != people.max() or people[0] < 2:
        raise ValueError(f"every item must be judged by the same two or more people, got {people}")
    n = people[0]
    agreed = ((counts**2).sum(1) - n).mean() / (n * (n - 1))
    chance = ((counts.sum(0) / counts.sum()) ** 2).sum()
    return float((agreed - chance) / (1 - chance)) if chance < 1 else float("nan")


def krippendorff_alpha(counts: np.ndarray) -> float:
    """Krippendorff's alpha (2011) for categories without an order; items may lack judgements.

    Parameters
    ----------
    counts : (items, categories) how many people put each item into each category; items that
        fewer than two people judged do not count

    Returns
    -------
    nan where fewer than two categories were ever used, or no item was judged twice
    """
    counts = np.asarray(counts, np.float64)
    counts = counts[counts.sum(1) >= 2]
    people = counts.sum(1, keepdims=True)
    total, of_category = counts.sum(), counts.sum(0)
    unlike = ((people**2 - (counts**2).sum(1, keepdims=True)) / (people - 1)).sum() / max(total, 1)
    expected = (total**2 - (of_category**2).sum()) / max(total * (total - 1), 1)
    return float(1 - unlike / expected) if expected > 0 else float("nan")
