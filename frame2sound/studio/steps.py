"""Steps of demo and gallery: draw films, create a library, train, render, measure."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.config import Loudness
from frame2sound.brain.recipe import Recipe
from frame2sound.clock import Clock
from frame2sound.evaluation.measurements import Measurements, Reference
from frame2sound.evaluation.plots import plot_comparison, plot_soundtrack
from frame2sound.evaluation.rendered_sound import read_rendered
from frame2sound.evaluation.soundtrack_evaluation import measure_controls, measure_soundtrack
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene import Scene, SceneTruth
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.film_loudness import sound_gain_db, with_gain
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
    """An animation that is not in the training data, and its original sound.

    Attributes
    ----------
    path : Path
    frames : uint8 (N, 64, 64)
    frame_times : float64 (N + 1,)
        When each frame appears, in seconds, and when the last one ends.
    samples : float32 (samples,)
        The original sound, at `LIBRARY_RATE`.
    truth : SceneTruth
        The ground truth.
    """

    path: Path
    frames: NDArray[np.uint8]
    frame_times: NDArray[np.float64]
    samples: Samples
    truth: SceneTruth

    @cached_property
    def onsets(self) -> NDArray[np.float64]:
        """Onsets of its events, in seconds."""
        return np.array(self.truth.onsets)

    @cached_property
    def reference(self) -> Reference:
        """The original sound, with which soundtracks are compared."""
        return Reference(self.samples, LIBRARY_RATE, FPS)

    def at_loudness(self, loudness: Loudness) -> UnseenAnimation:
        """Return the animation with its sound as loud as brains that learned at ``loudness``."""
        gain_db = sound_gain_db(self.samples, LIBRARY_RATE) if loudness == "equal" else 0.0
        return replace(
            self, samples=with_gain(self.samples, gain_db), truth=self.truth.with_gain(gain_db)
        )

    def measure(self, samples: Samples) -> Measurements:
        """Return the measures of a soundtrack."""
        return measure_soundtrack(
            samples,
            LIBRARY_RATE,
            FPS,
            picture_seconds=len(self.frames) / FPS,
            reference=self.reference,
            truth=self.truth,
        )

    def measure_controls(self) -> dict[str, Measurements]:
        """Return the measures of the controls "silence" and "shuffled"."""
        return measure_controls(
            self.samples, LIBRARY_RATE, FPS, reference=self.reference, truth=self.truth
        )

    def plot(self, path: Path, soundtracks: Mapping[str, Samples], title: str) -> None:
        """Plot soundtracks by label below the film."""
        plot_comparison(
            path, soundtracks, LIBRARY_RATE, self.frames, self.frame_times, title, self.onsets
        )

    def plot_one(self, path: Path, samples: Samples, title: str) -> None:
        """Plot a soundtrack and the original below the film."""
        plot_soundtrack(
            path,
            samples,
            LIBRARY_RATE,
            self.frames,
            self.frame_times,
            title,
            self.onsets,
            self.samples,
        )


def demo_scene(film: str, seconds: float, seed: int, size: tuple[int, int]) -> Scene:
    """Return a demo film at 30 frames per second."""
    return load_scene(film, seconds=seconds, seed=seed, fps=FPS, size=size)


def draw_film(scene: Scene, path: Path, with_audio: bool, on_progress: ProgressCallback) -> None:
    """Draw a scene as a film, and write its ground truth next to it."""
    write_scene(
        scene,
        path,
        with_audio=with_audio,
        overwrite=True,
        on_progress=on_progress,
    )


def create_library(film: Path, library_folder: Path) -> Library:
    """Create a library of one film; an existing library in its place is deleted."""
    if library_folder.exists():
        Library.open(library_folder)
        shutil.rmtree(library_folder)
    library = Library.create(library_folder, LIBRARY_RATE)
    add_calibration_film(library)
    pickle_film(film, library, PickleOptions(in_subprocess=True))
    return library


def load_unseen(scene: Scene, path: Path) -> UnseenAnimation:
    """Read the film of a scene, and synthesise its original sound."""
    frames = list(SubprocessFilmReader(path).frames())
    resampled = load_scene(
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
        resampled.synthesise(0, Clock(FPS, LIBRARY_RATE).start_sample(len(frames))),
        resampled.truth,
    )


def train_brain(
    library: Library, recipe: Recipe, out: Path, seed: int, on_progress: ProgressCallback
) -> Brain:
    """Train a brain, and report progress."""
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
    """Render a film with sound; return the soundtrack to measure, without lossy coding."""
    wav = path.with_suffix(".wav")
    for out, delivery in {
        path: Delivery(overwrite=True),
        wav: Delivery(overwrite=True, wav=True),
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
    samples = read_rendered(wav, LIBRARY_RATE)
    wav.unlink()
    return samples
