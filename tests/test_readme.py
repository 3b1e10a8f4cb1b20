"""Every command in the README runs, as written, and prints what the README says it prints."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

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
    """A folder with the reader's own films."""
    folder = tmp_path_factory.mktemp("readme")
    for name, seconds, seed, sounding in (
        ("my-film.mp4", 6, 0, True),
        ("another-film.mp4", 6, 1, True),
        ("my-animation.mp4", 3, 2, False),
    ):
        scene = scene_named("typing", seconds=seconds, seed=seed, size=(64, 64))
        write_scene(scene, folder / name, sounding=sounding)
    return folder


def test_every_command_runs_as_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert len(COMMANDS) >= 25
    for command in COMMANDS:
        program, *words = shlex.split(command)
        assert program == "frame2sound"
        made = CliRunner().invoke(app, words)
        assert made.exit_code == 0, f"{command}\n{made.output}\n{made.exception!r}"
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
    """What must be printed: the same words; numbers and the width of columns may differ."""
    words = re.sub(r"(\\[-+])?\b\d+(\\\.\d+)?", r"[-+]?\\d+(\\.\\d+)?", re.escape(line))
    return re.compile(re.sub(r"(\\ )+", " +", words))


def test_make_has_the_commands() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for goal, wanted in (
        ("demo", "frame2sound demo"),
        ("gallery", "frame2sound gallery"),
        ("test", "pytest"),
    ):
        made = subprocess.run(["make", "-n", goal], cwd=ROOT, capture_output=True, text=True)
        assert wanted in made.stdout


def test_the_readme_names_every_command_and_nothing_that_is_missing() -> None:
    for command in [command.callback.__name__ for command in app.registered_commands]:
        assert f"frame2sound {command}" in README or f"make {command}" in README
    for path in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / path).exists(), path
