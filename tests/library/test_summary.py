"""A summary lists all films of a library, even if some are damaged."""

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
    """Return frames of a bright square that moves over a gradient."""
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


def test_a_summary_has_every_film_and_its_analysis(library, films):
    exclude(films[1].path)
    result = summarise(library)
    assert [(e.name, e.excluded, e.seconds, e.faults) for e in result.films] == [
        ("a", False, 1, ()), ("b", True, 1, ()), ("c", False, 1, ()),
    ]  # fmt: skip
    assert result.duplicates == result.partial_folders == ()
    sizes = [path.stat().st_size for path in films[0].path.iterdir()]
    assert result.films[0].size_bytes <= sum(sizes)  # what was found is kept there since
    assert result.films[0].analysis.silent_share == 0


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
            r"is incomplete: it has no film.json; pickle the film again",
        ),
        (lambda f: (f / "film.json").write_text("{"), "is not readable"),
        (lambda f: (f / "frames.npy").unlink(), "frames.npy is missing or damaged"),
        (lambda f: np.save(f / "sound.npy", np.zeros(3)), r"holds float64 \(3,\), expected"),
        (lambda f: np.save(f / "times.npy", np.zeros(31)), "times.npy does not increase"),
        (
            lambda f: np.save(f / "sound.npy", np.full(RATE, np.nan, np.float32)),
            "holds numbers that are not finite",
        ),
    ],
)
def test_a_damaged_film_is_reported_beside_the_others(library, films, harm, fault):
    summarise(library)
    harm(films[1].path)
    result = summarise(library)
    assert [bool(e.faults) for e in result.films] == [False, True, False]
    (line,) = result.films[1].faults
    assert re.search(fault, line)
    assert result.films[1].analysis is None


def test_incomplete_folders_are_reported(library, films):
    (library.path / f".d.{os.getpid()}-abc.partial").mkdir()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (library.path / f".e.{ended.pid}-abc.partial").mkdir()
    being, left = summarise(library).partial_folders
    assert being.endswith("is being written")
    assert "is left by a process that was killed; the next one" in left


def test_progress_is_reported_only_for_a_new_analysis(library, films):
    reports = []
    summarise(library, lambda *report: reports.append(report))
    assert reports == [("a", 1, 1, ""), ("b", 1, 1, ""), ("c", 1, 1, "")]
    summarise(library, lambda *report: reports.append(report))
    assert len(reports) == 3
