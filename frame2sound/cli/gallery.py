"""``frame2sound gallery``: unseen animations, sounded in every mode, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from frame2sound.cli.app import app
from frame2sound.cli.options import Seed, Verbose
from frame2sound.cli.progress import Progress
from frame2sound.cli.terminal import say


@app.command()
def gallery(
    films: Annotated[
        list[str] | None,
        typer.Argument(help="Which demo films.", show_default="typing lines theremin"),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for all that it makes.")] = Path(
        "render"
    ),
    seconds: Annotated[
        float, typer.Option(min=1, max=600, help="Of each unseen animation.")
    ] = 10.0,
    seed: Seed = 0,
    verbose: Verbose = False,
) -> None:
    """Draw, learn and sound films in every mode, and make a page of them."""
    from frame2sound.studio import gallery as studio

    with Progress() as progress:
        studio.run_gallery(
            out, seed, seconds, say, progress.show, films=tuple(films or studio.DEFAULT_FILMS)
        )
