"""``frame2sound demo``: the whole way, in two minutes at most."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from frame2sound.cli.app import app
from frame2sound.cli.options import Seed, Verbose
from frame2sound.cli.progress import Progress
from frame2sound.cli.terminal import say


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for all that it makes.")] = Path("demo"),
    film: Annotated[str, typer.Option(help="Which demo film; see `frame2sound films`.")] = "typing",
    seed: Seed = 0,
    verbose: Verbose = False,
) -> None:
    """Go the whole way in two minutes, on a film that it draws."""
    from frame2sound.studio import run_demo

    with Progress() as progress:
        run_demo(out, film, seed, say, progress.show)
