"""A survey says what is in a library and hides nothing because something else is damaged."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from frame2sound.library.folders import exclude
from frame2sound.library.summary import Duplicate, summarise

RATE = 8000


def moving(seed, frames=30):
    """A bright square that wanders over a slope."""
    rng = np.random.default_rng(seed)
    pictures = np.tile(np.linspace(0, 120, 64).astype(np.uint8), (frames, 64, 1))
    for picture in pictures:
        x, y = rng.integers(0, 48, 2)
        picture[y : y + 16, x : x + 16] = 250
    return pictures


@pytest.fixture
def films(library, add_film):
    return [add_film(library, name, frames=moving(seed)) for seed, name in enumerate("abc")]


def entry(library, name):
    return next(entry for entry in summarise(library).films if entry.name == name)


def test_every_film_is_there_with_its_figures(library, films):
    exclude(films[1].path)
    found = summarise(library)
    assert [(e.name, e.excluded, e.seconds, e.faults) for e in found.films] == [
        ("a", False, 1, ()), ("b", True, 1, ()), ("c", False, 1, ()),
    ]  # fmt: skip
    assert found.duplicates == found.partial_folders == ()
    sizes = [path.stat().st_size for path in films[0].path.iterdir()]
    assert found.films[0].size_bytes <= sum(sizes)  # what was found is kept there since
    assert found.films[0].analysis.silent_share == 0


def test_the_same_file_and_the_same_picture_are_found(library, add_film, films):
    add_film(library, "again", frames=(moving(0) * 0.97).astype(np.uint8), seed=9)
    copy = library.path / "copy"
    copy.mkdir()
    for path in films[2].path.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert summarise(library).duplicates == (
        Duplicate("a", "again", False),
        Duplicate("c", "copy", True),
    )


def test_the_same_picture_at_another_length_is_another_film(library, add_film, films):
    add_film(library, "long", 1.2, frames=moving(0, 36))
    assert summarise(library).duplicates == ()


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (
            lambda f: (f / "film.json").unlink(),
            r"is half-written: it has no film.json; pickle the film again",
        ),
        (lambda f: (f / "film.json").write_text("{"), "is not readable"),
        (lambda f: (f / "frames.npy").unlink(), "frames.npy is missing or damaged"),
        (lambda f: np.save(f / "sound.npy", np.zeros(3)), r"holds float64 \(3,\), expected"),
        (lambda f: np.save(f / "times.npy", np.zeros(31)), "times.npy does not go forward"),
        (
            lambda f: np.save(f / "sound.npy", np.full(RATE, np.nan, np.float32)),
            "holds numbers that are not finite",
        ),
    ],
)
def test_a_damaged_film_is_named_and_hides_no_other(library, films, harm, fault):
    summarise(library)
    harm(films[1].path)
    found = summarise(library)
    assert [bool(e.faults) for e in found.films] == [False, True, False]
    (line,) = found.films[1].faults
    assert re.search(fault, line)
    assert found.films[1].analysis is None


def test_what_is_half_written_is_told(library, films):
    (library.path / f".d.{os.getpid()}-abc.partial").mkdir()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (library.path / f".e.{ended.pid}-abc.partial").mkdir()
    being, left = summarise(library).partial_folders
    assert being.endswith("is being written")
    assert "is left of a run that was killed; the next to write" in left


def test_progress_is_told_once_only(library, films):
    told = []
    summarise(library, lambda *report: told.append(report))
    assert told == [("a", 1, 1, ""), ("b", 1, 1, ""), ("c", 1, 1, "")]
    summarise(library, lambda *report: told.append(report))
    assert len(told) == 3
