"""The steps that demo and gallery share: draw, pickle, look, learn, sound, measure."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.recipe import Recipe
from frame2sound.clock import Clock
from frame2sound.evaluation.soundtrack_evaluation import (
    Measurements,
    Reference,
    measure_controls,
    measure_soundtrack,
)
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene import Scene, SceneTruth
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.store import Library
from frame2sound.progress import ProgressCallback, rename_task
from frame2sound.rendering.render import Delivery, Style, render
from frame2sound.training.loop import train

MessageCallback = Callable[[str], None]
Samples = NDArray[np.float32]

FPS = Fraction(30)
LIBRARY_RATE = 22050


@dataclass(frozen=True)
class UnseenAnimation:
    """The animation to be given sound, and the sound that it has in truth.

    Attributes
    ----------
    path : Path
    frames : uint8 (N, 64, 64)
    times : float64 (N + 1,)
        When each frame appears, in seconds, and when the last one ends.
    sound : float32 (samples,)
        At `LIBRARY_RATE`.
    truth : Truth
    """

    path: Path
    frames: NDArray[np.uint8]
    frame_times: NDArray[np.float64]
    samples: Samples
    truth: SceneTruth

    @cached_property
    def onsets(self) -> NDArray[np.float64]:
        """When its events begin, in seconds."""
        return np.array(self.truth.onsets)

    @cached_property
    def reference(self) -> Reference:
        """Its own sound, to hold others against."""
        return Reference(self.samples, LIBRARY_RATE, FPS)

    def measure(self, samples: Samples) -> Measurements:
        """Return the figures of a soundtrack of it."""
        seconds = len(self.frames) / FPS
        return measure_soundtrack(
            samples,
            LIBRARY_RATE,
            FPS,
            picture_seconds=seconds,
            reference=self.reference,
            truth=self.truth,
        )

    def measure_controls(self) -> dict[str, Measurements]:
        """Return the figures of sounds that do not look: silence, and shuffled seconds."""
        own, truth = self.reference, self.truth
        return measure_controls(self.samples, LIBRARY_RATE, FPS, reference=own, truth=truth)


def demo_scene(film: str, seconds: float, seed: int, size: tuple[int, int]) -> Scene:
    """Return a demo film at the studio's frame rate."""
    return load_scene(film, seconds=seconds, seed=seed, fps=FPS, size=size)


def draw_film(scene: Scene, path: Path, with_audio: bool, on_progress: ProgressCallback) -> None:
    """Draw a scene, and its truth beside it."""
    write_scene(
        scene,
        path,
        with_audio=with_audio,
        overwrite=True,
        on_progress=on_progress,
    )


def create_library(film: Path, library_folder: Path) -> Library:
    """Make a library of one film, in place of the one that stands there."""
    if library_folder.exists():
        Library.open(library_folder)
        shutil.rmtree(library_folder)
    library = Library.create(library_folder, LIBRARY_RATE)
    add_calibration_film(library)
    pickle_film(film, library, PickleOptions(in_subprocess=True))
    return library


def load_unseen(scene: Scene, path: Path) -> UnseenAnimation:
    """Read a scene that was drawn, and sound it as it sounds in truth."""
    frames = list(SubprocessFilmReader(path).frames())
    heard = load_scene(
        scene.name,
        seconds=scene.frame_count / FPS,
        seed=scene.seed,
        fps=FPS,
        size=scene.size,
        sample_rate=LIBRARY_RATE,
    )
    return UnseenAnimation(
        path,
        np.stack([frame.picture for frame in frames]),
        np.array(
            [float(frame.start_seconds) for frame in frames] + [float(frames[-1].end_seconds)]
        ),
        heard.synthesise(0, Clock(FPS, LIBRARY_RATE).start_sample(len(frames))),
        heard.truth,
    )


def train_brain(
    library: Library, recipe: Recipe, out: Path, seed: int, on_progress: ProgressCallback
) -> Brain:
    """Train a brain, showing the time left."""
    steps = 1.0

    def report(task: str, done: float, total: float | None, note: str, /) -> None:
        nonlocal steps
        steps = total or 1.0
        on_progress(task, done, total, note)

    brain = train(library, recipe, out, seed=seed, on_progress=report)
    on_progress(f"training {recipe.name}", steps, steps, "")
    return brain


def render_soundtrack(
    unseen: UnseenAnimation, brain: Brain, style: Style, path: Path, on_progress: ProgressCallback
) -> Samples:
    """Render the film to watch; return the soundtrack to measure, free of coding."""
    alone = path.with_suffix(".wav")
    for out, delivery in {
        path: Delivery(overwrite=True),
        alone: Delivery(overwrite=True, wav=True),
    }.items():
        render(
            SubprocessFilmReader(unseen.path),
            brain,
            out,
            style,
            delivery,
            rename_task(on_progress, out.name),
            corpus=brain.corpus,
        )
    heard: Samples = soundfile.read(alone, dtype="float32")[0]
    alone.unlink()
    return heard
