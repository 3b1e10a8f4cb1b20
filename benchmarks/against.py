"""Learning against its peers: Hindle's recipe of 2015, and scikit-learn's MLPRegressor.

    python benchmarks/against.py [--film lines] [--length 60] [--seconds 600] [-o FOLDER]

It needs scikit-learn: pip install scikit-learn.

A demo film is drawn, pickled and split, and all learn from the same pairs; one function judges
what they give to the pairs that are held out, by its mean squared error. Clocks stand still
while it does. Set-up, which is opening the eyes, laying out lessons and what silence would score,
is counted apart: every time is said with it and without. Three pairs of contenders:

- Hindle's (lines-small with preset=hindle: Nesterov, rate 1e-4, momentum 0.9, batches of 10,
  samples in [0, 1], 4096-1000-735 on plain pixels), for --seconds, and lines-small in its
  defaults, in units of sound: how long each takes to the loss that his has at the end. Asked: 300
  times sooner.
- scikit-learn's Adam in its defaults, 4096-1000-735 on pixels in [0, 1], and lines-small: how long
  each takes to the lowest loss that both reach. Asked: 3 times sooner.
- The same for log magnitudes, lines-small with target.kind=log-mag.

With -o curves are kept there as JSON, drawn into against.webp, and the table is written into its
README.md.
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
from footage import drawn
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.neural_network import MLPRegressor

from frame2sound.brain.config import Pixels
from frame2sound.brain.inputs import encode_frames
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
FIRST_STEPS, OFTEN = 64, 1.02
"""So many steps are judged one by one, then whenever the clock has gone on by so much, or 1 s."""

UNIT = "of full scale squared"
SOONER, SOONER_THAN_SKLEARN = 300.0, 3.0


class Enough(Exception):  # noqa: N818
    """The time is up."""


class Watch:
    """A clock that can stand still."""

    def __init__(self) -> None:
        self._begun, self._stood = time.perf_counter(), 0.0

    @property
    def now(self) -> float:
        """Seconds since it was started, but for those in which it stood."""
        return time.perf_counter() - self._begun - self._stood

    @contextmanager
    def still(self) -> Iterator[None]:
        """Stand still."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._stood += time.perf_counter() - begun


@dataclass
class Curve:
    """How a loss went down: ``losses`` after so many ``seconds`` of learning, set-up not counted.

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
        """Go on."""
        self.seconds.append(seconds)
        self.losses.append(loss)

    def reached(self, loss: float) -> float:
        """Return when the loss was first so low; infinity if never."""
        pairs = zip(self.seconds, self.losses, strict=True)
        return next((seconds for seconds, found in pairs if found <= loss), math.inf)


def in_sound(target: Target, numbers: torch.Tensor) -> Numbers:
    """Return waveforms in units of sound, and other numbers as they are."""
    if isinstance(target, PcmBlocks):
        return target.decode(numbers)
    given: Numbers = numbers.cpu().numpy()
    return given


class Judge:
    """The one loss of all contenders: mean squared error on what is held out."""

    def __init__(self, trainer: Trainer) -> None:
        self.wanted = wanted_of(trainer.held_out_examples, trainer.target)
        self.start = trainer.training_data.held_out.start_samples
        silence = np.full(trainer.target.length, trainer.target.silence_value, np.float32)
        self.silence = self.loss(in_sound(trainer.target, torch.from_numpy(silence)))
        self.mean = self.loss(in_sound(trainer.target, mean_target(trainer.examples)))

    def loss(self, given: Numbers) -> float:
        """Return the loss of outputs ``(n, length)``, or of one that is given to all."""
        return float(np.mean(np.square(given - self.wanted), dtype=np.float64))

    def same(self, trainer: Trainer) -> bool:
        """Tell whether another training has the same held out, and wants the same of it."""
        wanted = wanted_of(trainer.held_out_examples, trainer.target)
        starts = np.array_equal(self.start, trainer.training_data.held_out.start_samples)
        return starts and np.allclose(wanted, self.wanted, atol=1e-6)


def wanted_of(lessons: ExampleCache, target: Target) -> Numbers:
    """Return what is wanted of all pairs."""
    return in_sound(target, lessons.load_targets(np.arange(len(lessons))))


class Loop:
    """The program's own training, followed."""

    def __init__(self, name: str, library: Library, settings: list[str]) -> None:
        begun = time.perf_counter()
        self.trainer = Trainer(library, load_recipe(RECIPE, settings), 0, pick_device("cpu"))
        self.curve = Curve(name, time.perf_counter() - begun)
        held_out = self.trainer.held_out_examples
        self.looks = held_out.load_batch(np.arange(len(held_out)))[0][:, None]

    def run(self, judge: Judge, seconds: float) -> Curve:
        """Train to the end, or for so many seconds."""
        assert judge.same(self.trainer)
        watch = Watch()
        with watch.still():
            self.curve.add(0.0, self.loss(judge))

        def follow(task: str, done: float, total: float | None, note: str, /) -> None:
            with watch.still():
                last = self.curve.seconds[-1]
                due = done <= FIRST_STEPS or watch.now >= min(last * OFTEN, last + 1)
                if due or watch.now >= seconds:
                    self.curve.add(watch.now, self.loss(judge))
            if watch.now >= seconds:
                raise Enough

        with tempfile.TemporaryDirectory() as work, suppress(Enough):
            self.trainer.fit(Path(work) / "checkpoint.safetensors", follow)
        return self.curve

    def loss(self, judge: Judge) -> float:
        """Return the held-out loss of the network as it stands."""
        network = self.trainer.network
        network.eval()
        with torch.inference_mode():
            given = network(self.looks, network.initial_state(len(self.looks)))[0][:, 0]
        network.train()
        return judge.loss(in_sound(self.trainer.target, given))


def sklearn_curve(trainer: Trainer, judge: Judge, seconds: float) -> Curve:
    """Train scikit-learn's regressor as long as it would by default; judge it after each epoch."""
    target, hidden = trainer.target, trainer.recipe.network.hidden
    begun = time.perf_counter()
    pixels = pixels_of(trainer.examples)
    wanted = trainer.examples.load_targets(np.arange(len(trainer.examples))).numpy()
    curve = Curve("scikit-learn", time.perf_counter() - begun)
    unseen = pixels_of(trainer.held_out_examples)
    regressor = MLPRegressor(hidden_layer_sizes=hidden, random_state=0)
    watch = Watch()
    for _ in range(regressor.max_iter):
        regressor.partial_fit(pixels, wanted)
        with watch.still():
            given = torch.from_numpy(regressor.predict(unseen).astype(np.float32))
            curve.add(watch.now, judge.loss(in_sound(target, given)))
        if watch.now >= seconds:
            break
    return curve


def pixels_of(lessons: ExampleCache) -> Numbers:
    """Return all pictures, ``(n, 4096)``, in [0, 1]."""
    moments = lessons.pairs.load(np.arange(len(lessons)))[0]
    pixels: Numbers = encode_frames(torch.from_numpy(moments), Pixels()).numpy()
    return pixels


@dataclass
class Match:
    """Two contenders, what both are to reach, and how much sooner ours is asked to."""

    title: str
    unit: str
    theirs: Curve
    ours: Curve
    silence: float
    mean: float
    loss: float
    why: str
    asked: float

    def rows(self) -> Iterator[str]:
        """Yield rows of a Markdown table."""
        yield self._row(f"**{self.loss:.4g}**, {self.why}", self.loss, self.asked)
        yield self._row(f"{self.silence:.4g}, silence", self.silence)
        yield self._row(f"{self.mean:.4g}, the mean", self.mean)

    def ends(self) -> Iterator[str]:
        """Yield where both curves have their lowest point, and where they end."""
        for curve in (self.theirs, self.ours):
            spent = curve.setup + curve.seconds[-1]
            yield (
                f"- {self.title}: {curve.name} comes down to {min(curve.losses):.4g} "
                f"{self.unit}, and ends at {curve.losses[-1]:.4g} after {spent:.0f} s."
            )

    def _row(self, what: str, loss: float, asked: float | None = None) -> str:
        theirs, ours = self.theirs.reached(loss), self.ours.reached(loss)
        whole = theirs + self.theirs.setup, ours + self.ours.setup
        verdict = ""
        if asked is not None:
            met = "met" if ratio(*whole) >= asked else "**short**"
            verdict = f"at least {asked:g}: {met}"
        cells = [f"{self.title}, {self.theirs.name}", what, *map(_seconds, (*whole, theirs, ours))]
        cells += [_times(*whole), _times(theirs, ours), verdict]
        return f"| {' | '.join(cells)} |"


def ratio(theirs: float, ours: float) -> float:
    """Return how many times sooner ours is: 0 where it is never there."""
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
    """Yield the three, as they are fought; what is loaded once is loaded before."""
    warm_up(library)
    ours = Loop(RECIPE, library, [])
    judge = Judge(ours.trainer)
    theirs = Loop("Hindle's recipe", library, HINDLE).run(judge, seconds)
    fought = ours.run(judge, seconds)
    limits = judge.silence, judge.mean
    end, why = theirs.losses[-1], "where theirs ends"
    yield Match("waveforms", UNIT, theirs, fought, *limits, end, why, SOONER)
    yield _against_sklearn("waveforms", UNIT, ours, judge, seconds)
    ours = Loop(f"{RECIPE}, {LOG_MAG[0]}", library, LOG_MAG)
    judge = Judge(ours.trainer)
    ours.run(judge, seconds)
    yield _against_sklearn("log magnitudes", "decades squared", ours, judge, seconds)


def warm_up(library: Library) -> None:
    """Load all that is loaded but once."""
    for settings in ([], HINDLE, LOG_MAG):
        loop = Loop("", library, settings)
        with suppress(Enough):
            loop.run(Judge(loop.trainer), 0.0)
    nothing = np.zeros((400, 8), np.float32)
    MLPRegressor(hidden_layer_sizes=(8,)).partial_fit(nothing, nothing)


def _against_sklearn(title: str, unit: str, ours: Loop, judge: Judge, seconds: float) -> Match:
    theirs = sklearn_curve(ours.trainer, judge, seconds)
    loss = max(min(theirs.losses), min(ours.curve.losses))
    limits = judge.silence, judge.mean
    why = "the lowest that both reach"
    return Match(title, unit, theirs, ours.curve, *limits, loss, why, SOONER_THAN_SKLEARN)


def table(fought: list[Match], library: Library, film: str) -> Iterator[str]:
    """Yield lines of Markdown."""
    seconds = next(each.seconds for each in library.films() if not is_calibration(each))
    yield f"`{film}`, {seconds:.0f} s; mean squared errors of what is held out.\n"
    whole = "theirs, s with set-up | ours, s with set-up | theirs, s without | ours, s without"
    yield f"| | held-out loss | {whole} | times sooner with set-up | without | asked |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|---|"
    for match in fought:
        yield from match.rows()
    yield ""
    for match in fought:
        yield from match.ends()


def draw(fought: list[Match], path: Path) -> None:
    """Draw all curves."""
    figure = Figure((5 * len(fought), 4.5), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(fought)))
    for panel, match in zip(panels, fought, strict=True):
        for curve, colour in ((match.theirs, "tab:red"), (match.ours, "tab:blue")):
            at = np.array(curve.seconds) + curve.setup
            panel.plot(at, curve.losses, color=colour, label=curve.name)
        panel.axhline(match.silence, color="black", linestyle=":", label="silence")
        panel.axhline(match.mean, color="grey", linestyle="--", label="the mean")
        panel.set(xscale="log", yscale="log", title=match.title)
        panel.set(xlabel="seconds, set-up and all", ylabel=f"held-out loss, {match.unit}")
        panel.legend()
    figure.savefig(path, dpi=110, format="webp", pil_kwargs={"quality": 88})


def keep(fought: list[Match], out: Path) -> None:
    """Write the curves as JSON."""
    plain: list[dict[str, Any]] = [asdict(match) for match in fought]
    (out / "against.json").write_text(json.dumps(plain) + "\n", encoding="utf-8")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--film", default="lines", choices=demo_film_names())
    parser.add_argument("--length", type=float, default=60.0, help="of the film, in seconds")
    parser.add_argument("--seconds", type=float, default=600.0, help="for which each learns")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        film = drawn(work, asked.film, asked.length)
        library = Library.create(work / "library")
        add_calibration_film(library)
        pickle_film(film, library)
        fought = []
        for match in matches(library, asked.seconds):
            print("\n".join([*match.rows(), *match.ends()]), flush=True)
            fought.append(match)
            if asked.out is not None:
                asked.out.mkdir(parents=True, exist_ok=True)
                keep(fought, asked.out)
        lines = "\n".join(table(fought, library, asked.film)) + "\n"
    print(lines)
    if asked.out is not None:
        draw(fought, asked.out / "against.webp")
        lines += "\n![how the losses go down](against.webp)\n"
        write_part(asked.out / "README.md", "against", lines)


if __name__ == "__main__":
    main()
