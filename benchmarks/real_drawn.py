"""Brains on films that are drawn here: balls, clicks, pencil, and one film on many grounds."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from animations import GROUNDS, balls, on_ground, pencil_balls, white_frame_click, write_animation
from real_brains import Made, make_task, new_library, perform
from real_figures import (
    LEAD_SECONDS,
    RENDERED,
    Clip,
    Stretch,
    figures_table,
    format_number,
    judge_controls,
    judge_sound,
    mean_rate,
    onsets_from,
    stretch_of,
    tables,
)

import frame2sound as f2s
from frame2sound.evaluation.media_loader import read_truth
from frame2sound.evaluation.onset_counts import OnsetCounts
from frame2sound.evaluation.rendered_sound import read_rendered
from frame2sound.film.drawing.scene import Scene
from frame2sound.film.drawing.scene_writer import truth_path
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library

LEARNED_SECONDS, JUDGED_SECONDS, JUDGED_SEEDS = 60, 30, (1, 2)
MOST_DB_BETWEEN_GROUNDS = 6.0

Draw = Callable[..., Scene]


@dataclass(frozen=True)
class Lesson:
    """A film to learn, one to judge by other seeds, and the mode; their onsets are known."""

    label: str
    learned: Draw
    judged: Draw
    mode: str


LESSONS = (
    Lesson("balls, mosaic", balls, balls, "mosaic"),
    Lesson("balls, overlap-add", balls, balls, "overlap-add"),
    Lesson("white frame and click", white_frame_click, white_frame_click, "mosaic"),
    Lesson("pencil balls, learned from pencil balls", pencil_balls, pencil_balls, "mosaic"),
    Lesson("pencil balls, learned from balls", balls, pencil_balls, "mosaic"),
)


class DrawnFilms:
    """The films of one run, and the brains that learn them."""

    def __init__(self, given: argparse.Namespace, work: Path) -> None:
        self.given = given
        self.work = work
        self.clock = f2s.load_recipe(given.recipe, given.set).to_clock()

    def film(self, scene: Scene) -> Path:
        """Return a scene's film, after drawing it if it is missing."""
        seconds = float(scene.frame_count / scene.clock.fps)
        path = self.work / f"{scene.name}-{scene.seed}-{seconds:.0f}s.mkv"
        done = truth_path(path).exists()  # it is written last
        return path if done else write_animation(scene, path, with_audio=True)

    def library(self, draw: Draw) -> Library:
        """Return the library of one film."""
        path = self.film(draw(seed=0, seconds=LEARNED_SECONDS))
        library = new_library(self.work / f"learned-{path.stem}", self.clock.sample_rate)
        pickle_film(path, library)
        return library

    def render(self, draw: Draw, scenes: Sequence[Scene], mode: str) -> Made:
        """Render scenes by a brain that learned a film."""
        library = self.library(draw)
        learned = [film for film in library.films() if film.path.name != "calibration"]
        files = [self.film(scene) for scene in scenes]
        label = library.path.name
        task = make_task(self.given, self.work, label, library, learned, files, mode)
        return next(made for _, made in perform([(task, None)], 1))

    def stretch(self, path: Path, group: str, rate: float) -> Stretch:
        """Return what a soundtrack of a drawn film is judged by: its true onsets."""
        library = Library.create(self.work / "judged", self.clock.sample_rate)
        film, _ = pickle_film(path, library)
        onsets = np.array(read_truth(truth_path(path)).onsets)
        return stretch_of(path.stem, group, film, self.clock, LEAD_SECONDS, rate, onsets)

    def lesson(self, lesson: Lesson) -> Iterator[Clip]:
        """Yield the figures of films of other seeds."""
        scenes = [lesson.judged(seed=seed, seconds=JUDGED_SECONDS) for seed in JUDGED_SEEDS]
        made = self.render(lesson.learned, scenes, lesson.mode)
        rate = mean_rate(self.library(lesson.learned).films())
        sounds = {
            each.film: read_rendered(each.wav, self.clock.sample_rate) for each in made.renderings
        }
        for each in made.renderings:
            stretch = self.stretch(each.film, lesson.label, rate)
            others = [sound for film, sound in sounds.items() if film != each.film]
            figures = {RENDERED: judge_sound(sounds[each.film], stretch)}
            figures |= {**judge_controls(stretch, others), "its own sound": own_figures(stretch)}
            yield Clip.of(stretch, figures, made, each)

    def grounds(self) -> tuple[list[str], dict[str, Any]]:
        """Return the table, and the figures, of one film on many grounds."""
        scene = balls(seed=JUDGED_SEEDS[0], seconds=JUDGED_SECONDS)
        black = [balls(seed=JUDGED_SEEDS[0], seconds=JUDGED_SECONDS)]
        kinds = [(ground, inverted) for ground in GROUNDS for inverted in (False, True)]
        made = self.render(balls, black + [on_ground(scene, *kind) for kind in kinds], "mosaic")
        sounds = [read_rendered(each.wav, self.clock.sample_rate) for each in made.renderings]
        rate = mean_rate(self.library(balls).films())
        begin = round(LEAD_SECONDS * self.clock.sample_rate)
        plain = onsets_from(sounds[0], self.clock.sample_rate, begin)
        rows = []
        for each, sound in zip(made.renderings, sounds, strict=True):
            figures = judge_sound(sound, self.stretch(each.film, "grounds", rate))
            found = onsets_from(sound, self.clock.sample_rate, begin)
            same = OnsetCounts.compare(found, plain).f_measure
            rows.append({"film": each.film.stem, **figures.to_dict(), "same_onsets_f": same})
        return list(ground_lines(rows)), {"grounds": rows}


def own_figures(stretch: Stretch) -> Any:
    """Return the figures of a film's own sound: the most that the measures allow."""
    return judge_sound(stretch.own, stretch)


def ground_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table of grounds."""
    levels = [row["loudness_lufs"] for row in rows]
    silent = sum(level is None for level in levels)
    heard = [level for level in levels if level is not None]
    apart = max(heard) - min(heard) if heard else 0.0
    verdict = "met" if not silent and apart <= MOST_DB_BETWEEN_GROUNDS else "**short**"
    yield "\n#### The same balls on other grounds, learned on the film's own\n"
    yield (
        f"Loudness is within {apart:.1f} dB, {silent} silent; required are "
        f"{MOST_DB_BETWEEN_GROUNDS:.0f} dB and none: {verdict}.\n"
    )
    yield "| ground | onset F | chance | onset F against the first row's | in sync | LUFS |"
    yield "|---|" + "--:|" * 5
    for row, level in zip(rows, levels, strict=True):
        cells = (format_number(row[key]) for key in ("onset_f", "chance", "same_onsets_f"))
        sync = format_number(row["in_sync"])
        loudness = "silent" if level is None else f"{level:.1f}"
        yield f"| {row['film']} | {' | '.join(cells)} | {sync} | {loudness} |"


def judge_drawn(given: argparse.Namespace, work: Path) -> tuple[str, list[str], dict[str, Any]]:
    """Return the name of the part, its lines, and all figures."""
    films = DrawnFilms(given, work)
    clips = []
    for lesson in LESSONS:
        for clip in films.lesson(lesson):
            print(f"{lesson.label}: {clip.line()}", flush=True)
            clips.append(clip)
    lines, grounds = films.grounds()
    return "drawn", [*tables(clips), *lines], {**figures_table(clips), **grounds}
