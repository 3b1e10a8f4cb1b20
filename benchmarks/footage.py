"""Demo films for benchmarks, drawn once per folder."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene

FPS = Fraction(30)
SMALL = (320, 240)
STUDY_FILMS = ("bounce", "lines", "scratch", "theremin", "typing")
"""The demo films of the study, in which light is sound; what is published was measured on them."""


def draw_film(
    folder: Path, name: str, seconds: float, seed: int = 0, size: tuple[int, int] = SMALL
) -> Path:
    """Return the path of a demo film in a folder, after drawing it if it is missing."""
    width, height = size
    path = folder / f"{name}-{seconds:g}s-seed{seed}-{width}x{height}.mp4"
    if not path.exists():
        scene = load_scene(name, seconds=seconds, seed=seed, fps=FPS, size=size)
        write_scene(scene, path, overwrite=True)
    return path


def draw_all_films(folder: Path, minutes: float) -> list[Path]:
    """Return the paths of the study's films: equally long, ``minutes`` in all, of other seeds."""
    seconds = 60 * minutes / len(STUDY_FILMS)
    return [draw_film(folder, name, seconds, seed) for seed, name in enumerate(STUDY_FILMS)]
