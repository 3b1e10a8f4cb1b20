"""The gallery: unseen animations, each sounded in every mode, with a page to hear them on."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from frame2sound.atomic import atomic_folder
from frame2sound.brain.recipe import load_recipe
from frame2sound.errors import SoundtrackError
from frame2sound.evaluation.plots import plot_comparison
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.progress import ProgressCallback
from frame2sound.rendering.render import Style
from frame2sound.studio.gallery_page import MEASURES_FILE, ORIGINAL, PICTURE_FILE, write_pages
from frame2sound.studio.steps import (
    LIBRARY_RATE,
    MessageCallback,
    Samples,
    UnseenAnimation,
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
"""The recipes whose brains play, and what is changed in them: the ancestor's learns briefly."""


@dataclass(frozen=True)
class Rendering:
    """One way to sound an animation: by which brain, and how."""

    recipe: str
    style: Style


RENDERINGS = {
    "overlap-add": Rendering("deep", Style()),
    "granular": Rendering("deep", Style(mode="granular")),
    "mosaic": Rendering("deep", Style(mode="mosaic")),
    "hard-cut": Rendering("lines-small", Style(window="none")),
    "hindle-grains": Rendering("lines-small", Style(mode="granular", grains="hindle")),
}


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
    """Draw and learn films; sound an unseen animation of each in every way; write the pages.

    Each film has a folder in ``out`` that appears whole and takes the place of the one that an
    earlier gallery made; the pages ``index.html`` and ``README.md`` show those that stand. What
    was learned from is not kept.

    Parameters
    ----------
    out : Path
    seed : int
        Of the films to learn from and of chance; the unseen ones are drawn with the next.
    seconds : float
        Of each unseen animation.
    say, show : callable
        Are told what is done, and how far it is.
    films : sequence of str
        Names of demo films.
    learned_seconds : float
        Of each film that is learned.
    settings : tuple of str
        Change all recipes, as `load_recipe` takes them.

    Raises
    ------
    FilmError
        There is no such demo film.
    SoundtrackError
        A folder cannot be written, or one stands in its place that no gallery made.
    """
    begun = time.monotonic()
    for film in films:
        load_scene(film, seconds=seconds)
        _check_folder(out / film)
    on_progress("the gallery", 0, len(films), "")
    for done, film in enumerate(films, 1):
        on_message(f"{film}: {learned_seconds:g} s to learn from, {seconds:g} s unseen")
        _build_film_folder(out / film, seed, seconds, learned_seconds, settings, on_progress)
        on_progress("the gallery", done, len(films), "")
        standing = [name for name in films if (out / name / MEASURES_FILE).exists()]
        write_pages(out, standing, _command(films, seed, seconds), seconds, learned_seconds)
    on_message(f"{out / 'index.html'}  {len(films)} films, {len(RENDERINGS)} soundtracks each")
    on_message(f"done in {time.monotonic() - begun:.0f} s")


def _command(films: Sequence[str], seed: int, seconds: float) -> str:
    named = [] if tuple(films) == DEFAULT_FILMS else films
    return " ".join(["frame2sound gallery", *named, f"--seed {seed} --seconds {seconds:g}"])


def _check_folder(folder: Path) -> None:
    if folder.exists() and not (folder / MEASURES_FILE).exists():
        raise SoundtrackError(f"{folder} was not made by a gallery; choose another --out")


def _build_film_folder(
    folder: Path,
    seed: int,
    seconds: float,
    learned_seconds: float,
    settings: tuple[str, ...],
    on_progress: ProgressCallback,
) -> None:
    film = folder.name

    def show_here(name: str, done: float, total: float | None, note: str, /) -> None:
        on_progress(f"{film}: {name}", done, total, note)

    with (
        tempfile.TemporaryDirectory(prefix="frame2sound-") as shop,
        atomic_folder(folder, SoundtrackError) as partial,
    ):
        learned, own = Path(shop) / f"{film}.mp4", partial / f"{ORIGINAL}.mp4"
        draw_film(demo_scene(film, learned_seconds, seed, FRAME_SIZE), learned, True, show_here)
        library = create_library(learned, Path(shop) / "library")
        unknown = demo_scene(film, seconds, seed + 1, FRAME_SIZE)
        draw_film(unknown, own, True, show_here)
        unseen = load_unseen(unknown, own)
        soundtracks: dict[str, Samples] = {ORIGINAL: unseen.samples}
        for recipe, changed in RECIPE_SETTINGS.items():
            made = load_recipe(recipe, [*changed, *settings])
            brain = train_brain(library, made, Path(shop) / "brain.safetensors", seed, show_here)
            for name, way in RENDERINGS.items():
                if way.recipe == recipe:
                    path = partial / f"{name}.mp4"
                    soundtracks[name] = render_soundtrack(unseen, brain, way.style, path, show_here)
        _draw_plot(unseen, soundtracks, partial / PICTURE_FILE)
        figures = {name: unseen.measure(heard).to_dict() for name, heard in soundtracks.items()}
        (partial / MEASURES_FILE).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)


def _draw_plot(unseen: UnseenAnimation, soundtracks: dict[str, Samples], path: Path) -> None:
    """Draw all soundtracks under the film."""
    plot_comparison(
        path,
        {name.replace("-", " "): heard for name, heard in soundtracks.items()},
        LIBRARY_RATE,
        unseen.frames,
        unseen.frame_times,
        f"{unseen.truth.film}, unseen: its own sound, and five that were made of the picture",
        unseen.onsets,
    )
