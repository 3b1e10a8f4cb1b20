"""Whether it is good: what brains play to films that they have not seen, beside baselines.

    python benchmarks/films.py [--films typing lines] [--recipe deep] [-o FOLDER]
    python benchmarks/films.py --real FOLDER_OF_FILMS [-o FOLDER]

Of each demo film, 60 s are learned and 30 s of another seed judged, which nobody has developed on:
published figures are of seed 1701, and who changes a recipe by them judges the next on another one
(--seed). Of real films, which have no truth, the last fifth is judged, after a second of lead:
training has not seen it, nor chosen epochs or shares by it. Onsets are pooled, beside chance and
controls. `real.py` leaves out whole clips instead.
"Hard cut" and "hindle" are the ancestor's: recipe lines-small with preset=hindle, shortened to ten
epochs; "hindle's grains" are his schedule of grains under the brain that is judged. With
-o the tables are written into its README.md, and a picture of each film beside it; --brains reuses
the brains of a folder, with the seconds that their training took, and keeps there those it trains.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from footage import STUDY_FILMS
from numpy.typing import NDArray
from real_figures import (
    LEAD_SECONDS,
    LEAST_SECONDS,
    OTHER_CLIP,
    SUMMARY_HEAD,
    Figures,
    Stretch,
    Summary,
    judge_controls,
    judge_sound,
    mean_rate,
    motion_of,
)

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.config import Loudness
from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.reach import reach_seconds
from frame2sound.brain.recipe import Recipe, load_recipe
from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.comparison.baseline_fitting import fit_baselines
from frame2sound.evaluation.controls import ORIGINAL, SHUFFLED_SECONDS, SILENCE, shuffle_seconds
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.evaluation.measurements import Measurements, Reference
from frame2sound.evaluation.media_loader import MediaLoader, read_truth
from frame2sound.evaluation.plots import plot_comparison
from frame2sound.evaluation.rendered_sound import read_rendered
from frame2sound.evaluation.soundtrack_evaluation import measure_soundtrack
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.scene_writer import truth_path, write_scene
from frame2sound.library.calibration import add_calibration_film, is_calibration
from frame2sound.library.film_loudness import sound_gain_db, with_gain
from frame2sound.library.pickler import pickle_film
from frame2sound.library.split import GUARD_SECONDS, TrainTestSplit, split_library
from frame2sound.library.store import Library
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.render import render
from frame2sound.rendering.style import Style
from frame2sound.training.dataset import PairDataset
from frame2sound.training.loop import train
from frame2sound.training.training_data import TrainingData

Sound = NDArray[np.float32]
Players = dict[str, tuple[Predictor, Style]]

LEARNED_SECONDS, JUDGED_SECONDS = 60.0, 30.0
MOST_SECONDS = 180.0
JUDGED_SEED = 1701
"""Of the demo films whose figures are published. Seed 1 was developed on, up to version 0.2."""

MODES = {mode: Style(mode=mode) for mode in ("overlap-add", "granular", "mosaic")}
ANCESTOR = {"hard cut": Style(window="none"), "hindle": Style(mode="granular", grains="hindle")}
LATE = "hindle's grains"
ANCESTOR_SETTINGS = ["preset=hindle", "training.epochs=10"]
BASELINES = ("mean", "nearest", "linear")
CLEAR = 0.9
"""A film's onsets are clear where those heard in its own sound reach this F-measure."""

COLUMNS = (
    "length_samples",
    "lag_start_ms",
    "lag_end_ms",
    "onset_f",
    "onset_chance",
    "onset_chance_high",
    "in_sync",
    "envelope_correlation",
    "spectral_distance_db",
    "pitch",
    "line_comb_above_db",
    "tremolo_comb_above_db",
    "black_db",
    "loudness_lufs",
    "true_peak_dbtp",
)

MeasurementsByLabel = dict[str, Measurements]


@dataclass(frozen=True)
class Need:
    """What a figure is required to be; ``least`` is False where it may not be above."""

    label: str
    figure: str
    bound: float
    least: bool = True

    def short(self, figures: Measurements) -> float | None:
        """Return by how much it is not met, 0 or less where it is; None if not measured."""
        value = getattr(figures, self.figure)
        if value is None:
            return None
        if self.figure.startswith(("lag", "length")):
            value = abs(value)
        return float(self.bound - value if self.least else value - self.bound)


@dataclass(frozen=True)
class Judged:
    """A film's table and what was required of it."""

    name: str
    rows: MeasurementsByLabel
    needs: list[Need]
    training_seconds: float
    note: str = ""
    most_seconds: float | None = None
    picture: str | None = None

    def table(self) -> Iterator[str]:
        """Yield lines of Markdown."""
        shown = [name for name in COLUMNS if any(getattr(f, name) is not None
                                                 for f in self.rows.values())]  # fmt: skip
        yield f"### {self.name}\n"
        yield f"Trained in {self.training_seconds:.0f} s. {self.note}".strip() + "\n"
        yield "| | " + " | ".join(MEASURES[name].column_with_unit for name in shown) + " |"
        yield "|---|" + "--:|" * len(shown)
        for label, figures in self.rows.items():
            cells = (MEASURES[name].format(getattr(figures, name)) for name in shown)
            yield f"| {label} | " + " | ".join(cells) + " |"
        if self.picture is not None:
            yield f"\n![{self.name}, not seen before]({self.picture})"

    def verdicts(self) -> Iterator[str]:
        """Yield rows of a Markdown table: film, what is required, each mode's figure, verdict."""
        if self.most_seconds is not None:
            took, most = self.training_seconds, self.most_seconds
            verdict = _verdict({"": took - most})
            yield f"| {self.name} | training at most {most:.0f} s | {took:.0f} | | | {verdict} |"
        for need in self.needs:
            short = {mode: need.short(self.rows[mode]) for mode in MODES}
            info = MEASURES[need.figure]
            cells = (info.format(getattr(self.rows[mode], need.figure)) for mode in MODES)
            yield f"| {self.name} | {need.label} | {' | '.join(cells)} | {_verdict(short)} |"


def _verdict(short: Mapping[str, float | None]) -> str:
    if all(gap is None for gap in short.values()):
        return "not measured"
    missed = {mode: gap for mode, gap in short.items() if gap is not None and gap > 0}
    words = (f"{mode} by {gap:.2g}".strip() for mode, gap in missed.items())
    return f"**short**: {', '.join(words)}" if missed else "met"


def needs_of_demo(name: str, rows: MeasurementsByLabel) -> Iterator[Need]:
    """Yield what is required of a demo film; some of it relative to its own sound."""
    own, crisp = rows[ORIGINAL], name in ("typing", "bounce")
    yield Need("length exact", "length_samples", 0, least=False)
    if crisp:
        least = 0.95 if name == "typing" else 0.85
        yield Need(f"onset F at least {least}", "onset_f", least)
    if own.onset_f is not None and own.onset_f >= CLEAR:
        yield Need("lag at the start within 10 ms", "lag_start_ms", 10, least=False)
        yield Need("lag at the end within 10 ms", "lag_end_ms", 10, least=False)
    if own.in_sync is not None:
        least = 0.95 if crisp else 0.95 * own.in_sync
        said = "0.95" if crisp else f"0.95 of its own {own.in_sync:.2f}"
        yield Need(f"in sync at least {said}", "in_sync", least)
    if name in ("theremin", "lines"):
        least = 0.9 if name == "theremin" else 0.85
        yield Need(f"pitch at least {least}", "pitch", least)
    if name in ("scratch", "theremin"):
        yield Need("envelope at least 0.9", "envelope_correlation", 0.9)
    yield from _needs_of_all(rows)
    if own.black_db is not None:
        yield Need("black at most -60 dBFS", "black_db", -60, least=False)


def _needs_of_all(rows: MeasurementsByLabel) -> Iterator[Need]:
    for kind in ("line", "tremolo"):
        figure = f"{kind}_comb_above_db"
        yield Need(f"{kind} comb at most 3 dB above its own", figure, 3, least=False)
    yield Need("true peak at most -1 dBTP", "true_peak_dbtp", -1, least=False)
    for name in (SILENCE, *BASELINES):
        bound = rows[name].spectral_distance_db
        if bound is not None:
            label = f"LSD below that of {name}, {bound:.1f} dB"
            yield Need(label, "spectral_distance_db", bound, least=False)


def players(brain: Brain, material: TrainingData) -> Players:
    """Return a brain in each mode, and what learned the same pairs without a network."""
    others = fit_baselines(brain.clock, brain.target, material)
    return {mode: (brain, style) for mode, style in MODES.items()} | {
        label: (who, Style()) for label, who in others.items()
    }


class Benchmark:
    """Libraries, brains and soundtracks of one run, in a working folder."""

    def __init__(self, given: argparse.Namespace, work: Path) -> None:
        self.seed: int = given.seed
        self.recipe = load_recipe(given.recipe)
        self.ancestor = load_recipe("lines-small", ANCESTOR_SETTINGS)
        self.brains: Path | None = given.brains
        self.out: Path | None = given.out
        self.work = work

    def library(self, name: str, films: list[Path], recipe: Recipe) -> Library:
        """Pickle films at a recipe's rate, with the calibration film."""
        path = self.work / f"{name}-{recipe.clock.sample_rate}"
        library = Library.create(path, recipe.clock.sample_rate)
        add_calibration_film(library)
        for film in films:
            pickle_film(film, library)
        return library

    def brain(self, name: str, library: Library, recipe: Recipe) -> Brain:
        """Find a brain, or train one."""
        folder = self.brains or self.work
        path = folder / f"{name}.safetensors"
        for there in (folder / f"b-{name}.safetensors", path):
            if there.exists():
                brain = load_brain(there)
                if brain.recipe != recipe:
                    print(f"note: {there} was made by another recipe {brain.recipe.name}")
                return brain
        print(f"training {recipe.name} on {name} ...", flush=True)
        brain = train(library, recipe, path, seed=0)
        print(f"trained in {brain.provenance['seconds']} s", flush=True)
        return brain

    def demo(self, name: str) -> Judged:
        """Judge a demo film."""
        learned, unseen = self.work / f"{name}.mp4", self.work / f"{name}-unseen.mkv"
        write_scene(load_scene(name, seconds=LEARNED_SECONDS, seed=0), learned)
        write_scene(load_scene(name, seconds=JUDGED_SECONDS, seed=self.seed), unseen)
        library = self.library(name, [learned], self.recipe)
        brain = self.brain(name, library, self.recipe)
        material = TrainingData.from_library(library, brain.recipe, brain.provenance["seed"])
        former = self.brain(
            f"hindle-{name}", self.library(name, [learned], self.ancestor), self.ancestor
        )
        asked = players(brain, material)
        asked |= {label: (former, style) for label, style in ANCESTOR.items()}
        asked[LATE] = brain, ANCESTOR["hindle"]
        sounds = {label: self.sound(unseen, *how) for label, how in asked.items()}
        loudness = dict.fromkeys(sounds, brain.recipe.training.loudness)
        loudness |= dict.fromkeys(ANCESTOR, former.recipe.training.loudness)
        rows = self.measure(name, unseen, sounds, loudness, brain.clock.sample_rate)
        took = float(brain.provenance["seconds"])
        return Judged(
            name,
            rows,
            list(needs_of_demo(name, rows)),
            took,
            most_seconds=MOST_SECONDS,
            picture=None if self.out is None else f"{name}.webp",
        )

    def sound(self, film: Path, brain: Predictor, style: Style) -> Sound:
        """Render a film into a WAV, and read it."""
        path = self.work / "rendered.wav"
        path.unlink(missing_ok=True)
        render(FilmReader(film), brain, path, style, corpus=getattr(brain, "corpus", None))
        return read_rendered(path, brain.clock.sample_rate)

    def measure(
        self,
        name: str,
        unseen: Path,
        sounds: dict[str, Sound],
        loudness: dict[str, Loudness],
        rate: int,
    ) -> MeasurementsByLabel:
        """Return the figures of all soundtracks of a demo film.

        Each is judged against the film's own sound at the loudness at which its brain learned.
        """
        truth = read_truth(truth_path(unseen))
        with MediaLoader() as auditorium:
            film = auditorium.load_film(unseen, keep_frames=True)
            own = np.array(auditorium.load_audio(unseen, rate).samples)
            gains_db: dict[Loudness, float] = {"film": 0.0, "equal": sound_gain_db(own, rate)}
            references = {
                each: Reference(with_gain(own, gain_db), rate, film.fps)
                for each, gain_db in gains_db.items()
            }
            rows = {}
            for label, sound in with_blind(sounds, own, rate).items():
                level = loudness.get(label, "film")
                rows[label] = measure_soundtrack(
                    sound,
                    rate,
                    film.fps,
                    picture_seconds=film.picture_seconds,
                    black_frames=film.black_frames,
                    reference=references[level],
                    truth=truth.with_gain(gains_db[level]),
                )
            if self.out is not None:
                assert film.frames is not None
                screen, title = film.black_frames.frame_times, f"{name}, not seen before"
                shown, out = {ORIGINAL: own, **sounds}, self.out / f"{name}.webp"
                shown = {label: shown[label] for label in (ORIGINAL, *MODES)}
                plot_comparison(out, shown, rate, film.frames, screen, title, truth.onsets)
        return rows

    def real(self, folder: Path) -> Iterator[str]:
        """Yield the lines of the table of what is held out of real films."""
        films = sorted(path for path in folder.iterdir() if path.is_file())
        library = self.library("real", films, self.recipe)
        guard = max(GUARD_SECONDS, float(reach_seconds(self.recipe)))
        split = split_library(library, "ends", guard_seconds=guard)
        brain = self.brain("real", split.training, self.recipe)
        material = TrainingData.from_library(split.training, brain.recipe, brain.provenance["seed"])
        asked, corpus = players(brain, material), learned_corpus(material, brain)
        rate = mean_rate([film for film in material.films if not is_calibration(film)])
        judged = list(real_stretches(split, material, brain.clock, rate))
        rows: dict[str, list[Figures]] = {}
        mosaics = []
        for stretch, frames in judged:
            for label, (who, style) in asked.items():
                sound = render_frames(who, style, frames, corpus)
                rows.setdefault(label, []).append(judge_sound(sound, stretch))
                if label == "mosaic":
                    mosaics.append(sound)
        for number, (stretch, _) in enumerate(judged):
            others = mosaics[:number] + mosaics[number + 1 :]
            for label, figures in judge_controls(stretch, others).items():
                rows.setdefault(label, []).append(figures)
        seconds = sum(stretch.seconds for stretch, _ in judged)
        yield (
            f"Recipe `{self.recipe.name}`, trained in {brain.provenance['seconds']:.0f} s; "
            f"{len(films)} films; the ends of {len(judged)}, {seconds:.0f} s, each after "
            f"{LEAD_SECONDS:.0f} s of lead; training has not seen them; onsets are pooled. "
            f'"{OTHER_CLIP}" is the mosaic of the other stretches.\n'
        )
        yield f"| | {SUMMARY_HEAD} |"
        yield "|---|" + "--:|" * 6
        for label, figures in rows.items():
            yield f"| {label} | {Summary.of_figures(figures).cells()} |"


def real_stretches(
    split: TrainTestSplit, material: TrainingData, clock: Clock, learned_rate: float
) -> Iterator[tuple[Stretch, NDArray[np.uint8]]]:
    """Yield what is held out of films, with the lead before it, and its frames."""
    lead = clock.count_frames_within(Fraction(LEAD_SECONDS))
    gains_db = dict(zip((film.name for film in material.films), material.gains_db, strict=True))
    for held_out in split.held_out:
        film = held_out.film
        rows = frame_indices_at_ticks(film.times, clock)
        bounds = clock.sample_bounds(len(rows))
        begin = max(int(np.searchsorted(bounds, held_out.start_sample)), lead)
        stop = int(np.searchsorted(bounds, held_out.end_sample, side="right")) - 1
        if (bounds[stop] - bounds[min(begin, stop)]) / clock.sample_rate < LEAST_SECONDS:
            continue
        frames = film.frames[rows[begin - lead : stop]]
        yield (
            Stretch(
                name=f"{film.name} from {begin / float(clock.fps):.0f} s",
                group="real",
                own=with_gain(
                    np.array(film.sound[bounds[begin - lead] : bounds[stop]]), gains_db[film.name]
                ),
                rate=clock.sample_rate,
                begin=int(bounds[begin] - bounds[begin - lead]),
                motion=motion_of(frames),
                frame_times=clock.frame_times(len(frames)),
                learned_rate=learned_rate,
            ),
            frames,
        )


def with_blind(sounds: dict[str, Sound], own: Sound, rate: int) -> dict[str, Sound]:
    """Add what does not look, and the control."""
    return {
        **sounds,
        SILENCE: np.zeros_like(own),
        SHUFFLED_SECONDS: shuffle_seconds(own, rate),
        ORIGINAL: own,
    }


def stretches(held_out: PairDataset, clock: Clock) -> Iterator[tuple[int, NDArray[np.int64], int]]:
    """Yield film, rows and first sample of each unbroken run of pairs."""
    apart = np.diff(held_out.start_samples)
    breaks = (
        (np.diff(held_out.film_indices) != 0) | (apart < 0) | (apart > clock.max_samples_per_frame)
    )
    for run in np.split(np.arange(len(held_out)), np.flatnonzero(breaks) + 1):
        if len(run):
            yield (
                int(held_out.film_indices[run[0]]),
                held_out.frame_indices[run],
                int(held_out.start_samples[run[0]]),
            )


def learned_corpus(material: TrainingData, brain: Brain) -> Corpus:
    """Return the films' sound without what is held out, and without its guard."""
    rate, guard = brain.clock.sample_rate, brain.recipe.training.guard_seconds
    pieces = []
    for number, film in enumerate(material.films):
        if is_calibration(film):
            continue
        begin, end = film.card.audio_range
        for which, rows, start in stretches(material.held_out, brain.clock):
            if which == number:
                pieces.append((film, begin, start - round(guard * rate)))
                begin = start + brain.clock.start_sample(len(rows)) + round(guard * rate)
        pieces.append((film, begin, end))
    gains_db = dict(zip((film.name for film in material.films), material.gains_db, strict=True))
    return Corpus(brain.clock, tuple(
        Piece(film.name, begin, with_gain(np.array(film.sound[begin:end]), gains_db[film.name]))
        for film, begin, end in pieces if end - begin > rate
    ))  # fmt: skip


def page(judged: list[Judged], recipe: str, seed: int) -> str:
    """Return the tables, and what was required, in Markdown."""
    lines = [
        f"Recipe `{recipe}`; films of seed {seed}. Combs are above the film's own sound. LSD is "
        "the log-spectral distance to it; silence has one, too. Lags of sounds without clear "
        "onsets mean nothing. Hard cut and hindle are "
        f"`lines-small` with `{'` and `'.join(ANCESTOR_SETTINGS)}`; {LATE} are his schedule under "
        f"the brain of `{recipe}`.\n"
    ]
    for each in judged:
        lines += [*each.table(), ""]
    lines += ["### What is required\n", f"| film | required | {' | '.join(MODES)} | |"]
    lines += ["|---|---|--:|--:|--:|---|"]
    for each in judged:
        lines += each.verdicts()
    return "\n".join(lines) + "\n"


def write_part(path: Path, part: str, text: str) -> None:
    """Put a part into a page in place of the one that was there, or at its end."""
    whole = path.read_text(encoding="utf-8") if path.exists() else "# Results\n"
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    made = f"{begin}\n{text}{end}"
    old = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if old.search(whole):
        whole = old.sub(lambda _: made, whole)
    else:
        whole += f"\n{made}\n"
    path.write_text(whole, encoding="utf-8")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--films", nargs="+", default=STUDY_FILMS, choices=demo_film_names())
    parser.add_argument("--real", type=Path, metavar="FOLDER", help="judge real films instead")
    parser.add_argument("--recipe", default="deep")
    parser.add_argument(
        "--seed", type=int, default=JUDGED_SEED, help="of the films that are judged"
    )
    parser.add_argument("--brains", type=Path, metavar="FOLDER", help="brains to reuse")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    begun = time.perf_counter()
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        benchmark = Benchmark(given, Path(work))
        if given.real:
            text = "\n".join(benchmark.real(given.real)) + "\n"
            print(text)
        else:
            judged = []
            for name in given.films:
                judged.append(benchmark.demo(name))
                print("\n".join(judged[-1].table()), flush=True)
            text = page(judged, given.recipe, given.seed)
            print(text[text.index("### What is required") :])
    print(f"{time.perf_counter() - begun:.0f} s in all")
    if given.out is not None:
        write_part(given.out / "README.md", "real" if given.real else "films", text)


if __name__ == "__main__":
    main()
