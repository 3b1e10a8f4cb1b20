"""Running a comparison: every recipe trained with every seed, played, and measured.

Whatever was finished is found again when the same comparison is run again: trained brains,
trainings that were interrupted, and what was measured of each soundtrack.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
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
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.loop import train

MAX_SHOWN_SEGMENTS = 6
"""So many stretches of what is held out are kept to be seen and heard."""

MEASURE_COST = 0.02
"""What measuring one stretch is thought to take, where training a brain takes 1."""

OVERALL_TASK = "in all"


@dataclass(frozen=True, eq=False)
class SystemResult:
    """A player, and what was measured of it: one record for each stretch that it could play."""

    system: System
    records: dict[str, Record]


class Comparison:
    """A comparison in progress.

    Parameters
    ----------
    plan : Plan
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
        """Return all that is judged.

        Raises
        ------
        ComparisonError
            There is nothing to judge.
        """
        found = list(split_into_segments(self.plan.evaluation_films, self.plan.clock))
        if not any(stretch.film.kind == "held out" for stretch in found):
            raise ComparisonError(
                "what is held out is shorter than a frame, so there is nothing to judge; "
                "pickle a longer film"
            )
        return found

    @cached_property
    def shown_segments(self) -> list[Segment]:
        """Return which are kept to be heard: some that are held out, and each animation's first."""
        held = [stretch for stretch in self.segments if stretch.film.kind == "held out"]
        firsts = [stretch for stretch in held if stretch.number == 1]
        pool = firsts if len(firsts) >= MAX_SHOWN_SEGMENTS else held
        which = (
            np.linspace(0, len(pool) - 1, min(MAX_SHOWN_SEGMENTS, len(pool))).round().astype(int)
        )
        chosen = [pool[number] for number in which]
        return chosen + [
            stretch
            for stretch in self.segments
            if stretch.film.kind == "animation" and stretch.number == 1
        ]

    def check_segments(self) -> None:
        """Raise `ComparisonError` if there is nothing to judge."""
        assert self.segments

    def run(self) -> list[SystemResult]:
        """Train, play and measure what is not there yet; return everybody's records.

        Raises
        ------
        ComparisonError
            A brain in the folder was made in another way.
        Frame2SoundError
            Training, playing or writing failed.
        KeyboardInterrupt
            After the state of a training was saved; what was finished is kept.
        """
        todo = [pair for pair in self._training_runs() if not self._is_trained(*pair)]
        some = [self.plan.seeds * len(self.plan.variants), len(self.segments)]
        self._total = len(todo) + MEASURE_COST * (some[0] + 6) * some[1]
        for entry, seed in todo:
            self._train(entry, seed)
        for stretch in self.shown_segments:
            self._write_video(stretch)
        played = [self._measure_system(player) for player in build_systems(self.plan, self.device)]
        self.on_progress(OVERALL_TASK, self._total, self._total, "")
        return played

    def _training_runs(self) -> list[tuple[RecipeVariant, int]]:
        return [(entry, seed) for entry in self.plan.variants for seed in range(self.plan.seeds)]

    def _advance(self, amount: float, partial_amount: float = 0.0) -> None:
        self._done += amount
        self.on_progress(
            OVERALL_TASK, min(self._done + partial_amount, self._total), self._total, ""
        )

    def _is_trained(self, variant: RecipeVariant, seed: int) -> bool:
        """Whether a brain is there, whole, and made as it should be."""
        path = self.plan.brain_path(variant, seed)
        if checkpoint_path(path).exists() or not path.exists():
            return False
        self._check_brain(load_brain(path), variant, seed, path)
        return True

    def _check_brain(self, brain: Brain, variant: RecipeVariant, seed: int, path: Path) -> None:
        remedy = "use another --out, or begin anew with --overwrite"
        films = [(film.name, film.card.digest) for film in self.plan.split.training.films()]
        learned = [(film["name"], film["digest"]) for film in brain.provenance.get("films", [])]
        for what, got, expected in (
            ("recipe", brain.recipe, variant.recipe),
            ("seed", brain.provenance.get("seed"), seed),
            ("library", sorted(learned), sorted(films)),
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

        brain = train(
            self.plan.split.training,
            variant.recipe,
            path,
            seed=seed,
            device=self.device,
            resume=checkpoint_path(path).exists(),
            on_progress=report,
        )
        self.on_progress(name, steps, steps, f"{brain.provenance['epochs']} epochs")
        self._advance(1.0)

    def _measure_system(self, system: System) -> SystemResult:
        records = {}
        for stretch in self.segments:
            if stretch.ground_truth.reference is not None or system.kind != "control":
                records[stretch.name] = self._load_or_measure(system, stretch)
            self._advance(MEASURE_COST)
        return SystemResult(system, records)

    def _load_or_measure(self, system: System, segment: Segment) -> Record:
        """Find what was measured, or play and measure it."""
        path = self.plan.out / "figures" / segment.name / f"{system.name}.json"
        key = record_key(system.cache_key, segment.cache_key())
        sound, picture = self.media_paths(system, segment)
        if segment not in self.shown_segments or (sound.exists() and picture.exists()):
            found = read_record(path, key)
            if found is not None:
                return found
        played = system.render(segment)
        assert played is not None
        record = measure_segment(played, segment)
        if segment in self.shown_segments:
            rate = segment.clock.sample_rate
            plain = played[segment.lead_in_samples :]
            write_audio(plain, rate, sound)
            draw_spectrogram(plain, rate, picture, self._max_level_db(segment))
        write_record(record, key, path)
        return record

    def _max_level_db(self, segment: Segment) -> float | None:
        """Return the brightest level in a stretch's spectrograms, if its own sound is known."""
        if segment not in self._max_levels_db and segment.reference is not None:
            own = segment.reference[segment.lead_in_samples :]
            path = self.plan.out / "media" / segment.name / "own.webp"
            self._max_levels_db[segment] = draw_spectrogram(own, segment.clock.sample_rate, path)
        return self._max_levels_db.get(segment)

    @cached_property
    def _max_levels_db(self) -> dict[Segment, float]:
        return {}

    def media_paths(self, system: System, segment: Segment) -> tuple[Path, Path]:
        """Return where a soundtrack and its spectrogram are, for stretches that are shown."""
        folder = self.plan.out / "media" / segment.name
        return folder / f"{system.name}.m4a", folder / f"{system.name}.webp"

    def video_path(self, segment: Segment) -> Path:
        """Return where a shown stretch's picture is."""
        return self.plan.out / "media" / segment.name / "picture.mp4"

    def _write_video(self, segment: Segment) -> None:
        path = self.video_path(segment)
        if not path.exists():
            write_video(segment.frames()[segment.warmup_frames :], segment.clock.fps, path)
