"""The command line, run within the tests' own process: seconds less for each command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from frame2sound.cli import app


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def run(folder: Path, *words: str | Path) -> Said:
    """Run a command in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(app, [str(word) for word in words])
    return Said(done.exit_code, done.stdout, done.stderr)
