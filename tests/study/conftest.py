"""The command line, called in this process."""

import sys

import pytest

from repro.cli import main


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
