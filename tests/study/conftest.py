"""Small videos of a study, and the command line called in this process."""

import sys
from pathlib import Path

import pytest
from study_clips import write_video

from repro.cli import main


@pytest.fixture(scope="session")
def study_videos(tmp_path_factory) -> Path:
    """Two groups by the methods "brisk" and "coarse", and the real ones; 14 to 16 frames each."""
    folder = tmp_path_factory.mktemp("videos")
    for m, method in enumerate(("brisk", "coarse", "real")):
        for g in range(2):
            write_video(folder / method / f"person_{g}.mp4", frames=14 + m, grey=60 + 60 * m)
    return folder


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command; gives its exit code and what it printed to stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["repro", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return run
