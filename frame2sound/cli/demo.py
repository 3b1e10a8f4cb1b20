"""``frame2sound demo``: every step from a film to a soundtrack, in two minutes at most."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from frame2sound.cli.app import command
from frame2sound.cli.films import complete_film
from frame2sound.cli.options import Seed, Verbose
from frame2sound.progress_bars import ProgressBars
from frame2sound.terminal import say


@command
def demo(
    out: Annotated[
        Path, Option("-o", "--out", metavar="FOLDER", help="Write all files here.")
    ] = Path("demo"),
    film: Annotated[
        str,
        Option(
            metavar="NAME",
            autocompletion=complete_film,
            help="Draw this demo film; frame2sound films lists their names.",
        ),
    ] = "typing",
    seed: Seed = 0,
    verbose: Verbose = False,
) -> None:
    """Run every step once, on a drawn film."""
    from frame2sound.studio import run_demo

    with ProgressBars() as progress:
        run_demo(out, film, seed, say, progress.show)
