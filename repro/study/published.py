"""The paper's own user studies, their votes analysed anew (Yi et al. 2020, Table 1, 4.4, A).

Only totals are published, not who chose what: intervals are Wilson's, which take every vote for
another person's. 600 votes of 20 people tell less than that.
"""

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from repro.study.ratings import Share, share, table


@dataclass(frozen=True)
class HeadPoseVotes:
    """How similar people found the heads' motion, from 1 (not similar) to 5 (similar).

    mean, sd       of the votes
    mean_interval  95 %, as though every vote were another person's
    similar        votes of 4 or 5; dissimilar: of 1 or 2
    """

    mean: float
    sd: float
    mean_interval: tuple[float, float]
    similar: Share
    dissimilar: Share


def published_votes() -> dict[str, Any]:
    """The published numbers as they are printed."""
    text = (files("repro.study") / "data" / "published_votes.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text)
    return record


def table_one() -> dict[str, dict[str, Share]]:
    """Shares of each question and method of Table 1, from the 600 votes that its digits give."""
    record = published_votes()["table_1"]
    votes = record["participants"] * record["groups"]
    return {
        question: {
            method: share(round(percent / 100 * votes), votes) for method, percent in row.items()
        }
        for question, row in record["percent"].items()
    }


def table_two() -> pd.DataFrame:
    """Table 2 as printed: method, PSNR, SSIM, LMD, and on which corpus by whose protocol."""
    record = published_votes()["table_2"]
    rows = [
        {"method": method, **dict(zip(record["columns"], values, strict=True))}
        for method, values in record["rows"].items()
    ]
    return pd.DataFrame(rows).assign(corpus=record["corpus"], protocol=record["protocol"])


def head_pose_marks() -> dict[int, int]:
    """How many gave each mark of section 4.4, from 1 (not similar) to 5 (similar)."""
    marks = published_votes()["head_pose"]["votes"]
    return {int(mark): count for mark, count in marks.items()}


def head_pose_votes() -> HeadPoseVotes:
    """The 300 votes of section 4.4."""
    votes = head_pose_marks()
    all_marks = np.repeat(list(votes), list(votes.values()))
    mean, sd, total = float(all_marks.mean()), float(all_marks.std(ddof=1)), len(all_marks)
    reach = 1.96 * sd / total**0.5
    return HeadPoseVotes(
        round(mean, 3),
        round(sd, 3),
        (round(mean - reach, 3), round(mean + reach, 3)),
        share(votes[4] + votes[5], total),
        share(votes[1] + votes[2], total),
    )


def frame_count_votes() -> dict[int, Share]:
    """How many of 11 people chose each number of frames (appendix A)."""
    record = published_votes()["frame_count"]
    people = record["participants"]
    return {
        int(frames): share(round(percent / 100 * people), people)
        for frames, percent in record["percent"].items()
    }


def published() -> dict[str, Any]:
    """All three, as JSON."""
    return {
        "table_1": {q: {m: asdict(s) for m, s in row.items()} for q, row in table_one().items()},
        "head_pose": asdict(head_pose_votes()),
        "frame_count": {str(n): asdict(s) for n, s in frame_count_votes().items()},
    }


def published_markdown() -> str:
    """All three, as tables."""
    one, pose, frames = table_one(), head_pose_votes(), frame_count_votes()
    methods = list(next(iter(one.values())))
    low, high = pose.mean_interval
    parts = [
        "Chosen as the best (Table 1; 20 people, 30 groups)",
        table(
            ["method", *(name.replace("_", " ") for name in one)],
            [[method, *(str(row[method]) for row in one.values())] for method in methods],
        ),
        "Is the head pose similar, 1 to 5 (section 4.4; 20 people, 15 pairs)",
        table(
            ["mean", "4 or 5", "1 or 2"],
            [[f"{pose.mean:.2f} [{low:.2f}, {high:.2f}]", str(pose.similar), str(pose.dissimilar)]],
        ),
        "Among the best, by frames learned from (appendix A; 11 people, several choices)",
        table(["frames", "chosen by"], [[str(n), str(s)] for n, s in frames.items()]),
        "95 % intervals by Wilson (the mean's by its standard error): as though every vote were "
        "another person's, so somewhat too narrow.",
    ]
    return "\n\n".join(parts)
