"""Make the brains that ship, and their cards.

    python benchmarks/shipped.py [--name sketchbook ...] [-o brains]

Each is recipe `pocket`, learned from demo films that this draws: nobody else has rights in them.
What a card says was measured on films of another seed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from frame2sound.brain.brain import Brain
from frame2sound.brain.recipe import load_recipe
from frame2sound.evaluation.figures import Figures, Reference
from frame2sound.evaluation.report import measure_sound
from frame2sound.evaluation.viewing import Auditorium, read_truth
from frame2sound.film.demo import film_names, scene_named
from frame2sound.film.reader import FilmReader
from frame2sound.film.writer import truth_path, write_scene
from frame2sound.library.calibration import calibrate
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.render import render
from frame2sound.training.loop import train

RECIPE = "pocket"
SECONDS, JUDGED_SECONDS, JUDGED_SEED = 60.0, 30.0, 1


@dataclass(frozen=True)
class Shipped:
    """What a brain is made of, and what is said of it."""

    name: str
    films: tuple[str, ...]
    about: str


BRAINS = (
    Shipped("sketchbook", tuple(film_names()), "A little of all five demo films; the default."),
    Shipped("bells", ("bounce",), "Balls, wood and bells: what flashes, rings."),
)


def draw(name: str, seconds: float, seed: int, folder: Path) -> Path:
    """Draw a demo film once; return where it lies."""
    path = folder / f"{name}-{seed}.mkv"
    if not path.exists():
        write_scene(scene_named(name, seconds=seconds, seed=seed), path)
    return path


def learn(made: Shipped, folder: Path, out: Path) -> Brain:
    """Train a brain on its films."""
    recipe = load_recipe(RECIPE)
    library = Library.create(folder / made.name, recipe.clock.sample_rate)
    calibrate(library)
    for name in made.films:
        pickle_film(draw(name, SECONDS, 0, folder), library)
    path = out / f"{made.name}.safetensors"
    path.unlink(missing_ok=True)
    return train(library, recipe, path, seed=0, corpus="none")


def judge(brain: Brain, name: str, folder: Path) -> Figures:
    """Return the figures of what a brain plays to a film that it has not seen."""
    unseen, sounding = draw(name, JUDGED_SECONDS, JUDGED_SEED, folder), folder / "played.wav"
    sounding.unlink(missing_ok=True)
    render(FilmReader(unseen), brain, sounding)
    sound = soundfile.read(sounding, dtype="float32")[0]
    rate = brain.clock.sample_rate
    with Auditorium() as auditorium:
        film = auditorium.view(unseen)
        own = np.array(auditorium.listen(unseen, rate))
        return measure_sound(
            sound, rate, film.fps, seconds=film.seconds, screen=film.screen,
            reference=Reference(own, rate, film.fps), truth=read_truth(truth_path(unseen)),
        )  # fmt: skip


def card(made: Shipped, brain: Brain, judged: dict[str, Figures], size: int) -> Iterator[str]:
    """Yield the lines of a brain's card."""
    source = brain.provenance
    yield f"# {made.name}\n"
    yield f"{made.about}\n"
    yield "    frame2sound render animation.mp4" + (
        "\n" if made.name == "sketchbook" else f" --brain {made.name}\n"
    )
    films = ", ".join(made.films)
    yield f"- Films: {films}, {SECONDS:.0f} s of each, drawn by `frame2sound films`, seed 0"
    yield f"- Recipe: `{RECIPE}`, {brain.parameters} parameters, {size / 1e6:.1f} MB"
    yield f"- Training: {source['seconds']:.0f} s beside other work, {source['epochs']} epochs"
    yield "- Licence: MIT, like the program; the films are the program's own"
    yield "- Made by: `python benchmarks/shipped.py`\n"
    yield f"Played to {JUDGED_SECONDS:.0f} s of another seed (overlap-add):\n"
    yield "| film | onset F (chance) | in sync | envelope | distance, dB | pitch |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, figures in judged.items():
        cells = [
            f"{_text(figures.onset_f)} ({_text(figures.onset_chance)})",
            *map(_text, (figures.in_sync, figures.envelope_correlation)),
            _text(figures.spectral_distance_db, ".1f"),
            _text(figures.pitch),
        ]
        yield f"| {name} | {' | '.join(cells)} |"


def _text(value: float | None, form: str = ".2f") -> str:
    return "-" if value is None else format(value, form)


def main() -> None:
    """Make what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = [made.name for made in BRAINS]
    parser.add_argument("--name", nargs="+", default=names, choices=names)
    parser.add_argument("-o", "--out", type=Path, default=Path("brains"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        for made in BRAINS:
            if made.name in given.name:
                brain = learn(made, Path(work), given.out)
                judged = {name: judge(brain, name, Path(work)) for name in made.films}
                size = (given.out / f"{made.name}.safetensors").stat().st_size
                text = "\n".join(card(made, brain, judged, size)) + "\n"
                (given.out / f"{made.name}.md").write_text(text, encoding="utf-8")
                print(text, flush=True)


if __name__ == "__main__":
    main()
