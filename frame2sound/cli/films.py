"""``frame2sound films``: draw a demo film."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import Overwrite, Seed, Verbose
from frame2sound.terminal import say


def complete_film(incomplete: str) -> list[str]:
    """Return the demo films whose names begin so, for the completion of the shell."""
    from frame2sound.api.drawing import demo_film_names

    return [name for name in demo_film_names() if name.startswith(incomplete)]


@command
def films(
    name: Annotated[
        str | None,
        Argument(
            metavar="NAME",
            autocompletion=complete_film,
            help="Draw this film; without a name, the names are listed.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        Option("-o", "--out", metavar="FILE", help="Write the film here.", show_default="NAME.mp4"),
    ] = None,
    seconds: Annotated[
        float, Option(min=0.05, max=86400, metavar="SECONDS", help="Draw this many seconds.")
    ] = 20.0,
    fps: Annotated[
        str, Option(metavar="FPS", help="Draw at this frame rate, as 24 or 30000/1001.")
    ] = "30",
    size: Annotated[
        str, Option(metavar="WIDTHxHEIGHT", help="Draw pictures of this size in pixels.")
    ] = "480x360",
    silent: Annotated[bool, Option("--silent", help="Draw an animation without sound.")] = False,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Draw a demo film, or list them."""
    from frame2sound.api.drawing import demo_film_names, draw_film

    if name is None:
        for known in demo_film_names():
            say(known)
        return
    drawn = draw_film(
        name,
        out,
        seconds=seconds,
        fps=fps,
        size=size,
        silent=silent,
        seed=seed,
        overwrite=overwrite,
        progress=True,
    )
    say_lines(drawn.lines())
