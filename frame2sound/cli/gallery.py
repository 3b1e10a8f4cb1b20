"""``frame2sound gallery``: unseen animations rendered in every mode, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from frame2sound.cli.app import command
from frame2sound.cli.films import complete_film
from frame2sound.cli.options import Seed, Verbose
from frame2sound.progress_bars import ProgressBars
from frame2sound.terminal import say


@command
def gallery(
    films: Annotated[
        list[str] | None,
        Argument(
            metavar="NAME",
            autocompletion=complete_film,
            help="Draw these demo films.",
            show_default="typing lines theremin",
        ),
    ] = None,
    out: Annotated[
        Path, Option("-o", "--out", metavar="FOLDER", help="Write all files here.")
    ] = Path("render"),
    seconds: Annotated[
        float,
        Option(min=1, max=600, metavar="SECONDS", help="Draw unseen animations of this duration."),
    ] = 10.0,
    seed: Seed = 0,
    verbose: Verbose = False,
) -> None:
    """Render demo films in every mode, on a page."""
    from frame2sound.studio import gallery as studio

    with ProgressBars() as progress:
        studio.run_gallery(
            out, seed, seconds, say, progress.show, films=tuple(films or studio.DEFAULT_FILMS)
        )
