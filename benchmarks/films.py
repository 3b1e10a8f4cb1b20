"""Measure brains on films that they were not trained on, with baselines.

    python benchmarks/films.py [--films typing lines] [--recipe deep] [-o FOLDER]
    python benchmarks/films.py --real FOLDER_OF_FILMS [-o FOLDER]

For each demo film, a brain is trained on 60 s and measured on 30 s of another seed. Real films have
no ground truth; there the pairs that the recipe holds out are measured, and the table has means
over their blocks, weighted by seconds. "Hard cut" and "hindle" are the recipe lines-small with
preset=hindle, shortened to ten epochs; "hindle's grains" are Hindle's grain schedule with the brain
that is measured. With -o the tables are written into README.md of that folder, with a picture of
each film. --brains loads brains from a folder, with their training times, and saves new ones there.
"""

from __future__ import annotations

import argparse
import math
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.recipe import Recipe, load_recipe
from frame2sound.clock import Clock
from frame2sound.comparison.averages import MeasurementsByLabel, average_measurements
from frame2sound.comparison.baseline_fitting import fit_baselines
from frame2sound.evaluation.measurements import Measurements, Reference
from frame2sound.evaluation.media_loader import MediaLoader, read_truth
from frame2sound.evaluation.plots import plot_comparison
from frame2sound.evaluation.soundtrack_evaluation import measure_soundtrack, shuffle_seconds
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.scene_writer import truth_path, write_scene
from frame2sound.library.calibration import add_calibration_film, is_calibration
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.render import render
from frame2sound.rendering.style import Style
from frame2sound.training.dataset import PairDataset
from frame2sound.training.loop import train
from frame2sound.training.training_data import TrainingData

Sound = NDArray[np.float32]
Systems = dict[str, tuple[Predictor, Style]]

TRAINING_SECONDS, TEST_SECONDS = 60.0, 30.0
MAX_SECONDS = 180.0
BLOCKS = ["training.block_seconds=6"]
"""Long enough to measure combs in the held-out blocks of real films."""

ORIGINAL, SILENT, SHUFFLED = "original sound", "silence", "shuffled seconds"
MODES = {mode: Style(mode=mode) for mode in ("overlap-add", "granular", "mosaic")}
ANCESTOR = {"hard cut": Style(window="none"), "hindle": Style(mode="granular", grains="hindle")}
HINDLE_GRAINS = "hindle's grains"
ANCESTOR_SETTINGS = ["preset=hindle", "training.epochs=10"]
BASELINES = ("mean", "nearest", "linear")
MIN_ONSET_F = 0.9
"""Lag is required only of films whose original sound reaches this onset F-measure."""

COLUMNS = {
    "length_samples": ("length", "+d"),
    "lag_start_ms": ("lag, start ms", "+.0f"),
    "lag_end_ms": ("end ms", "+.0f"),
    "onset_f": ("onset F", ".2f"),
    "onset_chance": ("chance", ".2f"),
    "in_sync": ("in sync", ".2f"),
    "envelope_correlation": ("envelope", ".2f"),
    "spectral_distance_db": ("LSD dB", ".1f"),
    "pitch": ("pitch", ".2f"),
    "line_comb_above_db": ("line comb dB", "+.1f"),
    "tremolo_comb_above_db": ("tremolo comb dB", "+.1f"),
    "black_db": ("black dBFS", ".0f"),
    "loudness_lufs": ("LUFS", ".1f"),
    "true_peak_dbtp": ("dBTP", ".1f"),
}


@dataclass(frozen=True)
class Requirement:
    """A bound on a measure: a lower one, or an upper one where ``least`` is False."""

    label: str
    figure: str
    bound: float
    least: bool = True

    def shortfall(self, figures: Measurements) -> float | None:
        """Return by how much it is missed, 0 or less where it is met; None if not measured."""
        value = getattr(figures, self.figure)
        if value is None:
            return None
        if self.figure.startswith(("lag", "length")):
            value = abs(value)
        return float(self.bound - value if self.least else value - self.bound)


@dataclass(frozen=True)
class FilmResult:
    """A film's measurements and requirements."""

    name: str
    rows: MeasurementsByLabel
    needs: list[Requirement]
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
        yield "| | " + " | ".join(COLUMNS[name][0] for name in shown) + " |"
        yield "|---|" + "--:|" * len(shown)
        for label, figures in self.rows.items():
            cells = (_text(getattr(figures, name), COLUMNS[name][1]) for name in shown)
            yield f"| {label} | " + " | ".join(cells) + " |"
        if self.picture is not None:
            yield f"\n![{self.name}, not trained on]({self.picture})"

    def verdicts(self) -> Iterator[str]:
        """Yield rows of a Markdown table: film, requirement, each mode's measurement, verdict."""
        if self.most_seconds is not None:
            took, most = self.training_seconds, self.most_seconds
            verdict = _verdict({"": took - most})
            yield f"| {self.name} | training at most {most:.0f} s | {took:.0f} | | | {verdict} |"
        for need in self.needs:
            short = {mode: need.shortfall(self.rows[mode]) for mode in MODES}
            form = COLUMNS[need.figure][1]
            cells = (_text(getattr(self.rows[mode], need.figure), form) for mode in MODES)
            yield f"| {self.name} | {need.label} | {' | '.join(cells)} | {_verdict(short)} |"


def _text(value: float | None, form: str) -> str:
    if value is None:
        return "-"
    if value == -math.inf:
        return "silent"
    if form.endswith("d"):
        return format(round(value), form)
    return format(round(value, int(form[-2])) + 0.0, form)  # no minus zero


def _verdict(short: Mapping[str, float | None]) -> str:
    if all(gap is None for gap in short.values()):
        return "not measured"
    missed = {mode: gap for mode, gap in short.items() if gap is not None and gap > 0}
    words = (f"{mode} by {gap:.2g}".strip() for mode, gap in missed.items())
    return f"**short**: {', '.join(words)}" if missed else "met"


def needs_of_demo(name: str, rows: MeasurementsByLabel) -> Iterator[Requirement]:
    """Yield the requirements of a demo film; some are relative to its original sound."""
    original, has_clear_events = rows[ORIGINAL], name in ("typing", "bounce")
    yield Requirement("length exact", "length_samples", 0, least=False)
    if has_clear_events:
        least = 0.95 if name == "typing" else 0.85
        yield Requirement(f"onset F at least {least}", "onset_f", least)
    if original.onset_f is not None and original.onset_f >= MIN_ONSET_F:
        yield Requirement("lag at the start within 10 ms", "lag_start_ms", 10, least=False)
        yield Requirement("lag at the end within 10 ms", "lag_end_ms", 10, least=False)
    if original.in_sync is not None:
        least = 0.95 if has_clear_events else 0.95 * original.in_sync
        bound = "0.95" if has_clear_events else f"0.95 of the original's {original.in_sync:.2f}"
        yield Requirement(f"in sync at least {bound}", "in_sync", least)
    if name in ("theremin", "lines"):
        least = 0.9 if name == "theremin" else 0.85
        yield Requirement(f"pitch at least {least}", "pitch", least)
    if name in ("scratch", "theremin"):
        yield Requirement("envelope at least 0.9", "envelope_correlation", 0.9)
    yield from _needs_of_all(rows)
    if original.black_db is not None:
        yield Requirement("black at most -60 dBFS", "black_db", -60, least=False)


def needs_of_real(rows: MeasurementsByLabel) -> Iterator[Requirement]:
    """Yield the requirements of real films: to be nearer to the original than baselines."""
    yield from _needs_of_all(rows)
    for figure, what in (("onset_f", "onset F"), ("envelope_correlation", "envelope")):
        baselines = (SHUFFLED, *BASELINES)
        bound, best = max((getattr(rows[name], figure) or 0.0, name) for name in baselines)
        yield Requirement(f"{what} above the best baseline's, {best} {bound:.2f}", figure, bound)


def _needs_of_all(rows: MeasurementsByLabel) -> Iterator[Requirement]:
    for kind in ("line", "tremolo"):
        figure = f"{kind}_comb_above_db"
        yield Requirement(f"{kind} comb at most 3 dB above the original's", figure, 3, least=False)
    yield Requirement("true peak at most -1 dBTP", "true_peak_dbtp", -1, least=False)
    for name in (SILENT, *BASELINES):
        bound = rows[name].spectral_distance_db
        if bound is not None:
            label = f"LSD below that of {name}, {bound:.1f} dB"
            yield Requirement(label, "spectral_distance_db", bound, least=False)


def make_systems(brain: Brain, data: TrainingData) -> Systems:
    """Return a brain in each mode, and baselines fitted to the same pairs."""
    others = fit_baselines(brain.clock, brain.target, data)
    return {mode: (brain, style) for mode, style in MODES.items()} | {
        label: (baseline, Style()) for label, baseline in others.items()
    }


class Benchmark:
    """Libraries, brains and soundtracks of one run, in a working folder."""

    def __init__(self, args: argparse.Namespace, work: Path) -> None:
        self.seed: int = args.seed
        self.recipe = load_recipe(args.recipe, BLOCKS if args.real else [])
        self.ancestor = load_recipe("lines-small", ANCESTOR_SETTINGS)
        self.brains: Path | None = args.brains
        self.out: Path | None = args.out
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
        """Return a brain: loaded, or trained now."""
        folder = self.brains or self.work
        path = folder / f"{name}.safetensors"
        for saved in (folder / f"b-{name}.safetensors", path):
            if saved.exists():
                brain = load_brain(saved)
                if brain.recipe != recipe:
                    print(f"note: {saved} was trained with another recipe {brain.recipe.name}")
                return brain
        print(f"training {recipe.name} on {name} ...", flush=True)
        brain = train(library, recipe, path, seed=0)
        print(f"trained in {brain.provenance['seconds']} s", flush=True)
        return brain

    def demo(self, name: str) -> FilmResult:
        """Train on a demo film and measure another of its kind."""
        training_film, test_film = self.work / f"{name}.mp4", self.work / f"{name}-test_film.mkv"
        write_scene(load_scene(name, seconds=TRAINING_SECONDS, seed=0), training_film)
        write_scene(load_scene(name, seconds=TEST_SECONDS, seed=self.seed), test_film)
        library = self.library(name, [training_film], self.recipe)
        brain = self.brain(name, library, self.recipe)
        data = TrainingData.from_library(library, brain.recipe, brain.provenance["seed"])
        hindle = self.brain(
            f"hindle-{name}", self.library(name, [training_film], self.ancestor), self.ancestor
        )
        systems = make_systems(brain, data)
        systems |= {label: (hindle, style) for label, style in ANCESTOR.items()}
        systems[HINDLE_GRAINS] = brain, ANCESTOR["hindle"]
        sounds = {label: self.sound(test_film, *system) for label, system in systems.items()}
        rows = self.measure(name, test_film, sounds, brain.clock.sample_rate)
        took = float(brain.provenance["seconds"])
        return FilmResult(
            name,
            rows,
            list(needs_of_demo(name, rows)),
            took,
            most_seconds=MAX_SECONDS,
            picture=None if self.out is None else f"{name}.webp",
        )

    def sound(self, film: Path, brain: Predictor, style: Style) -> Sound:
        """Return the soundtrack that a system renders for a film."""
        path = self.work / "rendered.wav"
        path.unlink(missing_ok=True)
        render(FilmReader(film), brain, path, style, corpus=getattr(brain, "corpus", None))
        sound: Sound = soundfile.read(path, dtype="float32")[0]
        return sound

    def measure(
        self, name: str, test_film: Path, sounds: dict[str, Sound], rate: int
    ) -> MeasurementsByLabel:
        """Return the measurements of all soundtracks of a demo film."""
        truth = read_truth(truth_path(test_film))
        with MediaLoader() as loader:
            film = loader.load_film(test_film, keep_frames=True)
            original = np.array(loader.load_audio(test_film, rate))
            reference = Reference(original, rate, film.fps)
            context = {
                "picture_seconds": film.picture_seconds,
                "black_frames": film.black_frames,
                "reference": reference,
                "truth": truth,
            }
            rows = {
                label: measure_soundtrack(sound, rate, film.fps, **context)
                for label, sound in with_baselines(sounds, original, rate).items()
            }
            if self.out is not None:
                assert film.frames is not None
                screen, title = film.black_frames.frame_times, f"{name}, not trained on"
                shown, out = {ORIGINAL: original, **sounds}, self.out / f"{name}.webp"
                shown = {label: shown[label] for label in (ORIGINAL, *MODES)}
                plot_comparison(out, shown, rate, film.frames, screen, title, truth.onsets)
        return rows

    def real(self, folder: Path) -> FilmResult:
        """Train on real films and measure what is held out."""
        films = sorted(path for path in folder.iterdir() if path.is_file())
        library = self.library("real", films, self.recipe)
        brain = self.brain("real", library, self.recipe)
        data = TrainingData.from_library(library, brain.recipe, brain.provenance["seed"])
        systems, corpus = make_systems(brain, data), training_corpus(data, brain)
        blocks = []
        for number, rows_of_film, start in segments(data.held_out, brain.clock):
            film = data.films[number]
            original = np.array(
                film.sound[start : start + brain.clock.start_sample(len(rows_of_film))]
            )
            frames = film.frames[rows_of_film]
            sounds = {
                label: render_frames(system, style, frames, corpus)[: len(original)]
                for label, (system, style) in systems.items()
            }
            blocks.append(
                self.measure_segment(brain.clock, film.name, start, frames, sounds, original)
            )
        seconds = sum(seconds for seconds, _ in blocks)
        whole = sum(film.seconds for film in data.films if not is_calibration(film))
        note = (
            f"{len(films)} films of {whole:.0f} s; means over {len(blocks)} held-out segments, "
            f"{seconds:.0f} s; onsets are those detected in the original sound."
        )
        rows = average_measurements(blocks, COLUMNS)
        took = float(brain.provenance["seconds"])
        return FilmResult("real films", rows, list(needs_of_real(rows)), took, note)

    def measure_segment(
        self,
        clock: Clock,
        name: str,
        start: int,
        frames: NDArray[np.uint8],
        sounds: dict[str, Sound],
        original: Sound,
    ) -> tuple[float, MeasurementsByLabel]:
        """Return the seconds of a held-out segment and the measurements of its soundtracks."""
        rate, seconds = clock.sample_rate, Fraction(len(original), clock.sample_rate)
        reference = Reference(original, rate, clock.fps)
        sounds = with_baselines(sounds, original, rate)
        if self.out is not None:
            shown = {label: sounds[label] for label in (ORIGINAL, *MODES)}
            path = self.out / f"real-{name}-{start // rate}.webp"
            title = f"{name}, held out from {start / rate:.0f} s on"
            plot_comparison(path, shown, rate, frames, clock.frame_times(len(frames) + 1), title)
        return float(seconds), {
            label: measure_soundtrack(
                sound, rate, clock.fps, picture_seconds=seconds, reference=reference
            )
            for label, sound in sounds.items()
        }


def with_baselines(sounds: dict[str, Sound], original: Sound, rate: int) -> dict[str, Sound]:
    """Return soundtracks with silence, shuffled seconds and the original added."""
    return {
        **sounds,
        SILENT: np.zeros_like(original),
        SHUFFLED: shuffle_seconds(original, rate),
        ORIGINAL: original,
    }


def segments(held_out: PairDataset, clock: Clock) -> Iterator[tuple[int, NDArray[np.int64], int]]:
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


def training_corpus(data: TrainingData, brain: Brain) -> Corpus:
    """Return the films' sound without the held-out segments and their guards."""
    rate, guard = brain.clock.sample_rate, brain.recipe.training.guard_seconds
    pieces = []
    for number, film in enumerate(data.films):
        if is_calibration(film):
            continue
        begin, end = film.card.audio_range
        for which, rows, start in segments(data.held_out, brain.clock):
            if which == number:
                pieces.append((film, begin, start - round(guard * rate)))
                begin = start + brain.clock.start_sample(len(rows)) + round(guard * rate)
        pieces.append((film, begin, end))
    return Corpus(brain.clock, tuple(
        Piece(film.name, begin, np.array(film.sound[begin:end]))
        for film, begin, end in pieces if end - begin > rate
    ))  # fmt: skip


def page(results: list[FilmResult], recipe: str) -> str:
    """Return the tables and requirements in Markdown."""
    lines = [
        f"Recipe `{recipe}`. Combs are relative to the original sound. LSD is the log-spectral "
        "distance to it; the lag of a sound without clear onsets means nothing. Hard cut and "
        f"hindle are `lines-small` with `{'` and `'.join(ANCESTOR_SETTINGS)}`; {HINDLE_GRAINS} are "
        f"Hindle's schedule with the brain of `{recipe}`.\n"
    ]
    for each in results:
        lines += [*each.table(), ""]
    lines += ["### What is required\n", f"| film | required | {' | '.join(MODES)} | |"]
    lines += ["|---|---|--:|--:|--:|---|"]
    for each in results:
        lines += each.verdicts()
    return "\n".join(lines) + "\n"


def write_part(path: Path, part: str, text: str) -> None:
    """Replace a part of a page, or append it if it is missing."""
    whole = path.read_text(encoding="utf-8") if path.exists() else "# Results\n"
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    section = f"{begin}\n{text}{end}"
    old = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if old.search(whole):
        whole = old.sub(lambda _: section, whole)
    else:
        whole += f"\n{section}\n"
    path.write_text(whole, encoding="utf-8")


def main() -> None:
    """Measure the films that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--films", nargs="+", default=demo_film_names(), choices=demo_film_names())
    parser.add_argument("--real", type=Path, metavar="FOLDER", help="measure real films instead")
    parser.add_argument("--recipe", default="deep")
    parser.add_argument("--seed", type=int, default=1, help="of the films that are measured")
    parser.add_argument("--brains", type=Path, metavar="FOLDER", help="brains to reuse")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    began = time.perf_counter()
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        benchmark = Benchmark(args, Path(work))
        results = []
        for name in [args.real] if args.real else args.films:
            results.append(benchmark.real(name) if args.real else benchmark.demo(name))
            print("\n".join(results[-1].table()), flush=True)
    text = page(results, args.recipe)
    print(text[text.index("### What is required") :])
    print(f"{time.perf_counter() - began:.0f} s in all")
    if args.out is not None:
        write_part(args.out / "README.md", "real" if args.real else "films", text)


if __name__ == "__main__":
    main()
