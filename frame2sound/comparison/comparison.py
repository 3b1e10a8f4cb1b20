"""Run a comparison: train every recipe with every seed, render all soundtracks, measure them.

A comparison that is run again reuses what is in its folder: trained brains, checkpoints of
interrupted training, and the measures of each soundtrack.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.recipe import Recipe
from frame2sound.comparison.plan import ComparisonPlan, RecipeVariant
from frame2sound.comparison.records import (
    Record,
    measure_segment,
    read_record,
    record_key,
    write_record,
)
from frame2sound.comparison.report_media import write_audio, write_video
from frame2sound.comparison.segments import Segment, split_into_segments
from frame2sound.comparison.spectrograms import draw_spectrogram
from frame2sound.comparison.systems import System, build_systems
from frame2sound.errors import ComparisonError
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.training.checkpoint import OtherTrainingError, checkpoint_path
from frame2sound.training.loop import train

MAX_SHOWN_SEGMENTS = 6
"""Largest number of held-out segments whose soundtracks are on the page."""

MEASURE_COST = 0.02
"""Estimated time to measure a segment, where training a brain takes 1."""

OVERALL_TASK = "in all"
"""Name of the task under which overall progress is reported."""


@dataclass(frozen=True, eq=False)
class SystemResult:
    """A system, and its record for each segment for which it has a soundtrack."""

    system: System
    records: dict[str, Record]


class Comparison:
    """Runs a comparison.

    Parameters
    ----------
    plan : ComparisonPlan
    device : str
        As for training.
    on_progress : callable
        See `ProgressCallback`.
    """

    def __init__(
        self,
        plan: ComparisonPlan,
        device: str = "auto",
        on_progress: ProgressCallback = ignore_progress,
    ) -> None:
        self.plan, self.device, self.on_progress = plan, device, on_progress
        self._done = 0.0

    @cached_property
    def segments(self) -> list[Segment]:
        """All segments on which systems are evaluated.

        Raises
        ------
        ComparisonError
            There are no held-out segments.
        """
        segments = list(split_into_segments(self.plan.evaluation_films, self.plan.clock))
        if not any(segment.film.kind == "held out" for segment in segments):
            raise ComparisonError(
                "the held-out part is shorter than a frame, so there is nothing to evaluate; "
                "pickle a longer film"
            )
        return segments

    @cached_property
    def shown_segments(self) -> list[Segment]:
        """Segments on the page: up to six held-out ones, and the first of each animation."""
        held_out = [segment for segment in self.segments if segment.film.kind == "held out"]
        firsts = [segment for segment in held_out if segment.number == 1]
        pool = firsts if len(firsts) >= MAX_SHOWN_SEGMENTS else held_out
        count = min(MAX_SHOWN_SEGMENTS, len(pool))
        indices = np.linspace(0, len(pool) - 1, count).round().astype(int)
        return [pool[index] for index in indices] + [
            segment
            for segment in self.segments
            if segment.film.kind == "animation" and segment.number == 1
        ]

    def check_segments(self) -> None:
        """Raise `ComparisonError` if there are no held-out segments."""
        assert self.segments

    def run(self) -> list[SystemResult]:
        """Train, render and measure what the folder lacks; return the results of all systems.

        Raises
        ------
        ComparisonError
            A brain in the folder has another recipe, seed or library.
        Frame2SoundError
            Training, rendering or writing failed.
        KeyboardInterrupt
            Raised after a checkpoint was saved; what was finished is kept.
        """
        untrained = [run for run in self._training_runs() if not self._is_trained(*run)]
        systems = self.plan.seeds * len(self.plan.variants) + 7  # baselines and controls
        self._total = len(untrained) + MEASURE_COST * systems * len(self.segments)
        for variant, seed in untrained:
            self._train(variant, seed)
        for segment in self.shown_segments:
            self._write_video(segment)
        results = [self._measure_system(each) for each in build_systems(self.plan, self.device)]
        self.on_progress(OVERALL_TASK, self._total, self._total, "")
        return results

    def _training_runs(self) -> list[tuple[RecipeVariant, int]]:
        return [
            (variant, seed) for variant in self.plan.variants for seed in range(self.plan.seeds)
        ]

    def _advance(self, amount: float, partial_amount: float = 0.0) -> None:
        self._done += amount
        self.on_progress(
            OVERALL_TASK, min(self._done + partial_amount, self._total), self._total, ""
        )

    def _is_trained(self, variant: RecipeVariant, seed: int) -> bool:
        """Whether a fully trained brain of this variant and seed is in the folder."""
        path = self.plan.brain_path(variant, seed)
        if checkpoint_path(path).exists() or not path.exists():
            return False
        self._check_brain(load_brain(path), variant, seed, path)
        return True

    def _check_brain(self, brain: Brain, variant: RecipeVariant, seed: int, path: Path) -> None:
        remedy = "give another `out`, or start again with `overwrite=True`"
        copies = brain.provenance.get("left_out_copies", {})
        films = [
            (film.name, film.card.digest)
            for film in self.plan.split.training.films()
            if film.name not in copies
        ]
        trained_on = [(film["name"], film["digest"]) for film in brain.provenance.get("films", [])]
        for what, got, expected in (
            ("recipe", _without_text(brain.recipe), _without_text(variant.recipe)),
            ("seed", brain.provenance.get("seed"), seed),
            ("library", sorted(trained_on), sorted(films)),
        ):
            if got != expected:
                raise ComparisonError(f"{path} was made with another {what}; {remedy}")

    def _train(self, variant: RecipeVariant, seed: int) -> None:
        path, name = self.plan.brain_path(variant, seed), f"{variant.label}, seed {seed}"

        steps = 1.0

        def report(_: str, done: float, total: float | None, note: str, /) -> None:
            nonlocal steps
            steps = total or 1.0
            self.on_progress(name, done, total, note)
            self._advance(0.0, done / steps)

        try:
            brain = train(
                self.plan.split.training,
                variant.recipe,
                path,
                seed=seed,
                device=self.device,
                resume=checkpoint_path(path).exists(),
                on_progress=report,
            )
        except OtherTrainingError as error:
            raise ComparisonError(
                f"{error.problem}; delete it to train this brain anew, or start again with "
                "`overwrite=True`"
            ) from error
        self.on_progress(name, steps, steps, f"{brain.provenance['epochs']} epochs")
        self._advance(1.0)

    def _measure_system(self, system: System) -> SystemResult:
        records = {}
        for segment in self.segments:
            if segment.film.samples is not None or system.kind != "control":
                records[segment.name] = self._load_or_measure(system, segment)
            self._advance(MEASURE_COST)
        return SystemResult(system, records)

    def _load_or_measure(self, system: System, segment: Segment) -> Record:
        """Return the record in the folder, or render and measure the soundtrack."""
        path = self.plan.out / "figures" / segment.name / f"{system.name}.json"
        judged = segment.at_loudness(system.loudness)
        judge = self.plan.judge
        of_judge = [] if judge is None else [judge.digest]
        key = record_key(system.cache_key, judged.cache_key(), *of_judge)
        audio_path, spectrogram_path = self.media_paths(system, segment)
        has_media = audio_path.exists() and spectrogram_path.exists()
        if has_media or segment not in self.shown_segments:
            existing = read_record(path, key)
            if existing is not None:
                return existing
        path.unlink(missing_ok=True)  # if what follows is interrupted, its media have no record
        samples = system.render(judged)
        assert samples is not None
        record = measure_segment(samples, judged, judge)
        if segment in self.shown_segments:
            rate = segment.clock.sample_rate
            shown = samples[segment.lead_in_samples :]
            write_audio(shown, rate, audio_path)
            draw_spectrogram(shown, rate, spectrogram_path, self._max_level_db(judged))
        write_record(record, key, path)
        return record

    def _max_level_db(self, segment: Segment) -> float | None:
        """Return the level of the brightest colour in the spectrograms of a segment.

        It is the highest level of the original; None without an original.
        """
        if segment not in self._max_levels_db and segment.reference is not None:
            original = segment.reference[segment.lead_in_samples :]
            path = self.plan.out / "media" / segment.name / "own.webp"
            self._max_levels_db[segment] = draw_spectrogram(
                original, segment.clock.sample_rate, path
            )
        return self._max_levels_db.get(segment)

    @cached_property
    def _max_levels_db(self) -> dict[Segment, float]:
        return {}

    def media_paths(self, system: System, segment: Segment) -> tuple[Path, Path]:
        """Return the paths of a soundtrack and its spectrogram, which shown segments have."""
        folder = self.plan.out / "media" / segment.name
        return folder / f"{system.name}.m4a", folder / f"{system.name}.webp"

    def video_path(self, segment: Segment) -> Path:
        """Return the path of the video of a shown segment."""
        return self.plan.out / "media" / segment.name / "picture.mp4"

    def _write_video(self, segment: Segment) -> None:
        path = self.video_path(segment)
        if not path.exists():
            write_video(segment.frames()[segment.warmup_frames :], segment.clock.fps, path)


def _without_text(recipe: Recipe) -> Recipe:
    """Return a recipe without its description, which does not matter for the brain."""
    return msgspec.structs.replace(recipe, about="")
