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
from frame2sound.evaluation.report import Figures, Reference, baselines, measure_sound
from frame2sound.film.booth import BoothReader
from frame2sound.film.demo import scene_named
from frame2sound.film.scene import Scene, Truth
from frame2sound.film.writer import write_scene
from frame2sound.library.calibration import calibrate
from frame2sound.library.pickler import Choice, pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.render import Delivery, Style, render
from frame2sound.training.loop import train
from frame2sound.training.trainer import Report

Say = Callable[[str], None]
Show = Callable[[str, float, float | None, str], None]
Sound = NDArray[np.float32]

FPS = Fraction(30)
LIBRARY_RATE = 22050


@dataclass(frozen=True)
class Unseen:
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
    times: NDArray[np.float64]
    sound: Sound
    truth: Truth

    @cached_property
    def onsets(self) -> NDArray[np.float64]:
        """When its events begin, in seconds."""
        return np.array(self.truth.onsets)

    @cached_property
    def reference(self) -> Reference:
        """Its own sound, to hold others against."""
        return Reference(self.sound, LIBRARY_RATE, FPS)

    def measure(self, sound: Sound) -> Figures:
        """Return the figures of a soundtrack of it."""
        seconds = len(self.frames) / FPS
        return measure_sound(
            sound, LIBRARY_RATE, FPS, seconds=seconds, reference=self.reference, truth=self.truth
        )

    def blind(self) -> dict[str, Figures]:
        """Return the figures of sounds that do not look: silence, and shuffled seconds."""
        own, truth = self.reference, self.truth
        return baselines(self.sound, LIBRARY_RATE, FPS, reference=own, truth=truth)


def scene(film: str, seconds: float, seed: int, size: tuple[int, int]) -> Scene:
    """Return a demo film at the studio's frame rate."""
    return scene_named(film, seconds=seconds, seed=seed, fps=FPS, size=size)


def draw(scene: Scene, path: Path, sounding: bool, show: Show) -> None:
    """Draw a scene, and its truth beside it."""
    write_scene(
        scene,
        path,
        sounding=sounding,
        overwrite=True,
        progress=lambda frames: show(path.name, frames, scene.frames, ""),
    )


def pickle(film: Path, folder: Path) -> Library:
    """Make a library of one film, in place of the one that stands there."""
    if folder.exists():
        Library.open(folder)
        shutil.rmtree(folder)
    library = Library.create(folder, LIBRARY_RATE)
    calibrate(library)
    pickle_film(film, library, Choice(apart=True))
    return library


def look(scene: Scene, path: Path) -> Unseen:
    """Read a scene that was drawn, and sound it as it sounds in truth."""
    frames = list(BoothReader(path).frames())
    heard = scene_named(
        scene.name,
        seconds=scene.frames / FPS,
        seed=scene.seed,
        fps=FPS,
        size=scene.size,
        sample_rate=LIBRARY_RATE,
    )
    return Unseen(
        path,
        np.stack([frame.picture for frame in frames]),
        np.array([float(frame.time) for frame in frames] + [float(frames[-1].until)]),
        heard.sound(0, Clock(FPS, LIBRARY_RATE).start(len(frames))),
        heard.truth,
    )


def learn(library: Library, recipe: Recipe, out: Path, seed: int, show: Show) -> Brain:
    """Train a brain, showing the time left."""
    name, steps = f"training {recipe.name}", 1

    def report(now: Report) -> None:
        nonlocal steps
        steps = now.steps
        held = "" if now.held_out is None else f"held out {now.held_out:.3f}"
        show(name, now.step, now.steps, f"loss {now.loss:.3f} {held}")

    brain = train(library, recipe, out, seed=seed, report=report)
    show(name, steps, steps, "")
    return brain


def sound(unseen: Unseen, brain: Brain, style: Style, path: Path, show: Show) -> Sound:
    """Render the film to watch; return the soundtrack to measure, free of coding."""
    alone = path.with_suffix(".wav")
    for out, delivery in {
        path: Delivery(overwrite=True),
        alone: Delivery(overwrite=True, wav=True),
    }.items():
        render(
            BoothReader(unseen.path),
            brain,
            out,
            style,
            delivery,
            lambda done, name=out.name: show(name, done, float(unseen.times[-1]), ""),  # type: ignore[misc]
            corpus=brain.corpus,
        )
    heard: Sound = soundfile.read(alone, dtype="float32")[0]
    alone.unlink()
    return heard
