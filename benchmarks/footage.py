"""Films for benchmarks: the demo films, drawn once and kept."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.scene_writer import write_scene

FPS = Fraction(30)
SMALL = (320, 240)


def drawn(
    folder: Path, name: str, seconds: float, seed: int = 0, size: tuple[int, int] = SMALL
) -> Path:
    """Return a demo film from a folder, drawn anew if it is not there."""
    width, height = size
    path = folder / f"{name}-{seconds:g}s-seed{seed}-{width}x{height}.mp4"
    if not path.exists():
        scene = load_scene(name, seconds=seconds, seed=seed, fps=FPS, size=size)
        write_scene(scene, path, overwrite=True)
    return path


def all_drawn(folder: Path, minutes: float) -> list[Path]:
    """Return every demo film, equally long, each of another seed: so many minutes in all."""
    names = demo_film_names()
    seconds = 60 * minutes / len(names)
    return [drawn(folder, name, seconds, seed) for seed, name in enumerate(names)]
