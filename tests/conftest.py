"""Shared by all tests: generated films, and real films where they are available."""

from __future__ import annotations

import gc
import os
import signal
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from frame2sound.atomic import atomic_folder
from frame2sound.film import sandbox
from frame2sound.film.small_frames import picture_shape
from frame2sound.library.store import Card, Library, PickledFilm
from tests.fork_server import ForkServer

# One thread per process: on busy cores, threads that wait for each other cost minutes. More are
# measured by benchmarks/processors.py.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Shells start background jobs with SIGINT ignored; tests that interrupt need it.
signal.signal(signal.SIGINT, signal.default_int_handler)

START_PROCESS = sandbox.start_process
# What collection makes stays: looking through it for garbage takes seconds.
gc.disable()

REAL_FILMS_FOLDER = Path(__file__).resolve().parents[2] / "shared" / "films"
LONGEST = {
    "test_documents",
    "test_python_documents",
    "test_studio",
    "test_distributed",
    "test_browser",
}
NO_FILMS = "the folder of real films, ../shared/films, is not there"


def pytest_collection_modifyitems(items):
    """Begin with the longest tests, so that no process waits for them in the end."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def pytest_collection_finish():
    """Collect garbage from here on, but none of what is there now."""
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter):
    """Print how many tests were skipped for lack of the real films."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(NO_FILMS in str(report.longrepr) for report in skipped)
    if count:
        tests = "1 test needs" if count == 1 else f"{count} tests need"
        terminalreporter.write_line(f"{tests} ../shared/films, which is not there")


@pytest.fixture(scope="session")
def real_films() -> Path:
    """The folder of real films; tests that need it are skipped if it is absent."""
    if not REAL_FILMS_FOLDER.is_dir():
        pytest.skip(NO_FILMS)
    return REAL_FILMS_FOLDER


@pytest.fixture(scope="session", autouse=True)
def forked_subprocesses():
    """Fork the program's subprocesses, which saves 0.2 s for each."""
    if sys.platform != "linux":
        yield
        return
    server = ForkServer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "start_process", server.start)
        yield
    server.close()


@pytest.fixture
def real_subprocesses(monkeypatch):
    """Let the program start its subprocesses itself, for tests of these and of how they die."""
    monkeypatch.setattr(sandbox, "start_process", START_PROCESS)


@pytest.fixture(scope="session")
def add_film():
    """Return a function that writes a film, by default of noise, into a library."""

    def add(library: Library, name: str, seconds=1, *, fps=30, audio_range=None, sound=None,
            frames=None, seed=0):  # fmt: skip
        rng = np.random.default_rng([seed, *name.encode()])
        count, samples = round(seconds * fps), round(seconds * library.sample_rate)
        if sound is None:
            sound = rng.normal(0, 0.1, samples)
        if frames is None:
            frames = rng.integers(0, 256, (count, *picture_shape(library.colour)), np.uint8)
        card = Card(
            source=f"/films/{name}.mkv",
            digest=f"{name}-{seed}",
            fps=Fraction(fps),
            frames=count,
            samples=samples,
            sample_rate=library.sample_rate,
            audio_range=audio_range or (0, samples),
        )
        with atomic_folder(library.path / name, AssertionError) as partial:
            np.save(partial / "frames.npy", frames)
            np.save(partial / "times.npy", np.arange(count + 1) / fps)
            np.save(partial / "sound.npy", np.asarray(sound, np.float32))
            (partial / "film.json").write_text(card.to_json())
        return PickledFilm(library.path / name, card, library.colour)

    return add
