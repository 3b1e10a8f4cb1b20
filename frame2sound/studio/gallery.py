"""The gallery: unseen animations, each sounded in every mode, with a page to hear them on."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from frame2sound.brain.recipe import load_recipe
from frame2sound.errors import SoundtrackError
from frame2sound.evaluation.pictures import draw_comparison
from frame2sound.film.demo import scene_named
from frame2sound.rendering.render import Style
from frame2sound.safe import whole_folder
from frame2sound.studio.making import (
    LIBRARY_RATE,
    Say,
    Show,
    Sound,
    Unseen,
    draw,
    learn,
    look,
    pickle,
    scene,
    sound,
)
from frame2sound.studio.page import FIGURES, OWN, PICTURE, write_pages

FILMS = "typing", "lines", "theremin"
SIZE = 320, 240
LEARNED_SECONDS = 60

BRAINS: dict[str, tuple[str, ...]] = {"deep": (), "lines-small": ("training.epochs=30",)}
"""The recipes whose brains play, and what is changed in them: the ancestor's learns briefly."""


@dataclass(frozen=True)
class Way:
    """One way to sound an animation: by which brain, and how."""

    brain: str
    style: Style


WAYS = {
    "overlap-add": Way("deep", Style()),
    "granular": Way("deep", Style(mode="granular")),
    "mosaic": Way("deep", Style(mode="mosaic")),
    "hard-cut": Way("lines-small", Style(window="none")),
    "hindle-grains": Way("lines-small", Style(mode="granular", grains="hindle")),
}


def run_gallery(
    out: Path,
    seed: int,
    seconds: float,
    say: Say,
    show: Show,
    *,
    films: Sequence[str] = FILMS,
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
        scene_named(film, seconds=seconds)
        _refuse_strangers(out / film)
    show("the gallery", 0, len(films), "")
    for done, film in enumerate(films, 1):
        say(f"{film}: {learned_seconds:g} s to learn from, {seconds:g} s unseen")
        _show_film(out / film, seed, seconds, learned_seconds, settings, show)
        show("the gallery", done, len(films), "")
        standing = [name for name in films if (out / name / FIGURES).exists()]
        write_pages(out, standing, _command(films, seed, seconds), seconds, learned_seconds)
    say(f"{out / 'index.html'}  {len(films)} films, {len(WAYS)} soundtracks each")
    say(f"done in {time.monotonic() - begun:.0f} s")


def _command(films: Sequence[str], seed: int, seconds: float) -> str:
    named = [] if tuple(films) == FILMS else films
    return " ".join(["frame2sound gallery", *named, f"--seed {seed} --seconds {seconds:g}"])


def _refuse_strangers(folder: Path) -> None:
    if folder.exists() and not (folder / FIGURES).exists():
        raise SoundtrackError(f"{folder} was not made by a gallery; choose another --out")


def _show_film(
    folder: Path,
    seed: int,
    seconds: float,
    learned_seconds: float,
    settings: tuple[str, ...],
    show: Show,
) -> None:
    film = folder.name

    def show_here(name: str, done: float, total: float | None, note: str) -> None:
        show(f"{film}: {name}", done, total, note)

    with (
        tempfile.TemporaryDirectory(prefix="frame2sound-") as shop,
        whole_folder(folder, SoundtrackError) as partial,
    ):
        learned, own = Path(shop) / f"{film}.mp4", partial / f"{OWN}.mp4"
        draw(scene(film, learned_seconds, seed, SIZE), learned, True, show_here)
        library = pickle(learned, Path(shop) / "library")
        unknown = scene(film, seconds, seed + 1, SIZE)
        draw(unknown, own, True, show_here)
        unseen = look(unknown, own)
        soundtracks: dict[str, Sound] = {OWN: unseen.sound}
        for recipe, changed in BRAINS.items():
            made = load_recipe(recipe, [*changed, *settings])
            brain = learn(library, made, Path(shop) / "brain.safetensors", seed, show_here)
            for name, way in WAYS.items():
                if way.brain == recipe:
                    path = partial / f"{name}.mp4"
                    soundtracks[name] = sound(unseen, brain, way.style, path, show_here)
        _picture(unseen, soundtracks, partial / PICTURE)
        figures = {name: unseen.measure(heard).plain() for name, heard in soundtracks.items()}
        (partial / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)


def _picture(unseen: Unseen, soundtracks: dict[str, Sound], path: Path) -> None:
    """Draw all soundtracks under the film."""
    draw_comparison(
        path,
        {name.replace("-", " "): heard for name, heard in soundtracks.items()},
        LIBRARY_RATE,
        unseen.frames,
        unseen.times,
        f"{unseen.truth.film}, unseen: its own sound, and five that were made of the picture",
        unseen.onsets,
    )
