"""Drawing demo films, whose sound follows from their picture."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.parameters import (
    FrameRate,
    ParameterError,
    frame_rate,
    frame_size,
    whole_number,
)
from frame2sound.api.records import Record

if TYPE_CHECKING:
    from frame2sound.progress import ProgressCallback

MIN_SECONDS, MAX_SECONDS = 0.05, 86_400.0


@dataclass(frozen=True)
class DrawnFilm(Record):
    """A demo film that was drawn; ``truth`` is the JSON of what happens in it."""

    path: Path
    frames: int
    truth: Path

    def lines(self) -> list[str]:
        """Return one line."""
        return [f"{self.path}  {self.frames} frames  truth in {self.truth}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {"film": str(self.path), "frames": self.frames, "truth": str(self.truth)}


def demo_film_names() -> list[str]:
    """Return the names of the demo films that `draw_film` draws."""
    from frame2sound.film.drawing import demo_films

    return list(demo_films.demo_film_names())


def draw_film(
    name: str,
    out: str | PathLike[str] | None = None,
    *,
    seconds: float = 20.0,
    fps: FrameRate = 30,
    size: str | tuple[int, int] = "480x360",
    silent: bool = False,
    seed: int = 0,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> DrawnFilm:
    """Draw a demo film, and write what happens in it as JSON.

    Parameters
    ----------
    name : str
        Name of the film, such as ``"typing"``; see `demo_film_names`.
    out : str or path, optional
        File to write; by default ``NAME.mp4``.
    seconds : float
        Duration, 0.05 to 86400.
    fps : int, float, str or Fraction
        Frames per second, as ``24`` or ``"30000/1001"``.
    size : str or (int, int)
        Width and height in pixels, each 16 to 8192, as ``"480x360"``.
    silent : bool
        Draw an animation without sound.
    seed : int
        Seed of the random numbers.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Raises
    ------
    FilmError
        There is no such demo film.
    SoundtrackError
        The output exists or cannot be written.
    """
    from frame2sound.film.drawing.demo_films import load_scene
    from frame2sound.film.drawing.scene_writer import truth_path, write_scene
    from frame2sound.progress_bars import open_progress

    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise ParameterError(
            f"got `seconds={seconds:g}`, expected {MIN_SECONDS:g} to {MAX_SECONDS:g}"
        )
    whole_number("seed", seed, 0)
    path = Path(out or f"{name}.mp4")
    rate, sides = frame_rate("fps", fps), frame_size("size", size)
    scene = load_scene(name, seconds=seconds, fps=rate, seed=seed, size=sides)
    with open_progress(progress) as on_progress:
        write_scene(
            scene, path, with_audio=not silent, overwrite=overwrite, on_progress=on_progress
        )
    return DrawnFilm(path, scene.frame_count, truth_path(path))
