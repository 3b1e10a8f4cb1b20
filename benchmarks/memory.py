"""Rendering with a brain that remembers, on one core, against real time.

    python benchmarks/memory.py [--seconds 60] [--recipe memory] [--hears 64] [--set KEY=VALUE ...]

For the recipe as it is, and for one that also hears so many numbers of its own last output: seconds
of film a second of the network alone, from 64x64 pictures to what it predicts; of the network and
all that makes sound of it; and of the whole `render`, which also decodes a film drawn in 64x64,
limits and writes a WAV. Beside it, decoding alone. Asked of the last two: 50 times real time. All
on one core, in turns, best of five. Brains learn a few steps of another film first, so that they
are neither silent nor noise.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy reads it

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from films import render_frames
from footage import draw_film
from numpy.typing import NDArray
from rendering import decode

from frame2sound.brain.brain import Brain
from frame2sound.brain.corpus import Corpus
from frame2sound.brain.recipe import load_recipe
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.render import Delivery, Style, render
from frame2sound.training.loop import train

RUNS = 5
ASKED = 50.0
BATCH = 128
BRIEF = ["training.steps=40", "training.warmup=0.0"]
LEARNED_SECONDS = 20.0
SIZE = (64, 64)


def one_core() -> None:
    """Stay on one core: PyAV, too, starts threads."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def brief(library: Library, recipe: str, settings: list[str], folder: Path) -> Brain:
    """Return a brain that has learned a little."""
    chosen = load_recipe(recipe, [*BRIEF, *settings])
    return train(library, chosen, folder / "brain.safetensors", device="cpu", corpus="none")


def predict(brain: Brain, frames: NDArray[np.uint8]) -> None:
    """Look at a film as a soundtrack does, and leave it at that."""
    performance = brain.start_prediction()
    for first in range(0, len(frames), BATCH):
        performance.predict(frames[first : first + BATCH])


def timed(brain: Brain, film: Path, frames: NDArray[np.uint8], folder: Path) -> list[float]:
    """Return seconds: network alone, from pictures on, the whole of rendering, decoding alone."""
    nothing = Corpus(brain.clock, ())

    def whole() -> None:
        render(FilmReader(film), brain, folder / "out.wav", Style(), Delivery(overwrite=True))

    jobs = (
        lambda: predict(brain, frames),
        lambda: render_frames(brain, Style(), frames, nothing),
        whole,
        lambda: decode(film),
    )
    runs = []
    for _ in range(RUNS):
        spent = []
        for job in jobs:
            begun = time.perf_counter()
            job()
            spent.append(time.perf_counter() - begun)
        runs.append(spent)
    return [min(column) for column in zip(*runs, strict=True)]


def main() -> None:
    """Print the speeds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of film")
    parser.add_argument("--film", default="lines")
    parser.add_argument("--recipe", default="memory")
    parser.add_argument("--hears", type=int, default=64)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    one_core()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = draw_film(folder, asked.film, asked.seconds, seed=1, size=SIZE)
        library = Library.create(folder / "library")
        add_calibration_film(library)
        pickle_film(draw_film(folder, asked.film, LEARNED_SECONDS), library)
        frames, _ = pickle_film(film, Library.create(folder / "seen"))
        for hears in (0, asked.hears):
            settings = [*asked.set, f"network.feedback_units={hears}"]
            brain = brief(library, asked.recipe, settings, folder)
            spent = timed(brain, film, np.array(frames.frames), folder)
            alone, sounding, rendered, decoded = (frames.seconds / each for each in spent)
            verdict = "met" if min(sounding, rendered) >= ASKED else "short"
            print(
                f"{asked.recipe}, hears {hears:3}: times real time: network alone {alone:.0f}, "
                f"from pictures on {sounding:.0f}, whole render {rendered:.0f}, decoding alone "
                f"{decoded:.0f}; asked {ASKED:g}: {verdict}",
                flush=True,
            )


if __name__ == "__main__":
    main()
