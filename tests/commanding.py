"""Runs commands in the tests' process, which saves seconds for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from frame2sound.cli import app


@dataclass(frozen=True)
class CommandResult:
    """The exit status and the output of a command."""

    returncode: int
    stdout: str
    stderr: str


def run(folder: Path, *arguments: str | Path) -> CommandResult:
    """Run a command in a folder and return its exit status and output."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return CommandResult(result.exit_code, result.stdout, result.stderr)
