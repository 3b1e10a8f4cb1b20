"""How well brains follow films whose sound has a visible cause, beside chance and controls.

    python benchmarks/real.py FOLDER [--group hits]    each clip by a brain of its group's others
    python benchmarks/real.py FOLDER --own             each clip's end by a brain of its beginning
    python benchmarks/real.py --unseen LEARNED JUDGED  a folder by one brain of another folder
    python benchmarks/real.py --drawn                  balls, clicks, pencil, grounds: drawn here
    python benchmarks/real.py --animations FOLDER      a brain on animations, and six drawn ones

Clips are files named GROUP__ANYTHING. Brains learn with the recipe as it is (`--recipe`, `--set`)
and render with the defaults (`--mode`). A second of sound precedes what is judged, which lasts two
seconds or more; matches and onsets are summed over clips before F is taken. Beside each figure
stand chance (200 circular shifts of the onsets) and controls: the soundtracks of the group's other
clips, the clip's own seconds shuffled, regular onsets at the rate that was learned, and as many
peaks of the motion. With -o, the tables are written into its README.md and all figures into a JSON
file; --keep keeps brains and soundtracks in a folder, and reuses the brains.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from films import write_part
from real_brains import Task, make_task, new_library, perform
from real_figures import (
    LEAD_SECONDS,
    LEAST_SECONDS,
    RENDERED,
    Clip,
    Sound,
    Stretch,
    figures_table,
    judge_controls,
    judge_sound,
    mean_rate,
    stretch_of,
    tables,
)

import frame2sound as f2s
from frame2sound.clock import Clock
from frame2sound.evaluation.rendered_sound import read_rendered
from frame2sound.library.checksums import Checksums
from frame2sound.library.folders import CARD_FILE
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library, PickledFilm

LEARNED_SHARE, GUARD_SECONDS = 0.6, 0.5
"""Of its own film a brain learns this share, without the guard before what is judged."""

MOST_OTHERS = 8
"""How many other clips' soundtracks are judged as a control."""


class RealFilms:
    """The clips of one run, their library, and the brains that learn from them."""

    def __init__(self, given: argparse.Namespace, work: Path) -> None:
        self.given = given
        self.work = work
        self.clock: Clock = f2s.load_recipe(given.recipe, given.set).to_clock()

    def library(self, name: str, files: Sequence[Path]) -> tuple[Library, dict[Path, PickledFilm]]:
        """Pickle files into a library, with the calibration film."""
        library = new_library(self.work / name, self.clock.sample_rate)
        return library, {file: pickle_film(file, library)[0] for file in files}

    def left_out(self, files: Sequence[Path]) -> Iterator[tuple[Task, dict[Path, Stretch]]]:
        """Yield, for each clip, a brain of the other clips of its group."""
        library, films = self.library("clips", files)
        for file in files:
            others = [other for other in files if group_of(other) == group_of(file)]
            learned = [films[other] for other in others if other != file]
            if learned and is_long_enough(films[file].seconds - LEAD_SECONDS):
                rate = mean_rate(learned)
                stretch = self.stretch(file, films[file], LEAD_SECONDS, rate)
                yield self.task("without", library, learned, [file]), {file: stretch}

    def own(self, files: Sequence[Path]) -> Iterator[tuple[Task, dict[Path, Stretch]]]:
        """Yield, for each clip, a brain of its beginning, which is judged by its end."""
        _, films = self.library("clips", files)
        beginnings = new_library(self.work / "beginnings", self.clock.sample_rate)
        for file in files:
            begin = LEARNED_SHARE * films[file].seconds
            if is_long_enough(films[file].seconds - begin) and begin >= LEAD_SECONDS:
                learned = [cut_film(films[file], begin - GUARD_SECONDS, beginnings)]
                stretch = self.stretch(file, films[file], begin, mean_rate(learned))
                yield self.task("own", beginnings, learned, [file]), {file: stretch}

    def unseen(
        self, learned_files: Sequence[Path], files: Sequence[Path]
    ) -> Iterator[tuple[Task, dict[Path, Stretch]]]:
        """Yield one brain of some files, which others are judged by."""
        library, learned = self.library("learned", learned_files)
        _, films = self.library("judged", files)
        known = list(dict.fromkeys(film.path for film in learned.values()))
        films_learned = [library.film(path) for path in known]
        rate = mean_rate(films_learned)
        judged = {
            file: self.stretch(file, film, LEAD_SECONDS, rate)
            for file, film in films.items()
            if is_long_enough(film.seconds - LEAD_SECONDS)
        }
        yield self.task("unseen", library, films_learned, list(judged)), judged

    def stretch(self, file: Path, film: PickledFilm, begin: float, rate: float) -> Stretch:
        """Return what a soundtrack of a film is judged by, from a second on."""
        return stretch_of(file.name, group_of(file), film, self.clock, begin, rate)

    def task(
        self, kind: str, library: Library, learned: Sequence[PickledFilm], files: Sequence[Path]
    ) -> Task:
        """Return the task of a brain of some films that renders some files."""
        label = f"{kind}-{files[0].stem if len(files) == 1 else len(files)}"
        return make_task(self.given, self.work, label, library, learned, files)

    def clips(self, jobs: Sequence[tuple[Task, dict[Path, Stretch]]]) -> list[Clip]:
        """Train, render and judge; controls need all soundtracks, so they come last."""
        done: list[tuple[Stretch, Clip, Sound]] = []
        count = sum(len(films) for _, films in jobs)
        for (_, judged), made in perform(jobs, self.given.jobs):
            for each in made.renderings:
                stretch = judged[each.film]
                sound = read_rendered(each.wav, self.clock.sample_rate)
                clip = Clip.of(stretch, {RENDERED: judge_sound(sound, stretch)}, made, each)
                done.append((stretch, clip, sound))
                print(f"{len(done)}/{count} {clip.line()}", flush=True)
        done.sort(key=lambda each: each[1].name)
        return [self._with_controls(number, done) for number in range(len(done))]

    def _with_controls(self, number: int, done: list[tuple[Stretch, Clip, Sound]]) -> Clip:
        stretch, clip, _ = done[number]
        after = done[number + 1 :] + done[:number]
        same = [each for each in after if each[1].group == clip.group] or after
        others = [sound for _, _, sound in same[:MOST_OTHERS]]
        return replace(clip, figures={**clip.figures, **judge_controls(stretch, others)})


def group_of(file: Path) -> str:
    """Return the group that a file's name begins with."""
    return file.name.split("__")[0] if "__" in file.name else "films"


def is_long_enough(seconds: float) -> bool:
    """Return whether a stretch may be judged."""
    return seconds >= LEAST_SECONDS


def cut_film(film: PickledFilm, seconds: float, library: Library) -> PickledFilm:
    """Copy the beginning of a film into another library, without anything of its end.

    Its mosaic is of the sound at the library's rate, in one channel, as figures are measured.
    """
    folder = library.path / film.name
    if (folder / CARD_FILE).exists():
        return library.film(folder)
    folder.mkdir(exist_ok=True)
    count = max(1, int(np.searchsorted(film.times[1:], seconds, side="right")))
    end = round(film.times[count] * film.card.sample_rate)
    np.save(folder / "frames.npy", film.frames[:count])
    np.save(folder / "times.npy", film.times[: count + 1])
    np.save(folder / "sound.npy", film.sound[:end])
    card = replace(
        film.card,
        frames=count,
        samples=end,
        audio_range=(min(film.card.audio_range[0], end), min(film.card.audio_range[1], end)),
        checksums=Checksums.from_folder(folder),
        full_sound=None,
    )
    (folder / CARD_FILE).write_text(card.to_json() + "\n", encoding="utf-8")
    return library.film(folder)


def chosen_files(folder: Path, groups: Sequence[str], most: int | None) -> list[Path]:
    """Return the clips of a folder, of some groups, and at most so many of each."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.suffix != ".md")
    files = [file for file in files if not groups or group_of(file) in groups]
    if not files:
        raise SystemExit(f"no clips of {', '.join(groups) or 'any group'} in {folder}")
    kept: dict[str, list[Path]] = {}
    for file in files:
        kept.setdefault(group_of(file), []).append(file)
    return [file for members in kept.values() for file in members[:most]]


def judge_films(given: argparse.Namespace, work: Path) -> tuple[str, list[str], dict[str, Any]]:
    """Return the name of the part, its lines, and all figures."""
    films = RealFilms(given, work)
    if given.unseen:
        part = "unseen"
        both = [chosen_files(folder, given.group, given.limit) for folder in given.unseen]
        jobs = list(films.unseen(*both))
    else:
        part = "own" if given.own else "left-out"
        files = chosen_files(given.folder, given.group, given.limit)
        jobs = list(films.own(files) if given.own else films.left_out(files))
    clips = films.clips(jobs)
    return part, list(tables(clips)), figures_table(clips)


ABOUT = {
    "left-out": "Each clip is rendered by a brain that learned the other clips of its group.",
    "own": (
        f"Each clip's brain learned its first {LEARNED_SHARE:.0%}, without the last "
        f"{GUARD_SECONDS} s; the rest of the clip is judged."
    ),
    "unseen": "One brain learned one folder; the clips of another folder are judged.",
    "drawn": "Films that are drawn and synthesised by the project, with known onsets.",
    "animations": "A brain that ships, on animations of others and on drawn ones.",
}


def said_command(given: argparse.Namespace) -> str:
    """Return the command, with names in place of folders."""
    words = ["python benchmarks/real.py"]
    if given.unseen:
        words += ["--unseen LEARNED JUDGED"]
    elif given.animations:
        words += ["--animations FOLDER"]
        words += [f"--brain {given.brain}"] if "/" not in given.brain else []
    elif given.drawn:
        words += ["--drawn"]
    else:
        words += ["FOLDER"] + ["--own"] * given.own
    words += [f"--group {' '.join(given.group)}"] if given.group else []
    words += [f"--limit {given.limit}"] if given.limit else []
    words += [f"--recipe {given.recipe}"] if given.recipe != "deep" else []
    words += [f"--set {' '.join(given.set)}"] if given.set else []
    words += [f"--mode {given.mode}"] if given.mode not in (None, "mosaic") else []
    words += [f"--seed {given.seed}"] if given.seed else []
    return " ".join(words)


def write_results(out: Path, part: str, text: str, table: dict[str, Any]) -> None:
    """Write a part of the page, and its figures."""
    out.mkdir(parents=True, exist_ok=True)
    write_part(out / "README.md", f"real-{part}", text)
    path = out / f"real-{part}.json"
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, help="clips named GROUP__ANYTHING")
    parser.add_argument("--group", nargs="+", default=[], help="groups; all by default")
    parser.add_argument("--own", action="store_true", help="learn beginnings, judge ends")
    parser.add_argument("--unseen", nargs=2, type=Path, metavar=("LEARNED", "JUDGED"))
    parser.add_argument("--drawn", action="store_true", help="judge films that are drawn here")
    parser.add_argument("--animations", type=Path, metavar="FOLDER", help="judge a shipped brain")
    parser.add_argument("--brain", default="sketchbook", help="for --animations: name or file")
    parser.add_argument("--recipe", default="deep")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE")
    parser.add_argument("--mode", help="mosaic by default; of --animations, the brain's own")
    parser.add_argument("--seed", type=int, default=0, help="of training")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N clips of each group")
    parser.add_argument("--jobs", type=int, default=1, help="brains that are trained at once")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep and reuse brains here")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    given.mode = given.mode or (None if given.animations else "mosaic")
    ways = (given.folder, given.unseen, given.drawn or None, given.animations)
    if sum(way is not None for way in ways) != 1:
        parser.error("give one of FOLDER, --unseen, --drawn and --animations")
    return given


def chosen_judge(given: argparse.Namespace) -> Callable[..., tuple[str, list[str], dict[str, Any]]]:
    """Return what judges what was asked for."""
    if given.drawn:
        from real_drawn import judge_drawn

        return judge_drawn
    if given.animations:
        from real_animations import judge_animations

        return judge_animations
    return judge_films


def main() -> None:
    """Judge, print, and write what was asked for."""
    given = parse_arguments()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        work = given.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        part, lines, table = chosen_judge(given)(given, work)
    command = said_command(given)
    text = "\n".join([f"`{command}`\n", f"{ABOUT[part]}\n", *lines]) + "\n"
    print(text)
    print(f"{time.perf_counter() - begun:.0f} s in all")
    if given.out is not None:
        write_results(given.out, part, text, {"command": command, **table})


if __name__ == "__main__":
    main()
