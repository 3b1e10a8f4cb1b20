"""Run an artist's tool on pictures."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from frame2sound.errors import CarrierError, error_reason

GIVEN, MADE = "{in}", "{out}"


def check_command(command: str) -> list[str]:
    """Return the words of a command that names both what it reads and what it writes.

    Raises
    ------
    CarrierError
        It cannot be split into words, or lacks ``{in}`` or ``{out}``.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise CarrierError(f"got `through` {command!r} ({error}); close the quotation") from error
    for place in (GIVEN, MADE):
        if not any(place in word for word in words):
            raise CarrierError(
                f"got `through` {command!r} without {place}, expected COMMAND {GIVEN} {MADE}"
            )
    return words


def run_tool(words: list[str], given: Path, made: Path) -> None:
    """Run a command, without a shell, in which ``{in}`` and ``{out}`` stand for two paths.

    Raises
    ------
    CarrierError
        It cannot be started, fails, or writes nothing.
    """
    filled = [word.replace(GIVEN, str(given)).replace(MADE, str(made)) for word in words]
    try:
        ended = subprocess.run(
            filled, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        raise CarrierError(
            f"{words[0]} cannot be started ({error_reason(error)}); install it, or name its path"
        ) from error
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines()
        reason = said[-1][:300] if said else f"exit code {ended.returncode}"
        raise CarrierError(f"{words[0]} failed: {reason}")
    if not made.exists():
        raise CarrierError(f"{words[0]} wrote nothing to {MADE}, expected a picture or a film")
