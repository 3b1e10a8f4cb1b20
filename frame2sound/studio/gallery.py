"""The gallery: unseen animations with soundtracks of all kinds, and pages that show them."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from frame2sound.atomic import atomic_folder
from frame2sound.brain.recipe import load_recipe
from frame2sound.errors import SoundtrackError
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.progress import ProgressCallback
from frame2sound.studio.gallery_page import MEASURES_FILE, PICTURE_FILE, write_pages
from frame2sound.studio.renderings import ORIGINAL, RENDERINGS
from frame2sound.studio.steps import (
    MessageCallback,
    Samples,
    create_library,
    demo_scene,
    draw_film,
    load_unseen,
    render_soundtrack,
    train_brain,
)

DEFAULT_FILMS = "typing", "lines", "theremin"
FRAME_SIZE = 320, 240
LEARNED_SECONDS = 60

RECIPE_SETTINGS: dict[str, tuple[str, ...]] = {"deep": (), "lines-small": ("training.epochs=30",)}
"""Recipes of the brains, and settings that change them."""


def run_gallery(
    out: Path,
    seed: int,
    seconds: float,
    on_message: MessageCallback,
    on_progress: ProgressCallback,
    *,
    films: Sequence[str] = DEFAULT_FILMS,
    learned_seconds: float = LEARNED_SECONDS,
    settings: tuple[str, ...] = (),
) -> None:
    """Draw films, train brains on them, render an unseen animation of each, and write the pages.

    Each film has a folder in ``out`` that is written atomically and replaces that of an earlier
    gallery; the pages ``index.html`` and ``README.md`` show all folders. Training films and brains
    are deleted.

    Parameters
    ----------
    out : Path
    seed : int
        Of the training films and of training; the unseen animations have the next seed.
    seconds : float
        Length of each unseen animation.
    on_message, on_progress : callable
        Called with lines of text, and with progress.
    films : sequence of str
        Names of demo films.
    learned_seconds : float
        Length of each training film.
    settings : tuple of str
        Settings of all recipes, as `load_recipe` takes them.

    Raises
    ------
    FilmError
        A demo film does not exist.
    SoundtrackError
        A folder cannot be written, or a folder of the same name is not of a gallery.
    """
    started = time.monotonic()
    for film in films:
        load_scene(film, seconds=seconds)
        _check_folder(out / film)
    on_progress("the gallery", 0, len(films), "")
    for done, film in enumerate(films, 1):
        on_message(f"{film}: {learned_seconds:g} s for training, {seconds:g} s unseen")
        _build_film_folder(out / film, seed, seconds, learned_seconds, settings, on_progress)
        on_progress("the gallery", done, len(films), "")
        finished = [name for name in films if (out / name / MEASURES_FILE).exists()]
        write_pages(out, finished, _command(films, seed, seconds), seconds, learned_seconds)
    on_message(f"{out / 'index.html'}  {len(films)} films, {len(RENDERINGS) - 1} soundtracks each")
    on_message(f"done in {time.monotonic() - started:.0f} s")


def _command(films: Sequence[str], seed: int, seconds: float) -> str:
    names = [] if tuple(films) == DEFAULT_FILMS else films
    return " ".join(["frame2sound gallery", *names, f"--seed {seed} --seconds {seconds:g}"])


def _check_folder(folder: Path) -> None:
    if folder.exists() and not (folder / MEASURES_FILE).exists():
        raise SoundtrackError(f"{folder} is not a folder of a gallery; give another `out`")


def _build_film_folder(
    folder: Path,
    seed: int,
    seconds: float,
    learned_seconds: float,
    settings: tuple[str, ...],
    on_progress: ProgressCallback,
) -> None:
    film = folder.name

    def report(name: str, done: float, total: float | None, note: str, /) -> None:
        on_progress(f"{film}: {name}", done, total, note)

    with (
        tempfile.TemporaryDirectory(prefix="frame2sound-") as temporary,
        atomic_folder(folder, SoundtrackError) as partial,
    ):
        work = Path(temporary)
        training_film, original = work / f"{film}.mp4", partial / f"{ORIGINAL}.mp4"
        scene = demo_scene(film, learned_seconds, seed, FRAME_SIZE)
        draw_film(scene, training_film, True, report)
        library = create_library(training_film, work / "library")
        unseen_scene = demo_scene(film, seconds, seed + 1, FRAME_SIZE)
        draw_film(unseen_scene, original, True, report)
        unseen = load_unseen(unseen_scene, original)
        soundtracks: dict[str, Samples] = {ORIGINAL: unseen.samples}
        measures = {ORIGINAL: unseen.measure(unseen.samples).to_dict()}
        for recipe_name, changes in RECIPE_SETTINGS.items():
            recipe = load_recipe(recipe_name, [*changes, *settings])
            brain = train_brain(library, recipe, work / "brain.safetensors", seed, report)
            for name, rendering in RENDERINGS.items():
                if rendering.recipe == recipe_name:
                    path = partial / f"{name}.mp4"
                    soundtracks[name] = render_soundtrack(
                        unseen, brain, rendering.style, path, report
                    )
                    judged = unseen.at_loudness(recipe.training.loudness)
                    measures[name] = judged.measure(soundtracks[name]).to_dict()
        unseen.plot(
            partial / PICTURE_FILE,
            {name.replace("-", " "): samples for name, samples in soundtracks.items()},
            f"{film}, unseen: the original sound, and five rendered soundtracks",
        )
        (partial / MEASURES_FILE).write_text(
            json.dumps(measures, indent=1) + "\n", encoding="utf-8"
        )
        shutil.rmtree(folder, ignore_errors=True)
