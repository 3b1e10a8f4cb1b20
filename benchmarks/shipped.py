"""Train the pretrained brains and write their cards.

    python benchmarks/shipped.py [--name sketchbook ...] [-o brains]

Each brain has the recipe `pocket` and is trained on demo films that this program draws: nobody else
has rights in them. The films are dark; animations often are not. So each film is used in two
versions: as it is, and over backgrounds that change every few seconds, from black to white, on
which the light parts become lighter or darker. The measures in a card are of films of another seed,
as they are.
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
import soundfile
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.recipe import load_recipe
from frame2sound.evaluation.measurements import Measurements, Reference
from frame2sound.evaluation.media_loader import MediaLoader, read_truth
from frame2sound.evaluation.soundtrack_evaluation import measure_soundtrack
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.scene import Scene
from frame2sound.film.drawing.scene_writer import truth_path, write_scene
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.render import render
from frame2sound.training.loop import train

RECIPE = "pocket"
SECONDS, OTHER_SEED = 60.0, 2
BACKGROUND_SECONDS, MAX_UNEVENNESS = 3.0, 60.0
TEST_SECONDS, TEST_SEED = 30.0, 1


@dataclass(frozen=True)
class PretrainedBrain:
    """A brain's name, its demo films and its description."""

    name: str
    films: tuple[str, ...]
    about: str


BRAINS = (
    PretrainedBrain(
        "sketchbook", tuple(demo_film_names()), "A little of all five demo films; the default."
    ),
    PretrainedBrain("bells", ("bounce",), "Balls, wood and bells: what flashes, rings."),
)


def add_backgrounds(scene: Scene, seed: int) -> Scene:
    """Return a scene over smooth backgrounds of random brightness, with cuts between."""
    width, height = scene.size
    tile = math.ceil(BACKGROUND_SECONDS * scene.clock.fps)

    def draw(frame: int) -> NDArray[np.uint8]:
        random = np.random.default_rng([seed, frame // tile])
        pattern = random.uniform(-1, 1, (4, 4)).astype(np.float32) * random.uniform(
            0, MAX_UNEVENNESS
        )
        pattern = cv2.resize(pattern, (width, height), interpolation=cv2.INTER_CUBIC)
        background = np.clip(random.uniform(0, 255) + pattern, 0, 255)[..., None]
        contrast = np.where(
            background.mean() < 128, 255 - background, -background
        ) * random.uniform(0.6, 1)
        return np.rint(background + contrast * (scene.draw(frame) / 255)).astype(np.uint8)

    return replace(scene, draw=draw)


def draw_versions(name: str, folder: Path) -> list[Path]:
    """Draw both versions of a training film and return their paths."""
    plain, second = folder / f"{name}-0.mkv", folder / f"{name}-backgrounds.mkv"
    if not second.exists():
        write_scene(load_scene(name, seconds=SECONDS, seed=0), plain, overwrite=True)
        other = load_scene(name, seconds=SECONDS, seed=OTHER_SEED)
        write_scene(add_backgrounds(other, OTHER_SEED), second)
    return [plain, second]


def train_brain(pretrained: PretrainedBrain, folder: Path, out: Path) -> Brain:
    """Train a brain on its films."""
    recipe = load_recipe(RECIPE)
    library = Library.create(folder / pretrained.name, recipe.clock.sample_rate)
    add_calibration_film(library)
    for path in (path for name in pretrained.films for path in draw_versions(name, folder)):
        pickle_film(path, library)
    path = out / f"{pretrained.name}.safetensors"
    path.unlink(missing_ok=True)
    return train(library, recipe, path, seed=0, corpus="none")


def measure(brain: Brain, name: str, folder: Path) -> Measurements:
    """Return the measurements of a brain's soundtrack for a film that it was not trained on."""
    film_path, soundtrack = folder / "test.mkv", folder / "soundtrack.wav"
    scene = load_scene(name, seconds=TEST_SECONDS, seed=TEST_SEED)
    write_scene(scene, film_path, overwrite=True)
    soundtrack.unlink(missing_ok=True)
    render(FilmReader(film_path), brain, soundtrack)
    sound = soundfile.read(soundtrack, dtype="float32")[0]
    rate = brain.clock.sample_rate
    with MediaLoader() as loader:
        film = loader.load_film(film_path)
        original = np.array(loader.load_audio(film_path, rate))
        return measure_soundtrack(
            sound, rate, film.fps, picture_seconds=film.picture_seconds,
            black_frames=film.black_frames, reference=Reference(original, rate, film.fps),
            truth=read_truth(truth_path(film_path)),
        )  # fmt: skip


def card(
    pretrained: PretrainedBrain, brain: Brain, measured: dict[str, Measurements], size: int
) -> Iterator[str]:
    """Yield the lines of a brain's card."""
    source = brain.provenance
    yield f"# {pretrained.name}\n"
    yield f"{pretrained.about}\n"
    yield "    frame2sound render animation.mp4" + (
        "\n" if pretrained.name == "sketchbook" else f" --brain {pretrained.name}\n"
    )
    films = ", ".join(pretrained.films)
    yield f"- Films: {films}, {SECONDS:.0f} s of each, drawn by `frame2sound films`, seed 0;"
    yield f"  and as much of seed {OTHER_SEED} over backgrounds from black to white"
    yield f"- Recipe: `{RECIPE}`, {brain.parameter_count} parameters, {size / 1e6:.1f} MB"
    yield f"- Training: {source['seconds']:.0f} s, {source['epochs']} epochs"
    yield "- Licence: MIT, like the program; the films are the program's own"
    yield "- Made by: `python benchmarks/shipped.py`\n"
    yield f"Measured on {TEST_SECONDS:.0f} s of another seed (overlap-add):\n"
    yield "| film | onset F (chance) | in sync | envelope | distance, dB | pitch |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, figures in measured.items():
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
    """Train the brains that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = [pretrained.name for pretrained in BRAINS]
    parser.add_argument("--name", nargs="+", default=names, choices=names)
    parser.add_argument("-o", "--out", type=Path, default=Path("brains"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        for pretrained in BRAINS:
            if pretrained.name in args.name:
                brain = train_brain(pretrained, Path(work), args.out)
                measured = {name: measure(brain, name, Path(work)) for name in pretrained.films}
                size = (args.out / f"{pretrained.name}.safetensors").stat().st_size
                text = "\n".join(card(pretrained, brain, measured, size)) + "\n"
                (args.out / f"{pretrained.name}.md").write_text(text, encoding="utf-8")
                print(text, flush=True)


if __name__ == "__main__":
    main()
