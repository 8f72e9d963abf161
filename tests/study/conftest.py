"""Small videos of a study, and the command line called in this process."""

from pathlib import Path

import pytest
from study_clips import write_video


@pytest.fixture(scope="session")
def study_videos(tmp_path_factory) -> Path:
    """Two groups by the methods "brisk" and "coarse", and the real ones; 14 to 16 frames each."""
    folder = tmp_path_factory.mktemp("videos")
    for m, method in enumerate(("brisk", "coarse", "real")):
        for g in range(2):
            write_video(folder / method / f"person_{g}.mp4", frames=14 + m, grey=60 + 60 * m)
    return folder
