"""Every command in the README runs, as written, and prints what the README says it prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from frame2sound.cli import app
from frame2sound.film.demo import scene_named
from frame2sound.film.writer import write_scene

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ")
    for block in CONSOLE.findall(README)
    for line in block.splitlines()
    if line.startswith("$ ")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reader's own films, and frame2sound on its path."""
    folder = tmp_path_factory.mktemp("readme")
    for name, seconds, seed, sounding in (
        ("my-film.mp4", 12, 0, True),
        ("another-film.mp4", 12, 1, True),
        ("my-animation.mp4", 8, 2, False),
    ):
        scene = scene_named("typing", seconds=seconds, seed=seed, size=(64, 64))
        write_scene(scene, folder / name, sounding=sounding)
    (folder / "bin").mkdir()
    program = folder / "bin" / "frame2sound"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m frame2sound "$@"\n')
    program.chmod(0o755)
    return folder


def test_every_command_runs_as_written(folder: Path) -> None:
    assert len(COMMANDS) >= 10
    for command in COMMANDS:
        made = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            env=os.environ | {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert made.returncode == 0, f"{command}\n{made.stderr}"
        for line in printed(command):
            assert pattern(line).search(made.stdout), f"{command}\n{line}\n{made.stdout}"


def printed(command: str) -> list[str]:
    """The lines that the README shows after a command."""
    block = next(block for block in CONSOLE.findall(README) if f"$ {command}\n" in block)
    after = block.split(f"$ {command}\n")[1].splitlines()
    lines = []
    for line in after:
        if line.startswith("$ "):
            break
        lines.append(line)
    return lines


def pattern(line: str) -> re.Pattern[str]:
    """What must be printed: the same words; times and losses may differ."""
    return re.compile(re.sub(r"\d+(\\\.\d+)?", r"\\d+(\\.\\d+)?", re.escape(line)))


def test_make_has_the_two_commands() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for goal, wanted in (("demo", "frame2sound demo"), ("test", "pytest")):
        made = subprocess.run(["make", "-n", goal], cwd=ROOT, capture_output=True, text=True)
        assert wanted in made.stdout


def test_the_readme_names_every_command_and_nothing_that_is_missing() -> None:
    for command in [command.callback.__name__ for command in app.registered_commands]:
        assert f"frame2sound {command}" in README or f"make {command}" in README
    for path in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / path).exists(), path
