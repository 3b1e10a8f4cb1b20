"""``frame2sound studio``: the page in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from frame2sound.cli.app import command
from frame2sound.cli.options import Verbose
from frame2sound.terminal import say


@command
def studio(
    folder: Annotated[
        Path,
        Argument(metavar="FOLDER", help="Keep films, brains and soundtracks of a project here."),
    ] = Path("my-studio"),
    port: Annotated[
        int | None,
        Option(
            min=1,
            max=65535,
            metavar="NUMBER",
            help="Serve the page at this port.",
            show_default="8321, or a free one",
        ),
    ] = None,
    browser: Annotated[
        bool, Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    verbose: Verbose = False,
) -> None:
    """Open the studio, a page in the browser."""
    from frame2sound.web.server import open_studio

    before_the_first = [f"the studio of {folder}; Ctrl-C closes it"]

    def show(address: str) -> None:
        while before_the_first:
            say(before_the_first.pop())
        say(address)

    open_studio(folder, port=port, browser=browser, on_ready=show)
