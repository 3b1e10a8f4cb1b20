"""Help, completion, and old names of the command line."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from frame2sound.api import brains, parameters
from frame2sound.cli import messages
from frame2sound.cli.app import ORDER
from tests.commanding import run


@pytest.mark.parametrize("name", ["", *ORDER])
def test_help_shows_no_python_types(tmp_path: Path, name: str) -> None:
    shown = run(tmp_path, *filter(None, [name]), "--help")
    assert shown.returncode == 0
    assert not re.search(r"<(list|str|path|int|float)|\bTEXT\b|\bINTEGER\b|\bFLOAT\b", shown.stdout)
    assert not re.search(r"x[<>]=|\[default: \(", shown.stdout)


def test_summaries_are_whole_and_short(tmp_path: Path) -> None:
    lines = run(tmp_path, "--help").stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(ORDER)
    summaries = [line.split(maxsplit=1)[1] for line in lines]
    assert all(len(each) < 50 and each.endswith(".") for each in summaries)


def test_options_of_render_are_in_groups(tmp_path: Path) -> None:
    shown = run(tmp_path, "render", "--help").stdout
    titles = [line[:-1] for line in shown.splitlines() if re.fullmatch(r"\w.*:", line)]
    assert titles == [
        "Arguments",
        "Brain and mode",
        "How predictions are joined",
        "Grains",
        "Mosaic",
        "Events",
        "For other programs",
        "Level and effects",
        "Output",
        "Reading films",
        "Other options",
    ]


def test_prepare_is_an_alias_of_pickle(tmp_path: Path) -> None:
    shown = run(tmp_path, "prepare", "--help")
    assert (shown.returncode, shown.stdout) == (0, run(tmp_path, "pickle", "--help").stdout)


def test_old_options_are_accepted_and_not_shown(tmp_path: Path) -> None:
    words = ["pickle", "x.mp4", "--library", "l", "--no-calibration"]
    old = run(tmp_path, *words, "--most-megapixels", "1", "--most-hours", "2", "--ground", "grey")
    new = run(tmp_path, *words, "--max-megapixels", "1", "--max-hours", "2")
    assert (old.returncode, old.stderr) == (1, new.stderr)
    assert "most-" not in run(tmp_path, "pickle", "--help").stdout


@pytest.mark.parametrize(
    ("words", "place", "expected"),
    [
        ("frame2sound ren", 1, ["render"]),
        ("frame2sound render --phase-", 2, ["--phase-from"]),
        ("frame2sound render --brain b", 3, ["bells"]),
        ("frame2sound films ty", 2, ["typing"]),
        ("frame2sound train l --recipe shal", 4, ["shallow"]),
    ],
)
def test_bash_completes_commands_options_and_names(
    words: str, place: int, expected: list[str]
) -> None:
    completion = {
        "_FRAME2SOUND_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place)
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "frame2sound"],
        env=os.environ | completion,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == expected


@pytest.mark.parametrize("module", [messages, parameters, brains])
def test_examples_in_docstrings_are_true(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted > 0
    assert results.failed == 0


def test_parameters_become_options() -> None:
    known = ["--set", "--out", "--no-calibration", "--calibration", "--held-out", "--recipe"]
    for message, expected in {
        "use another `out`": "use another --out",
        "give `calibration=False`": "give --no-calibration",
        "add `settings=clock.fps=24`": "add --set clock.fps=24",
        "give `recipes=deep x=1`": 'give --recipe "deep x=1"',
        "`held_out` and `frames`": "--held-out and frames",
    }.items():
        assert messages.with_options(message, known) == expected
