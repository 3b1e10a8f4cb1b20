"""Without the real films, pytest prints at its end how many tests it skipped for that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conftest

ROOT = Path(__file__).parents[1]

NEEDS = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_needs(real_films, number):
    pass

def test_needs_none():
    pass

def test_skips_for_another_reason():
    pytest.skip("no reason")
"""


def lines_about_films(folder, count):
    (folder / "tests").mkdir(parents=True)
    shutil.copy(conftest.__file__, folder / "tests")
    (folder / "tests" / "test_needs.py").write_text(NEEDS.format(count=count))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    return [line for line in run.stdout.splitlines() if "shared/films" in line]


@pytest.mark.parametrize(
    ("count", "line"),
    [
        (3, ["3 tests need ../shared/films, which is not there"]),
        (1, ["1 test needs ../shared/films, which is not there"]),
        (0, []),
    ],
)
def test_skipped_tests_are_counted_at_the_end(tmp_path, count, line):
    assert lines_about_films(tmp_path / "project", count) == line


def test_nothing_is_printed_if_the_films_are_there(tmp_path):
    (tmp_path / "shared" / "films").mkdir(parents=True)
    assert lines_about_films(tmp_path / "project", 3) == []
