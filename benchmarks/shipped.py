"""Make the brains that ship, and their cards.

    python benchmarks/shipped.py [--name sketchbook ...] [-o brains]

Each is recipe `pocket`, learned from demo films that this draws: nobody else has rights in them.
It carries sound of these films, and the motion of the picture decides when and how loudly it plays
it: so it follows animations that look like none of the films.
The films are dark; animations often are not. So each film is learned in two prints: as it is, and
over grounds that change every few seconds, from black to white, on which what was light is lighter,
or darker. What a card says was measured on films of another seed, as they are; their own sound is
brought to -23 LUFS before it is compared, as films are before they are learned.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import save_brain
from frame2sound.brain.recipe import load_recipe
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.evaluation.measurements import Measurements, Reference
from frame2sound.evaluation.media_loader import MediaLoader, read_truth
from frame2sound.evaluation.rendered_sound import read_rendered
from frame2sound.evaluation.soundtrack_evaluation import measure_soundtrack
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.scene import Scene
from frame2sound.film.drawing.scene_writer import truth_path, write_scene
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.corpus import read_corpus
from frame2sound.library.film_loudness import sound_gain_db, with_gain
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.render import render
from frame2sound.rendering.style import Style
from frame2sound.training.loop import train

RECIPE = "pocket"
SECONDS, OTHER_SEED = 40.0, 2
EPOCHS = 60
GROUND_SECONDS, MOST_UNEVEN = 3.0, 60.0
JUDGED_SECONDS, JUDGED_SEED = 30.0, 1
SHOWN = (
    "onset_f",
    "onset_chance",
    "in_sync",
    "envelope_correlation",
    "spectral_distance_db",
    "pitch",
)


@dataclass(frozen=True)
class Shipped:
    """What a brain is made of, and what is said of it."""

    name: str
    films: tuple[str, ...]
    about: str
    corpus_seconds: float


BRAINS = (
    Shipped(
        "sketchbook",
        tuple(demo_film_names()),
        "Impacts, machines, air, scratches and tones; follows the motion of any animation.",
        100.0,
    ),
    Shipped("bells", ("bounce",), "Balls, wood and bells: every flash rings.", 30.0),
)


def over_grounds(scene: Scene, seed: int) -> Scene:
    """Return a scene over other grounds: smooth, each of one mood, with a cut between."""
    width, height = scene.size
    tile = math.ceil(GROUND_SECONDS * scene.clock.fps)

    def draw(frame: int) -> NDArray[np.uint8]:
        random = np.random.default_rng([seed, frame // tile])
        hills = random.uniform(-1, 1, (4, 4)).astype(np.float32) * random.uniform(0, MOST_UNEVEN)
        hills = cv2.resize(hills, (width, height), interpolation=cv2.INTER_CUBIC)
        ground = np.clip(random.uniform(0, 255) + hills, 0, 255)[..., None]
        room = np.where(ground.mean() < 128, 255 - ground, -ground) * random.uniform(0.6, 1)
        return np.rint(ground + room * (scene.draw(frame) / 255)).astype(np.uint8)

    return replace(scene, draw=draw)


def prints(name: str, folder: Path) -> list[Path]:
    """Draw a film to learn from, in both prints."""
    plain, second = folder / f"{name}-0.mkv", folder / f"{name}-grounds.mkv"
    if not second.exists():
        write_scene(load_scene(name, seconds=SECONDS, seed=0), plain, overwrite=True)
        other = load_scene(name, seconds=SECONDS, seed=OTHER_SEED)
        write_scene(over_grounds(other, OTHER_SEED), second)
    return [plain, second]


def learn(made: Shipped, folder: Path, out: Path) -> Brain:
    """Train a brain on its films."""
    recipe = load_recipe(RECIPE, [f"training.epochs={EPOCHS}", "events.decide=motion"])
    library = Library.create(folder / made.name, recipe.clock.sample_rate)
    add_calibration_film(library)
    for path in (path for name in made.films for path in prints(name, folder)):
        pickle_film(path, library)
    path = out / f"{made.name}.safetensors"
    path.unlink(missing_ok=True)
    brain = train(library, recipe, path, seed=0, corpus="none")
    corpus = read_corpus(library, recipe.to_clock(), made.corpus_seconds, recipe.training.loudness)
    brain = replace(brain, corpus=corpus)
    save_brain(brain, path)
    return brain


def judge(brain: Brain, name: str, folder: Path) -> Measurements:
    """Return the figures of what a brain plays to a film that it has not seen."""
    unseen, sounding = folder / "unseen.mkv", folder / "played.wav"
    scene = load_scene(name, seconds=JUDGED_SECONDS, seed=JUDGED_SEED)
    write_scene(scene, unseen, overwrite=True)
    sounding.unlink(missing_ok=True)
    render(FilmReader(unseen), brain, sounding, Style(mode="mosaic"), corpus=brain.corpus)
    rate = brain.clock.sample_rate
    sound = read_rendered(sounding, rate)
    with MediaLoader() as auditorium:
        film = auditorium.load_film(unseen)
        own = np.array(auditorium.load_audio(unseen, rate).samples)
        gain_db = brain_gain_db(brain, own)
        return measure_soundtrack(
            sound,
            rate,
            film.fps,
            picture_seconds=film.picture_seconds,
            black_frames=film.black_frames,
            reference=Reference(with_gain(own, gain_db), rate, film.fps),
            truth=read_truth(truth_path(unseen)).with_gain(gain_db),
        )


def brain_gain_db(brain: Brain, own: NDArray[np.float32]) -> float:
    """Return the gain of a film's own sound at which a brain's soundtrack is judged."""
    equal = brain.recipe.training.loudness == "equal"
    return sound_gain_db(own, brain.clock.sample_rate) if equal else 0.0


def card(made: Shipped, brain: Brain, judged: dict[str, Measurements], size: int) -> Iterator[str]:
    """Yield the lines of a brain's card."""
    source = brain.provenance
    yield f"# {made.name}\n"
    yield f"{made.about}\n"
    yield "    frame2sound render animation.mp4" + (
        "\n" if made.name == "sketchbook" else f" --brain {made.name}\n"
    )
    films = ", ".join(made.films)
    yield f"- Films: {films}, {SECONDS:.0f} s of each, drawn by `frame2sound films`, seed 0;"
    yield f"  and as much again, seed {OTHER_SEED}, on backgrounds from black to white"
    yield f"- Recipe: `{RECIPE}`, {brain.parameter_count} parameters, {size / 1e6:.1f} MB"
    yield f"- Training: {source['seconds']:.0f} s on a shared machine, {source['epochs']} epochs"
    yield "- Licence: MIT, like the program; the films are the program's own"
    yield "- Made by: `python benchmarks/shipped.py`\n"
    yield f"Rendered for {JUDGED_SECONDS:.0f} s of each film with another seed (mosaic):\n"
    onset_f, chance, *others = (MEASURES[key].column_with_unit for key in SHOWN)
    yield f"| film | {onset_f} {chance} | {' | '.join(others)} |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, figures in judged.items():
        onset_f, chance, *others = (MEASURES[key].format(getattr(figures, key)) for key in SHOWN)
        yield f"| {name} | {onset_f} ({chance}) | {' | '.join(others)} |"


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
