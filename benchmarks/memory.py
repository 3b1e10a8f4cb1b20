"""Time rendering with a recurrent brain on one core, against real time.

    python benchmarks/memory.py [--seconds 60] [--recipe memory] [--feedback-units 64] [--set ...]

For the recipe, without and with output feedback, this prints times real time: of the network alone,
from 64x64 frames to predictions; of the network and synthesis; of the whole `render`, which also
decodes a film drawn in 64x64, limits and writes a WAV; and of decoding alone. Required of the
second and the third: 50 times real time. All run on one core, in turns, best of five. Brains are
trained for a few steps on another film first, so that they give neither silence nor noise.
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
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.render import Delivery, Style, render
from frame2sound.training.loop import train

RUNS = 5
REQUIRED = 50.0
BATCH = 128
SHORT_TRAINING = ["training.steps=40", "training.warmup=0.0"]
TRAINING_SECONDS = 20.0
SIZE = (64, 64)


def one_core() -> None:
    """Bind the process to one core, because PyAV, too, starts threads."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def train_briefly(library: Library, recipe: str, settings: list[str], folder: Path) -> Brain:
    """Return a brain that is trained for a few steps."""
    chosen = load_recipe(recipe, [*SHORT_TRAINING, *settings])
    return train(library, chosen, folder / "brain.safetensors", device="cpu", corpus="none")


def predict(brain: Brain, frames: NDArray[np.uint8]) -> None:
    """Predict a film in batches, without synthesis."""
    stream = brain.start_prediction()
    for first in range(0, len(frames), BATCH):
        stream.predict(frames[first : first + BATCH])


def timed(brain: Brain, film: Path, frames: NDArray[np.uint8], folder: Path) -> list[float]:
    """Return seconds of the network, of network and synthesis, of rendering, and of decoding."""
    corpus = Corpus(brain.clock, ())

    def whole() -> None:
        render(FilmReader(film), brain, folder / "out.wav", Style(), Delivery(overwrite=True))

    jobs = (
        lambda: predict(brain, frames),
        lambda: render_frames(brain, Style(), frames, corpus),
        whole,
        lambda: decode(film),
    )
    runs = []
    for _ in range(RUNS):
        spent = []
        for job in jobs:
            began = time.perf_counter()
            job()
            spent.append(time.perf_counter() - began)
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
    parser.add_argument("--feedback-units", type=int, default=64)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    one_core()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = draw_film(folder, args.film, args.seconds, seed=1, size=SIZE)
        library = Library.create(folder / "library")
        add_calibration_film(library)
        pickle_film(draw_film(folder, args.film, TRAINING_SECONDS), library)
        frames, _ = pickle_film(film, Library.create(folder / "frames"))
        for feedback_units in (0, args.feedback_units):
            settings = [*args.set, f"network.feedback_units={feedback_units}"]
            brain = train_briefly(library, args.recipe, settings, folder)
            spent = timed(brain, film, np.array(frames.frames), folder)
            network, synthesis, rendered, decoded = (frames.seconds / each for each in spent)
            verdict = "met" if min(synthesis, rendered) >= REQUIRED else "short"
            print(
                f"{args.recipe}, feedback units {feedback_units:3}: times real time: "
                f"network alone {network:.0f}, "
                f"with synthesis {synthesis:.0f}, whole render {rendered:.0f}, decoding alone "
                f"{decoded:.0f}; required {REQUIRED:g}: {verdict}",
                flush=True,
            )


if __name__ == "__main__":
    main()
