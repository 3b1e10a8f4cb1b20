"""Compare training with Hindle's recipe of 2015 and with scikit-learn's MLPRegressor.

    python benchmarks/against.py [--film lines] [--length 60] [--seconds 600] [-o FOLDER]

It needs scikit-learn: pip install scikit-learn.

A demo film is drawn, pickled and split, and all systems train on the same pairs. One function
computes the mean squared error of their predictions for the held-out pairs; the clock is stopped
meanwhile. Set-up (fitting frame features, caching examples, the loss of silence) is timed
separately: every time is outputs with and without it. There are three comparisons:

- Hindle's recipe (lines-small with preset=hindle: Nesterov, rate 1e-4, momentum 0.9, batches of 10,
  samples in [0, 1], 4096-1000-735 on plain pixels), trained for --seconds, and lines-small with its
  defaults, in units of sound: how long each takes to reach the final loss of Hindle's. Required:
  300 times sooner.
- scikit-learn's Adam with its defaults, 4096-1000-735 on pixels in [0, 1], and lines-small: how
  long each takes to reach the lowest loss that both reach. Required: 3 times sooner.
- The same for log magnitudes, lines-small with target.kind=log-mag.

With -o the curves are saved as JSON and plotted in against.webp, and the table is written into
README.md of that folder.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from films import write_part
from footage import draw_film
from matplotlib.figure import Figure
from numpy.typing import NDArray

from frame2sound.brain.config import Pixels
from frame2sound.brain.frame_encoding import encode_frames
from frame2sound.brain.recipe import load_recipe
from frame2sound.brain.targets import PcmBlocks, Target
from frame2sound.film.drawing.demo_films import demo_film_names
from frame2sound.library.calibration import add_calibration_film, is_calibration
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.losses import mean_target
from frame2sound.training.optimiser import pick_device
from frame2sound.training.trainer import Trainer

Numbers = NDArray[np.float32]

RECIPE = "lines-small"
HINDLE = ["preset=hindle", "training.epochs=1000000", "training.patience=0"]
LOG_MAG = ["target.kind=log-mag"]
FIRST_STEPS, TIME_RATIO = 64, 1.02
"""After these steps the loss is computed each time this ratio of the time, or 1 s, has passed."""

UNIT = "of full scale squared"
MIN_RATIO, MIN_RATIO_SKLEARN = 300.0, 3.0


class TimeUp(Exception):  # noqa: N818
    """The time is up."""


class StoppableClock:
    """A clock that can be stopped for a while."""

    def __init__(self) -> None:
        self._began, self._stopped = time.perf_counter(), 0.0

    @property
    def now(self) -> float:
        """Seconds since the start, without those in which it was stopped."""
        return time.perf_counter() - self._began - self._stopped

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the clock within this context."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._stopped += time.perf_counter() - began


@dataclass
class Curve:
    """The held-out losses of a system after ``seconds`` of training, without set-up.

    Examples
    --------
    >>> Curve("ours", 1.0, [0.0, 2.0], [3.0, 2.5]).reached(2.5)
    2.0
    """

    name: str
    setup: float
    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def add(self, seconds: float, loss: float) -> None:
        """Add a point."""
        self.seconds.append(seconds)
        self.losses.append(loss)

    def reached(self, loss: float) -> float:
        """Return when the loss first was this low; infinity if never."""
        pairs = zip(self.seconds, self.losses, strict=True)
        return next((seconds for seconds, found in pairs if found <= loss), math.inf)


def in_sound(target: Target, numbers: torch.Tensor) -> Numbers:
    """Return waveforms in units of sound, and other numbers as they are."""
    if isinstance(target, PcmBlocks):
        return target.decode(numbers)
    outputs: Numbers = numbers.cpu().numpy()
    return outputs


class Judge:
    """The loss of all systems: the mean squared error on held-out pairs."""

    def __init__(self, trainer: Trainer) -> None:
        self.targets = load_targets(trainer.held_out_examples, trainer.target)
        self.start = trainer.training_data.held_out.start_samples
        silence = np.full(trainer.target.length, trainer.target.silence_value, np.float32)
        self.silence = self.loss(in_sound(trainer.target, torch.from_numpy(silence)))
        self.mean = self.loss(in_sound(trainer.target, mean_target(trainer.examples)))

    def loss(self, predictions: Numbers) -> float:
        """Return the loss of predictions ``(n, length)``, or of one prediction for all pairs."""
        return float(np.mean(np.square(predictions - self.targets), dtype=np.float64))

    def same(self, trainer: Trainer) -> bool:
        """Return whether another training has the same held-out pairs and targets."""
        targets = load_targets(trainer.held_out_examples, trainer.target)
        starts = np.array_equal(self.start, trainer.training_data.held_out.start_samples)
        return starts and np.allclose(targets, self.targets, atol=1e-6)


def load_targets(examples: ExampleCache, target: Target) -> Numbers:
    """Return the targets of all pairs."""
    return in_sound(target, examples.load_targets(np.arange(len(examples))))


class Loop:
    """A training by this program, with its curve."""

    def __init__(self, name: str, library: Library, settings: list[str]) -> None:
        began = time.perf_counter()
        self.trainer = Trainer(library, load_recipe(RECIPE, settings), 0, pick_device("cpu"))
        self.curve = Curve(name, time.perf_counter() - began)
        held_out = self.trainer.held_out_examples
        self.features = held_out.load_batch(np.arange(len(held_out)))[0][:, None]

    def run(self, judge: Judge, seconds: float) -> Curve:
        """Train to the end, or for at most ``seconds``."""
        assert judge.same(self.trainer)
        clock = StoppableClock()
        with clock.stopped():
            self.curve.add(0.0, self.loss(judge))

        def follow(task: str, done: float, total: float | None, note: str, /) -> None:
            with clock.stopped():
                last = self.curve.seconds[-1]
                due = done <= FIRST_STEPS or clock.now >= min(last * TIME_RATIO, last + 1)
                if due or clock.now >= seconds:
                    self.curve.add(clock.now, self.loss(judge))
            if clock.now >= seconds:
                raise TimeUp

        with tempfile.TemporaryDirectory() as work, suppress(TimeUp):
            self.trainer.fit(Path(work) / "checkpoint.safetensors", follow)
        return self.curve

    def loss(self, judge: Judge) -> float:
        """Return the present held-out loss of the network."""
        network = self.trainer.network
        network.eval()
        with torch.inference_mode():
            outputs = network(self.features, network.initial_state(len(self.features)))[0][:, 0]
        network.train()
        return judge.loss(in_sound(self.trainer.target, outputs))


def sklearn_curve(trainer: Trainer, judge: Judge, seconds: float) -> Curve:
    """Train scikit-learn's regressor for its default epochs, with the loss after each."""
    target, hidden = trainer.target, trainer.recipe.network.hidden
    began = time.perf_counter()
    pixels = pixels_of(trainer.examples)
    targets = trainer.examples.load_targets(np.arange(len(trainer.examples))).numpy()
    curve = Curve("scikit-learn", time.perf_counter() - began)
    unseen = pixels_of(trainer.held_out_examples)
    regressor = mlp_regressor()(hidden_layer_sizes=hidden, random_state=0)
    clock = StoppableClock()
    for _ in range(regressor.max_iter):
        regressor.partial_fit(pixels, targets)
        with clock.stopped():
            outputs = torch.from_numpy(regressor.predict(unseen).astype(np.float32))
            curve.add(clock.now, judge.loss(in_sound(target, outputs)))
        if clock.now >= seconds:
            break
    return curve


def mlp_regressor() -> Any:
    """Return scikit-learn's class; the help of this program needs no scikit-learn."""
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor


def pixels_of(examples: ExampleCache) -> Numbers:
    """Return the frames of all pairs, ``(n, 4096)``, in [0, 1]."""
    frames = examples.pairs.load(np.arange(len(examples)))[0]
    pixels: Numbers = encode_frames(torch.from_numpy(frames), Pixels()).numpy()
    return pixels


@dataclass
class Match:
    """Two systems, the loss that both are to reach, and how much sooner ours must reach it."""

    title: str
    unit: str
    theirs: Curve
    ours: Curve
    silence: float
    mean: float
    loss: float
    why: str
    required: float

    def rows(self) -> Iterator[str]:
        """Yield rows of a Markdown table."""
        yield self._row(f"**{self.loss:.4g}**, {self.why}", self.loss, self.required)
        yield self._row(f"{self.silence:.4g}, silence", self.silence)
        yield self._row(f"{self.mean:.4g}, the mean", self.mean)

    def ends(self) -> Iterator[str]:
        """Yield the lowest and the last point of both curves."""
        for curve in (self.theirs, self.ours):
            spent = curve.setup + curve.seconds[-1]
            yield (
                f"- {self.title}: {curve.name} has its lowest loss of {min(curve.losses):.4g} "
                f"{self.unit} and ends at {curve.losses[-1]:.4g} after {spent:.0f} s."
            )

    def _row(self, what: str, loss: float, required: float | None = None) -> str:
        theirs, ours = self.theirs.reached(loss), self.ours.reached(loss)
        whole = theirs + self.theirs.setup, ours + self.ours.setup
        verdict = ""
        if required is not None:
            met = "met" if ratio(*whole) >= required else "**short**"
            verdict = f"at least {required:g}: {met}"
        cells = [f"{self.title}, {self.theirs.name}", what, *map(_seconds, (*whole, theirs, ours))]
        cells += [_times(*whole), _times(theirs, ours), verdict]
        return f"| {' | '.join(cells)} |"


def ratio(theirs: float, ours: float) -> float:
    """Return how many times sooner ours is: 0 if it never reaches the loss."""
    if math.isinf(ours):
        return 0.0
    return theirs / ours if ours else math.inf


def _times(theirs: float, ours: float) -> str:
    if math.isinf(theirs) or math.isinf(ours):
        return "-"
    return f"{ratio(theirs, ours):.1f}" if ours else "untrained"


def _seconds(seconds: float) -> str:
    return "never" if math.isinf(seconds) else f"{seconds:.2f}"


def matches(library: Library, seconds: float) -> Iterator[Match]:
    """Yield the three comparisons; modules are imported and warmed up before the first."""
    warm_up(library)
    ours = Loop(RECIPE, library, [])
    judge = Judge(ours.trainer)
    theirs = Loop("Hindle's recipe", library, HINDLE).run(judge, seconds)
    our_curve = ours.run(judge, seconds)
    limits = judge.silence, judge.mean
    end, why = theirs.losses[-1], "the final loss of theirs"
    yield Match("waveforms", UNIT, theirs, our_curve, *limits, end, why, MIN_RATIO)
    yield _against_sklearn("waveforms", UNIT, ours, judge, seconds)
    ours = Loop(f"{RECIPE}, {LOG_MAG[0]}", library, LOG_MAG)
    judge = Judge(ours.trainer)
    ours.run(judge, seconds)
    yield _against_sklearn("log magnitudes", "decades squared", ours, judge, seconds)


def warm_up(library: Library) -> None:
    """Run everything once that is slower the first time."""
    for settings in ([], HINDLE, LOG_MAG):
        loop = Loop("", library, settings)
        with suppress(TimeUp):
            loop.run(Judge(loop.trainer), 0.0)
    zeros = np.zeros((400, 8), np.float32)
    mlp_regressor()(hidden_layer_sizes=(8,)).partial_fit(zeros, zeros)


def _against_sklearn(title: str, unit: str, ours: Loop, judge: Judge, seconds: float) -> Match:
    theirs = sklearn_curve(ours.trainer, judge, seconds)
    loss = max(min(theirs.losses), min(ours.curve.losses))
    limits = judge.silence, judge.mean
    why = "the lowest that both reach"
    return Match(title, unit, theirs, ours.curve, *limits, loss, why, MIN_RATIO_SKLEARN)


def table(results: list[Match], library: Library, film: str) -> Iterator[str]:
    """Yield lines of Markdown."""
    seconds = next(each.seconds for each in library.films() if not is_calibration(each))
    yield f"`{film}`, {seconds:.0f} s; mean squared errors on held-out pairs.\n"
    whole = "theirs, s with set-up | ours, s with set-up | theirs, s without | ours, s without"
    yield f"| | held-out loss | {whole} | times sooner with set-up | without | required |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|---|"
    for match in results:
        yield from match.rows()
    yield ""
    for match in results:
        yield from match.ends()


def draw(results: list[Match], path: Path) -> None:
    """Draw all curves."""
    figure = Figure((5 * len(results), 4.5), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(results)))
    for panel, match in zip(panels, results, strict=True):
        for curve, colour in ((match.theirs, "tab:red"), (match.ours, "tab:blue")):
            at = np.array(curve.seconds) + curve.setup
            panel.plot(at, curve.losses, color=colour, label=curve.name)
        panel.axhline(match.silence, color="black", linestyle=":", label="silence")
        panel.axhline(match.mean, color="grey", linestyle="--", label="the mean")
        panel.set(xscale="log", yscale="log", title=match.title)
        panel.set(xlabel="seconds, with set-up", ylabel=f"held-out loss, {match.unit}")
        panel.legend()
    figure.savefig(path, dpi=110, format="webp", pil_kwargs={"quality": 88})


def save_curves(results: list[Match], out: Path) -> None:
    """Write the curves as JSON."""
    plain: list[dict[str, Any]] = [asdict(match) for match in results]
    (out / "against.json").write_text(json.dumps(plain) + "\n", encoding="utf-8")


def main() -> None:
    """Run the comparisons that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--film", default="lines", choices=demo_film_names())
    parser.add_argument("--length", type=float, default=60.0, help="of the film, in seconds")
    parser.add_argument("--seconds", type=float, default=600.0, help="of training for each system")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        film = draw_film(work, args.film, args.length)
        library = Library.create(work / "library")
        add_calibration_film(library)
        pickle_film(film, library)
        results = []
        for match in matches(library, args.seconds):
            print("\n".join([*match.rows(), *match.ends()]), flush=True)
            results.append(match)
            if args.out is not None:
                args.out.mkdir(parents=True, exist_ok=True)
                save_curves(results, args.out)
        lines = "\n".join(table(results, library, args.film)) + "\n"
    print(lines)
    if args.out is not None:
        draw(results, args.out / "against.webp")
        lines += "\n![held-out losses over time](against.webp)\n"
        write_part(args.out / "README.md", "against", lines)


if __name__ == "__main__":
    main()
