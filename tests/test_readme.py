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
NUMBER, DIGEST = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?\b"), re.compile(r"-[0-9a-f]{8}\b")
ELISION = "..."
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
        shown = printed(command)
        lines = made.stdout.splitlines()
        if words[0] == "pickle":  # which of several films is done first is chance
            shown, lines = sorted(shown), sorted(lines)
        if shown:
            assert agree(shown, lines), f"{command}\n{made.stdout}"


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


def agree(shown: list[str], made: list[str]) -> bool:
    """Whether these lines are shown for those; ``...`` stands for any lines."""
    if not shown or not made:
        return not made and all(line == ELISION for line in shown)
    if shown[0] == ELISION:
        return agree(shown[1:], made) or agree(shown, made[1:])
    return alike(shown[0], made[0]) and agree(shown[1:], made[1:])


def alike(shown: str, made: str) -> bool:
    """Whether two lines have the same words, and numbers as near as another machine has them."""
    ours, theirs = (DIGEST.sub("-DIGEST", line) for line in (shown, made))
    words = [re.sub(r" +", " ", NUMBER.sub(" # ", line)).strip() for line in (ours, theirs)]
    if words[0] != words[1]:
        return False
    pairs = zip(NUMBER.finditer(ours), NUMBER.finditer(theirs), strict=True)
    return all(
        near(one[0], other[0], ours[: one.start()], ours[one.end() :]) for one, other in pairs
    )


def near(shown: str, made: str, before: str, after: str) -> bool:
    """Whether a number is the one shown: counts and lengths exactly, what is measured about.

    A fifth, or a step of 2 dB or ms, of 0.2 and of 0.15 where there are so many decimals: brains
    learn, and codecs round, a little otherwise on other processors.
    """
    if before.endswith(" in ") and after.startswith(" s,"):
        return True  # how long it took
    if "." not in shown and not after.startswith("%"):
        return shown == made
    if re.match(r" (s|hours)\b", after):
        return shown == made
    step = {0: 5, 1: 2.0, 2: 0.2, 3: 0.15, 4: 0.02}[len(shown.partition(".")[2])]
    return abs(float(shown) - float(made)) <= max(0.2 * abs(float(shown)), step)


@pytest.mark.parametrize(
    ("shown", "made", "same"),
    [
        ("my.brain  2 parameters", "my.brain  2024776 parameters", False),
        ("my.brain  2024776 parameters", "my.brain  2024776 parameters", True),
        ("3 films  0.02 hours  10.5 MB", "3 films  0.02 hours  15.2 MB", False),
        (
            "a-0123abcd  0:00:06  1.3 MB  -22.4 LUFS",
            "a-456789ef  0:00:06  1.3 MB  -22.9 LUFS",
            True,
        ),
        ("learned 375 pairs in 40 s, 100 epochs", "learned 375 pairs in 9 s, 100 epochs", True),
        ("a.mp4  3.000 s  22050 Hz", "a.mp4  3.001 s  22050 Hz", False),
        ("onset F   0.98   above 0.95  0.00", "onset F  1.00  above 0.95  0.11", True),
        ("onset F   0.98   above 0.95  0.00", "onset F  0.70  above 0.95  0.11", False),
        ("lag  +0.1  ms", "lag  -0.2  ms", True),
    ],
)
def test_what_is_printed_is_held_to_what_is_shown(shown: str, made: str, same: bool) -> None:
    assert alike(shown, made) == same
    assert agree(["...", shown, "..."], ["one", made, "two"]) == same
    assert not agree([shown], [made, "more"])


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
        assert (ROOT / path.split("#")[0]).exists(), path
