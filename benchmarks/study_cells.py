"""Cells of the study: train an arm on a film with a seed, render the judged film, measure it."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from study_design import PRIMARY_ARMS, Design, Film
from study_results import FAILED, NO_SEED, WHOLE_CELL, Row, append, csv_path, done

from frame2sound.brain.brain import Brain
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.targets import build_target
from frame2sound.comparison.baseline_fitting import fit_baselines
from frame2sound.comparison.block_stats import sum_blocks
from frame2sound.comparison.segments import EvaluationFilm, Segment, split_into_segments
from frame2sound.errors import DivergedError
from frame2sound.evaluation.controls import ORIGINAL, SHUFFLED_SECONDS, SILENCE, shuffle_seconds
from frame2sound.library.calibration import add_calibration_film, is_calibration
from frame2sound.library.pickler import pickle_film
from frame2sound.library.split import HeldOutRange
from frame2sound.library.store import Library
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.style import Style
from frame2sound.training.loop import train
from frame2sound.training.training_data import TrainingData

Samples = NDArray[np.float32]
Render = Callable[[Segment], Samples]

FITTED = ("mean", "linear", "nearest")
BASELINES = (*FITTED, SILENCE, SHUFFLED_SECONDS, ORIGINAL)
"""What every film is judged with beside the arms."""


@dataclass(frozen=True)
class Job:
    """All cells of one film, one learned length and one group of arms."""

    design: Design
    film: Film
    seconds: int
    arms: tuple[str, ...]
    results: Path
    work: Path

    @property
    def path(self) -> Path:
        """The file of the results."""
        return csv_path(self.results, self.film.name, self.seconds)

    def missing(self) -> list[tuple[str, int]]:
        """Return the cells that the file lacks: the seeds of all arms in turn, then baselines."""
        known = done(self.path)
        wanted = [(arm, seed) for seed in range(self.design.seeds) for arm in self.arms]
        if set(self.arms) & set(PRIMARY_ARMS):
            wanted += [(name, NO_SEED) for name in BASELINES]
        return [cell for cell in wanted if cell not in known]


def jobs(design: Design, results: Path, work: Path) -> list[Job]:
    """Return all jobs of a design: the first arms at all lengths, then the others by length."""
    first, *others = design.arms
    order = [(first, seconds) for seconds in design.lengths]
    order += [(arms, seconds) for seconds in design.lengths for arms in others]
    return [
        Job(design, film, seconds, arms, results, work)
        for arms, seconds in order
        for film in design.films
    ]


def run(job: Job, on_cell: Callable[[Job, str, int], None]) -> None:
    """Compute what a job's file lacks, and add each cell to it."""
    missing = job.missing()
    if not missing:
        return
    place = Workplace(job)
    for arm, seed in missing:
        append(job.path, place.rows(arm, seed))
        on_cell(job, arm, seed)
    place.remove()


class Workplace:
    """The libraries of a job, in a folder of their own, and the segments that are judged."""

    def __init__(self, job: Job) -> None:
        self.job = job
        group = hashlib.sha256("+".join(job.arms).encode()).hexdigest()[:6]
        self.folder = job.work / "libraries" / f"{job.film.name}-{job.seconds}-{group}"
        self.recipe = job.design.recipe(job.arms[0])
        self.remove()

    def remove(self) -> None:
        """Remove the libraries, which films are quickly pickled into again."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def library(self) -> Library:
        """What is learned, with the calibration film."""
        library = Library.create(self.folder / "learned")
        add_calibration_film(library)
        for path in self.job.film.learned(self.job.work / "films", self.job.seconds):
            pickle_film(path, library)
        return library

    @cached_property
    def segments(self) -> list[Segment]:
        """What is judged, as loud as brains learn it."""
        library = Library.create(self.folder / "judged")
        pickle_film(self.job.film.judged(self.job.work / "films"), library)
        film = next(each for each in library.films() if not is_calibration(each))
        first = self.job.film.lead_seconds * library.sample_rate
        judged = EvaluationFilm.from_held_out(HeldOutRange(film, first, film.card.audio_range[1]))
        found = split_into_segments([judged], self.recipe.to_clock())
        return [segment.at_loudness(self.recipe.training.loudness) for segment in found]

    @cached_property
    def baselines(self) -> dict[str, Predictor]:
        """The predictors without a network, which see films as they are, on any ground."""
        plain = structs.replace(self.recipe.input, match_ground=False)
        recipe = structs.replace(self.recipe, input=plain)
        data = TrainingData.from_library(self.library, recipe, 0)
        return fit_baselines(recipe.to_clock(), build_target(recipe, data.scale), data)

    def rows(self, arm: str, seed: int) -> Iterator[Row]:
        """Yield the rows of a cell."""
        if arm == SILENCE:
            yield from self._judged(arm, seed, lambda segment: np.zeros_like(_own(segment)))
        elif arm == SHUFFLED_SECONDS:
            yield from self._judged(arm, seed, _shuffled)
        elif arm == ORIGINAL:
            yield from self._judged(arm, seed, _own)
        elif arm in FITTED:
            yield from self._judged(arm, seed, _renderer(self.baselines[arm]))
        else:
            yield from self._trained(arm, seed)

    def _trained(self, arm: str, seed: int) -> Iterator[Row]:
        library, begun = self.library, time.process_time()
        try:
            brain = train_brain(library, self.job.design.recipe(arm), seed, self.folder)
        except DivergedError:
            yield self._row(arm, seed, 0, WHOLE_CELL, FAILED, (1.0,))
            return
        held_out = [loss for loss in brain.provenance["held_out_loss"] if loss is not None]
        if held_out:
            yield self._row(arm, seed, 0, WHOLE_CELL, "held_out_loss", (min(held_out),))
        seconds = time.process_time() - begun
        yield self._row(arm, seed, 0, WHOLE_CELL, "training_cpu_seconds", (seconds,))
        yield from self._judged(arm, seed, _renderer(brain))

    def _judged(self, arm: str, seed: int, render: Render) -> Iterator[Row]:
        for segment in self.segments:
            for measure, sums in sum_blocks(render(segment), segment.ground_truth).items():
                for block, values in enumerate(sums):
                    yield self._row(arm, seed, segment.number, block, measure, tuple(values))

    def _row(
        self, arm: str, seed: int, segment: int, block: int, measure: str, sums: tuple[float, ...]
    ) -> Row:
        film = self.job.film
        return Row(film.name, film.law, self.job.seconds, arm, seed, segment, block, measure, sums)


def train_brain(library: Library, recipe: Recipe, seed: int, folder: Path) -> Brain:
    """Return a trained brain; its file is removed again.

    Raises
    ------
    DivergedError
        Training diverged.
    TrainingError
        Training cannot start, or cannot write its files.
    """
    out = folder / "brain.safetensors"
    brain = train(library, recipe, out, seed=seed, device="cpu", corpus="none")
    out.unlink()
    return brain


def _renderer(predictor: Predictor) -> Render:
    def render(segment: Segment) -> Samples:
        skipped = segment.warmup_frames - segment.lead_in_frames
        sound = render_frames(predictor, Style(), segment.frames(), warmup_frames=skipped)
        return segment.pad_or_trim(sound)

    return render


def _own(segment: Segment) -> Samples:
    assert segment.reference is not None
    return segment.reference


def _shuffled(segment: Segment) -> Samples:
    own, lead = _own(segment), segment.lead_in_samples
    seconds = shuffle_seconds(own[lead:], segment.clock.sample_rate)
    return np.concatenate([own[:lead], seconds.astype(np.float32)])
