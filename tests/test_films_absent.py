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

@pytest.fixture(scope="session", autouse=True)
def forked_subprocesses():
    "Fork nothing: no film is decoded."

@pytest.mark.parametrize("number", range({count}))
def test_needs(real_films, number):
    pass

def test_needs_none():
    pass

def test_skips_for_another_reason():
    pytest.skip("no reason")
"""

RUN = """
import os, sys
import pytest
import frame2sound.film.sandbox, frame2sound.library.store

for folder in sys.argv[1:]:
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.dup2(os.open("output.txt", os.O_WRONLY | os.O_CREAT), 1)
        os._exit(pytest.main(["-q", "-p", "no:cacheprovider", "tests"]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, folder
"""
"""Runs pytest in each of several folders, in processes that are forked from one that has imported
what it needs."""

CASES = {
    "three": (3, ["3 tests need ../shared/films, which is not there"]),
    "one": (1, ["1 test needs ../shared/films, which is not there"]),
    "none": (0, []),
    "there": (3, []),
}
"""For each folder, how many tests need films, and what is printed of them at the end."""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What pytest prints in each folder; beside one of them are films."""
    top = tmp_path_factory.mktemp("films_absent")
    folders = {name: top / name / "project" for name in CASES}
    for name, folder in folders.items():
        (folder / "tests").mkdir(parents=True)
        shutil.copy(conftest.__file__, folder / "tests")
        (folder / "tests" / "test_needs.py").write_text(NEEDS.format(count=CASES[name][0]))
    (top / "there" / "shared" / "films").mkdir(parents=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-c", RUN, *folders.values()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    outputs = {name: (folder / "output.txt").read_text() for name, folder in folders.items()}
    assert done.returncode == 0, done.stderr + "".join(outputs.values())
    return outputs


@pytest.mark.parametrize("name", CASES)
def test_skipped_tests_are_counted_at_the_end_if_the_films_are_not_there(outputs, name):
    lines = outputs[name].splitlines()
    assert [line for line in lines if "shared/films" in line] == CASES[name][1]
    assert any("passed" in line and "skipped" in line for line in lines)
