"""``frame2sound films``: draw a demo film."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from frame2sound.cli.app import app
from frame2sound.cli.options import Overwrite, Seed, Verbose, frames_a_second, width_and_height
from frame2sound.cli.progress import Progress
from frame2sound.cli.terminal import say


@app.command()
def films(
    name: Annotated[str | None, typer.Argument(help="Which film; without it, their names.")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Film to write.")] = None,
    seconds: Annotated[float, typer.Option(min=0.05, max=86400, help="How long.")] = 20.0,
    fps: Annotated[str, typer.Option(help='Frames a second, such as 24 or "30000/1001".')] = "30",
    size: Annotated[str, typer.Option(help="Width and height in pixels.")] = "480x360",
    silent: Annotated[bool, typer.Option("--silent", help="An animation, without sound.")] = False,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Draw a demo film, with its truth as JSON beside it."""
    from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
    from frame2sound.film.drawing.scene_writer import truth_path, write_scene

    if name is None:
        for known in demo_film_names():
            say(known)
        return
    path = out or Path(f"{name}.mp4")
    rate, sides = frames_a_second(fps), width_and_height(size)
    scene = load_scene(name, seconds=seconds, fps=rate, seed=seed, size=sides)
    with Progress() as progress:
        write_scene(
            scene,
            path,
            with_audio=not silent,
            overwrite=overwrite,
            on_progress=progress.show,
        )
    say(f"{path}  {scene.frame_count} frames  truth in {truth_path(path)}")
