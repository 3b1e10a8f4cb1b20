"""Brains that are trained, and films that are rendered, one after another or several at once."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from worker_pool import worker_pool

import frame2sound as f2s
from frame2sound.library.calibration import CALIBRATION_NAME, add_calibration_film
from frame2sound.library.split import LibraryView
from frame2sound.library.store import Library, PickledFilm


@dataclass(frozen=True)
class Rendering:
    """A soundtrack, the seconds that it took, and the notes that came with it."""

    film: Path
    wav: Path
    seconds: float
    cpu_seconds: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """What a task made."""

    training_seconds: float
    renderings: tuple[Rendering, ...]


@dataclass(frozen=True)
class Task:
    """A brain to find or to train, and films to render with it.

    Attributes
    ----------
    library : Path
    learned : tuple of str
        Names of films in the library.
    brain : Path
        Where the brain is, or is written.
    sounds : tuple of (Path, Path)
        Films to render, and the WAVs to write.
    """

    library: Path
    learned: tuple[str, ...]
    recipe: str
    settings: tuple[str, ...]
    seed: int
    mode: str
    brain: Path
    sounds: tuple[tuple[Path, Path], ...]
    threads: int

    def perform(self) -> Made:
        """Train the brain if there is none, and render the films."""
        torch.set_num_threads(self.threads)
        brain = self._find_brain()
        renderings = tuple(render_wav(film, brain, wav, self.mode) for film, wav in self.sounds)
        return Made(float(brain.provenance["seconds"]), renderings)

    def _find_brain(self) -> f2s.Brain:
        if self.brain.exists():
            return f2s.load_brain(self.brain)
        library = Library.open(self.library)
        hidden = {film.name for film in library.films()} - {*self.learned, CALIBRATION_NAME}
        settings = list(self.settings)
        view = LibraryView(library, hidden)
        return f2s.train(view, self.recipe, settings, self.brain, seed=self.seed, device="cpu")


def render_wav(film: Path, brain: f2s.Brain | str, wav: Path, mode: str | None) -> Rendering:
    """Render the soundtrack of a film into a WAV, with the defaults; None is the brain's mode."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = f2s.render(film, brain=brain, out=wav, mode=mode, device="cpu", overwrite=True)
    took = time.perf_counter() - wall, time.process_time() - cpu
    return Rendering(film, wav, *took, made.notes)


def make_task(
    given: argparse.Namespace,
    work: Path,
    label: str,
    library: Library,
    learned: Sequence[PickledFilm],
    files: Sequence[Path],
    mode: str | None = None,
) -> Task:
    """Return a task; the name of its brain says what it learned, and how."""
    names = tuple(sorted(film.name for film in learned))
    identity = [given.recipe, sorted(given.set), given.seed, library.path.name, names]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    chosen = mode or given.mode
    sounds = work / "sounds"
    sounds.mkdir(exist_ok=True)
    return Task(
        library=library.path,
        learned=names,
        recipe=given.recipe,
        settings=tuple(given.set),
        seed=given.seed,
        mode=chosen,
        brain=work / f"{label}-{key}.safetensors",
        sounds=tuple((file, sounds / f"{file.stem}-{chosen}-{key}.wav") for file in files),
        threads=max(1, (os.cpu_count() or 1) // given.jobs),
    )


def new_library(path: Path, sample_rate: int) -> Library:
    """Open or create a library that has the calibration film."""
    library = Library.create(path, sample_rate)
    add_calibration_film(library)
    return library


def perform(jobs: Sequence[tuple[Task, Any]], count: int) -> Iterator[tuple[Any, Made]]:
    """Yield jobs and what their tasks made, as they are done."""
    if count == 1:
        for job in jobs:
            yield job, job[0].perform()
        return
    with worker_pool(count) as pool:
        running = {pool.submit(job[0].perform): job for job in jobs}
        for future in as_completed(running):
            yield running[future], future.result()
